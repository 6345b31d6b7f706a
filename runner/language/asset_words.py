"""The words of assets, which a prompt has at the first mention of each."""

from runner.diagnostics.problem import Problem
from runner.language.asset import Asset
from runner.language.mentions import find
from runner.language.shot_reporter import ShotReporter
from runner.language.symbols import SymbolTable
from runner.language.templates.scope import TEMPLATE_START, TemplateFailure
from runner.lazy_dataclass import dataclass, field


@dataclass(slots=True)
class AssetWords:
    """The words of the assets that one prompt mentions, each rendered once."""

    reporter: ShotReporter
    symbols: SymbolTable
    described: set[str] = field(default_factory=set)
    """Names of the assets whose words stand in the prompt already."""

    def once(self, asset: Asset) -> str:
        """` (words)` at the first mention of an asset with words; an empty text at every other mention."""
        if asset.words is None or asset.name in self.described:
            return ""
        # Before they are rendered: words that fail are reported at the first mention alone.
        self.described.add(asset.name)
        words = self._rendered(asset, asset.words)
        if words is None:
            return ""
        if "@" in words:
            self._check_mentions(asset, asset.words, words)
        # Words are put in after the mentions of the prompt were found, so nothing later would undo their escape.
        stripped = words.strip().replace("@@", "@")
        return f" ({stripped})" if stripped else ""

    def _rendered(self, asset: Asset, words: str) -> str | None:
        if "{" not in words or not TEMPLATE_START.search(words):
            return words
        draft, scope = self.reporter.draft, self.reporter.scope
        try:
            return scope.templates.render(words, draft.scope, lambda: asset.words_origin)
        except TemplateFailure as failure:
            for problem in failure.problems:
                self.reporter.add(scope.left_out.explain(problem, draft.entry.path))
            return None

    def _check_mentions(self, asset: Asset, written: str, words: str) -> None:
        mentions = find(words, self.symbols.names)
        if not mentions:
            return
        start, end = mentions[0].start, mentions[0].end
        # A mention that a template made stands nowhere in the file: the whole words are marked then.
        index = written.find(words[start:end])
        place = asset.words_origin.place(max(0, index), end - start if index >= 0 else None)
        message = f"the words of `{asset.name}` have a mention in them"
        hint = "words are sent as written: remove the @, or write @@"
        self.reporter.add(Problem("mention-in-words", place, message, hint))
