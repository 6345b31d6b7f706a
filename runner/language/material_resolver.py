"""What the fields of a shot name to be made from: frames, references; and what a mention of an asset comes to."""

from runner.diagnostics.problem import Problem
from runner.language.materials import Asset, extension, fold_name, is_path_or_url
from runner.language.mentions import Mention, parse_single, suggestion
from runner.language.shot_reporter import ShotReporter
from runner.language.symbols import PROMPT, UsedMaterial, Where
from runner.lazy_dataclass import dataclass, replace
from runner.media.files import known_endings
from runner.requests.request import Kind, TakeReference


@dataclass(slots=True)
class MaterialResolver(ShotReporter):
    """Finds the materials of one draft; what cannot be found is noted."""

    def _check_pin(self, mention: Mention, where: Where) -> bool:
        named = mention.target
        assert named is not None
        if named.take is None:
            return True
        takes = self.cast.takes(named.name)
        if takes is None or 1 <= named.take <= takes:
            return True
        what = "1 take" if takes == 1 else f"{takes} takes"
        message = f"`{named.name}` has {what}, no take {named.take}"
        hint = (
            f"name one of 1 to {takes}, or give {named.name} more takes"
            if takes > 1
            else f"write @{named.name} without #{named.take}"
        )
        if where == PROMPT:
            self.note_in_prompt("pin", mention, message, hint)
        else:
            self.note("pin", self.draft.origin(*where), message, hint)
        return False

    def _frames(self) -> list[UsedMaterial]:
        if "first_frame" not in self.draft.values and "last_frame" not in self.draft.values:
            return []
        found = []
        for name in ("first_frame", "last_frame"):
            said = self.draft.values.get(name)
            if isinstance(said, str) and (one := self._frame(said, (name,))) is not None:
                found.append(one)
        values = self.draft.values
        alone = values.get("last_frame") is not None and values.get("first_frame") is None
        if alone and "first_frame" not in self.draft.broken:
            self.note(
                "last-frame-alone",
                self.draft.origin("last_frame"),
                "`last_frame` needs a `first_frame`",
                "give the picture that the clip begins with",
            )
        return found

    def _frame(self, said: str, where: Where) -> UsedMaterial | None:
        used = self._materials(said, where, "image")
        if not used:
            return None
        if len(used) == 1 and used[0].material.kind == "image":
            return used[0]
        origin = self.draft.origin(*where)
        if len(used) > 1:
            self.note(
                "several-pictures",
                origin,
                f"`{said}` has {len(used)} pictures; a frame is one",
                "make an asset of the one",
            )
            return None
        kind = used[0].material.kind
        if isinstance(used[0].material, TakeReference):
            message = f"`{said}` is a clip; a frame of it is asked for here"
            self.note("clip-as-frame", origin, message, f'write "@{said.removeprefix("@")}.last_frame"')
        else:
            self.note("material-kind", origin, f"`{said}` is {kind}; a frame is a picture", "name an image")
        return None

    def _references(self) -> list[UsedMaterial]:
        said = self.draft.values.get("references")
        found: list[UsedMaterial] = []
        for index, item in enumerate(said if isinstance(said, list) else ()):
            found += self._materials(str(item), ("references", index), None)
        return found

    def _materials(self, said: str, where: Where, wanted: Kind | None) -> list[UsedMaterial]:
        """What a field's value names: an asset's pictures, a clip or a frame of a shot, a file or an address."""
        mention = None if is_path_or_url(said) else parse_single(said, self.cast.names)
        if mention is not None and mention.target is not None and mention.problem is None:
            named = mention.target
            if named.kind == "asset":
                return self._of_asset(named.name, mention.written, where)
            if named.kind == "shot" and self._check_pin(mention, where):
                return [UsedMaterial(TakeReference(named.name, named.part, named.take), mention.written, where)]
            if named.kind == "shot":
                return []
        return self._source(said, where, wanted) if mention is None else self._nobody(said, mention, where)

    def _source(self, said: str, where: Where, wanted: Kind | None) -> list[UsedMaterial]:
        kind = wanted if said.startswith("https://") and extension(said) not in known_endings else None
        made = self.cast.media.source(said, kind, self.draft.origin(*where))
        if isinstance(made, Problem):
            self.failed = True
            self.ground.problems.add(replace(made, shots=(self.draft.id,)))
            return []
        return [UsedMaterial(made, said, where)]

    def _nobody(self, said: str, mention: Mention, where: Where) -> list[UsedMaterial]:
        """Notes why a field's value names nothing that can be used."""
        origin = self.draft.origin(*where)
        if mention.problem is not None:
            self.note(mention.problem[0], origin, mention.problem[1], mention.problem[2])
        elif mention.target is None:
            self.failed = True
            if fold_name(mention.written).startswith(self.cast.suppressed_prefixes):
                return []
            hint = suggestion(mention.written, self.cast.all_names)
            self.note(
                "unknown-name",
                origin,
                f"nobody is named `{mention.written}`",
                hint or "a file is named by its path, with its ending",
            )
        else:
            self.note(
                "position-here",
                origin,
                f"`{said}` counts the references; here one is named",
                "write the material's name",
            )
        return []

    def _of_asset(self, name: str, written: str, where: Where) -> list[UsedMaterial]:
        asset = self.cast.names[fold_name(name)]
        assert isinstance(asset, Asset)
        asset.used = True
        media = self.cast.media.materials_of(asset)
        if asset.wrong:
            self.failed = True
            for problem in asset.wrong:
                self.ground.problems.add(replace(problem, shots=(self.draft.id,)))
        elif not asset.sources:
            self.note(
                "words-only",
                self.draft.origin(*where),
                f"`{written}` is words alone; a picture, video or sound is asked for",
                "give the asset an image",
            )
        if len(media) == 1:
            return [UsedMaterial(media[0], asset.name, where, asset.sources[0][2])]
        sources = [source for _, _, source in asset.sources]
        return [
            UsedMaterial(material, asset.name, where, source) for material, source in zip(media, sources, strict=False)
        ]
