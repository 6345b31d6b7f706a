"""The places of `harbour.yaml`: the door that a shot ends on, and the ferry."""

import math

from drawing.paper import (
    AMBER,
    CORAL,
    CREAM,
    GREEN,
    HEIGHT,
    INK,
    MIST,
    MOSS,
    NIGHT,
    RED,
    SAND,
    SEA,
    SLATE,
    STONE,
    SUN,
    TEAL,
    WIDTH,
    WOOD,
    Outline,
    Sheet,
    band,
    box,
    card,
    ellipse,
    hill,
    mixed,
    smooth,
    soft,
    strip,
    trace,
)
from drawing.people import suitcase


def door() -> Sheet:
    sheet = Sheet(mixed(TEAL, INK, 0.25), STONE)
    rows = [(row, 64 * row - (8 if row % 2 else 0)) for row in range(9)]
    for row, y in rows:
        shift = 70 if row % 2 else 0
        tones = (mixed(STONE, TEAL, 0.22 + 0.07 * (row % 3)), mixed(STONE, SEA, 0.14), mixed(STONE, INK, 0.2))
        for column in range(11):
            tone = tones[(row * 5 + column * 3 + column * row) % 3]
            sheet.lay(tone, card(column * 140 - 70 + shift - 40, y, 134, 60, 9), lift=2)
    sheet.lay(SLATE, trace("0 560, 1280 548, 1280 720, 0 720"), lift=4, to=INK)
    for left, top, width in ((-20, 604, 330), (250, 660, 420), (760, 600, 260), (980, 664, 340), (1060, 592, 260)):
        sheet.lay(mixed(SLATE, SEA, 0.25), card(left, top, width, 34, 17), lift=0, to=mixed(SLATE, INK, 0.5))
    window(sheet, 150, 170)
    sheet.lay(mixed(STONE, MIST, 0.2), card(572, 82, 296, 492, 8), lift=6)
    sheet.lay(SUN, box(604, 116, 232, 444), lift=0, to=AMBER)
    sheet.lay(mixed(AMBER, WOOD, 0.35), box(604, 470, 232, 90), lift=0, to=WOOD)
    sheet.lay(mixed(WOOD, INK, 0.25), box(676, 372, 150, 14), box(690, 386, 8, 100), box(806, 386, 8, 100), lift=3)
    sheet.lay(WOOD, box(742, 344, 7, 28), lift=1)
    sheet.lay(GREEN, soft("712 346, 728 318, 764 318, 780 346, 746 350"), lift=2)
    leaf(sheet)
    sheet.lay(SUN, trace("604 562, 836 562, 1020 720, 520 720"), lift=0, to=mixed(AMBER, SLATE, 0.62))
    sheet.lay(mixed(STONE, MIST, 0.3), box(560, 556, 320, 16), lift=4)
    sheet.glow(SUN, 720, 400, 620, 0.42)
    bracket(sheet, 980, 190)
    suitcase(sheet, 470, 560, 1.05)
    coil(sheet, 1120, 640)
    return sheet


def leaf(sheet: Sheet) -> None:
    """The green door, half open towards us on its left hinges."""
    sheet.lay(GREEN, trace("604 116, 470 92, 470 606, 604 560"), lift=9, to=MOSS)
    for top in (0.06, 0.37, 0.68):
        panel = [
            (486, 92 + 514 * top + 12),
            (588, 116 + 444 * top + 8),
            (588, 116 + 444 * (top + 0.24)),
            (486, 92 + 514 * (top + 0.25)),
        ]
        sheet.lay(MOSS, panel, lift=1)
    sheet.lay(SUN, ellipse(484, 352, 7, 9), lift=3)


def window(sheet: Sheet, x: float, y: float) -> None:
    sheet.lay(mixed(WOOD, INK, 0.3), card(x - 18, y - 18, 236, 256, 6), lift=6)
    sheet.lay(SUN, box(x, y, 200, 220), lift=0, to=AMBER)
    sheet.lay(mixed(CORAL, AMBER, 0.4), [(x, y), (x + 62, y), (x + 20, y + 130), (x, y + 220)], lift=3)
    sheet.lay(mixed(CORAL, AMBER, 0.4), [(x + 200, y), (x + 138, y), (x + 180, y + 130), (x + 200, y + 220)], lift=3)
    sheet.lay(mixed(WOOD, INK, 0.3), box(x + 95, y, 10, 220), box(x, y + 104, 200, 10), lift=3)
    sheet.lay(WOOD, box(x - 30, y + 236, 260, 20), lift=5)
    for at in range(3):
        pot = x + 20 + at * 76
        sheet.lay(CORAL, [(pot, y + 204), (pot + 44, y + 204), (pot + 36, y + 238), (pot + 8, y + 238)], lift=3)
        sheet.lay(GREEN, *[ellipse(pot + 6 + leaf * 11, y + 196 - (leaf % 2) * 12, 9, 14) for leaf in range(4)], lift=2)


def bracket(sheet: Sheet, x: float, y: float) -> None:
    """The brass lamp beside the door, nearly out."""
    sheet.lay(INK, strip(8, (x + 60, y + 30), (x + 20, y - 10), (x - 10, y - 10)), box(x + 54, y - 6, 14, 90), lift=3)
    sheet.lay("#a9762d", smooth((x - 44, y + 30), (x - 10, y - 14), (x + 24, y + 30), (x - 10, y + 36)), lift=4)
    sheet.lay("#fff1c4", ellipse(x - 10, y + 44, 17, 22), lift=2, to=SUN)
    sheet.glow(SUN, x - 10, y + 44, 150, 0.5)


def coil(sheet: Sheet, x: float, y: float) -> None:
    """A coil of rope."""
    for ring in range(5):
        sheet.lay(mixed(SAND, WOOD, 0.15 * (ring % 2)), ellipse(x, y - ring * 15, 92 - ring * 5, 30), lift=4)
    sheet.lay(mixed(WOOD, INK, 0.5), ellipse(x, y - 64, 48, 14), lift=0)


def ferry() -> Sheet:
    sheet = Sheet(mixed(MIST, TEAL, 0.2), SUN)
    sheet.glow("#fff3cf", 930, 372, 520, 0.9)
    sheet.lay("#fff1c4", ellipse(930, 372, 96), lift=0, to=SUN)
    sheet.lay(mixed(SEA, MIST, 0.55), hill(372, 22, 1.7, 1.2), lift=3)
    roofs(sheet, 402, mixed(SEA, MIST, 0.25))
    sheet.lay(SEA, hill(440, 3, 3, 0), lift=3, to=TEAL)
    for row in range(6):
        length = 26 + row * 16
        sheet.lay(SUN, card(985 - length / 2 + 30 * math.sin(row * 2.3), 456 + row * 19, length, 6, 3), lift=0)
    smoke = [ellipse(455 - at * 46, 176 - at * 13 - 5 * math.sin(at), 20 + at * 7, 15 + at * 5) for at in range(5)]
    sheet.lay(mixed(CREAM, MIST, 0.35), *smoke, lift=3)
    boat(sheet)
    sheet.lay(TEAL, wavy(574, 9, 9, 0.5), lift=6, to=NIGHT)
    sheet.lay(
        CREAM,
        *[
            smooth(
                (196 - at * 64, 566 + at * 6),
                (236 - at * 64, 556 + at * 6),
                (262 - at * 64, 570 + at * 6),
                (226 - at * 64, 578 + at * 6),
            )
            for at in range(3)
        ],
        lift=2,
    )
    sheet.lay(NIGHT, wavy(640, 11, 7, 2.2), lift=7, to=INK)
    for x, y, size in ((190, 120, 1.0), (286, 82, 0.7), (704, 96, 0.9), (1080, 150, 1.15), (1168, 108, 0.75)):
        gull(sheet, x, y, size)
    return sheet


def wavy(y: float, swell: float, waves: float, phase: float) -> Outline:
    """Water with pointed crests."""
    edge = [
        (float(x), y - swell * abs(math.sin(phase + x / WIDTH * waves * math.pi))) for x in range(-10, WIDTH + 11, 5)
    ]
    return [*edge, (WIDTH + 10, HEIGHT + 10), (-10, HEIGHT + 10)]


def roofs(sheet: Sheet, ground: float, tone: str) -> None:
    """The city on the far bank."""
    x = 0.0
    for at in range(26):
        width, height = 34 + (at * 37) % 31, 20 + (at * 53) % 44
        sheet.lay(mixed(tone, CREAM, 0.08 * (at % 3)), box(x, ground - height, width, height + 60), lift=1)
        sheet.lay(
            mixed(CORAL, tone, 0.45),
            [(x - 3, ground - height), (x + width / 2, ground - height - 13), (x + width + 3, ground - height)],
            lift=1,
        )
        x += width + 14


def boat(sheet: Sheet) -> None:
    sheet.lay(INK, box(470, 190, 56, 130), lift=4)
    sheet.lay(CORAL, box(470, 214, 56, 34), lift=0)
    sheet.lay(CREAM, card(396, 306, 372, 130, 10), lift=5, to=SAND)
    sheet.lay(CREAM, card(600, 232, 138, 84, 10), lift=5, to=SAND)
    sheet.lay(WOOD, card(588, 222, 162, 14, 6), card(384, 298, 396, 14, 6), lift=3)
    sheet.lay(
        SUN,
        *[card(618 + at * 38, 252, 28, 34, 5) for at in range(3)],
        *[card(420 + at * 58, 330, 38, 40, 5) for at in range(6)],
        lift=0,
        to=AMBER,
    )
    sheet.lay(
        "#fdf6e6",
        soft("246 420, 420 412, 700 412, 930 384, 950 394, 900 500, 850 590, 330 590, 270 520"),
        lift=8,
        to="#d9d2c0",
    )
    sheet.lay(RED, trace("246 464, 700 460, 926 438, 914 468, 700 492, 256 498"), lift=0)
    sheet.lay(WOOD, band(7, "252 410, 420 396, 700 394, 936 372"), lift=3)
    sheet.lay(WOOD, *[box(280 + at * 62, 394 - max(0, at - 6) * 4, 5, 26) for at in range(11)], lift=1)
    sheet.lay(CORAL, ellipse(330, 436, 21), lift=3)
    sheet.lay("#f4ecdb", ellipse(330, 436, 11), lift=0)


def gull(sheet: Sheet, x: float, y: float, size: float) -> None:
    wing = trace("-46 -8, -24 -22, 0 0, 24 -22, 46 -8, 22 -11, 0 10, -22 -11")
    sheet.lay(CREAM, [(x + dx * size, y + dy * size) for dx, dy in wing], lift=3)
