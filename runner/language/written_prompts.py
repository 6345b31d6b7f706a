"""The prompts of all shots as they are written in the files: before templates, mentions and wrap."""

from collections.abc import Sequence
from pathlib import Path

from runner.language.compile_options import CompileOptions
from runner.language.compiler import open_compilation, read_documents
from runner.language.storyboard_ir import expand_documents


def written_prompts(files: Sequence[Path], root: Path, options: CompileOptions) -> dict[tuple[str, str], str]:
    """The written prompt by storyboard and shot; a shot without one is left out."""
    prompts: dict[tuple[str, str], str] = {}
    with open_compilation(root, options) as compilation:
        for ir in expand_documents(read_documents(files, compilation), compilation):
            for draft in ir.drafts:
                if isinstance(prompt := draft.raw.get("prompt"), str):
                    prompts[ir.document.name, draft.id] = prompt.strip()
    return prompts
