"""The fingerprint of a take: what it knows a request by, and that a plan's quick way to it is the same."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from runner.requests.request import (
    LocalFile,
    Material,
    RemoteFile,
    Request,
    ResolvedTake,
    TakeReference,
    fingerprint,
    fingerprint_fast,
    neutral_form,
)

_KINDS = st.sampled_from(["image", "video", "audio"])
_MATERIALS: st.SearchStrategy[Material] = st.one_of(
    st.builds(LocalFile, st.text(max_size=9), st.just("ab" * 32), _KINDS, st.integers(1, 9)),
    st.builds(RemoteFile, st.text(max_size=20), _KINDS, st.none() | st.just(Decimal("2.5"))),
    st.builds(
        TakeReference, st.sampled_from(["quay", "roof.2"]), st.sampled_from(["clip", "first_frame", "last_frame"])
    ),
)
_REQUESTS = st.builds(
    Request,
    model=st.text(max_size=9),
    resolution=st.sampled_from(["480p", "720p"]),
    seconds=st.integers(1, 15),
    aspect_ratio=st.none() | st.just("21:9"),
    mode=st.sampled_from(["text", "keyframe", "reference"]),
    prompt=st.none() | st.text(),
    materials=st.lists(_MATERIALS, max_size=3).map(tuple),
    upscale=st.none() | st.just("4k"),
    seed=st.none() | st.integers(0, 1),
    audio=st.none() | st.booleans(),
    inputs=st.sampled_from([(), (("cameraFixed", True),), (("b", 1.5), ("z", {"y": 1, "x": [2]}))]),
)


def made_from(material: TakeReference) -> ResolvedTake:
    return ResolvedTake(material.shot, 2, "cd" * 32)


@given(_REQUESTS, st.integers(1, 9))
def test_the_quick_way_of_a_plan_gives_the_fingerprint_of_the_neutral_form(request: Request, take: int) -> None:
    assert fingerprint_fast(request, take, made_from) == fingerprint(neutral_form(request, take, made_from))


def test_a_seed_of_one_and_audio_that_is_on_are_two_requests() -> None:
    plain = Request("seedance-20", "720p", 5, None, "text", "rain")
    marks = {
        fingerprint_fast(seed, 1, made_from) for seed in (plain, plain._replace(seed=1), plain._replace(audio=True))
    }
    assert len(marks) == 3
