"""Resolves the frames, references and asset mentions of a shot to materials."""

from runner.diagnostics.problem import Problem
from runner.language.ids import fold_name
from runner.language.materials import KIND_LABELS, Asset, extension, is_path_or_url
from runner.language.mentions import Mention, parse_single
from runner.language.shot_reporter import ShotReporter
from runner.language.symbols import PROMPT, UsedMaterial, Where
from runner.lazy_dataclass import dataclass, replace
from runner.media.files import known_endings
from runner.requests.request import Kind, TakeReference


@dataclass(slots=True)
class MaterialResolver(ShotReporter):
    """Finds the materials of one draft, and reports names that lead to none."""

    def _check_pin(self, mention: Mention, where: Where) -> bool:
        target = mention.target
        assert target is not None
        if target.take is None:
            return True
        takes = self.symbols.takes(target.name)
        if takes is None or 1 <= target.take <= takes:
            return True
        count = "1 take" if takes == 1 else f"{takes} takes"
        message = f"`{target.name}` has {count}, no take {target.take}"
        hint = (
            f"choose a take from 1 to {takes}, or raise `takes` of {target.name}"
            if takes > 1
            else f"write @{target.name} without #{target.take}"
        )
        if where == PROMPT:
            self.note_in_prompt("pin", mention, message, hint)
        else:
            self.note("pin", self.draft.origin(*where), message, hint)
        return False

    def _frames(self) -> list[UsedMaterial]:
        if "first_frame" not in self.draft.values and "last_frame" not in self.draft.values:
            return []
        frames = []
        for name in ("first_frame", "last_frame"):
            written = self.draft.values.get(name)
            if isinstance(written, str) and (frame := self._frame(written, (name,))) is not None:
                frames.append(frame)
        values = self.draft.values
        is_last_alone = values.get("last_frame") is not None and values.get("first_frame") is None
        if is_last_alone and "first_frame" not in self.draft.broken:
            self.note(
                "last-frame-alone",
                self.draft.origin("last_frame"),
                "`last_frame` needs a `first_frame`",
                "add the picture that the clip begins with",
            )
        return frames

    def _frame(self, written: str, where: Where) -> UsedMaterial | None:
        used = self._materials(written, where, "image")
        if not used:
            return None
        if len(used) == 1 and used[0].material.kind == "image":
            return used[0]
        origin = self.draft.origin(*where)
        if len(used) > 1:
            self.note(
                "several-pictures",
                origin,
                f"`{written}` has {len(used)} pictures, but a frame is one picture",
                "make an asset of that picture alone",
            )
            return None
        kind = used[0].material.kind
        if isinstance(used[0].material, TakeReference):
            message = f"`{written}` is a clip, but `{where[0]}` takes a picture"
            self.note("clip-as-frame", origin, message, f'write "@{written.removeprefix("@")}.last_frame"')
        else:
            self.note(
                "material-kind", origin, f"`{written}` is {KIND_LABELS[kind]}, but a frame is a picture", "use an image"
            )
        return None

    def _references(self) -> list[UsedMaterial]:
        written = self.draft.values.get("references")
        references: list[UsedMaterial] = []
        for index, item in enumerate(written if isinstance(written, list) else ()):
            references += self._materials(str(item), ("references", index), None)
        return references

    def _materials(self, written: str, where: Where, expected_kind: Kind | None) -> list[UsedMaterial]:
        """The materials behind a field's value: pictures of an asset, a clip or frame of a shot, a file or a URL."""
        mention = None if is_path_or_url(written) else parse_single(written, self.symbols.names)
        if mention is not None and mention.target is not None and mention.problem is None:
            target = mention.target
            if target.kind == "asset":
                return self._asset_materials(target.name, mention.written, where)
            if target.kind == "shot" and self._check_pin(mention, where):
                return [UsedMaterial(TakeReference(target.name, target.part, target.take), mention.written, where)]
            if target.kind == "shot":
                return []
        return (
            self._path_or_url(written, where, expected_kind)
            if mention is None
            else self._note_unusable_name(written, mention, where)
        )

    def _path_or_url(self, written: str, where: Where, expected_kind: Kind | None) -> list[UsedMaterial]:
        kind = expected_kind if written.startswith("https://") and extension(written) not in known_endings else None
        material = self.symbols.media.source(written, kind, self.draft.origin(*where))
        if isinstance(material, Problem):
            self.failed = True
            self.scope.problems.add(replace(material, shots=(self.draft.id,)))
            return []
        return [UsedMaterial(material, written, where)]

    def _note_unusable_name(self, written: str, mention: Mention, where: Where) -> list[UsedMaterial]:
        """Reports why a field's value is not the name of a usable material."""
        origin = self.draft.origin(*where)
        if mention.problem is not None:
            self.note(mention.problem[0], origin, mention.problem[1], mention.problem[2])
        elif mention.target is None:
            hint = self.symbols.suggestion(mention.written)
            self.note(
                "unknown-name",
                origin,
                f"no asset or shot is named `{mention.written}`",
                hint or "write a file as its path, with its ending",
                self.scope.left_out.cause_of_name(mention.written),
            )
        else:
            self.note(
                "position-here",
                origin,
                f"`{written}` is a position among the references, not the name of a material",
                "write the name of the material",
            )
        return []

    def _asset_materials(self, name: str, written: str, where: Where) -> list[UsedMaterial]:
        asset = self.symbols.names[fold_name(name)]
        assert isinstance(asset, Asset)
        asset.used = True
        media = self.symbols.media.materials_of(asset)
        if asset.problems:
            self.failed = True
            for problem in asset.problems:
                self.scope.problems.add(replace(problem, shots=(self.draft.id,)))
        elif not asset.sources:
            self.note(
                "words-only",
                self.draft.origin(*where),
                f"`{written}` has only words, but a picture, video or sound is needed",
                "add an image to the asset",
            )
        if len(media) == 1:
            return [UsedMaterial(media[0], asset.name, where, asset.sources[0][2])]
        sources = [source for _, _, source in asset.sources]
        return [
            UsedMaterial(material, asset.name, where, source) for material, source in zip(media, sources, strict=False)
        ]
