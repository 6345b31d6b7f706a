"""The golden state of version 1, put back as it lay when it was made: folders, and each repository's first commit."""

import os
import shutil
import subprocess
from pathlib import Path

GOLDEN = Path(__file__).parent
FOLDERS = ("state", "sandbox", "harbour", "lighthouse")
REPOSITORIES = ("harbour", "lighthouse")
FILM = "storyboards/film.yaml"
KEY = "made-up-key-1234"
STATES = ("state", "new-state")
"""State folders to read with: the one that paid for everything, and one that knows only what the manifests tell."""
READINGS = {
    "status": ("status", FILM, "--json"),
    "plan": ("plan", FILM, "--json"),
    "bill-by-shot": ("spend", "--since", "2000-01-01", "--by", "shot", "--json"),
    "bill-by-scene": ("spend", "--since", "2000-01-01", "--by", "scene", "--json"),
    "bill-by-tag": ("spend", "--since", "2000-01-01", "--by", "tag", "--json"),
    "unsettled": ("settle", "--json"),
    "clips": ("verify", FILM, "--json"),
}
"""Commands that only read, by the name of what they print."""


def restore(target: Path) -> str:
    """Copies the golden folders into `target`; returns the address of the host where everything was made."""
    for name in FOLDERS:
        shutil.copytree(GOLDEN / name, target / name)
    (target / "state").chmod(0o700)
    for name in REPOSITORIES:
        begin_repository(target / name)
    return (GOLDEN / "expected" / "host.txt").read_text(encoding="utf-8").strip()


def begin_repository(root: Path) -> None:
    """A git repository with an empty first commit; its hash follows from the folder's name alone."""
    root.mkdir(parents=True, exist_ok=True)
    person = {"NAME": "A", "EMAIL": "a@example.com", "DATE": "2026-01-01T12:00:00+00:00"}
    fixed = {f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in person.items()}
    plain = {"PATH": os.environ["PATH"], "HOME": str(root), "GIT_CONFIG_NOSYSTEM": "1"}
    for words in (("init", "-q"), ("commit", "-q", "--allow-empty", "-m", f"Begin {root.name}")):
        subprocess.run(["git", *words], cwd=root, env=plain | fixed, check=True)


def environment(folder: Path, host: str) -> dict[str, str]:
    """Variables under which a command reads the state in `folder`, and asks nobody."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "TZ": "UTC",
        "LANG": "C.UTF-8",
        "PYTHONUTF8": "1",
        "STORYBOARD_STATE": str(folder / "state"),
        "XDG_CONFIG_HOME": str(folder / "config"),
        "SEEDANCE_BASE_URL": host,
        "SEEDANCE_API_KEY": KEY,
        "STORYBOARD_PROVIDER": "kinovi",
    }
