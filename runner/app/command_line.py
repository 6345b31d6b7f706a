"""The command line that a session was opened with, to be typed again with other words."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from runner.app.options import CommandOptions
from runner.show.text.command_line import CommandLine


def command_line(options: CommandOptions, files: Sequence[Path]) -> CommandLine:
    """Files and flags as the user typed them, without those of spending and display."""
    source, execution, selection, orders = options.input, options.execution, options.selection, options.orders
    # Without the flags of spending: who types a shown command again decides anew what it may cost.
    single = {
        "--provider": source.provider,
        "--config": source.config,
        "--concurrency": execution.concurrency,
        "--output": execution.output,
    }
    repeated: dict[str, Iterable[object]] = {
        "--profile": source.profiles,
        "--var": source.variables,
        "--var-file": source.variable_files,
        "--select": selection.select,
        "--exclude": selection.exclude,
        "--retake": orders.retake,
        "--again": orders.again,
    }
    return CommandLine(
        tuple(map(str, files)),
        (
            *((flag, str(value)) for flag, value in single.items() if value is not None),
            *((flag, str(value)) for flag, values in repeated.items() for value in values),
            *((("--first-take", None),) if orders.first_take else ()),
        ),
        None if source.saved_plan is None else str(source.saved_plan),
    )
