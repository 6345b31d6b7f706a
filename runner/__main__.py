"""`python -m runner` is the command `storyboard`; what it takes to say the version is all that is imported for it."""

import sys

from runner import __version__


def main() -> int:
    """The entry of the command `storyboard`."""
    if sys.argv[1:] == ["--version"]:
        print(f"storyboard {__version__}")
        return 0
    from runner.cli import main as run

    return run()


if __name__ == "__main__":
    raise SystemExit(main())
