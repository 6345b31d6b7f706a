"""A film as people write one: an include, pictures, chains of shots, and a template with conditions around prompts."""

import random
from pathlib import Path

from PIL import Image

_PEOPLE = ("maria", "tomas", "ines", "rui", "keeper", "diver")
_PLACES = ("quay", "office", "ferry", "lighthouse", "market", "stairs")
_CAST = """\
vars:
  look: "handmade paper-cut animation, soft contact shadows, teal and amber palette, 35 mm lens, film grain"
  never: on-screen text, logos, watermarks
assets:
"""
_HEAD = """\
storyboard: 1
title: A harbour, day and night
include: [shared/cast.yaml]
vars: {city: Lisbon, hour: blue hour just before sunrise}
defaults:
  model: seedance-20
  resolution: 720p
  duration: 5
  aspect_ratio: 16:9
  vars: {camera: Locked-off wide shot at eye level, light: "{{ hour }}", weather: ""}
  wrap: |
    {{ camera }}. {{ prompt | trim }}
    {% if weather %}Weather: {{ weather }}. {% endif %}Light: {{ light }}.
    Style: {{ look }}.{% if never %} Avoid: {{ never }}.{% endif %}
shots:
"""
_SHOTS = (
    """\
  - id: s{n:03}-wide
    scene: scene-{scene}
    tags: [opening, wide]
    vars: {{camera: "High aerial, slow drift to the right", weather: mist over the water}}
    prompt: >-
      The roofs of {{{{ city }}}} step down to the river, and @{place} lies far below in picture {n}. The sun breaks
      the horizon behind the far bank, and a thread of mist lifts off the water.
""",
    """\
  - id: s{n:03}-walk
    scene: scene-{scene}
    tags: [{person}]
    vars: {{camera: "Tracking shot at walking pace, low angle"}}
    prompt: >-
      @{person} walks past @{place} towards the camera for the {n}th time, suitcase in hand, coat snapping in the
      wind. At the end the steps slow, and stop beside the lit window.
""",
    """\
  - id: s{n:03}-enter
    scene: scene-{scene}
    first_frame: "@s{before:03}-walk.last_frame"
    vars: {{camera: "Slow push-in, chest height"}}
    prompt: |
      0-2s: the green door of house {n} opens, and warm light falls over the wet stones.
      2-5s: {{% if hour %}}It is the {{{{ hour }}}}. {{% endif %}}A voice inside says: "Not today."
""",
    """\
  - id: s{n:03}-close
    scene: scene-{scene}
    first_frame: "@s{before:03}-enter.last_frame"
    duration: 4
    vars: {{camera: "Macro insert, 100 mm", weather: "{{% if n_rain %}}rain{{% endif %}}", n_rain: "yes"}}
    prompt: >-
      A hand closes around mug number {n} on the zinc counter, the steam glows in the light of a brass lamp, and a
      ferry's horn is heard outside.
""",
)


def realistic_film(folder: Path, shots: int) -> Path:
    """Write a storyboard of so many shots with its include and twelve pictures below `folder`; returns its path."""
    (folder / "assets").mkdir()
    (folder / "storyboards/shared").mkdir(parents=True)
    for name in (*_PEOPLE, *_PLACES):
        _picture(folder / f"assets/{name}.jpg")
    lines = [f"  {name}: {{image: ../../assets/{name}.jpg, words: {name} of the harbour}}\n" for name in _PEOPLE]
    lines += [f"  {name}: {{image: ../../assets/{name}.jpg, words: the {name} at low tide}}\n" for name in _PLACES]
    (folder / "storyboards/shared/cast.yaml").write_text(_CAST + "".join(lines), "utf-8")
    board = folder / "storyboards/film.yaml"
    board.write_text(_HEAD + "".join(_shot(n) for n in range(shots)), "utf-8")
    return board


def _shot(n: int) -> str:
    person, place = _PEOPLE[n // 4 % len(_PEOPLE)], _PLACES[n // 8 % len(_PLACES)]
    return _SHOTS[n % 4].format(n=n, before=n - 1, scene=n // 20, person=person, place=place)


def _picture(path: Path) -> None:
    """A JPEG of about half a megabyte."""
    small = Image.effect_noise((1280, 720), 40).convert("RGB")
    small.save(path, quality=80)
    with path.open("ab") as file:
        file.write(random.Random(path.name).randbytes(max(0, 500_000 - path.stat().st_size)))
