"""`python -m runner` is the command `storyboard`."""

from runner.cli import main

raise SystemExit(main())
