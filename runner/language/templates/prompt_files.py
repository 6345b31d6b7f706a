"""The search for the prompt files of `{% include %}` and `{% import %}`."""

from pathlib import Path as FilePath
from pathlib import PurePosixPath

from runner.files.reading import PROMPT_LIMIT, FileRejected, read_bytes
from runner.language.yaml.document import Document


class PromptFolder:
    """`prompts/` beside the storyboard, then at the repository's top; each file is read once."""

    def __init__(self, root: FilePath, document: Document) -> None:
        own_folder = root / FilePath(document.name).parent / "prompts"
        self.root = root
        self.folders = tuple(dict.fromkeys((own_folder, root / "prompts")))
        self._files_by_name: dict[str, tuple[str, str] | None] = {}

    def find(self, name: str) -> tuple[str, str] | None:
        """Text and path (from the repository's top) of a prompt file; None when no readable file has this name."""
        if name not in self._files_by_name:
            self._files_by_name[name] = self._read_first(name)
        return self._files_by_name[name]

    def _read_first(self, name: str) -> tuple[str, str] | None:
        path = PurePosixPath(name)
        # A name leads to no file outside of the folder, also to none elsewhere in the repository.
        if "\\" in name or "\0" in name or path.is_absolute() or ".." in path.parts or not path.parts:
            return None
        for folder in self.folders:
            try:
                data = read_bytes(folder / path, self.root, PROMPT_LIMIT)
                # A BOM would be sent in the middle of the prompt.
                text = data.decode("utf-8").removeprefix("\ufeff")
            except (FileRejected, UnicodeDecodeError):
                continue
            return text, (folder / path).relative_to(self.root).as_posix()
        return None
