"""The reporter of one shot's problems, at a value, a material, or a mention in its prompt."""

from runner.diagnostics.problem import Place, Problem
from runner.language.causes import as_consequence
from runner.language.mentions import Mention
from runner.language.shot_draft import ShotDraft, StoryboardScope
from runner.language.symbols import PROMPT, UsedMaterial
from runner.language.yaml.document import NodeRef
from runner.lazy_dataclass import dataclass, replace


@dataclass(slots=True)
class ShotReporter:
    """The reporter of problems and warnings about a draft; after a problem the shot is left out of the batch."""

    draft: ShotDraft
    scope: StoryboardScope
    failed: bool = False
    """True after the first problem; only this object sets it."""

    @property
    def has_problem(self) -> bool:
        """Whether the shot has a problem, reported here or while its fields were read."""
        return self.failed or bool(self.draft.broken)

    def add(self, problem: Problem) -> None:
        """Report a problem of a value that several shots share, as one of this shot."""
        self.failed = True
        self.scope.problems.add(replace(problem, shots=(self.draft.id,)))

    def note(self, code: str, origin: NodeRef, message: str, hint: str = "", cause: Place | None = None) -> None:
        """Report a problem of this shot, at a value; as a consequence of the problem at `cause`, if there is one."""
        problem = Problem(code, _place_of(origin), message, hint, related=origin.alias_chain())
        self.add(problem if cause is None else as_consequence(problem, cause))

    def warn(self, code: str, origin: NodeRef, message: str, hint: str = "") -> None:
        """Report a warning about this shot, at a value."""
        self.warn_at(code, _place_of(origin), message, hint)

    def warn_at(self, code: str, place: Place, message: str, hint: str) -> None:
        """Report a warning about this shot, at a place."""
        self.scope.problems.add(Problem(code, place, message, hint, "warning", shots=(self.draft.id,)))

    def place(self, used: UsedMaterial) -> Place:
        """The place at which a material is named: the literal mention in the prompt, or the item of a field."""
        if used.where != PROMPT:
            return self.draft.origin(*used.where).place()
        from runner.language.locate_text import locate_text

        origin, index, width = locate_text(self.draft, self.scope, f"@{used.name}")
        return origin.place(index or 0, width)

    def warn_about(self, code: str, used: UsedMaterial, message: str, hint: str = "") -> None:
        """Report a warning about one material of this shot."""
        self.warn_at(code, self.place(used), message, hint)

    def note_about(self, code: str, used: UsedMaterial, message: str, hint: str = "") -> None:
        """Report a problem of one material of this shot, at its source in the asset."""
        place = used.source.place() if used.source else self.place(used)
        related = ((self.place(used), "used here"),) if used.source else ()
        self.add(Problem(code, place, message, hint, related=related))

    def note_in_prompt(
        self, problem: tuple[str, str, str], mention: Mention, prompt: str, cause: Place | None = None
    ) -> None:
        """Report a problem (code, message, hint) of a mention in the rendered prompt.

        The place is the mention's literal text in a value, else the template that made the text.
        """
        from runner.language.locate_text import excerpt, locate_text

        code, message, hint = problem
        text = prompt[mention.start : mention.end]
        origin, index, width = locate_text(self.draft, self.scope, text)
        value = origin.value
        # The text stands nowhere in the file: without what was rendered nobody would find it.
        if not isinstance(value, str) or text not in value:
            rendered = f"the template renders: {excerpt(prompt, mention.start, mention.end)}"
            hint = "\n".join(filter(None, (hint, rendered)))
        place = origin.place(index or 0, width)
        error = Problem(code, place, message, hint, related=origin.alias_chain())
        self.add(error if cause is None else as_consequence(error, cause))


def _place_of(origin: NodeRef) -> Place:
    return origin.place() if not isinstance(origin.value, dict) else origin.key_place()
