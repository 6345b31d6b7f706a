"""Builds the one request that all takes of a shot share: mode, materials, positions, the prompt as sent."""

import re

from runner.diagnostics.problem import Problem
from runner.language.edition_checks import check
from runner.language.ids import fold_name
from runner.language.material_resolver import MaterialResolver
from runner.language.materials import Asset
from runner.language.mentions import Mention, find, foreign_position, substitute
from runner.language.model import Shot
from runner.language.shot_draft import prompt_text
from runner.language.symbols import PROMPT, OutputFormat, UsedMaterial, same_source
from runner.language.templates.scope import TEMPLATE_START, TemplateFailure
from runner.language.yaml.document import Value
from runner.lazy_dataclass import dataclass, field, replace
from runner.requests.request import JsonValue, Material, Mode, Request, TakeReference

_MARKUP = re.compile(r"\{[{#].*?(?:[}#]\}|\Z)", re.DOTALL)
_PATH = re.compile(r"[\w.\-]+(?:/[\w.\-]+)+")
"""A relative path, where a name of a mention was expected."""
_UNUSABLE = "\ufffc"


@dataclass(slots=True)
class RequestBuilder(MaterialResolver):
    """Builds the shot of one draft; reports every problem, and builds none when there is one."""

    materials: list[Material] = field(default_factory=list)
    """Materials in the order of the request."""
    used: list[UsedMaterial] = field(default_factory=list)
    """The same materials, each with the name and the position of its first use."""
    described: set[str] = field(default_factory=set)
    """Names of the assets whose words stand in the prompt already."""
    mentioned: int = 0
    """How many of the materials the prompt mentions; these come first."""

    def shot(self) -> Shot | None:
        """The finished shot; None when the shot has a problem."""
        draft = self.draft
        _, text = prompt_text(draft, self.scope)
        mentions = find(text, self.symbols.names) if text and "@" in text else []
        self.text = text or ""
        if mentions:
            self._check_mentions(mentions)
        elif text is None and "prompt" in draft.broken:
            self._check_literal_mentions()
        frames = self._frames()
        references = self._references()
        mode = self._mode(mentions, references)
        if mode == "keyframe":
            prompt = substitute(self.text, mentions, self._as_words)
            self.materials = [used.material for used in frames]
            self.used = frames
        else:
            prompt = substitute(self.text, mentions, lambda mention: self._as_references(mention, references))
            self.mentioned = len(self.materials)
            for used in references:
                self._add_material(used)
        request = self._build_request(mode, prompt.strip() or None, tuple(self.materials))
        check(self, request)
        return None if self.failed or draft.broken else self._build_shot(request)

    @property
    def needs(self) -> tuple[str, ...]:
        """Shots that this one is made from, also when the shot itself has a problem."""
        return tuple(dict.fromkeys(item.shot for item in self.materials if isinstance(item, TakeReference)))

    def _check_literal_mentions(self) -> None:
        """Check the mentions written literally in a prompt whose template failed: one error must not hide another."""
        prompt = self.draft.raw.get("prompt")
        # With a statement in the prompt the mentions that would have been sent are unknown.
        if not isinstance(prompt, str) or "@" not in prompt or "{%" in prompt:
            return
        self.text = _MARKUP.sub(lambda markup: _UNUSABLE * len(markup.group()), prompt)
        ends = (
            (mention, self.text[max(0, mention.start - 1) : mention.end + 1])
            for mention in find(self.text, self.symbols.names)
        )
        self._check_mentions([mention for mention, around in ends if _UNUSABLE not in around])
        self.text = ""

    def _check_mentions(self, mentions: list[Mention]) -> None:
        # A mention that is written twice is reported at its first place.
        for mention in {(item.written, item.target): item for item in reversed(mentions)}.values():
            if mention.problem is not None:
                self.note_in_prompt(mention.problem[0], mention, mention.problem[1], mention.problem[2])
            elif mention.target is None:
                message = f"no asset or shot is named @{mention.written}"
                cause = self.scope.left_out.cause_of_name(mention.written)
                self.note_in_prompt("unknown-name", mention, message, self._mention_hint(mention), cause)
            elif mention.target.kind == "shot":
                self._check_pin(mention, PROMPT)

    def _mention_hint(self, mention: Mention) -> str:
        """The way out of an unknown name: a position, the asset of that file, the nearest name; last the escape."""
        if position := foreign_position(self.text, mention.start + 1):
            return f"write @{position[1]} for that material of the references"
        if path := _PATH.match(self.text, mention.start + 1):
            return self._path_hint(path.group().rstrip("."))
        hint = self.symbols.suggestion(mention.written)
        if hint:
            return f"{hint} (a literal @ is written @@)"
        return "define an asset of that name, or write a literal @ as @@"

    def _path_hint(self, path: str) -> str:
        """The way out of a path behind an @: the asset that is this file, or how to define one."""
        file_name = path.rpartition("/")[2]
        for asset in self.symbols.names.values():
            if not isinstance(asset, str) and any(
                source.rpartition("/")[2] == file_name for _, source, _ in asset.sources
            ):
                return f"a path is no mention; the asset that is this file is @{asset.name}"
        return f"a path is no mention: define an asset, `NAME: {path}`, and write @NAME"

    def _mode(self, mentions: list[Mention], references: list[UsedMaterial]) -> Mode:
        draft, values = self.draft, self.draft.values
        mode, has_references = values.get("mode"), bool(values.get("references"))
        is_keyframe = values.get("first_frame") is not None or values.get("last_frame") is not None
        is_keyframe = is_keyframe or not draft.broken.isdisjoint(("first_frame", "last_frame"))
        has_material = has_references or (bool(mentions) and any(map(self._has_material, mentions)))
        if mode is not None or (is_keyframe and has_references):
            self._check_mode(mode, is_keyframe, has_material, has_references)
        return "keyframe" if is_keyframe else "reference" if has_material else "text"

    def _check_mode(self, mode: Value, is_keyframe: bool, has_material: bool, has_references: bool) -> None:
        """Report a `mode`, frames and references that contradict each other."""
        draft = self.draft
        if is_keyframe and has_references:
            self.note(
                "mode",
                draft.origin("references"),
                "`references` and frames cannot be combined",
                "a clip is made from frames or from references: remove one of the two",
            )
        if mode == "keyframe" and not is_keyframe:
            self.note(
                "mode", draft.origin("mode"), "`mode: keyframe` needs a `first_frame`", "add one, or remove `mode`"
            )
        if mode == "reference" and is_keyframe:
            self.note(
                "mode",
                draft.origin("mode"),
                "`mode: reference` cannot be combined with frames",
                "remove `mode`: frames mean keyframe",
            )
        elif mode == "reference" and not has_material and not self.failed and not draft.broken:
            self.note(
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

    def _as_references(self, mention: Mention, references: list[UsedMaterial]) -> str:
        target = mention.target
        if target is None or mention.problem is not None:
            return mention.written
        if target.kind == "position":
            return self._as_position(mention, references)
        if target.kind == "shot":
            return self._add_material(
                UsedMaterial(TakeReference(target.name, target.part, target.take), mention.written, PROMPT)
            )
        asset = self.symbols.names[fold_name(target.name)]
        assert isinstance(asset, Asset)
        if not asset.sources:
            return self._as_words(mention)
        names = [self._add_material(used) for used in self._asset_materials(target.name, mention.written, PROMPT)]
        return " ".join(names) + self._words_once(asset)

    def _as_position(self, mention: Mention, references: list[UsedMaterial]) -> str:
        assert mention.target is not None
        assert mention.target.position is not None
        kind, number = mention.target.position
        candidates = [used for used in references if used.material.kind == kind]
        if not 1 <= number <= len(candidates) and "references" in self.draft.broken:
            return mention.written
        if not 1 <= number <= len(candidates):
            count = len(candidates) or "none"
            message = f"@{mention.written} is {kind} reference {number} of this shot, which has {count}"
            self.note_in_prompt(
                "position", mention, message, f"list the {kind}s in `references`, or mention them by name"
            )
            return mention.written
        return self._add_material(candidates[number - 1])

    def _add_material(self, used: UsedMaterial) -> str:
        """The mention of a material by its position in the request (`@image2`); a new material is appended."""
        new_material = used.material
        kind, number = new_material.kind, 1
        for material in self.materials:
            if material.kind == kind:
                if same_source(material, new_material):
                    return f"@{kind}{number}"
                number += 1
        self.materials.append(new_material)
        self.used.append(used)
        return f"@{kind}{number}"

    def _words_once(self, asset: Asset) -> str:
        """` (words)` at the first mention of an asset with words; an empty text at every other mention."""
        if asset.words is None or asset.name in self.described:
            return ""
        self.described.add(asset.name)
        words = asset.words
        if "{" in words and TEMPLATE_START.search(words):
            try:
                words = self.scope.templates.render(words, self.draft.scope, lambda: asset.words_origin)
            except TemplateFailure as failure:
                self.failed = True
                for problem in failure.problems:
                    explained = self.scope.left_out.explain(problem, self.draft.entry.path)
                    self.scope.problems.add(replace(explained, shots=(self.draft.id,)))
                return ""
        if "@" in words and (inner_mentions := find(words, self.symbols.names)):
            self.failed = True
            index = asset.words.find(words[inner_mentions[0].start : inner_mentions[0].end])
            place = asset.words_origin.place(
                max(0, index), inner_mentions[0].end - inner_mentions[0].start if index >= 0 else None
            )
            message, hint = (
                f"the words of `{asset.name}` have a mention in them",
                "words are sent as written: remove the @, or write @@",
            )
            self.scope.problems.add(Problem("mention-in-words", place, message, hint, shots=(self.draft.id,)))
        stripped = words.strip().replace("@@", "@")
        return f" ({stripped})" if stripped else ""

    def _as_words(self, mention: Mention) -> str:
        """The text of a mention where no material can be sent: the name without `@`, the first time with its words."""
        target = mention.target
        if target is None or mention.problem is not None:
            return mention.written
        asset = self.symbols.names.get(fold_name(target.name)) if target.kind == "asset" else None
        if isinstance(asset, Asset):
            asset.used = True
        if not isinstance(asset, Asset) or asset.words is None:
            message = f"a shot with frames sends no references, and @{mention.written} has no words to send instead"
            hint = f"add `words` to {mention.written}, or make the shot from references instead of frames"
            self.note_in_prompt("mention-with-frames", mention, message, hint)
            return mention.written
        return mention.written + self._words_once(asset)

    def _build_request(self, mode: Mode, prompt: str | None, materials: tuple[Material, ...]) -> Request:
        value_of = self.draft.values.get
        key = (
            value_of("model"),
            value_of("resolution"),
            value_of("duration"),
            value_of("aspect_ratio"),
            value_of("upscale"),
        )
        output_format = self.symbols.output_formats.get(key)
        if output_format is None:
            output_format = self.symbols.output_formats[key] = self._output_format()
        seed, audio, inputs = value_of("seed"), value_of("audio"), self.draft.raw.get("inputs")
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
        values = self.draft.values
        edition, aspect = self.symbols.edition, values.get("aspect_ratio", "16:9")
        model = str(values.get("model", edition.default_model.name))
        resolution = values.get("resolution")
        if self.symbols.forced_output is not None:
            model, resolution = self.symbols.forced_output
        row = edition.model(model)
        duration, upscale = values.get("duration"), values.get("upscale")
        return OutputFormat(
            edition.models.get(model, model),
            str(resolution or row.default_resolution),
            int(str(duration).rstrip("s")) if duration is not None else row.default_seconds,
            None if aspect == "auto" else str(aspect or "16:9"),
            upscale if isinstance(upscale, str) else None,
        )

    def _build_shot(self, request: Request) -> Shot:
        draft = self.draft
        value_of = draft.values.get
        tags, takes, combination = value_of("tags"), value_of("takes"), draft.combination
        return Shot(
            self.scope.document.name,
            draft.id,
            request,
            takes if isinstance(takes, int) else 1,
            draft.entry.entry_place(),
            _text_or_none(value_of("title")),
            _text_or_none(value_of("notes")),
            _text_or_none(value_of("scene")),
            tuple(map(str, tags)) if isinstance(tags, list) else (),
            value_of("skip") is True,
            tuple([(choice.axis, choice.text) for choice in combination]) if combination else (),
            tuple([used.name for used in self.used]) if self.used else (),
        )


def _text_or_none(value: Value) -> str | None:
    return value if isinstance(value, str) else None


def _sorted_inputs(value: Value) -> tuple[tuple[str, JsonValue], ...]:
    if not isinstance(value, dict) or not value:
        return ()
    return tuple(sorted((key, item) for key, item in value.items() if not key.startswith("x-")))
