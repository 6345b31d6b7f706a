"""The people of `harbour.yaml`, and what they hold."""

import math

from drawing.paper import (
    BLUSH,
    CREAM,
    GREEN,
    HAIR,
    INK,
    MIST,
    NIGHT,
    RED,
    SAND,
    SEA,
    SHADE,
    SKIN,
    SUN,
    TEAL,
    WOOD,
    YELLOW,
    Outline,
    Sheet,
    band,
    box,
    card,
    ellipse,
    hill,
    mixed,
    placed,
    smooth,
    soft,
    strip,
    trace,
)


def backdrop(ground: str = SAND) -> Sheet:
    """A quiet set for a character: sky, a pale sun, a floor."""
    sheet = Sheet(MIST, CREAM)
    sheet.lay(mixed(SUN, CREAM, 0.55), ellipse(640, 330, 290), lift=3)
    sheet.lay(mixed(SEA, MIST, 0.35), hill(520, 12, 1.4, 0.4), lift=3)
    sheet.lay(ground, hill(618, 5, 0.8, 2.0), lift=4, to=mixed(ground, WOOD, 0.35))
    return sheet


def suitcase(sheet: Sheet, x: float, y: float, size: float = 1) -> None:
    """A red suitcase; `x, y` is the middle of its handle."""
    sheet.lay(
        WOOD, strip(7 * size, (x - 17 * size, y + 20), (x - 14 * size, y), (x + 14 * size, y), (x + 17 * size, y + 20))
    )
    left, top = x - 56 * size, y + 18 * size
    sheet.lay(RED, card(left, top, 112 * size, 80 * size), lift=6)
    sheet.lay(mixed(RED, INK, 0.4), box(left + 20 * size, top - 1, 9 * size, 82 * size), lift=1)
    sheet.lay(mixed(RED, INK, 0.4), box(left + 83 * size, top - 1, 9 * size, 82 * size), lift=1)
    sheet.lay(SUN, ellipse(x, top + 12 * size, 7 * size, 5 * size), lift=1)


def face(sheet: Sheet, x: float, y: float, *, size: float = 1, looks: float = 0) -> None:
    """Two eyes, cheeks, a nose and a small smile; `looks` shifts them to a side."""
    x += looks
    sheet.lay(BLUSH, ellipse(x - 27 * size, y + 17 * size, 10 * size, 7 * size), lift=0, to=BLUSH)
    sheet.lay(BLUSH, ellipse(x + 27 * size, y + 17 * size, 10 * size, 7 * size), lift=0, to=BLUSH)
    sheet.lay(
        INK, ellipse(x - 19 * size, y, 4.6 * size, 6 * size), ellipse(x + 19 * size, y, 4.6 * size, 6 * size), lift=0
    )
    sheet.lay(BLUSH, smooth((x - 2, y + 2), (x + 5 * size, y + 14 * size), (x - 3 * size, y + 14 * size)), lift=0)
    sheet.lay(
        RED,
        strip(3.4 * size, *[(x + (at - 4) * 3 * size, y + (29 - (at - 4) ** 2 * 0.28) * size) for at in range(9)]),
        lift=0,
    )


def maria_front() -> Sheet:
    sheet = backdrop()
    sheet.lay(NIGHT, box(590, 540, 34, 90), box(656, 540, 34, 90))
    sheet.lay(
        INK, soft("584 600, 628 600, 630 656, 600 666, 568 656"), soft("652 600, 696 600, 712 656, 680 666, 650 656")
    )
    sheet.lay(SHADE, soft("560 292, 600 296, 560 410, 522 452, 492 440, 514 372"), lift=4)
    sheet.lay(SKIN, ellipse(502, 456, 17))
    suitcase(sheet, 500, 464, 0.95)
    sheet.lay(
        YELLOW, soft("584 276, 640 268, 696 276, 716 330, 748 562, 690 576, 640 570, 590 576, 532 562, 564 330"), lift=8
    )
    sheet.lay(SHADE, soft("720 292, 680 296, 712 410, 742 470, 772 462, 758 378"), lift=4)
    sheet.lay(SKIN, ellipse(759, 474, 17))
    sheet.lay(YELLOW, soft("694 280, 722 290, 764 390, 778 452, 742 464, 718 410, 700 330"), lift=4)
    sheet.lay(SHADE, band(4, "641 320, 643 440, 641 570"), lift=0)
    sheet.lay(SHADE, card(578, 448, 46, 40), card(660, 448, 46, 40), lift=2)
    for y in (344, 396, 448, 500):
        sheet.lay(WOOD, ellipse(632, y, 6.5), lift=2)
    head(sheet, 640, 202)
    return sheet


def head(sheet: Sheet, x: float, y: float) -> None:
    """Maria from the front: hood folded back, black bob, fringe; `x, y` is the middle of her face."""
    sheet.lay(SHADE, placed(soft("-70 74, -40 56, 0 62, 40 56, 70 74, 46 100, 0 112, -46 100"), x, y), lift=4)
    sheet.lay(HAIR, placed(soft("-64 30, -70 -18, -46 -66, 0 -80, 46 -66, 70 -18, 64 30, 52 58, -52 58"), x, y), lift=4)
    sheet.lay(SKIN, box(x - 15, y + 40, 30, 40), lift=2)
    sheet.lay(SKIN, ellipse(x, y + 4, 50, 56), lift=3)
    sheet.lay(
        HAIR,
        placed(soft("-58 4, -56 -40, -20 -66, 30 -64, 58 -30, 58 6, 46 -16, 14 -28, -24 -22, -46 -12"), x, y),
        lift=3,
    )
    face(sheet, x, y + 8)


def maria_side() -> Sheet:
    sheet = backdrop()
    sheet.lay(NIGHT, band(34, "628 520, 596 570, 556 610"), band(34, "650 520, 690 570, 712 624"))
    sheet.lay(
        INK, soft("528 590, 566 576, 580 616, 556 650, 516 634"), soft("690 604, 732 600, 768 640, 766 664, 694 664")
    )
    sheet.lay(SHADE, soft("660 300, 692 312, 742 396, 770 424, 748 446, 704 420, 664 360"), lift=4)
    sheet.lay(SKIN, ellipse(764, 440, 16))
    sheet.lay(
        YELLOW,
        soft(
            "604 282, 660 274, 690 320, 706 420, 744 540, 700 566, 640 556, 560 566, 492 532, 470 548, 488 "
            "506, 560 430, 584 340"
        ),
        lift=8,
    )
    sheet.lay(SHADE, band(4, "680 330, 694 420, 718 545"), lift=0)
    sheet.lay(SHADE, soft("588 270, 560 296, 584 330, 640 318, 690 300, 680 272, 640 262"), lift=3)
    sheet.lay(SHADE, card(620, 450, 50, 38), lift=2)
    profile(sheet, 646, 204)
    suitcase(sheet, 590, 478, 0.95)
    sheet.lay(YELLOW, soft("616 306, 654 310, 648 380, 622 460, 586 470, 576 446, 596 390"), lift=5)
    sheet.lay(SKIN, ellipse(594, 476, 17), lift=3)
    return sheet


def profile(sheet: Sheet, x: float, y: float) -> None:
    """Maria looking to the right, hair blown back."""
    sheet.lay(SKIN, box(x - 18, y + 36, 32, 42), lift=2)
    sheet.lay(
        SKIN,
        placed(soft("-44 -10, -20 -52, 26 -46, 46 -14, 50 0, 62 14, 50 20, 50 34, 34 56, 0 60, -36 40"), x, y),
        lift=3,
    )
    sheet.lay(
        HAIR,
        placed(
            soft(
                "46 -22, 38 -60, -6 -80, -56 -62, -74 -20, -96 22, -78 30, -92 50, -50 56, -20 44, -14 8, 6 -18, 30 -20"
            ),
            x,
            y,
        ),
        lift=3,
    )
    sheet.lay(INK, ellipse(x + 34, y + 2, 4.6, 6), lift=0)
    sheet.lay(BLUSH, ellipse(x + 18, y + 22, 11, 8), lift=0, to=BLUSH)
    sheet.lay(RED, placed(band(3.4, "34 37, 41 37, 47 34"), x, y), lift=0)


def tomas() -> Sheet:
    sheet = Sheet(mixed(NIGHT, WOOD, 0.25), mixed(WOOD, NIGHT, 0.45))
    sheet.lay(mixed(SEA, NIGHT, 0.2), box(130, 110, 250, 270), lift=0)
    sheet.lay(mixed(TEAL, NIGHT, 0.35), trace("134 318, 180 298, 230 304, 300 284, 376 292, 376 374, 134 374"), lift=0)
    sheet.lay(
        WOOD,
        box(112, 92, 286, 24),
        box(112, 372, 286, 26),
        box(114, 96, 24, 290),
        box(372, 96, 24, 290),
        box(248, 104, 12, 280),
        lift=4,
    )
    for row in range(3):
        sheet.lay(CREAM, *[box(930 + column * 84, 110 + row * 78, 66, 58) for column in range(3)], lift=2, to=SAND)
        sheet.lay(
            SEA,
            *[
                strip(
                    3,
                    *[
                        (936 + column * 84 + at * 9, 140 + row * 78 + 12 * math.sin(at + column + row))
                        for at in range(7)
                    ],
                )
                for column in range(3)
            ],
            lift=0,
        )
    sheet.glow(SUN, 1040, 400, 420, 0.62)
    sheet.lay("#24405c", soft("470 640, 478 430, 530 356, 640 336, 750 356, 802 430, 810 640, 640 700"), lift=9)
    sheet.lay("#1d3550", soft("570 352, 640 330, 710 352, 700 388, 640 398, 580 388"), lift=4)
    for y in (430, 480, 530, 580):
        sheet.lay(
            "#1d3550",
            strip(4, *[(500 + step * 20, y + 8 * math.sin(step / 14 * math.pi)) for step in range(15)]),
            lift=0,
        )
    sheet.lay(SKIN, ellipse(640, 250, 72, 80), lift=4)
    sheet.lay(SKIN, ellipse(566, 256, 13, 18), ellipse(714, 256, 13, 18), lift=2)
    face(sheet, 640, 244, size=1.2, looks=6)
    sheet.lay(
        "#f4f0e4",
        soft(
            "568 262, 590 288, 616 284, 640 278, 664 284, 690 288, 712 262, 716 320, 686 378, 640 400, 594 378, 564 320"
        ),
        lift=5,
    )
    sheet.lay(mixed(RED, INK, 0.2), soft("620 306, 640 312, 664 304, 640 320"), lift=0)
    sheet.lay("#fffaf0", soft("596 284, 622 272, 644 280, 668 272, 694 284, 664 300, 644 294, 622 300"), lift=2)
    sheet.lay("#f4f0e4", band(8, "604 222, 618 216, 634 221"), band(8, "660 221, 676 216, 690 222"), lift=1)
    sheet.lay("#4a5a4c", soft("560 206, 572 160, 640 138, 710 158, 722 206, 640 196"), lift=5)
    sheet.lay("#3b493e", soft("574 204, 640 188, 724 200, 752 222, 700 222, 640 210"), lift=4)
    sheet.lay("#b9c4c4", hill(640, 0, 1, 0), lift=7, to="#6d7f85")
    mug(sheet, 780, 560)
    lamp(sheet, 1040, 640)
    sheet.lay("#24405c", soft("716 600, 770 588, 800 610, 780 648, 700 660, 650 650"), lift=5)
    sheet.lay(SKIN, ellipse(796, 622, 26, 20), lift=3)
    sheet.lay(WOOD, trace("352 704, 388 648, 668 648, 692 704"), lift=5)
    sheet.lay(CREAM, page(362, 394, 528), lift=2, to=SAND)
    sheet.lay(CREAM, page(688, 662, 528), lift=2, to=SAND)
    for row in range(4):
        sheet.lay(
            SEA,
            strip(2, (404 - row * 5, 658 + row * 9), (500, 660 + row * 10)),
            strip(2, (556, 660 + row * 10), (640 + row * 5, 658 + row * 9)),
            lift=0,
        )
    return sheet


def page(outer: float, corner: float, spine: float) -> Outline:
    """Half of an open book, curving up from its spine."""
    arc = [(spine + (corner - spine) * at / 8, 652 - 13 * math.sin(at / 8 * math.pi)) for at in range(9)]
    return arc + [(spine + (outer - spine) * at / 8, 702 - 13 * math.sin(at / 8 * math.pi)) for at in range(8, -1, -1)]


def mug(sheet: Sheet, x: float, y: float) -> None:
    sheet.lay("#8fa3a6", strip(9, (x + 38, y + 16), (x + 64, y + 24), (x + 64, y + 58), (x + 36, y + 66)), lift=3)
    sheet.lay("#c9d4d2", smooth((x - 40, y), (x + 40, y), (x + 38, y + 84), (x - 38, y + 84)), lift=5, to="#7f9396")
    sheet.lay(INK, ellipse(x, y + 1, 38, 9), lift=0)
    for side in (-1, 1):
        sheet.lay(
            CREAM,
            strip(4, *[(x + side * 12 + 8 * math.sin(at / 2 + side), y - 14 - at * 8) for at in range(8)]),
            lift=0,
        )


def lamp(sheet: Sheet, x: float, y: float) -> None:
    sheet.lay(
        "#a9762d",
        smooth((x - 70, y), (x - 50, y - 20), (x + 50, y - 20), (x + 70, y)),
        box(x - 9, y - 190, 18, 175),
        lift=4,
    )
    sheet.lay(
        GREEN,
        smooth((x - 118, y - 180), (x - 62, y - 268), (x + 62, y - 268), (x + 118, y - 180), (x, y - 172)),
        lift=6,
    )
    sheet.lay("#fff1c4", ellipse(x, y - 178, 84, 13), lift=0, to=SUN)
