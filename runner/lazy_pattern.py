"""Lazy patterns: as `re.compile` to their users, but compiled at the first use.

The modules of a small command hold a hundred patterns, and it uses a third of them; compiling one takes as long as
importing a small module. Packages of others compile theirs at import; `lazy_patterns` lets those wait, too.
"""

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_ATTRIBUTES = (
    *("match", "fullmatch", "search", "finditer", "findall", "sub", "subn", "split", "scanner"),
    *("pattern", "flags", "groups", "groupindex"),
)


class _LazyPattern:
    """A pattern; the attributes of the compiled one become its own at the first use."""

    def __init__(self, text: str | bytes, flags: int) -> None:
        self._text = text
        self._flags = flags

    def __getattr__(self, name: str) -> "Any":
        if name not in _ATTRIBUTES:
            raise AttributeError(name)
        compiled = re.compile(self._text, self._flags)
        self.__dict__.update({attribute: getattr(compiled, attribute) for attribute in _ATTRIBUTES})
        return getattr(compiled, name)


def _lazy_pattern(pattern: str | bytes, flags: int = 0) -> _LazyPattern:
    return _LazyPattern(pattern, flags)


class lazy_patterns:  # noqa: N801 - a context manager, named and used like a function
    """Context manager: what is imported inside compiles its patterns at their first use, too.

    For the import of a package that compiles many and uses few here. Of the 116 million instructions that PyYAML and
    tomllib take at import, these patterns are 74; a `validate` of 300 shots had 663 in all (Python 3.11, callgrind).
    Meanwhile `re.compile` is another function in the whole process: for imports at its start, before it has threads.
    """

    def __enter__(self) -> None:
        self._compile = re.compile
        re.compile = _lazy_pattern  # type: ignore[assignment]

    def __exit__(self, *exception: object) -> None:
        re.compile = self._compile


if TYPE_CHECKING:
    lazy_pattern = re.compile
else:
    lazy_pattern = _lazy_pattern
