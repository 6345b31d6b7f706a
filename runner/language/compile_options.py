"""The options of the command line that change what storyboards mean."""

from collections.abc import Mapping

from runner.editions.edition import DEFAULT, Edition, load
from runner.lazy_dataclass import dataclass, field
from runner.media.file_memory import FileMemory
from runner.requests.request import JsonValue


@dataclass(frozen=True, slots=True)
class CompileOptions:
    """Command-line options that change the content of storyboards."""

    profile: str | None = None
    variables: Mapping[str, JsonValue] = field(default_factory=dict)
    """From --var and --var-file; an unknown name is a usage error (exit 2)."""
    edition: Edition = field(default_factory=lambda: load(DEFAULT))
    forced_output: tuple[str, str] | None = None
    """Model and resolution of every shot, in place of its own."""
    file_memory: FileMemory | None = None
    """The facts of files that did not change; None inspects every file."""
