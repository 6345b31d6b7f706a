"""`plan --explain SHOT`: each value with its place, the prompt before and after; compared whole."""

from pathlib import Path

import pytest

from runner.attempts.film import FilmName
from runner.language.compiler import CompileOptions
from runner.language.explain import explain_shot
from runner.show.screens.shot import render_shot

CAST = """\
vars: {look: teal}
assets:
  maria: {image: 'https://cdn.example.com/maria.png', words: "a woman, {{ look }}"}
  fado: {audio: 'https://cdn.example.com/fado.mp3', seconds: 7}
"""
FILM = """\
storyboard: 1
include: [cast.yaml]
vars: {city: Lisbon}
defaults:
  resolution: 720p
  vars: {camera: static}
  wrap: "{{ camera }}. {{ prompt }} ({{ look }})"
profiles:
  draft: {resolution: 480p}
shots:
  - id: quay-{{ format }}
    takes: 3
    matrix:
      format: {tall: {aspect_ratio: 9:16, vars: {camera: handheld}}}
    prompt: >-
      @maria in {{ city }},
      to @fado
"""
SHOWN = """\
quay-tall   film.yaml:11

  id            quay-tall                                shot, film.yaml:11
  model         seedance-20                              the format's default
  resolution    480p                                     profile draft, film.yaml:9 (over film.yaml:5)
  duration      5                                        the format's default
  aspect_ratio  9:16                                     matrix format: tall, film.yaml:14
  takes         3                                        shot, film.yaml:12
  wrap          {{ camera }}. {{ prompt }} ({{ look }})  defaults, film.yaml:7
  prompt        @maria in {{ city }}, to @fado           shot, film.yaml:15

variables
  camera  handheld  matrix format: tall, film.yaml:14
  city    Porto     --var
  format  tall      axis format, film.yaml:14
  look    teal      vars, cast.yaml:1

made of
  @image1  maria  https://cdn.example.com/maria.png
  @audio1  fado   https://cdn.example.com/fado.mp3

prompt as written
  @maria in {{ city }}, to @fado

after wrap and templates
  handheld. @maria in Porto, to @fado (teal)

as it is sent
  handheld. @image1 (a woman, teal) in Porto, to @audio1 (teal)
"""


def shown(root: Path, shot: str, color: bool = False) -> str | None:
    (root / "cast.yaml").write_text(CAST)
    (root / "film.yaml").write_text(FILM)
    options = CompileOptions(variables={"city": "Porto"})
    explained = explain_shot([root / "film.yaml"], root, options, (FilmName("film.yaml", "draft"), shot))
    return None if explained is None else render_shot(explained, root, root, color)


def test_every_value_is_shown_with_its_place(tmp_path: Path) -> None:
    assert shown(tmp_path, "quay-tall") == SHOWN


def test_a_shot_that_is_not_there_has_no_explanation(tmp_path: Path) -> None:
    assert shown(tmp_path, "quay") is None


@pytest.mark.parametrize("color", [True, False])
def test_only_a_terminal_gets_colours(tmp_path: Path, color: bool) -> None:
    assert ("\x1b[" in (shown(tmp_path, "quay-tall", color) or "")) is color
