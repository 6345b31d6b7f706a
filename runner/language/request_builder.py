"""The one request that all takes of a shot share: mode, materials, positions, the prompt as sent."""

from decimal import Decimal
from typing import NamedTuple

from runner.diagnostics.folded_name import fold_name
from runner.editions.model import Model
from runner.language import defaults
from runner.language.asset import Asset
from runner.language.asset_words import AssetWords
from runner.language.edition_checks import check
from runner.language.film_time import check_film_time, clip_seconds
from runner.language.material_resolver import MaterialResolver
from runner.language.mention_checks import check_literal_mentions, check_mentions
from runner.language.mentions import Mention, find, substitute
from runner.language.model import Shot
from runner.language.request_materials import RequestMaterials
from runner.language.shot_draft import ShotDraft, StoryboardScope, prompt_text
from runner.language.shot_reporter import ShotReporter
from runner.language.symbols import PROMPT, OutputFormat, SymbolTable, UsedMaterial
from runner.language.yaml.document import Value
from runner.lazy_dataclass import dataclass, field
from runner.requests.decimals import exact_decimal
from runner.requests.request import JsonValue, Material, Mode, Request, TakeReference


class BuiltShot(NamedTuple):
    """The shot of one draft, and the materials, shots and assets that it uses, also when it has a problem."""

    shot: Shot | None
    """None when the shot has a problem."""
    materials: list[UsedMaterial]
    """The materials of the request, in order."""
    assets: set[str]
    """Names of the assets that the shot uses."""

    @property
    def needs(self) -> tuple[str, ...]:
        """Ids of the shots that this one is made from, each once."""
        materials = (used.material for used in self.materials)
        return tuple(dict.fromkeys(item.shot for item in materials if isinstance(item, TakeReference)))


def build_shot(draft: ShotDraft, scope: StoryboardScope, symbols: SymbolTable) -> BuiltShot:
    """Build the shot of a draft whose fields are rendered; report every problem, and build none when there is one."""
    reporter = ShotReporter(draft, scope)
    resolver = MaterialResolver(reporter, symbols)
    return RequestBuilder(reporter, symbols, resolver, AssetWords(reporter, symbols)).build()


@dataclass(slots=True)
class RequestBuilder:
    """The builder of the shot of one draft, from its fields, its mentions and its materials."""

    reporter: ShotReporter
    symbols: SymbolTable
    resolver: MaterialResolver
    words: AssetWords
    materials: RequestMaterials = field(default_factory=RequestMaterials)

    def build(self) -> BuiltShot:
        """The finished shot; None in its place when the shot has a problem."""
        reporter, symbols = self.reporter, self.symbols
        draft = reporter.draft
        own, text = prompt_text(draft, reporter.scope)
        written = text or ""
        mentions = find(written, symbols.names) if "@" in written else []
        if mentions:
            check_mentions(reporter, symbols, written, mentions)
        elif text is None and "prompt" in draft.broken:
            check_literal_mentions(reporter, symbols)
        frames, references = self.resolver.frames(), self.resolver.references()
        mode = self._mode(mentions, references)
        if mode == "keyframe":
            prompt = substitute(written, mentions, lambda mention: self._as_words(mention, written))
            self.materials.used += frames
            mentioned = 0
        else:
            # Mentions first and references after them, so that positions count in the order of the prompt.
            prompt = substitute(written, mentions, lambda mention: self._as_references(mention, written, references))
            mentioned = len(self.materials.used)
            for used in references:
                self.materials.add(used)
        materials = self.materials.used
        request = self._build_request(mode, prompt.strip() or None, self.materials.materials)
        # Also after a problem: the limits are reported in the same run.
        check(reporter, symbols, request, materials, mentioned)
        if "seconds" in draft.values or "in" in draft.values:
            longest = symbols.edition.model(request.model).limits.seconds[1]
            check_film_time(reporter, request.seconds, longest)
        shot = None if reporter.has_problem else self._build_shot(request, own or "")
        return BuiltShot(shot, materials, self.resolver.used_assets)

    def _mode(self, mentions: list[Mention], references: list[UsedMaterial]) -> Mode:
        draft = self.reporter.draft
        values = draft.values
        mode, has_references = values.get("mode"), bool(values.get("references"))
        is_keyframe = values.get("first_frame") is not None or values.get("last_frame") is not None
        # A frame with a problem still shows what the shot was meant to be, so no second problem follows.
        is_keyframe = is_keyframe or not draft.broken.isdisjoint(("first_frame", "last_frame"))
        has_material = has_references or (bool(mentions) and any(map(self._has_material, mentions)))
        if mode is not None or (is_keyframe and has_references):
            self._check_mode(mode, is_keyframe, has_material, has_references)
        return "keyframe" if is_keyframe else "reference" if has_material else "text"

    def _check_mode(self, mode: Value, is_keyframe: bool, has_material: bool, has_references: bool) -> None:
        """Report a `mode`, frames and references that contradict each other."""
        draft = self.reporter.draft
        if is_keyframe and has_references:
            self.reporter.note(
                "mode",
                draft.origin("references"),
                "`references` and frames cannot be combined",
                "a clip is made from frames or from references: remove one of the two",
            )
        if mode == "keyframe" and not is_keyframe:
            self.reporter.note(
                "mode", draft.origin("mode"), "`mode: keyframe` needs a `first_frame`", "add one, or remove `mode`"
            )
        if mode == "reference" and is_keyframe:
            self.reporter.note(
                "mode",
                draft.origin("mode"),
                "`mode: reference` cannot be combined with frames",
                "remove `mode`: frames mean keyframe",
            )
        elif mode == "reference" and not has_material and not self.reporter.has_problem:
            self.reporter.note(
                "mode",
                draft.origin("mode"),
                "`mode: reference` needs materials",
                "mention assets in the prompt, or list materials in `references`",
            )

    def _has_material(self, mention: Mention) -> bool:
        target = mention.target
        if target is None or target.kind != "asset":
            return target is not None
        asset = self.symbols.names.get(fold_name(target.name))
        return isinstance(asset, Asset) and bool(asset.sources)

    def _as_references(self, mention: Mention, prompt: str, references: list[UsedMaterial]) -> str:
        target = mention.target
        if target is None or mention.problem is not None:
            return mention.written
        if target.kind == "position":
            return self._as_position(mention, prompt, references)
        asset = self.resolver.asset(target.name) if target.kind == "asset" else None
        if asset is None:
            material = TakeReference(target.name, target.part, target.take)
            return self.materials.add(UsedMaterial(material, mention.written, PROMPT))
        if not asset.sources:
            return self._as_words(mention, prompt)
        materials = self.resolver.asset_materials(asset, mention, PROMPT)
        return " ".join([self.materials.add(used) for used in materials]) + self.words.once(asset)

    def _as_position(self, mention: Mention, prompt: str, references: list[UsedMaterial]) -> str:
        assert mention.target is not None
        assert mention.target.position is not None
        kind, number = mention.target.position
        candidates = [used for used in references if used.material.kind == kind]
        if not 1 <= number <= len(candidates) and "references" in self.reporter.draft.broken:
            # The list has a problem of its own, so nobody knows how many it was to have.
            return mention.written
        if not 1 <= number <= len(candidates):
            count = len(candidates) or "none"
            message = f"@{mention.written} is {kind} reference {number} of this shot, which has {count}"
            hint = f"list the {kind}s in `references`, or mention them by name"
            self.reporter.note_in_prompt(("position", message, hint), mention, prompt)
            return mention.written
        return self.materials.add(candidates[number - 1])

    def _as_words(self, mention: Mention, prompt: str) -> str:
        """The text of a mention where no material can be sent: the name without `@`, the first time with its words."""
        target = mention.target
        if target is None or mention.problem is not None:
            return mention.written
        asset = self.resolver.asset(target.name) if target.kind == "asset" else None
        if asset is None or asset.words is None or target.part != "clip":
            message = f"a shot with frames sends no references, and @{mention.written} has no words to send instead"
            hint = f"add `words` to {mention.written}, or make the shot from references instead of frames"
            self.reporter.note_in_prompt(("mention-with-frames", message, hint), mention, prompt)
            return mention.written
        return mention.written + self.words.once(asset)

    def _build_request(self, mode: Mode, prompt: str | None, materials: tuple[Material, ...]) -> Request:
        value_of = self.reporter.draft.values.get
        key = (
            value_of("model"),
            value_of("resolution"),
            value_of("duration"),
            value_of("aspect_ratio"),
            value_of("upscale"),
            value_of("in"),
            value_of("seconds"),
        )
        output_format = self.symbols.output_formats.get(key)
        if output_format is None:
            output_format = self.symbols.output_formats[key] = self._output_format()
        seed, audio, inputs = value_of("seed"), value_of("audio"), self.reporter.draft.raw.get("inputs")
        return Request(
            output_format.model,
            output_format.resolution,
            output_format.seconds,
            output_format.aspect_ratio,
            mode,
            prompt,
            materials,
            output_format.upscale,
            seed if isinstance(seed, int) else None,
            audio if isinstance(audio, bool) else None,
            _sorted_inputs(inputs) if inputs else (),
        )

    def _output_format(self) -> OutputFormat:
        """The output format of the shot, with the defaults of the storyboard format for missing fields."""
        values = self.reporter.draft.values
        edition, aspect = self.symbols.edition, values.get("aspect_ratio", defaults.ASPECT_RATIO)
        model = str(values.get("model", edition.default_model.name))
        resolution = values.get("resolution")
        if self.symbols.forced_output is not None:
            model, resolution = self.symbols.forced_output
        row = edition.model(model)
        duration, upscale = values.get("duration"), values.get("upscale")
        return OutputFormat(
            # Aliases are one model: in the price, in the fingerprint, in what is sent.
            edition.models.get(model, model),
            str(resolution or row.default_resolution),
            int(str(duration).rstrip("s")) if duration is not None else self._following_seconds(row),
            None if aspect == "auto" else str(aspect or defaults.ASPECT_RATIO),
            upscale if isinstance(upscale, str) else None,
        )

    def _following_seconds(self, row: Model) -> int:
        """The length of a clip that follows from the shot's film time."""
        values = self.reporter.draft.values
        return clip_seconds(values.get("in"), values.get("seconds"), row.limits.seconds, row.default_seconds)

    def _build_shot(self, request: Request, own_prompt: str) -> Shot:
        draft = self.reporter.draft
        value_of = draft.values.get
        tags, takes, combination = value_of("tags"), value_of("takes"), draft.combination
        return Shot(
            self.reporter.scope.document.name,
            draft.id,
            request,
            takes if isinstance(takes, int) else defaults.TAKES,
            draft.entry.entry_place(),
            _text_or_none(value_of("title")),
            _text_or_none(value_of("notes")),
            _text_or_none(value_of("scene")),
            tuple(map(str, tags)) if isinstance(tags, list) else (),
            value_of("skip") is True,
            tuple([(choice.axis, choice.text) for choice in combination]) if combination else (),
            tuple([used.name for used in self.materials.used]) if self.materials.used else (),
            exact_decimal(value_of("in")) or _BEGINNING,
            exact_decimal(value_of("seconds")),
            value_of("seconds") is not None and value_of("duration") is None,
            own_prompt,
        )


# One value for all shots: most begin where their clip does.
_BEGINNING = Decimal(0)


def _text_or_none(value: Value) -> str | None:
    return value if isinstance(value, str) else None


def _sorted_inputs(value: Value) -> tuple[tuple[str, JsonValue], ...]:
    if not isinstance(value, dict) or not value:
        return ()
    # Sorted: the order in the file must not change the fingerprint, and buy the clip again.
    return tuple(sorted((key, item) for key, item in value.items() if not key.startswith("x-")))
