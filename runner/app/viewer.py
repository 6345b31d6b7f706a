"""The system's own viewer of files and addresses."""

import shutil
import subprocess
import sys
from pathlib import Path

from runner.diagnostics.problem import CommandError, ExitCode
from runner.settings.environment import child_environment


def open_in_viewer(target: Path | str) -> None:
    """Open a file or an address, and do not wait for the viewer. Raises `CommandError` where there is none."""
    opener = "open" if sys.platform == "darwin" else "xdg-open"
    path = shutil.which(opener)
    if path is None:
        raise CommandError(ExitCode.INVALID, f"--open: this machine has no {opener}; the file is {target}")
    subprocess.Popen(
        [path, str(target)],
        # Without the provider's key: the viewer is somebody else's program.
        env=child_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        # A Ctrl-C in this terminal is not meant for the viewer.
        start_new_session=True,
    )
