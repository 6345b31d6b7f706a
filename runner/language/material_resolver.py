"""Resolves the frames, references and asset mentions of a shot to materials."""

from runner.diagnostics.folded_name import fold_name
from runner.diagnostics.problem import Problem
from runner.language.asset import Asset
from runner.language.file_parts import frame_of_video
from runner.language.materials import KIND_LABELS, extension, is_path_or_url
from runner.language.mention_checks import name_error
from runner.language.mentions import Mention, parse_single
from runner.language.shot_reporter import ShotReporter
from runner.language.symbols import SymbolTable, UsedMaterial, Where
from runner.lazy_dataclass import dataclass, field
from runner.media.files import known_endings
from runner.requests.request import Kind, TakeReference


@dataclass(slots=True)
class MaterialResolver:
    """Finds the materials of one draft, and reports names that lead to none."""

    reporter: ShotReporter
    symbols: SymbolTable
    used_assets: set[str] = field(default_factory=set)
    """Names of the assets that the shot uses, for their media or their words."""

    def frames(self) -> list[UsedMaterial]:
        """The first and last frame, as far as their fields name usable pictures."""
        draft, values = self.reporter.draft, self.reporter.draft.values
        if "first_frame" not in values and "last_frame" not in values:
            return []
        frames = []
        for name in ("first_frame", "last_frame"):
            written = values.get(name)
            if isinstance(written, str) and (frame := self._frame(written, (name,))) is not None:
                frames.append(frame)
        is_last_alone = values.get("last_frame") is not None and values.get("first_frame") is None
        if is_last_alone and "first_frame" not in draft.broken:
            self.reporter.note(
                "last-frame-alone",
                draft.origin("last_frame"),
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
        origin = self.reporter.draft.origin(*where)
        if len(used) > 1:
            self.reporter.note(
                "several-pictures",
                origin,
                f"`{written}` has {len(used)} pictures, but a frame is one picture",
                "make an asset of that picture alone",
            )
            return None
        kind = used[0].material.kind
        if isinstance(used[0].material, TakeReference):
            message = f"`{written}` is a clip, but `{where[0]}` takes a picture"
            self.reporter.note("clip-as-frame", origin, message, f'write "@{written.removeprefix("@")}.last_frame"')
        else:
            is_video_asset = kind == "video" and used[0].source is not None
            hint = f'write "@{used[0].name}.{where[0]}"' if is_video_asset else "use an image"
            message = f"`{written}` is {KIND_LABELS[kind]}, but a frame is a picture"
            self.reporter.note("material-kind", origin, message, hint)
        return None

    def references(self) -> list[UsedMaterial]:
        """The materials of `references`, in order."""
        written = self.reporter.draft.values.get("references")
        references: list[UsedMaterial] = []
        for index, item in enumerate(written if isinstance(written, list) else ()):
            references += self._materials(str(item), ("references", index), None)
        return references

    def _materials(self, written: str, where: Where, expected_kind: Kind | None) -> list[UsedMaterial]:
        """The materials behind a field's value: pictures of an asset, a clip or frame of a shot, a file or a URL."""
        if is_path_or_url(written):
            return self._path_or_url(written, where, expected_kind)
        mention = parse_single(written, self.symbols.names)
        if (error := name_error(self.symbols, written, mention)) is not None:
            cause = self.reporter.scope.left_out.cause_of_name(mention.written) if mention.is_unknown else None
            code, message, hint = error
            self.reporter.note(code, self.reporter.draft.origin(*where), message, hint, cause)
            return []
        target = mention.target
        assert target is not None
        if (asset := self.asset(target.name) if target.kind == "asset" else None) is not None:
            return self.asset_materials(asset, mention, where)
        return [UsedMaterial(TakeReference(target.name, target.part, target.take), mention.written, where)]

    def _path_or_url(self, written: str, where: Where, expected_kind: Kind | None) -> list[UsedMaterial]:
        # An address without a known ending is what its field asks for: nobody downloads it to see.
        kind = expected_kind if written.startswith("https://") and extension(written) not in known_endings else None
        material = self.symbols.media.source(written, kind, self.reporter.draft.origin(*where))
        if isinstance(material, Problem):
            self.reporter.add(material)
            return []
        return [UsedMaterial(material, written, where)]

    def asset(self, name: str) -> Asset | None:
        """The asset of a name, from now on a used one; None for the id of a shot."""
        symbol = self.symbols.names.get(fold_name(name))
        if not isinstance(symbol, Asset):
            return None
        self.used_assets.add(symbol.name)
        return symbol

    def asset_materials(self, asset: Asset, mention: Mention, where: Where) -> list[UsedMaterial]:
        """The materials of a mentioned asset, or the frame of its video.

        Reports those that cannot be used, and an asset without any.
        """
        written, part = mention.written, "clip" if mention.target is None else mention.target.part
        media = self.symbols.media_of(asset)
        if media.problems:
            for problem in media.problems:
                self.reporter.add(problem)
        elif not asset.sources:
            self.reporter.note(
                "words-only",
                self.reporter.draft.origin(*where),
                f"`{written}` has only words, but a picture, video or sound is needed",
                "add an image to the asset",
            )
        if part != "clip":
            frames = [frame_of_video(material, part) for material in media.materials[:1]]
            name = f"{asset.name}.{part}"
            return [UsedMaterial(frame, name, where, asset.sources[0][2]) for frame in frames if frame is not None]
        if len(media.materials) == 1:
            return [UsedMaterial(media.materials[0], asset.name, where, asset.sources[0][2])]
        sources = [source for _, _, source in asset.sources]
        return [
            UsedMaterial(material, asset.name, where, source)
            # Not strict: a file with a problem is missing among the materials, and the shot is never sent then.
            for material, source in zip(media.materials, sources, strict=False)
        ]
