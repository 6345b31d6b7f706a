"""From a finished shot to the one request that its takes share: mode, materials, positions, the prompt as sent."""

import re
from collections.abc import Mapping

from runner.language.board import Shot
from runner.language.cast import Used, same_source
from runner.language.document import Origin, Value
from runner.language.limits import check
from runner.language.materials import Asset, ending, folded, is_source
from runner.language.mentions import Mention, find, resolve, single, suggestion
from runner.language.notes import Notes
from runner.language.scope import MARK, Fault
from runner.language.shots import prompt_text
from runner.media.files import known_endings
from runner.problems import Problem
from runner.request import FromTake, Kind, Material, Mode, Plain, Request
from runner.values import dataclass, field, replace

_MARKUP = re.compile(r"\{[{#].*?(?:[}#]\}|\Z)", re.DOTALL)
_GONE = "\ufffc"


@dataclass(slots=True)
class Composer(Notes):
    """Makes the request of one draft; whatever is wrong is noted, and then there is none."""

    order: list[Material] = field(default_factory=list)
    used: list[Used] = field(default_factory=list)
    spoken: set[str] = field(default_factory=set)
    """Assets whose words were said already."""
    mentioned: int = 0
    """How many of the materials the prompt mentions; they come first."""

    def shot(self) -> Shot | None:
        """The finished shot, or None when something is wrong with it."""
        draft, values = self.draft, self.draft.values
        _, text = prompt_text(draft, self.ground)
        mentions = find(text, self.cast.names) if text and "@" in text else []
        self.text = text or ""
        if mentions:
            self._unusable(mentions)
        elif text is None and "prompt" in draft.broken:
            self._beside_a_fault()
        frames = self._frames()
        references = self._references()
        mode = self._mode(mentions, references, frames)
        if mode == "keyframe":
            prompt = resolve(self.text, mentions, self._in_words).strip()
            materials = tuple(one.material for one in frames)
            self.used = frames
        else:
            prompt = resolve(self.text, mentions, lambda mention: self._in_reference(mention, references)).strip()
            self.mentioned = len(self.order)
            for one in references:
                self._place(one)
            materials = tuple(self.order)
        request = self._request(mode, prompt or None, materials)
        if request is not None:
            check(self, request)
        if request is None or self.failed or draft.broken:
            return None
        return self._made(request, values)

    def _beside_a_fault(self) -> None:
        """The mentions that stand literally in a prompt whose template failed: one fault does not hide another."""
        said = self.draft.raw.get("prompt")
        # Inside a statement nobody knows what would have been sent.
        if not isinstance(said, str) or "@" not in said or "{%" in said:
            return
        self.text = _MARKUP.sub(lambda markup: _GONE * len(markup.group()), said)
        ends = ((one, self.text[max(0, one.start - 1) : one.end + 1]) for one in find(self.text, self.cast.names))
        self._unusable([one for one, around in ends if _GONE not in around])
        self.text = ""

    def _unusable(self, mentions: list[Mention]) -> None:
        for mention in mentions:
            if mention.wrong is not None:
                self.note_in_prompt(mention.wrong[0], mention, mention.wrong[1], mention.wrong[2])
            elif mention.named is None:
                self.failed = True
                if folded(mention.written).startswith(self.cast.hidden):
                    continue
                hint = suggestion(mention.written, self.cast.known)
                hint = f"{hint} (a literal @ is written @@)" if hint else "a literal @ is written @@"
                self.note_in_prompt("unknown-name", mention, f"nobody is named @{mention.written}", hint)
            elif mention.named.kind == "shot":
                self._check_pin(mention, None)

    def _check_pin(self, mention: Mention, origin: Origin | None) -> bool:
        named = mention.named
        assert named is not None
        takes = self.cast.takes.get(named.name)
        if named.take is None or takes is None or 1 <= named.take <= takes:
            return True
        what = "1 take" if takes == 1 else f"{takes} takes"
        message = f"`{named.name}` has {what}, no take {named.take}"
        hint = (
            f"name one of 1 to {takes}, or give {named.name} more takes"
            if takes > 1
            else f"write @{named.name} without #{named.take}"
        )
        if origin is None:
            self.note_in_prompt("pin", mention, message, hint)
        else:
            self.note("pin", origin, message, hint)
        return False

    def _frames(self) -> list[Used]:
        if "first_frame" not in self.draft.values and "last_frame" not in self.draft.values:
            return []
        found = []
        for name in ("first_frame", "last_frame"):
            said = self.draft.values.get(name)
            if isinstance(said, str):
                one = self._frame(said, self.draft.origin(name))
                found += [one] if one else []
        if (
            "last_frame" in self.draft.values
            and self.draft.values.get("last_frame") is not None
            and self.draft.values.get("first_frame") is None
            and "first_frame" not in self.draft.broken
        ):
            self.note(
                "last-frame-alone",
                self.draft.origin("last_frame"),
                "`last_frame` needs a `first_frame`",
                "give the picture that the clip begins with",
            )
        return found

    def _frame(self, said: str, origin: Origin) -> Used | None:
        used = self._materials(said, origin, "image")
        if not used:
            return None
        if len(used) > 1:
            self.note(
                "several-pictures",
                origin,
                f"`{said}` has {len(used)} pictures; a frame is one",
                "make an asset of the one",
            )
            return None
        one = used[0]
        if one.material.kind == "image":
            return one
        if isinstance(one.material, FromTake):
            message = f"`{said}` is a clip; a frame of it is asked for here"
            self.note("clip-as-frame", origin, message, f'write "@{said.removeprefix("@")}.last_frame"')
        else:
            self.note(
                "material-kind", origin, f"`{said}` is {one.material.kind}; a frame is a picture", "name an image"
            )
        return None

    def _references(self) -> list[Used]:
        said = self.draft.values.get("references")
        found: list[Used] = []
        for index, item in enumerate(said if isinstance(said, list) else ()):
            found += self._materials(str(item), self.draft.origin("references", index), None)
        return found

    def _materials(self, said: str, origin: Origin, wanted: Kind | None) -> list[Used]:
        """What a field's value names: an asset's pictures, a clip or a frame of a shot, a file or an address."""
        if is_source(said):
            kind = wanted if said.startswith("https://") and ending(said) not in known_endings else None
            made = self.cast.stock.source(said, kind, origin)
            if isinstance(made, Problem):
                self.failed = True
                self.ground.problems.add(replace(made, shots=(self.draft.id,)))
                return []
            return [Used(made, said, origin)]
        mention = single(said, self.cast.names)
        if mention.wrong is not None:
            self.note(mention.wrong[0], origin, mention.wrong[1], mention.wrong[2])
        elif mention.named is None:
            self.failed = True
            if folded(mention.written).startswith(self.cast.hidden):
                return []
            hint = suggestion(mention.written, self.cast.known)
            self.note(
                "unknown-name",
                origin,
                f"nobody is named `{mention.written}`",
                hint or "a file is named by its path, with its ending",
            )
        elif mention.named.kind == "position":
            self.note(
                "position-here",
                origin,
                f"`{said}` counts the references; here one is named",
                "write the material's name",
            )
        elif mention.named.kind == "shot":
            if self._check_pin(mention, origin):
                named = mention.named
                return [Used(FromTake(named.name, named.part, named.take), mention.written, origin)]
        else:
            return self._of_asset(mention.named.name, mention.written, origin)
        return []

    def _of_asset(self, name: str, written: str, origin: Origin) -> list[Used]:
        asset = self.cast.names[folded(name)]
        assert isinstance(asset, Asset)
        asset.used = True
        media = self.cast.stock.use(asset)
        if asset.wrong:
            self.failed = True
            for problem in asset.wrong:
                self.ground.problems.add(replace(problem, shots=(self.draft.id,)))
        elif not asset.sources:
            self.note(
                "words-only",
                origin,
                f"`{written}` is words alone; a picture, video or sound is asked for",
                "give the asset an image",
            )
        if len(media) == 1:
            return [Used(media[0], asset.name, origin, asset.sources[0][2])]
        sources = [source for _, _, source in asset.sources]
        return [Used(material, asset.name, origin, source) for material, source in zip(media, sources, strict=False)]

    def _mode(self, mentions: list[Mention], references: list[Used], frames: list[Used]) -> Mode:
        draft, said = self.draft, self.draft.values.get("mode")
        keyframe = draft.values.get("first_frame") is not None or draft.values.get("last_frame") is not None
        keyframe = keyframe or bool({"first_frame", "last_frame"} & draft.broken)
        material = bool(draft.values.get("references")) or any(self._has_material(mention) for mention in mentions)
        if keyframe and draft.values.get("references"):
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
        return "keyframe" if keyframe else "reference" if material else "text"

    def _has_material(self, mention: Mention) -> bool:
        if mention.named is None:
            return False
        one = self.cast.names.get(folded(mention.named.name))
        return mention.named.kind != "asset" or (isinstance(one, Asset) and bool(one.sources))

    def _in_reference(self, mention: Mention, references: list[Used]) -> str:
        named = mention.named
        if named is None or mention.wrong is not None:
            return mention.written
        if named.kind == "position":
            return self._position(mention, references)
        if named.kind == "shot":
            return self._place(
                Used(FromTake(named.name, named.part, named.take), mention.written, self.draft.origin("prompt"))
            )
        asset = self.cast.names[folded(named.name)]
        assert isinstance(asset, Asset)
        if not asset.sources:
            return self._in_words(mention)
        placed = [self._place(one) for one in self._of_asset(named.name, mention.written, self.draft.origin("prompt"))]
        return " ".join(placed) + self._words(asset)

    def _position(self, mention: Mention, references: list[Used]) -> str:
        assert mention.named is not None
        assert mention.named.position is not None
        kind, number = mention.named.position
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

    def _place(self, one: Used) -> str:
        """`@image2`: the position of a material in the request, which it gets when it first comes."""
        same = [material for material in self.order if material.kind == one.material.kind]
        for number, material in enumerate(same, start=1):
            if same_source(material, one.material):
                return f"@{one.material.kind}{number}"
        self.order.append(one.material)
        self.used.append(one)
        return f"@{one.material.kind}{len(same) + 1}"

    def _words(self, asset: Asset) -> str:
        """` (words)` at the first mention of an asset that has some."""
        if asset.words is None or asset.name in self.spoken:
            return ""
        self.spoken.add(asset.name)
        words = asset.words
        if "{" in words and MARK.search(words):
            try:
                words = self.ground.templates.render(words, self.draft.scope, lambda: asset.words_origin)
            except Fault as fault:
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
        named = mention.named
        if named is None or mention.wrong is not None:
            return mention.written
        asset = self.cast.names.get(folded(named.name)) if named.kind == "asset" else None
        if isinstance(asset, Asset):
            asset.used = True
        if not isinstance(asset, Asset) or asset.words is None:
            message = f"@{mention.written} cannot be sent: this shot is made from frames, and it has no words"
            hint = f"give {mention.written} `words`, or make the shot from references instead of frames"
            self.note_in_prompt("mention-with-frames", mention, message, hint)
            return mention.written
        return mention.written + self._words(asset)

    def _request(self, mode: Mode, prompt: str | None, materials: tuple[Material, ...]) -> Request | None:
        values, edition = self.draft.values, self.cast.edition
        model = values.get("model", "seedance-20")
        aspect = values.get("aspect_ratio", "16:9")
        duration = values.get("duration", 5)
        inputs = self.draft.raw.get("inputs")
        seed, audio, upscale = values.get("seed"), values.get("audio"), values.get("upscale")
        return Request(
            model=edition.models.get(str(model), str(model)),
            resolution=str(values.get("resolution") or "720p"),
            seconds=int(str(duration).rstrip("s")) if duration is not None else 5,
            aspect_ratio=None if aspect == "auto" else str(aspect or "16:9"),
            mode=mode,
            prompt=prompt,
            materials=materials,
            upscale=upscale if isinstance(upscale, str) else None,
            seed=seed if isinstance(seed, int) else None,
            audio=audio if isinstance(audio, bool) else None,
            inputs=_inputs(inputs),
        )

    def _made(self, request: Request, values: Mapping[str, Value]) -> Shot:
        tags, takes = values.get("tags"), values.get("takes")
        return Shot(
            storyboard=self.ground.document.name,
            id=self.draft.id,
            request=request,
            takes=takes if isinstance(takes, int) else 1,
            place=self.draft.entry.entry_place(),
            title=_text(values.get("title")),
            notes=_text(values.get("notes")),
            scene=_text(values.get("scene")),
            tags=tuple(map(str, tags)) if isinstance(tags, list) else (),
            skip=values.get("skip") is True,
            axes=tuple((choice.axis, choice.text) for choice in self.draft.combination),
            names=tuple(one.name for one in self.used),
        )


def _text(value: Value) -> str | None:
    return value if isinstance(value, str) else None


def _inputs(value: Value) -> tuple[tuple[str, Plain], ...]:
    if not isinstance(value, dict) or not value:
        return ()
    return tuple(sorted((key, item) for key, item in value.items() if not key.startswith("x-")))
