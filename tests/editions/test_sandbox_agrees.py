"""Two readings of the same pages agree: what we spell, the strict sandbox takes; what we quote, it bills."""

from decimal import Decimal
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.editions.edition import NAMES, Edition, load
from runner.providers.kinovi.request_body import encode
from runner.requests.placeholder import placeholder
from runner.requests.request import Material, Mode, RemoteFile, Request
from runner.sandbox.api import validation
from runner.sandbox.rulebook import rulebook_of

FRONT = RemoteFile("https://cdn.example.com/front.png", "image")
WALTZ = RemoteFile("https://cdn.example.com/waltz.mp4", "video", Decimal(3))
FADO = RemoteFile("https://cdn.example.com/fado.mp3", "audio", Decimal(9))
MATERIALS: dict[Mode, list[tuple[Material, ...]]] = {
    "text": [()],
    "keyframe": [(FRONT,), (FRONT, FRONT)],
    "reference": [(FRONT,), (WALTZ,), (FRONT, WALTZ, FADO)],
}


def upscales(edition: Edition) -> list[str]:
    """What a clip can be scaled up to, by the rows of the price book."""
    return sorted({row.upscale for row in edition.book if row.upscale is not None})


def measured(address: str) -> validation.Material | None:
    """The reference video, whose length the sandbox knows only of an upload; None: a remote file."""
    seconds = float(WALTZ.seconds or 0)
    return validation.Material(address, "video", "upload", "hash", seconds) if address == WALTZ.url else None


def billed(asked: validation.ValidRequest) -> Decimal:
    """The whole bill of the sandbox, which counts in binary fractions, to two decimals."""
    credits = asked.credits if asked.late_credits is None else asked.late_credits
    return round(Decimal(credits), 2)


def combinations(edition: Edition) -> list[Request]:
    """Every model, resolution, upscale, mode and length that an edition sells, at the first of its ratios."""
    found = []
    for model in dict.fromkeys(edition.models.values()):
        for resolution, upscale in product(edition.resolutions(model), (None, *upscales(edition))):
            for mode, materials in ((mode, these) for mode, lists in MATERIALS.items() for these in lists):
                limits = edition.model(model).limits
                if mode == "reference" and not limits.images:
                    continue
                found += [
                    Request(model, resolution, seconds, "16:9", mode, "Sunrise", materials, upscale)
                    for seconds in range(limits.seconds[0], limits.seconds[1] + 1)
                ]
    return found


@pytest.mark.parametrize("name", NAMES)
def test_every_combination_is_taken_and_billed_as_it_was_quoted(name: str) -> None:
    edition, seen = load(name), rulebook_of(name)
    requests = combinations(edition)
    wrong = []
    for request in requests:
        asked = validation.validate(encode(request, edition, placeholder), seen, measured)
        quoted = edition.price(request).credits
        if isinstance(asked, list) or billed(asked) != quoted:
            wrong.append((request, quoted, asked))

    assert wrong == []
    assert len(requests) >= 36


@pytest.mark.parametrize("name", NAMES)
def test_every_rate_of_the_book_is_what_the_sandbox_sells(name: str) -> None:
    seen = rulebook_of(name)
    ours = {row: rate for row, rate in load(name).rates.items() if "upscale" not in row}
    theirs = {f"{model} {size}": Decimal(str(rate)) for (model, size), rate in seen.rates.items()}
    theirs |= {f"{model} {size} video": Decimal(str(rate)) for (model, size), rate in seen.rates_with_video.items()}

    assert ours == theirs
    assert {rate for row, rate in load(name).rates.items() if "upscale" in row} == (
        {Decimal(seen.upscale_rate)} if seen.upscale_rate else set()
    )


@st.composite
def requests(draw: st.DrawFn, edition: Edition) -> Request:
    model = draw(st.sampled_from(sorted(set(edition.models.values()))))
    limits = edition.model(model).limits
    modes: list[Mode] = ["text", "keyframe", "reference"] if limits.images else ["text", "keyframe"]
    mode = draw(st.sampled_from(modes))
    materials: tuple[Material, ...] = ()
    if mode == "keyframe":
        materials = (FRONT,) * draw(st.integers(1, limits.frames))
    if mode == "reference":
        images, videos = draw(st.integers(0, limits.images)), draw(st.integers(0, limits.videos))
        audio = draw(st.integers(0, limits.audio))
        materials = tuple(draw(st.permutations([FRONT] * max(images, 1) + [WALTZ] * videos + [FADO] * audio)))
    return Request(
        model,
        draw(st.sampled_from(edition.resolutions(model))),
        draw(st.integers(*limits.seconds)),
        draw(st.sampled_from([*limits.aspect_ratios, None])),
        mode,
        draw(st.text(st.characters(codec="utf-8", exclude_characters="@"), min_size=1).filter(str.strip)),
        materials,
        draw(st.sampled_from([None, *upscales(edition)])),
        draw(st.none() | st.integers(0, 2**31 - 1)) if "seed" in limits.fields else None,
        draw(st.none() | st.booleans()) if "audio" in limits.fields else None,
    )


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=150)
@given(data=st.data())
def test_whatever_can_be_asked_within_the_limits_is_taken_as_it_was_meant(name: str, data: st.DataObject) -> None:
    edition = load(name)
    request = data.draw(requests(edition))
    asked = validation.validate(encode(request, edition, placeholder), rulebook_of(name), measured)

    assert not isinstance(asked, list), asked
    assert (asked.model, asked.mode, asked.seconds) == (request.model, request.mode, request.seconds)
    assert asked.prompt == request.prompt
    assert billed(asked) == edition.price(request).credits
    assert [material.kind for material in asked.materials if material.kind == "image"] == [
        material.kind for material in request.materials if material.kind == "image"
    ]
