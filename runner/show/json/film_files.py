"""The documents of `cut`, `sheet`, `dailies` and `timeline` with `--json`."""

from collections.abc import Sequence
from typing import Literal

from runner.show.screens.film_files import FilmFile

VERSION = 1


FilmCommand = Literal["cut", "sheet", "dailies", "timeline"]


def film_files_json(files: Sequence[FilmFile], command: FilmCommand) -> dict[str, object]:
    """The document `{"cut": 1, "films": […]}`, or the same with `sheet`."""
    return {
        command: VERSION,
        "films": [
            {
                "storyboard": file.film.storyboard,
                "profile": file.film.profile,
                "path": file.path,
                "seconds": float(file.seconds),
                "notes": list(file.notes),
                "missing": [{"shot": shot, "reason": reason} for shot, reason in file.missing],
            }
            for file in files
        ],
    }
