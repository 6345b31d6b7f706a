"""Reports problems of one shot at a value, a material, or a mention in its prompt."""

from runner.diagnostics.problem import Place, Problem
from runner.language.causes import as_consequence
from runner.language.locate_text import excerpt, locate_text
from runner.language.mentions import Mention
from runner.language.shot_draft import ShotDraft, StoryboardScope
from runner.language.symbols import PROMPT, SymbolTable, UsedMaterial
from runner.language.yaml.document import NodeRef
from runner.lazy_dataclass import dataclass


@dataclass(slots=True)
class ShotReporter:
    """Adds problems and warnings about a draft; after a problem the shot is left out of the batch."""

    draft: ShotDraft
    scope: StoryboardScope
    symbols: SymbolTable
    failed: bool = False
    text: str = ""
    """The rendered prompt in its wrap, mentions as written."""

    def note(self, code: str, origin: NodeRef, message: str, hint: str = "", cause: Place | None = None) -> None:
        """Report a problem of this shot, at a value; as a consequence of the problem at `cause`, if there is one."""
        self.failed = True
        place = origin.place() if not isinstance(origin.value, dict) else origin.key_place()
        problem = Problem(code, place, message, hint, related=origin.alias_chain(), shots=(self.draft.id,))
        self.scope.problems.add(problem if cause is None else as_consequence(problem, cause))

    def warn(self, code: str, origin: NodeRef, message: str, hint: str = "") -> None:
        """Report a warning about this shot, at a value."""
        place = origin.place() if not isinstance(origin.value, dict) else origin.key_place()
        self.scope.problems.add(Problem(code, place, message, hint, "warning", shots=(self.draft.id,)))

    def place(self, used: UsedMaterial) -> Place:
        """The place at which a material is named: the literal mention in the prompt, or the item of a field."""
        if used.where != PROMPT:
            return self.draft.origin(*used.where).place()
        origin, index, width = locate_text(self.draft, self.scope, f"@{used.name}")
        return origin.place(index or 0, width)

    def warn_about(self, code: str, used: UsedMaterial, message: str, hint: str = "") -> None:
        """Report a warning about one material of this shot."""
        problem = Problem(code, self.place(used), message, hint, "warning", shots=(self.draft.id,))
        self.scope.problems.add(problem)

    def note_about(self, code: str, used: UsedMaterial, message: str, hint: str = "") -> None:
        """Report a problem of one material of this shot, at its source in the asset."""
        self.failed = True
        place = used.source.place() if used.source else self.place(used)
        related = ((self.place(used), "used here"),) if used.source else ()
        self.scope.problems.add(Problem(code, place, message, hint, related=related, shots=(self.draft.id,)))

    def note_in_prompt(self, code: str, mention: Mention, message: str, hint: str, cause: Place | None = None) -> None:
        """Report a problem of a mention, at its literal text in a value, else at the template that made the text."""
        self.failed = True
        text = self.text[mention.start : mention.end]
        origin, index, width = locate_text(self.draft, self.scope, text)
        value = origin.value
        if not isinstance(value, str) or text not in value:
            hint = "\n".join(
                filter(None, (hint, f"the template renders: {excerpt(self.text, mention.start, mention.end)}"))
            )
        place = origin.place(index or 0, width)
        problem = Problem(code, place, message, hint, related=origin.alias_chain(), shots=(self.draft.id,))
        self.scope.problems.add(problem if cause is None else as_consequence(problem, cause))
