"""Makes the README's contact sheet from the clips that `make demo` left (`make picture`)."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

from runner.media.contact_sheet import contact_sheet

ROOT = Path(__file__).parents[2]
OUTPUT = ROOT / "renders/harbour/sandbox"
TARGET = Path(__file__).parent / "harbour.jpg"
WIDTH, COLUMNS = 1200, 3


def clips() -> list[tuple[Path, str]]:
    """Every clip of the example in the order of the film, with its name."""
    manifest = json.loads((OUTPUT / "manifest.json").read_text("utf-8"))
    entries = {shot["id"]: shot["takes"] for shot in manifest["shots"] if not shot.get("removed")}
    pictures = []
    for shot in _order():
        takes = entries.get(shot, [])
        several = len(takes) > 1
        pictures += [
            (ROOT / take["clip"]["path"], f"{shot} {take['take']}" if several else shot)
            for take in takes
            if take.get("clip")
        ]
    return pictures


def _order() -> list[str]:
    """Shot ids in the storyboard's order; the manifest has them sorted."""
    command = [sys.executable, "-m", "runner", "plan", "storyboards/harbour.yaml", "--json"]
    planned = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return [shot["id"] for shot in json.loads(planned.stdout)["storyboards"][0]["shots"]]


if __name__ == "__main__":
    pictures = clips()
    if not pictures:
        sys.exit("there are no clips in renders/harbour/sandbox yet: make demo")
    with tempfile.TemporaryDirectory() as folder:
        sheet = Path(folder) / "sheet.png"
        contact_sheet(pictures, sheet, COLUMNS, WIDTH)
        Image.open(sheet).convert("RGB").save(TARGET, quality=80, optimize=True, progressive=True)
    print(f"{TARGET.relative_to(ROOT)}  {TARGET.stat().st_size // 1000} kB")
