"""The colours of a picture: the hour of the day by the prompt, a tint by the take, an accent."""

import colorsys
import re
from collections.abc import Mapping

from runner.animatic.planes import Colour
from runner.animatic.prompt_words import story
from runner.animatic.seeded_noise import SeededNoise
from runner.animatic.spec import AnimaticSpec
from runner.animatic.speech import without_lines
from runner.lazy_dataclass import dataclass, replace
from runner.lazy_pattern import lazy_pattern


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours from the far to the near."""

    sky: tuple[Colour, ...]
    """Colours from the top down to the horizon."""
    sun: Colour
    """Colour of the sun, moon or lamp, and of its light on water and edges."""
    far: Colour
    near: Colour
    """The darkest silhouettes; the layers between are mixed from far to near."""
    accent: Colour
    """Colour of small things: a coat, mentions in the caption, the progress line."""
    night: bool = False
    """Whether windows are lit and stars visible."""

    def depth(self, share: float) -> Colour:
        """The colour of a silhouette: 0 far, 1 near."""
        return mix(self.far, self.near, share)


_HOURS: Mapping[str, Palette] = {
    "dawn": Palette(
        ((44, 62, 104), (126, 116, 150), (233, 160, 140), (253, 209, 160)),
        (255, 224, 178),
        (168, 130, 146),
        (30, 36, 62),
        (255, 183, 77),
    ),
    "day": Palette(
        ((66, 133, 186), (127, 182, 216), (191, 221, 232), (236, 241, 233)),
        (255, 250, 230),
        (158, 186, 196),
        (36, 62, 84),
        (240, 100, 73),
    ),
    "golden": Palette(
        ((88, 70, 104), (196, 106, 92), (244, 160, 84), (255, 214, 132)),
        (255, 232, 170),
        (190, 112, 88),
        (52, 30, 46),
        (255, 196, 84),
    ),
    "dusk": Palette(
        ((26, 30, 66), (72, 58, 108), (170, 88, 116), (240, 142, 110)),
        (255, 200, 150),
        (112, 76, 112),
        (20, 18, 42),
        (255, 142, 110),
        True,
    ),
    "night": Palette(
        ((8, 12, 30), (16, 26, 56), (30, 48, 86), (58, 84, 120)),
        (226, 234, 246),
        (44, 64, 100),
        (6, 10, 24),
        (255, 205, 112),
        True,
    ),
    "grey": Palette(
        ((96, 110, 122), (136, 149, 158), (173, 183, 187), (205, 210, 208)),
        (232, 236, 236),
        (146, 158, 164),
        (38, 48, 58),
        (232, 182, 70),
    ),
    "neon": Palette(
        ((10, 8, 34), (44, 16, 76), (116, 28, 110), (226, 70, 132)),
        (92, 232, 244),
        (78, 30, 100),
        (10, 6, 28),
        (72, 229, 232),
        True,
    ),
    "warm": Palette(
        ((70, 48, 42), (124, 84, 62), (184, 130, 88), (226, 180, 126)),
        (255, 226, 172),
        (150, 104, 76),
        (42, 28, 28),
        (242, 150, 70),
    ),
    "studio": Palette(
        ((40, 46, 58), (70, 80, 96), (122, 134, 148), (188, 196, 200)),
        (250, 248, 240),
        (112, 124, 138),
        (26, 30, 40),
        (255, 122, 89),
    ),
}
# The first one that is found counts: neon and night say more than a lamp or a kitchen beside them.
_HOUR_PATTERNS: Mapping[str, str] = {
    "neon": r"\bneon|cyberpunk|synthwave|\bclub\b|nightclub|disco|霓虹",
    "night": r"\bnights?\b|midnight|moonli|\bstars?\b|starry|after dark|夜|ночь|ليل|לילה|noche|nuit",
    "dawn": r"\bdawn|sunrise|daybreak|morning|first light|黎明|日出|清晨|рассвет|فجر|זריחה|amanecer|aube|alba\b",
    "golden": r"golden hour|sunset|late sun|late afternoon|evening sun|amber|日落|夕阳|закат|غروب|שקיעה|tramonto",
    "dusk": r"\bdusk|twilight|blue hour|evening|nightfall|黄昏|傍晚",
    "grey": r"\brain(?!coat|bow)|storm|overcast|fog|mist|cloud|gr[ae]y\b|winter|snow|雨(?!衣)|[雾雪]|дождь|مطر",
    "warm": r"kitchen|caf[eé]|\bbar\b|tavern|candle|fireplace|lamp|bakery|restaurant|(?:living|bed)\s?room|library",
    "studio": r"\bstudio|\bproduct\b|packshot|turntable|seamless|cyclorama|perfume",
    "day": r"\bday\b|noon|midday|sunny|summer|bright|blue sky|afternoon|spring",
}
_COLOURS: Mapping[str, Colour] = {
    "yellow": (250, 204, 70), "red": (226, 74, 66), "scarlet": (222, 62, 52), "crimson": (206, 54, 76),
    "orange": (246, 142, 62), "green": (98, 178, 112), "emerald": (52, 178, 122), "teal": (64, 182, 178),
    "turquoise": (72, 204, 200), "blue": (86, 148, 226), "navy": (74, 104, 176), "purple": (156, 112, 204),
    "violet": (156, 112, 214), "pink": (244, 138, 172),
    "coral": (250, 122, 96), "magenta": (228, 78, 160), "gold": (240, 196, 96),
    "white": (244, 240, 230), "amber": (248, 176, 72),
    "brown": (168, 118, 82), "turmeric": (244, 180, 58), "silver": (204, 212, 218),
    "brass": (214, 168, 88), "copper": (204, 122, 80), "iron": (104, 110, 124),
    "黄": (250, 204, 70), "红": (226, 74, 66), "蓝": (86, 148, 226), "绿": (98, 178, 112),
}  # fmt: skip


def palette_of(spec: AnimaticSpec, noise: SeededNoise) -> Palette:
    """The light that the shot names, else that of its scene; without any, an hour derived from the scene's name."""
    prompt, variation = spec.prompt, spec.variation
    text = story(prompt, "light", "lighting", "grade")
    scene_name, _, others = spec.scene.partition("\n")
    hour = hour_in(story(spec.story)) or hour_in(text)
    for line in (*others.split("\n"), scene_name):
        hour = hour or hour_in(story(line))
    if hour is None:
        hours = ("day", "golden", "dawn", "dusk")
        hour = SeededNoise(scene_name).pick(hours) if scene_name else noise.pick(hours)
    palette = _HOURS[hour]
    # The author's own words first: those of a place's description are not about what is looked at.
    colour_match = _COLOUR.search(story(without_lines(spec.shown_text))) or _COLOUR.search(text)
    if colour_match:
        palette = replace(palette, accent=_COLOURS[colour_match[0]])
    if re.search(r"black[ -]and[ -]white|monochrome|\bnoir\b|黑白", prompt.lower()):
        return _shifted(palette, 0, 0.08)
    return _shifted(palette, noise.between(-0.012, 0.012) + _TINTS[variation % len(_TINTS)], 1)


def coat_of(noun: str, text: str) -> Colour | None:
    """The colour that a person wears by a text in lower case: `a woman in a red coat`; None without any."""
    match = re.search(_WEARS.format(noun=re.escape(noun)), text) if noun else None
    return _WORN[match[1]] if match else None


# What clothes may have; some of these are no colour for a scene's accent.
_WORN: Mapping[str, Colour] = {
    **{name: colour for name, colour in _COLOURS.items() if name.isascii()},
    "black": (48, 48, 56), "charcoal": (74, 78, 86), "grey": (138, 142, 150), "gray": (138, 142, 150),
    "beige": (214, 192, 156), "khaki": (164, 150, 106),
}  # fmt: skip
# `blue light` and `golden hour` are the colour of no thing.
_COLOUR = lazy_pattern(
    r"\b(" + "|".join(name for name in _COLOURS if name.isascii()) + r")\b(?! (?:light|glow|hour|sky))|[黄红蓝绿]"
)
_WEARS = (
    r"\b{noun}\b(?: \(an? [\w-]+)?(?: of (?:about )?[\w-]+)?,? (?:in|wearing|with) (?:an?|the|his|her) "
    r"(?:[\w-]+ ){{0,2}}?(" + "|".join(_WORN) + r")\b(?! (?:hair|beard|bob|eyes|skin)\b)"
)


def hour_in(text: str) -> str | None:
    """The hour or the light that a text (in lower case) names; None without any."""
    return next((name for name, pattern in _HOUR_PATTERNS.items() if re.search(pattern, text)), None)


# Turn of the colours for each take: take 2 looks different, and still like the same place.
_TINTS = (0.0, 0.045, -0.05, 0.09, -0.1, 0.15, -0.16)


def _shifted(palette: Palette, turn: float, strength: float) -> Palette:
    """The palette with its colours, accent excepted, turned by a share of the colour circle and paler by `strength`."""

    def shift(colour: Colour) -> Colour:
        hue, light, saturation = colorsys.rgb_to_hls(*(part / 255 for part in colour))
        red, green, blue = colorsys.hls_to_rgb((hue + turn) % 1, light, saturation * strength)
        return (round(red * 255), round(green * 255), round(blue * 255))

    return replace(
        palette,
        sky=tuple(shift(colour) for colour in palette.sky),
        sun=shift(palette.sun),
        far=shift(palette.far),
        near=shift(palette.near),
    )


def readable_on_dark(colour: Colour) -> Colour:
    """The colour, lightened as far as letters on a dark ground need it."""
    luma = 0.2126 * colour[0] + 0.7152 * colour[1] + 0.0722 * colour[2]
    return colour if luma >= 150 else mix(colour, (255, 255, 255), (150 - luma) / (255 - luma))


def mix(first: Colour, second: Colour, share: float) -> Colour:
    """A mixture of the first colour and `share` of the second."""
    (red, green, blue), (to_red, to_green, to_blue) = first, second
    return (
        round(red + (to_red - red) * share),
        round(green + (to_green - green) * share),
        round(blue + (to_blue - blue) * share),
    )
