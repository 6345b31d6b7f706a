"""Order of a storyboard's shots in which each comes after those that it is made from. Pure."""

from collections.abc import Mapping
from graphlib import TopologicalSorter

from runner.language.model import Shot


def upstream_first(shots: Mapping[str, Shot]) -> list[Shot]:
    """The shots with those first that others are made from; the files' order where that is such an order already."""
    earlier = set[str]()
    for shot in shots.values():
        if shot.request.materials and not earlier.issuperset(shot.needs):
            break
        earlier.add(shot.id)
    else:
        return list(shots.values())
    # Only where the file's order is no such order: most films never pay for the sort.
    graph = {shot.id: [need for need in shot.needs if need in shots] for shot in shots.values()}
    return [shots[id] for id in TopologicalSorter(graph).static_order()]
