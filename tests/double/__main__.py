"""The double as a program: `python -m tests.double SCRIPT JOURNAL [MEDIA]`."""

import json
import sys
import time
from pathlib import Path

from tests.double.server import Double, journal_json
from tests.double.steps import read


def main(script: Path, journal: Path, media: Path | None) -> None:
    """Print the address as the first line, and keep the journal up to date."""
    steps = read(json.loads(script.read_text("utf-8")))
    with Double(steps, media.read_bytes() if media else b"") as double:
        print(double.url, flush=True)
        written = -1
        while True:
            entries = double.requests("")
            if len(entries) != written:
                journal.write_text(journal_json(entries), "utf-8")
                written = len(entries)
            time.sleep(0.02)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]) if len(sys.argv) > 3 else None)
