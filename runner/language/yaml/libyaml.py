"""PyYAML's part that reads with libyaml; the patterns of its other parts, which a storyboard never meets, wait."""

from typing import Any

from runner.diagnostics.failures import InstallationError
from runner.lazy_pattern import lazy_patterns

with lazy_patterns():
    from yaml import YAMLError as YAMLError
    from yaml.error import MarkedYAMLError as MarkedYAMLError
    from yaml.events import AliasEvent as AliasEvent
    from yaml.events import DocumentEndEvent as DocumentEndEvent
    from yaml.events import DocumentStartEvent as DocumentStartEvent
    from yaml.events import MappingEndEvent as MappingEndEvent
    from yaml.events import MappingStartEvent as MappingStartEvent
    from yaml.events import ScalarEvent as ScalarEvent
    from yaml.events import SequenceEndEvent as SequenceEndEvent
    from yaml.events import StreamEndEvent as StreamEndEvent
    from yaml.events import StreamStartEvent as StreamStartEvent


def new_parser(text: str) -> Any:
    """libyaml's parser; `InstallationError` without libyaml: PyYAML's own parser reads some files differently."""
    try:
        from yaml._yaml import CParser
    except ImportError:
        message = "PyYAML was built without libyaml; install a PyYAML wheel (pip install --force-reinstall pyyaml)"
        raise InstallationError(message) from None
    return CParser(text)
