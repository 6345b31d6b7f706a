"""From a finished shot to the one request that its takes share: mode, materials, positions, the prompt as sent."""

import re

from runner.diagnostics.problem import Problem
from runner.language.edition_checks import check
from runner.language.material_resolver import MaterialResolver
from runner.language.materials import Asset, fold_name
from runner.language.mentions import Mention, find, substitute, suggestion
from runner.language.model import Shot
from runner.language.shot_draft import prompt_text
from runner.language.symbols import PROMPT, OutputFormat, UsedMaterial, same_source
from runner.language.templates.scope import TEMPLATE_START, TemplateFailure
from runner.language.yaml.document import Value
from runner.lazy_dataclass import dataclass, field, replace
from runner.requests.request import JsonValue, Material, Mode, Request, TakeReference

_MARKUP = re.compile(r"\{[{#].*?(?:[}#]\}|\Z)", re.DOTALL)
_UNUSABLE = "\ufffc"


@dataclass(slots=True)
class RequestBuilder(MaterialResolver):
    """Makes the request of one draft; whatever is wrong is noted, and then there is none."""

    order: list[Material] = field(default_factory=list)
    used: list[UsedMaterial] = field(default_factory=list)
    spoken: set[str] = field(default_factory=set)
    """Assets whose words were said already."""
    mentioned: int = 0
    """How many of the materials the prompt mentions; they come first."""

    def shot(self) -> Shot | None:
        """The finished shot, or None when something is wrong with it."""
        draft = self.draft
        _, text = prompt_text(draft, self.ground)
        mentions = find(text, self.cast.names) if text and "@" in text else []
        self.text = text or ""
        if mentions:
            self._unusable(mentions)
        elif text is None and "prompt" in draft.broken:
            self._check_despite_errors()
        frames = self._frames()
        references = self._references()
        mode = self._mode(mentions, references)
        if mode == "keyframe":
            prompt = substitute(self.text, mentions, self._in_words)
            self.order = [one.material for one in frames]
            self.used = frames
        else:
            prompt = substitute(self.text, mentions, lambda mention: self._in_reference(mention, references))
            self.mentioned = len(self.order)
            for one in references:
                self._place(one)
        request = self._request(mode, prompt.strip() or None, tuple(self.order))
        check(self, request)
        return None if self.failed or draft.broken else self._build(request)

    def _check_despite_errors(self) -> None:
        """The mentions that stand literally in a prompt whose template failed: one fault does not hide another."""
        said = self.draft.raw.get("prompt")
        # Inside a statement nobody knows what would have been sent.
        if not isinstance(said, str) or "@" not in said or "{%" in said:
            return
        self.text = _MARKUP.sub(lambda markup: _UNUSABLE * len(markup.group()), said)
        ends = ((one, self.text[max(0, one.start - 1) : one.end + 1]) for one in find(self.text, self.cast.names))
        self._unusable([one for one, around in ends if _UNUSABLE not in around])
        self.text = ""

    def _unusable(self, mentions: list[Mention]) -> None:
        # One that stands there twice is marked where it stands first.
        for mention in {(one.written, one.target): one for one in reversed(mentions)}.values():
            if mention.problem is not None:
                self.note_in_prompt(mention.problem[0], mention, mention.problem[1], mention.problem[2])
            elif mention.target is None:
                self.failed = True
                if fold_name(mention.written).startswith(self.cast.suppressed_prefixes):
                    continue
                hint = suggestion(mention.written, self.cast.all_names)
                hint = f"{hint} (a literal @ is written @@)" if hint else "a literal @ is written @@"
                self.note_in_prompt("unknown-name", mention, f"nobody is named @{mention.written}", hint)
            elif mention.target.kind == "shot":
                self._check_pin(mention, PROMPT)

    def _mode(self, mentions: list[Mention], references: list[UsedMaterial]) -> Mode:
        draft, values = self.draft, self.draft.values
        said, listed = values.get("mode"), bool(values.get("references"))
        keyframe = values.get("first_frame") is not None or values.get("last_frame") is not None
        keyframe = keyframe or not draft.broken.isdisjoint(("first_frame", "last_frame"))
        material = listed or (bool(mentions) and any(map(self._has_material, mentions)))
        if said is not None or (keyframe and listed):
            self._contradictions(said, keyframe, material, listed)
        return "keyframe" if keyframe else "reference" if material else "text"

    def _contradictions(self, said: Value, keyframe: bool, material: bool, listed: bool) -> None:
        """What `mode` says, and what the materials of the shot say."""
        draft = self.draft
        if keyframe and listed:
            self.note(
                "mode",
                draft.origin("references"),
                "`references` and frames do not go together",
                "a clip is made from frames, or from references: remove one of the two",
            )
        if said == "keyframe" and not keyframe:
            self.note(
                "mode", draft.origin("mode"), "`mode: keyframe` needs a `first_frame`", "give one, or leave `mode` out"
            )
        if said == "reference" and keyframe:
            self.note(
                "mode",
                draft.origin("mode"),
                "`mode: reference` does not go with frames",
                "leave `mode` out: frames mean keyframe",
            )
        elif said == "reference" and not material and not self.failed and not draft.broken:
            self.note(
                "mode",
                draft.origin("mode"),
                "`mode: reference` needs materials",
                "mention some in the prompt or in `references`",
            )

    def _has_material(self, mention: Mention) -> bool:
        named = mention.target
        if named is None or named.kind != "asset":
            return named is not None
        one = self.cast.names.get(fold_name(named.name))
        return isinstance(one, Asset) and bool(one.sources)

    def _in_reference(self, mention: Mention, references: list[UsedMaterial]) -> str:
        named = mention.target
        if named is None or mention.problem is not None:
            return mention.written
        if named.kind == "position":
            return self._position(mention, references)
        if named.kind == "shot":
            return self._place(UsedMaterial(TakeReference(named.name, named.part, named.take), mention.written, PROMPT))
        asset = self.cast.names[fold_name(named.name)]
        assert isinstance(asset, Asset)
        if not asset.sources:
            return self._in_words(mention)
        placed = [self._place(one) for one in self._of_asset(named.name, mention.written, PROMPT)]
        return " ".join(placed) + self._words(asset)

    def _position(self, mention: Mention, references: list[UsedMaterial]) -> str:
        assert mention.target is not None
        assert mention.target.position is not None
        kind, number = mention.target.position
        same = [one for one in references if one.material.kind == kind]
        if not 1 <= number <= len(same) and "references" in self.draft.broken:
            return mention.written
        if not 1 <= number <= len(same):
            have = f"has {len(same)}" if same else "has none"
            message = f"@{mention.written} is the shot's own {kind} reference {number}, and it {have}"
            self.note_in_prompt(
                "position", mention, message, f"list the {kind}s in `references`, or mention them by name"
            )
            return mention.written
        return self._place(same[number - 1])

    def _place(self, one: UsedMaterial) -> str:
        """`@image2`: the position of a material in the request, which it gets when it first comes."""
        wanted = one.material
        kind, number = wanted.kind, 1
        for material in self.order:
            if material.kind == kind:
                if same_source(material, wanted):
                    return f"@{kind}{number}"
                number += 1
        self.order.append(wanted)
        self.used.append(one)
        return f"@{kind}{number}"

    def _words(self, asset: Asset) -> str:
        """` (words)` at the first mention of an asset that has some."""
        if asset.words is None or asset.name in self.spoken:
            return ""
        self.spoken.add(asset.name)
        words = asset.words
        if "{" in words and TEMPLATE_START.search(words):
            try:
                words = self.ground.templates.render(words, self.draft.scope, lambda: asset.words_origin)
            except TemplateFailure as fault:
                self.failed = True
                for problem in fault.problems:
                    self.ground.problems.add(replace(problem, shots=(self.draft.id,)))
                return ""
        if "@" in words and (inner := find(words, self.cast.names)):
            self.failed = True
            index = asset.words.find(words[inner[0].start : inner[0].end])
            place = asset.words_origin.place(max(0, index), inner[0].end - inner[0].start if index >= 0 else None)
            message, hint = (
                f"the words of `{asset.name}` mention somebody",
                "they are sent as they are: write no @, or @@",
            )
            self.ground.problems.add(Problem("mention-in-words", place, message, hint, shots=(self.draft.id,)))
        bare = words.strip().replace("@@", "@")
        return f" ({bare})" if bare else ""

    def _in_words(self, mention: Mention) -> str:
        """Where no material can be sent: the name without its `@`, and its words after the first."""
        named = mention.target
        if named is None or mention.problem is not None:
            return mention.written
        asset = self.cast.names.get(fold_name(named.name)) if named.kind == "asset" else None
        if isinstance(asset, Asset):
            asset.used = True
        if not isinstance(asset, Asset) or asset.words is None:
            message = f"@{mention.written} cannot be sent: this shot is made from frames, and it has no words"
            hint = f"give {mention.written} `words`, or make the shot from references instead of frames"
            self.note_in_prompt("mention-with-frames", mention, message, hint)
            return mention.written
        return mention.written + self._words(asset)

    def _request(self, mode: Mode, prompt: str | None, materials: tuple[Material, ...]) -> Request:
        said = self.draft.values.get
        asked = (said("model"), said("resolution"), said("duration"), said("aspect_ratio"), said("upscale"))
        known = self.cast.output_formats.get(asked)
        if known is None:
            known = self.cast.output_formats[asked] = self._form()
        seed, audio, inputs = said("seed"), said("audio"), self.draft.raw.get("inputs")
        return Request(
            known.model,
            known.resolution,
            known.seconds,
            known.aspect_ratio,
            mode,
            prompt,
            materials,
            known.upscale,
            seed if isinstance(seed, int) else None,
            audio if isinstance(audio, bool) else None,
            _inputs(inputs) if inputs else (),
        )

    def _form(self) -> OutputFormat:
        """What most shots have in common, with what the format puts in where nothing is said."""
        values = self.draft.values
        model, aspect = str(values.get("model", "seedance-20")), values.get("aspect_ratio", "16:9")
        duration, upscale = values.get("duration"), values.get("upscale")
        return OutputFormat(
            self.cast.edition.models.get(model, model),
            str(values.get("resolution") or "720p"),
            int(str(duration).rstrip("s")) if duration is not None else 5,
            None if aspect == "auto" else str(aspect or "16:9"),
            upscale if isinstance(upscale, str) else None,
        )

    def _build(self, request: Request) -> Shot:
        draft = self.draft
        said = draft.values.get
        tags, takes, combination = said("tags"), said("takes"), draft.combination
        return Shot(
            self.ground.document.name,
            draft.id,
            request,
            takes if isinstance(takes, int) else 1,
            draft.entry.entry_place(),
            _text(said("title")),
            _text(said("notes")),
            _text(said("scene")),
            tuple(map(str, tags)) if isinstance(tags, list) else (),
            said("skip") is True,
            tuple([(choice.axis, choice.text) for choice in combination]) if combination else (),
            tuple([one.name for one in self.used]) if self.used else (),
        )


def _text(value: Value) -> str | None:
    return value if isinstance(value, str) else None


def _inputs(value: Value) -> tuple[tuple[str, JsonValue], ...]:
    if not isinstance(value, dict) or not value:
        return ()
    return tuple(sorted((key, item) for key, item in value.items() if not key.startswith("x-")))
