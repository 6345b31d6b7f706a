"""Hints for fields that the format does not have: a variable, another tool's name, a misspelling."""

from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from runner.diagnostics.problem import closest_match
from runner.language.expected_values import joined
from runner.language.yaml.document import Path, Value
from runner.language.yaml.written import flow
from runner.lazy_pattern import lazy_pattern

# The first name of an expression; `shot` and `prompt` are the language's own.
_TEMPLATE_NAME = lazy_pattern(r"\{\{[ \t]*(?!(?:shot|prompt)\b)([A-Za-z_]\w*)")


class UnknownField(NamedTuple):
    """The message and hint about a field, and the field of the format that is meant, if there is one."""

    message: str
    hint: str
    meant: str = ""


def unknown_field(
    path: Path, fields: Sequence[str], value: Value, variables: Collection[str], suggest: bool
) -> UnknownField:
    """Explain the unknown field with a path: `fields` are those of its mapping, `variables` those of the templates.

    Without `suggest` no nearest name is sought: nobody reads the thousandth.
    """
    name, section = str(path[-1]), _section(path[:-1])
    if reason := _MISPLACED.get((section, name)):
        return UnknownField(reason, "")
    message = f"`{name}` is not a field of {_holder(path[:-1], section)}"
    if not suggest:
        return UnknownField(message, "")
    # A variable of this very name is surer than a field of nearly this name.
    if section not in _WHOLE_SECTIONS.values() and (variable := _same_name(name, variables)):
        return UnknownField(message, _variable_hint(variable, value, section))
    meant, hint = _foreign_field(name, section, value, fields)
    if hint:
        return UnknownField(message, hint, meant)
    if closest := closest_match(name, fields):
        return UnknownField(message, f"did you mean `{closest}`?", closest)
    if section not in _WHOLE_SECTIONS.values() and (closest := closest_match(name, variables)):
        return UnknownField(
            message, f"did you mean the variable `{closest}`? {_variable_hint(closest, value, section)}"
        )
    return UnknownField(message, f"the fields are {joined(fields)}; your own begin with x-")


def variable_names(root: Value) -> Iterator[str]:
    """The names of a document's variables, of its matrix axes, and those that its templates use."""
    pending: list[tuple[str, Value]] = [("", root)]
    while pending:
        name, value = pending.pop()
        if isinstance(value, dict):
            if name in ("vars", "matrix"):
                yield from value
            pending.extend(value.items())
        elif isinstance(value, list):
            pending.extend(("", item) for item in value)
        elif isinstance(value, str) and "{" in value:
            yield from _TEMPLATE_NAME.findall(value)


def plain_name(name: str) -> str:
    """A field's name without case, blanks, `-` and `_`: `negativePrompt` is `negative prompt`."""
    return "".join(letter for letter in name.casefold() if letter not in " _-")


def _section(path: Path) -> str:
    if not path:
        return "top"
    if path[0] in _WHOLE_SECTIONS:
        return _WHOLE_SECTIONS[str(path[0])]
    if len(path) == 1:
        return str(path[0])
    if len(path) >= 4 and path[2] == "matrix":
        return "piece"
    return {"shots": "shot", "profiles": "profile", "scenes": "scene"}.get(str(path[0]), "")


def _holder(path: Path, section: str) -> str:
    return _HOLDERS.get(section) or ("defaults" if section == "defaults" else f"`{path[-1]}`")


# Sections without variables: an unknown field there is none that lost its `vars`.
_WHOLE_SECTIONS = {"assets": "asset", "cut": "cut", "music": "music"}
_HOLDERS = {
    "top": "a storyboard",
    "shot": "a shot",
    "piece": "a piece of a shot",
    "profile": "a profile",
    "scene": "a scene",
    "cut": "an entry of `cut`",
}
# Fields that exist, but not there: the nearest name would be the field itself.
_MISPLACED = {
    ("defaults", "id"): "`id` has no default: every shot has its own",
    ("defaults", "matrix"): "`matrix` has no default: it belongs to one shot",
    ("scene", "id"): "a scene cannot set the `id` of shots",
    ("scene", "matrix"): "a scene cannot set the `matrix` of shots",
    ("scene", "scene"): "a scene has its name as its key: remove `scene`",
    ("profile", "id"): "a profile cannot change the `id` of shots",
    ("profile", "matrix"): "a profile cannot change the `matrix` of shots",
}


def _same_name(name: str, variables: Collection[str]) -> str | None:
    if name in variables:
        return name
    if len(variables) > _MAX_COMPARED:
        return None
    plain = plain_name(name)
    # The first by name: a set has another order in each process.
    return min((variable for variable in variables if plain_name(variable) == plain), default=None)


def _variable_hint(name: str, value: Value, section: str) -> str:
    where = " of the storyboard" if section == "top" else ""
    return f"`{name}` is a variable: write vars: {{{name}: {_short(value)}}}{where}"


def _short(value: Value) -> str:
    """A value as a hint shows it; `…` for one that fills more than half a line."""
    if isinstance(value, dict | list):
        items = value.values() if isinstance(value, dict) else value
        if len(value) > _MAX_ITEMS or any(isinstance(item, dict | list) for item in items):
            return "…"
    text = flow(value)
    return text if len(text) <= _MAX_SHOWN else "…"


# Characters of a value in a hint, half a line.
_MAX_SHOWN = 40
# More variables than this are compared as written alone.
_MAX_COMPARED = 500
# Entries of a list or mapping in a hint: more than these hide what it says.
_MAX_ITEMS = 4
# Ways to write what the format has no field for; NAME and VALUE stand for the user's own.
_WRAP = 'what to avoid stands in the prompt as sent: defaults: {wrap: "{{ prompt }} Avoid: VALUE."}'
_REFERENCES = "write references: [VALUE], or first_frame: VALUE for the picture that the clip begins with"
_SOUND = "a sound file is an asset, {audio: FILE}, that the prompt mentions; what is spoken stands in the prompt"
_PROVIDER = "the format has no such field; what the provider itself knows goes through inputs: {NAME: VALUE}"
_IN_PROMPT = (
    "write it in the prompt, or as a variable: vars: {NAME: VALUE}, and {{ NAME }} in the prompt or in defaults.wrap"
)
_UPSTREAM = 'a shot is made from another by naming it: first_frame: "@quay.last_frame", or @quay in the prompt'

# Fields of a shot by the names that other tools have for them, in plain form.
_SHOT_FIELDS: dict[str, tuple[str, ...]] = {
    "id": ("name", "shot", "shotid", "shotname", "shotnumber", "number", "no", "num", "key", "slug", "index"),
    "prompt": ("prompttext", "text", "description", "positiveprompt", "desc", "content", "visual"),
    "duration": ("length", "time", "dur", "durationseconds", "durationsec", "durations", "sec", "secs"),
    "aspect_ratio": ("aspect", "aspectratio", "ratio", "orientation"),
    "resolution": ("quality", "res", "definition", "videoresolution"),
    "model": ("modelname", "modelid", "engine", "modelversion"),
    "takes": ("n", "count", "numvideos", "numoutputs", "samples", "batchsize", "variants", "variations", "repeat",
              "repeats", "copies", "versions", "generations"),
    "first_frame": ("startframe", "startimage", "firstimage", "firstframeurl", "firstframeimage", "initimage",
                    "headimage", "imagestart", "inputimage", "keyframe", "keyframes"),
    "last_frame": ("endframe", "endimage", "lastimage", "tailimage", "lastframeurl", "lastframeimage", "imagetail",
                   "imageend"),
    "notes": ("note", "comment", "comments", "remark", "remarks"),
    "tags": ("tag", "labels", "keywords"),
    "title": ("label", "heading"),
    "skip": ("disabled", "ignore", "omit", "exclude"),
    "vars": ("variables", "params", "parameters", "var"),
    "wrap": ("template", "prompttemplate"),
}  # fmt: skip
# What to write in place of fields for which the format has another way.
_SHOT_HINTS: dict[str, tuple[str, ...]] = {
    _WRAP: ("negativeprompt", "negative", "negprompt", "negativeprompts", "negativetext", "avoid", "exclusions"),
    _REFERENCES: ("image", "images", "imageurl", "imageurls", "imagepath", "ref", "refs", "reference", "referenceimage",
                  "referenceimages", "refimages", "refimage", "inputimages", "imagereferences", "img", "picture",
                  "pictures", "elements", "subjectreference", "video", "videos", "videourl", "videourls",
                  "referencevideo", "referencevideos", "inputvideo", "materials", "assets", "urls", "characters",
                  "character", "cast"),
    _SOUND: ("audiourl", "audios", "audiourls", "audiofile", "referenceaudio", "music", "soundtrack", "voiceover",
             "narration", "bgm", "voice"),
    "write audio: VALUE, where the edition of the API supports it": (
        "generateaudio", "withaudio", "enableaudio", "hasaudio", "sound", "sounds"),
    "write resolution: 720p and aspect_ratio: 16:9": ("size", "dimensions", "width", "height", "format"),
    _PROVIDER: ("fps", "framerate", "cfgscale", "cfg", "guidance", "guidancescale", "watermark", "camerafixed",
                "numframes", "frames", "steps", "strength", "priority", "style_preset", "motionstrength"),
    _UPSTREAM: ("dependson", "depends", "after", "continues", "continuefrom", "previous", "needs", "extend"),
    _IN_PROMPT: ("camera", "cameramove", "cameramovement", "movement", "mood", "style", "lighting", "light", "look",
                 "lens", "action", "dialogue", "dialog", "location", "setting", "tone", "framing", "shottype", "angle",
                 "atmosphere", "colour", "color", "subject", "motion", "weather", "timeofday", "caption"),
}  # fmt: skip
_TOP_FIELDS: dict[str, tuple[str, ...]] = {
    "storyboard": ("version", "schema", "schemaversion", "storyboardversion", "formatversion"),
    "title": ("name", "film", "project"),
    "shots": ("shot", "clips", "frames", "sequence", "panels", "storyboards", "segments", "shotlist"),
    "assets": ("characters", "cast", "materials", "references", "elements", "refs", "images", "props"),
    "vars": ("variables", "params", "parameters", "var"),
    "defaults": ("settings", "config", "global", "globals", "options", "common", "default"),
    "profiles": ("profile", "presets", "variants"),
    "length": ("duration", "totalduration", "seconds", "runtime", "totalseconds"),
    "budget": ("credits", "cost", "maxcredits", "usd"),
    "include": ("includes", "import", "imports", "extends"),
}
_ASSET_FIELDS: dict[str, tuple[str, ...]] = {
    "image": ("file", "path", "src", "source", "url", "picture", "img", "photo", "images", "imageurl"),
    "video": ("clip", "videourl", "movie"),
    "audio": ("sound", "music", "audiourl"),
    "words": ("description", "text", "prompt", "desc", "caption"),
    "seconds": ("duration", "length"),
}


def _by_plain_name(table: dict[str, tuple[str, ...]]) -> dict[str, str]:
    return {plain_name(name): entry for entry, names in table.items() for name in names}


_CUT_FIELDS: dict[str, tuple[str, ...]] = {
    "in": ("start", "from", "inpoint", "offset"),
    "seconds": ("duration", "length", "dur"),
    "shot": ("id", "name"),
    "clip": ("video", "file", "path", "image", "picture"),
    "slate": ("title", "card", "text"),
    "level": ("volume", "gain", "db"),
}
_MUSIC_FIELDS: dict[str, tuple[str, ...]] = {
    "audio": ("file", "path", "src", "sound", "track"),
    "start": ("in", "offset", "from"),
    "level": ("volume", "gain", "db"),
}
_FIELD_BY_NAME = {
    "cut": _by_plain_name(_CUT_FIELDS),
    "music": _by_plain_name(_MUSIC_FIELDS),
    "top": _by_plain_name(_TOP_FIELDS),
    "asset": _by_plain_name(_ASSET_FIELDS),
    "shot": _by_plain_name(_SHOT_FIELDS),
}
_HINT_BY_NAME = _by_plain_name(_SHOT_HINTS)


def _foreign_field(name: str, section: str, value: Value, fields: Sequence[str]) -> tuple[str, str]:
    """The field of the format that another tool's name means, and the hint; empty texts for any other name."""
    plain = plain_name(name)
    same = next((field for field in fields if plain_name(field) == plain), "")
    table = _FIELD_BY_NAME.get(section, _FIELD_BY_NAME["shot"])
    field = same or table.get(plain, "")
    # A profile or a scene lacks some fields of a shot, and a hint must not name one of those.
    if field in fields:
        return field, "write storyboard: 1" if field == "storyboard" else f"write `{field}` instead"
    if section == "top" and (plain in _FIELD_BY_NAME["shot"] or plain in _HINT_BY_NAME or name in _SHOT_FIELDS):
        field = _FIELD_BY_NAME["shot"].get(plain, name)
        return "", f"for every shot: defaults: {{{field}: {_short(value)}}}" if field in _SHOT_FIELDS else ""
    if section in ("top", *_WHOLE_SECTIONS.values()):
        return "", ""
    hint = _HINT_BY_NAME.get(plain, "")
    text = _short(value)
    if hint == _WRAP:
        text = text.strip('"') if isinstance(value, str) and '"' not in value else "…"
    return "", hint.replace("NAME", name).replace("VALUE", text)
