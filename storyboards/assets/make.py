"""Makes the examples' assets, all of them from code: `make assets`, or a folder to make them in as the argument."""

import sys
from collections.abc import Callable
from pathlib import Path

from drawing import harbour, music, people, score, waltz
from drawing.paper import Sheet

PICTURES: dict[str, Callable[[], Sheet]] = {
    "maria-front.png": people.maria_front,
    "maria-side.png": people.maria_side,
    "tomas.png": people.tomas,
    "door.png": harbour.door,
    "ferry.png": harbour.ferry,
    "dancer.png": waltz.dancer,
    "rooftop.jpg": waltz.rooftop,
}


def main(folder: Path) -> None:
    for name, draw in PICTURES.items():
        draw().save(folder / name)
    music.save_move(folder / "box-step.mp4")
    music.save_sound(folder / "music-box.mp3")
    score.save_score(folder / "harbour.mp3")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
