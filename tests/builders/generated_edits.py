"""Random edits of a storyboard, each with the shots that a difference must name."""

import json
import random
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

WORDS = ("harbour", "rain", "lantern", "boat", "window", "market", "gulls", "fog")
Film = dict[str, Any]


@dataclass(frozen=True)
class Edit:
    """An edited storyboard, and what became of its shots, by id."""

    before: str
    after: str
    expected: dict[str, str]


def generated_film(chance: random.Random) -> Film:
    """Up to nine shots; some begin where another one ended."""
    shots: list[dict[str, Any]] = []
    for number in range(chance.randint(3, 9)):
        shot: dict[str, Any] = {
            "id": f"s{number}",
            "prompt": f"{number}: {' '.join(chance.sample(WORDS, 3))} {{{{sky}}}}",
        }
        if shots and chance.random() < 0.4:
            shot["first_frame"] = f"@{chance.choice(shots)['id']}.last_frame"
        shots.append(shot)
    return {
        "storyboard": 1,
        "title": "Generated",
        "vars": {"sky": "grey", "unused": "x"},
        "defaults": {"resolution": "480p", "duration": 5, "aspect_ratio": "16:9"},
        "shots": shots,
    }


def generated_edit(seed: int) -> Edit:
    """One edit of one generated film."""
    chance = random.Random(seed)
    film = generated_film(chance)
    after = deepcopy(film)
    kind = chance.choice(list(EDITS))
    expected = EDITS[kind](chance, after)
    return Edit(_text(film), _text(after, note=kind == "comment"), expected)


def _text(film: Film, note: bool = False) -> str:
    """The film as YAML, a shot on each line."""
    head = "".join(f"{name}: {json.dumps(value)}\n" for name, value in film.items() if name != "shots")
    shots = "".join(f"  - {json.dumps(shot)}{'  # a note' if note else ''}\n" for shot in film["shots"])
    return f"{'# a comment' if note else ''}\n{head}shots:\n{shots}"


def downstream(film: Film, first: str) -> set[str]:
    """The shots that are made from a shot, directly or by others, and itself."""
    names = {first}
    for shot in film["shots"]:
        if shot.get("first_frame", "").removeprefix("@").removesuffix(".last_frame") in names:
            names.add(shot["id"])
    return names


def _any(chance: random.Random, film: Film) -> dict[str, Any]:
    shot: dict[str, Any] = chance.choice(film["shots"])
    return shot


def _changed(film: Film, name: str) -> dict[str, str]:
    return dict.fromkeys(downstream(film, name), "changed")


def _prompt(chance: random.Random, film: Film) -> dict[str, str]:
    shot = _any(chance, film)
    shot["prompt"] += " at dusk"
    return _changed(film, shot["id"])


def _duration(chance: random.Random, film: Film) -> dict[str, str]:
    shot = _any(chance, film)
    shot["duration"] = 7
    return _changed(film, shot["id"])


def _takes(chance: random.Random, film: Film) -> dict[str, str]:
    leaves = [shot for shot in film["shots"] if downstream(film, shot["id"]) == {shot["id"]}]
    shot = chance.choice(leaves)
    shot["takes"] = 3
    return {shot["id"]: "changed"}


def _defaults(chance: random.Random, film: Film) -> dict[str, str]:
    film["defaults"]["resolution"] = "720p"
    return dict.fromkeys((shot["id"] for shot in film["shots"]), "changed")


def _variable(chance: random.Random, film: Film) -> dict[str, str]:
    film["vars"]["sky"] = "golden"
    return dict.fromkeys((shot["id"] for shot in film["shots"]), "changed")


def _add(chance: random.Random, film: Film) -> dict[str, str]:
    film["shots"].insert(chance.randint(0, len(film["shots"])), {"id": "new", "prompt": "A new shot"})
    return {"new": "added"}


def _remove(chance: random.Random, film: Film) -> dict[str, str]:
    leaves = [shot for shot in film["shots"] if downstream(film, shot["id"]) == {shot["id"]}]
    shot = chance.choice(leaves)
    film["shots"].remove(shot)
    return {shot["id"]: "removed"}


def _rename(chance: random.Random, film: Film) -> dict[str, str]:
    shot = _any(chance, film)
    old, shot["id"] = shot["id"], "renamed"
    for other in film["shots"]:
        if other.get("first_frame") == f"@{old}.last_frame":
            other["first_frame"] = "@renamed.last_frame"
    return {"renamed": "renamed"}


def _move(chance: random.Random, film: Film) -> dict[str, str]:
    if len(film["shots"]) < 4:
        return {}
    shot = film["shots"].pop(0)
    film["shots"].append(shot)
    return {shot["id"]: "moved"}


def _nothing(chance: random.Random, film: Film) -> dict[str, str]:
    return {}


def _title(chance: random.Random, film: Film) -> dict[str, str]:
    film["title"] = "Another title"
    return {}


def _white_space(chance: random.Random, film: Film) -> dict[str, str]:
    shot = _any(chance, film)
    shot["prompt"] = shot["prompt"].replace(" ", "  ")
    return {}


def _tags(chance: random.Random, film: Film) -> dict[str, str]:
    _any(chance, film).update(tags=["hero"], notes="A note", scene="One")
    return {}


def _spelled_out(chance: random.Random, film: Film) -> dict[str, str]:
    shot = _any(chance, film)
    shot["duration"] = film["defaults"]["duration"]
    shot["prompt"] = shot["prompt"].replace("{{sky}}", "grey")
    return {}


def _unused_variable(chance: random.Random, film: Film) -> dict[str, str]:
    film["vars"]["unused"] = "y"
    return {}


EDITS: dict[str, Callable[[random.Random, Film], dict[str, str]]] = {
    "prompt": _prompt, "duration": _duration, "takes": _takes, "defaults": _defaults, "variable": _variable,
    "add": _add, "remove": _remove, "rename": _rename, "move": _move, "comment": _nothing, "title": _title,
    "white space": _white_space, "tags": _tags, "spelled out": _spelled_out, "unused variable": _unused_variable,
}  # fmt: skip
