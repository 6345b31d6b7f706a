"""The pictures of `music.yaml`: the dancer and her rooftop."""

import math

from drawing.paper import (
    AMBER,
    CORAL,
    CREAM,
    DUSK,
    HAIR,
    HEIGHT,
    INDIGO,
    INK,
    MIST,
    MOON,
    PLUM,
    RED,
    SKIN,
    SUN,
    WIDTH,
    Outline,
    Sheet,
    band,
    box,
    card,
    ellipse,
    hill,
    mixed,
    soft,
    strip,
)
from drawing.people import face


def night() -> Sheet:
    """A big low moon, stars on threads."""
    sheet = Sheet(mixed(INDIGO, INK, 0.45), PLUM)
    sheet.glow(MOON, 820, 300, 560, 0.5)
    sheet.lay(MOON, ellipse(820, 300, 190), lift=5, to=SUN)
    craters = [
        ellipse(820 + dx, 300 + dy, size, size * 0.86)
        for dx, dy, size in ((-70, -60, 30), (56, 24, 42), (-40, 74, 22), (84, -84, 16))
    ]
    sheet.lay(mixed(MOON, SUN, 0.75), *craters, lift=0)
    for at in range(17):
        x, y = 36 + (at * 157) % 1230, 40 + (at * 89) % 250
        if math.hypot(x - 820, y - 300) > 220:
            sheet.lay(mixed(INDIGO, MIST, 0.4), box(x - 0.6, 0, 1.2, y), lift=0)
            sheet.lay(MOON, star(x, y, 8 + at % 3 * 3), lift=3)
    return sheet


def star(x: float, y: float, size: float) -> Outline:
    turns = [index * math.tau / 10 - math.pi / 2 for index in range(10)]
    reach = [size if index % 2 == 0 else size * 0.45 for index in range(10)]
    return [(x + r * math.cos(turn), y + r * math.sin(turn)) for r, turn in zip(reach, turns, strict=True)]


def rooftop() -> Sheet:
    sheet = night()
    for row, (base, tone) in enumerate(((470, DUSK), (530, mixed(DUSK, INDIGO, 0.5)), (590, INDIGO))):
        x = -30.0 - row * 40
        for at in range(14):
            width, height = 84 + (at * 41 + row * 29) % 60, 40 + (at * 67 + row * 43) % 120
            top = base - height
            sheet.lay(tone, box(x, top, width, HEIGHT - top), lift=4)
            if at % 3 == row % 3:
                sheet.lay(
                    mixed(tone, PLUM, 0.5),
                    [(x - 6, top + 2), (x + width / 2, top - 34), (x + width + 6, top + 2)],
                    lift=3,
                )
            panes = [
                box(x + 16 + pane * 30, top + 26, 13, 18)
                for pane in range(int(width // 36))
                if (at + pane + row) % 3 == 0
            ]
            if panes:
                sheet.lay(AMBER, *panes, lift=0, to=AMBER)
            x += width + 6
    sheet.lay("#3a3f74", box(0, 600, WIDTH, 120), lift=9, to="#23274f")
    lines = [strip(2, (640 + (at - 8) * 78, 604), (640 + (at - 8) * 190, HEIGHT)) for at in range(17)]
    sheet.lay("#2b2f60", *lines, *[box(0, y, WIDTH, 2) for y in (622, 652, 692)], lift=0)
    chimney(sheet, 120, 600)
    chimney(sheet, 1130, 600)
    lanterns(sheet)
    return sheet


def chimney(sheet: Sheet, x: float, ground: float) -> None:
    sheet.lay("#6d3b52", box(x - 44, ground - 190, 88, 204), lift=7, to="#3c2743")
    sheet.lay("#824861", card(x - 56, ground - 206, 112, 26, 5), lift=4)
    sheet.lay(CORAL, box(x - 30, ground - 246, 22, 42), box(x + 8, ground - 238, 22, 34), lift=3)


def lanterns(sheet: Sheet) -> None:
    """A sagging string of paper lanterns from chimney to chimney."""
    span = [(120 + at * 1010 / 40, 352 + 150 * (1 - ((at - 20) / 20) ** 2)) for at in range(41)]
    sheet.lay(INK, strip(3, *span), lift=2)
    colours = (CORAL, SUN, "#e88f6a", CREAM, AMBER)
    for at in range(3, 40, 4):
        x, y = span[at]
        colour = colours[at // 4 % len(colours)]
        sheet.glow(SUN, x, y + 34, 110, 0.5)
        sheet.lay(INK, card(x - 9, y + 4, 18, 8, 2), lift=1)
        sheet.lay(colour, ellipse(x, y + 34, 22, 25), lift=4, to=mixed(colour, CORAL, 0.35))
        sheet.lay(
            mixed(colour, INK, 0.18),
            *[
                strip(1.6, *[(x + bend * math.sin(part / 8 * math.pi), y + 10 + part * 6) for part in range(9)])
                for bend in (-13, 0, 13)
            ],
            lift=0,
        )


def dancer() -> Sheet:
    sheet = night()
    sheet.lay("#3a3f74", hill(610, 4, 0.8, 1.0), lift=8, to="#23274f")
    sheet.glow(MOON, 560, 640, 330, 0.35)
    sheet.lay(SKIN, band(17, "548 520, 540 580, 546 640"), band(17, "590 520, 640 560, 690 566"), lift=3)
    sheet.lay(
        RED,
        soft("534 632, 556 632, 560 654, 540 672, 530 656"),
        soft("682 554, 704 556, 738 576, 730 586, 684 576"),
        lift=3,
    )
    sheet.lay(mixed(CORAL, INK, 0.3), scalloped(556, 356, 268, 196, 9, 0.42), lift=7)
    sheet.lay(mixed(CORAL, CREAM, 0.28), scalloped(560, 352, 236, 168, 8, 0.2), lift=6)
    sheet.lay(CORAL, scalloped(560, 346, 196, 138, 7, 0.0), lift=6)
    sheet.lay(SKIN, band(15, "520 258, 462 214, 428 142"), lift=4)
    sheet.lay(SKIN, ellipse(425, 134, 10, 13), lift=2)
    sheet.lay(CORAL, soft("516 246, 560 262, 606 246, 612 300, 592 362, 530 362, 510 300"), lift=5)
    sheet.lay(SUN, soft("526 342, 560 350, 598 342, 596 364, 560 370, 528 364"), lift=2)
    sheet.lay(SKIN, band(15, "602 258, 668 268, 730 232"), lift=4)
    sheet.lay(SKIN, ellipse(737, 227, 12, 10), lift=2)
    sheet.lay(SKIN, box(550, 214, 22, 40), lift=2)
    sheet.lay(HAIR, ellipse(566, 128, 27, 25), lift=4)
    sheet.lay(HAIR, ellipse(562, 184, 49, 50), lift=4)
    sheet.lay(SKIN, ellipse(562, 192, 39, 42), lift=2)
    sheet.lay(HAIR, soft("520 190, 524 150, 566 138, 604 158, 604 190, 586 166, 556 162, 534 172"), lift=2)
    face(sheet, 562, 194, size=0.78, looks=4)
    sheet.lay(SUN, star(600, 146, 13), lift=2)
    return sheet


def scalloped(x: float, top: float, across: float, down: float, folds: int, lean: float) -> Outline:
    """A wide skirt in mid-turn with a scalloped hem; `lean` tips it to the left."""
    hem = []
    for at in range(folds * 12 + 1):
        turn = at / (folds * 12) * math.pi
        ripple = 13 * abs(math.sin(at / 12 * math.pi))
        spread = across * math.cos(turn)
        hem.append((x + spread, top + (down + ripple) * (0.62 + 0.38 * math.sin(turn)) + lean * 0.25 * -spread))
    return [(x + 34, top - 14), *hem, (x - 34, top - 14)]
