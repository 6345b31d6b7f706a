"""The materials of one request in their order, each with its position: `@image2`."""

from runner.language.symbols import UsedMaterial
from runner.lazy_dataclass import dataclass, field
from runner.requests.request import LocalFile, Material, RemoteFile


@dataclass(slots=True)
class RequestMaterials:
    """The materials that a shot sends, each once, with the name and the position of its first use."""

    used: list[UsedMaterial] = field(default_factory=list)

    def add(self, used: UsedMaterial) -> str:
        """Append a material unless it is sent already; return the mention of its position."""
        kind, number = used.material.kind, 1
        for other in self.used:
            if other.material.kind == kind:
                if _same_source(other.material, used.material):
                    return f"@{kind}{number}"
                number += 1
        self.used.append(used)
        return f"@{kind}{number}"

    @property
    def materials(self) -> tuple[Material, ...]:
        return tuple([used.material for used in self.used]) if self.used else ()


def _same_source(first: Material, second: Material) -> bool:
    """Whether two materials are the same file, address or frame of a take, which is sent once."""
    match first, second:
        case LocalFile(), LocalFile():
            return (first.path, first.part) == (second.path, second.part)
        case RemoteFile(), RemoteFile():
            # Two assets may state another length of it; the provider fetches one file.
            return first.url == second.url
    return first == second
