"""The output of the commands that make files of a film."""

import sys
from collections.abc import Sequence

from runner.app.options import DisplayOptions
from runner.show.json.film_files import FilmCommand, film_files_json
from runner.show.screens.film_files import FilmFile, film_files
from runner.show.text.escape import json_document
from runner.show.text.terminal import terminal_width, use_color


def print_film_files(
    command: FilmCommand, files: Sequence[FilmFile], display: DisplayOptions, next_command: str = ""
) -> None:
    """Print the files that a command made, as JSON or as the screen of people."""
    if display.as_json:
        print(json_document(film_files_json(files, command)), end="")
    else:
        print(film_files(files, terminal_width(), use_color(sys.stdout, display.no_color), next_command), end="")
