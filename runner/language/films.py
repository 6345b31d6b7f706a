"""Several films of the same storyboards: the files compiled once for each combination of profiles, as one batch."""

from collections.abc import Sequence
from pathlib import Path

from runner.diagnostics.problem import Problems
from runner.language.compile_options import CompileOptions
from runner.language.compiler import compile as compile_batch
from runner.language.materials import ProvideFile
from runner.language.merge_problems import merge
from runner.language.model import Batch, Storyboard
from runner.lazy_dataclass import replace


def compile_films(
    files: Sequence[Path],
    root: Path,
    options: CompileOptions,
    profiles: Sequence[str | None],
    provide: ProvideFile | None = None,
) -> tuple[Batch, Problems]:
    """Compile the storyboards for each combination of profiles, in this order; `options` gives all but the profile.

    A problem that several films have is reported once. Raises what `compile` raises.
    """
    if len(profiles) == 1:
        return compile_batch(files, root, replace(options, profile=profiles[0]), provide)
    problems, storyboards = Problems(), list[Storyboard]()
    # The whole compiler for each: a profile can change any field, and with it mentions, materials and requests.
    for profile in profiles:
        batch, own = compile_batch(files, root, replace(options, profile=profile), provide)
        storyboards += batch.storyboards
        problems.items += own.items
        problems.sources |= own.sources
    return Batch(tuple(storyboards)), merge(problems)
