"""Encoder of requests as JSON bodies. Pure, and driven by the edition's data: a new edition needs no new code."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from runner.editions.edition import Edition
from runner.requests.request import JsonValue, Material, Request

CALLBACK = "callBackUrl"
_LISTS = {"image": "images", "video": "videos", "audio": "audio_files"}
_MATERIALS = frozenset({"frames", *_LISTS.values()})
_FIELDS = ("duration", "aspect_ratio", "mode", "resolution", "upscale", "seed", "audio")


def encode(
    request: Request, edition: Edition, address: Callable[[Material], str], callback: str | None = None
) -> dict[str, JsonValue]:
    """The JSON of createTask, in the order of the documentation.

    `address` returns the public address of a material, or `placeholder` for a material without one. A field that
    the edition cannot encode raises ValueError: the server would silently ignore the field and sell another clip.
    """
    return _body(request, edition, address, lambda request: _fields(request, edition), callback)


def encoder(edition: Edition, address: Callable[[Material], str]) -> Callable[[Request], dict[str, JsonValue]]:
    """`encode` for many requests: equal combinations of length, shape and other fields are encoded once."""
    encoded_fields: dict[object, dict[str, JsonValue]] = {}

    def fields(request: Request) -> dict[str, JsonValue]:
        # Without the prompt: that differs from shot to shot, and nothing of these fields follows from it.
        key = (
            request.seconds,
            request.aspect_ratio,
            request.mode,
            request.resolution,
            request.upscale,
            request.seed,
            request.audio,
        )
        if (encoded := encoded_fields.get(key)) is None:
            encoded = encoded_fields[key] = _fields(request, edition)
        return encoded

    return lambda request: _body(request, edition, address, fields)


def _body(
    request: Request,
    edition: Edition,
    address: Callable[[Material], str],
    fields: Callable[[Request], Mapping[str, JsonValue]],
    callback: str | None = None,
) -> dict[str, JsonValue]:
    inputs = _materials(request, edition, address) if request.materials else dict[str, JsonValue]()
    if request.prompt is not None:
        inputs[edition.field_encoding["prompt"]["key"]] = request.prompt
    inputs |= fields(request)
    if request.inputs:
        # The storyboard's own fields win: what was priced and checked must be what is sent.
        inputs |= {key: value for key, value in request.inputs if key not in inputs}
    model = edition.models.get(request.model)
    if model is None:
        raise ValueError(f"edition {edition.name} has no model {request.model}")
    body: dict[str, JsonValue] = {"model": model, "inputs": inputs}
    return body if callback is None else {**body, CALLBACK: callback}


def _fields(request: Request, edition: Edition) -> dict[str, JsonValue]:
    """The fields other than prompt and materials."""
    encoded: dict[str, JsonValue] = {}
    values = {
        "duration": request.seconds,
        "aspect_ratio": request.aspect_ratio,
        "mode": request.mode,
        "resolution": request.resolution,
        "upscale": request.upscale,
        "seed": request.seed,
        "audio": request.audio,
    }
    for name in _FIELDS:
        if values[name] is not None:
            encoded |= _encode_field(name, values[name], request, edition)
    return encoded


def _materials(request: Request, edition: Edition, address: Callable[[Material], str]) -> dict[str, JsonValue]:
    lists: dict[str, list[JsonValue]] = {}
    for material in request.materials:
        list_name = _list_for(request, material)
        if list_name not in edition.field_encoding:
            raise ValueError(f"edition {edition.name} takes no {list_name}")
        lists.setdefault(edition.field_encoding[list_name]["key"], []).append(address(material))
    return {**lists}


def _encode_field(name: str, value: Any, request: Request, edition: Edition) -> dict[str, JsonValue]:
    """One field of a request as key and value of the body; empty where the edition omits the field."""
    encoding = edition.field_encoding.get(name)
    if encoding is None:
        raise ValueError(f"edition {edition.name} cannot encode {name}: {value!r}")
    # Part of another field here: a size holds resolution and shape.
    if "within" in encoding or request.mode not in encoding.get("sent_for", (request.mode,)):
        return {}
    match encoding["form"]:
        case "text":
            return {encoding["key"]: str(value)}
        case "suffixed":
            return {encoding["key"]: f"{value}s"}
        case "size":
            return _size(encoding, value, request.aspect_ratio)
        case _:
            return {encoding["key"]: value}


def _size(encoding: Mapping[str, Any], resolution: str, ratio: str | None) -> dict[str, JsonValue]:
    """Resolution and shape as one size; without a shape no size is sent, and the server uses the image's shape."""
    if ratio is None:
        return {}
    size = encoding["sizes"].get(f"{resolution} {ratio}")
    if size is None:
        raise ValueError(f"no size is known for {resolution} at {ratio}")
    return {encoding["key"]: size}


def field_at(path: str, edition: Edition) -> str | None:
    """The field behind a path of the provider's `errors[]`: `inputs.outputResolution` is `resolution`.

    `materials` for any list of materials; None for an unknown path.
    """
    key, _ = _split_path(path)
    if key == "model":
        return "model"
    # Several names may have one key (`urls` takes frames, images and videos): then it is a material.
    names = [name for name, encoding in edition.field_encoding.items() if encoding.get("key") == key]
    if not names:
        return None
    return "materials" if names[0] in _MATERIALS else names[0]


def material_at(path: str, request: Request, edition: Edition) -> int | None:
    """The index of the request's material behind a path: `inputs.urls[1]` is the second material of that list."""
    key, index = _split_path(path)
    # The provider counts within one list, and several of ours may share its key.
    positions = [
        position
        for position, material in enumerate(request.materials)
        if edition.field_encoding.get(_list_for(request, material), {}).get("key") == key
    ]
    return positions[index] if index is not None and index < len(positions) else None


def _split_path(path: str) -> tuple[str, int | None]:
    """Key and index of a path: `inputs.urls[1]`, `body.inputs.urls.1`, `/inputs/urls/1`, `$.urls[1].url`."""
    parts = re.findall(r"[^\s.\[\]/$'\"]+", path)
    # With or without the envelope: no page says from where the path of an error begins.
    while parts and parts[0] in ("body", "input", "inputs"):
        del parts[0]
    index = parts[1] if len(parts) > 1 else ""
    return parts[0] if parts else "", int(index) if re.fullmatch(r"[0-9]{1,4}", index) else None


def _list_for(request: Request, material: Material) -> str:
    return "frames" if request.mode == "keyframe" else _LISTS[material.kind]
