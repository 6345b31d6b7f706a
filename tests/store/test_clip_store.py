"""The clip store: complete and durable clips, no paid clip lost, and no clip downloaded twice."""

import hashlib
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from runner.attempts.attempt import Attempt, AttemptState
from runner.attempts.events import Clip, Doubtful, Intent, Output, Stored
from runner.diagnostics.problem import Place
from runner.editions.edition import Price
from runner.engine.ports import TransferFailed
from runner.files.writing import create_afresh
from runner.language.model import Shot
from runner.lazy_dataclass import replace
from runner.media.clip import ClipFacts
from runner.planning.plan import Action, Step
from runner.planning.reason import NEW
from runner.requests.request import LocalFile, Request
from runner.store.clip_store import ClipStore, differences
from tests import requirements
from tests.double.media import clip

DAY = datetime(2026, 11, 21, tzinfo=UTC)
FIRST, SECOND = "a" * 64, "b" * 64
DARK, LIGHT = clip(40), clip(200)


def make_request(
    resolution: str = "480p", seconds: int = 1, ratio: str | None = "16:9", upscale: str | None = None
) -> Request:
    return Request("seedance-20", resolution, seconds, ratio, "text", "Sunrise", upscale=upscale)


def step(shot: str = "quay", take: int = 1, fingerprint: str = FIRST) -> Step:
    entry = Shot("storyboards/harbour.yaml", shot, make_request(), 3, Place("storyboards/harbour.yaml", 1, 1))
    return Step(entry, take, Action.MAKE, NEW, Price(Decimal(40), "seedance-20 480p"), fingerprint)


def attempt(fingerprint: str = FIRST, clip: Clip | None = None, copies: tuple[Clip, ...] = ()) -> Attempt:
    intent = Intent(
        "storyboards/harbour.yaml", "quay", 1, fingerprint, {}, "{}", Decimal(40), "classic", "k", "r", "run"
    )
    return Attempt(
        "attempt", intent, AttemptState.STORED if clip else AttemptState.SUCCEEDED, DAY, clip=clip, other_copies=copies
    )


class Repo:
    """A repository with a clip store, and the fingerprint of every stored content."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.owners: dict[str, str] = {}
        self.clips = ClipStore(root, lambda film: root / "renders" / "harbour" / "sandbox", self.owners.get)

    def put(
        self, content: bytes, at: Step, of: Attempt | None = None, *, repeated: bool = False
    ) -> Stored | Doubtful | TransferFailed:
        part = self.clips.part_path(at)
        part.write_bytes(content)
        stored = self.clips.store(part, hashlib.sha256(content).hexdigest(), of or attempt(), at, repeated=repeated)
        if isinstance(stored, Stored):
            self.owners[stored.clip.sha256] = at.fingerprint or ""
        return stored

    def files(self) -> dict[str, bytes]:
        folder = self.root / "renders" / "harbour" / "sandbox" / "clips"
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return Repo(tmp_path)


def stored_clip(stored: Stored | Doubtful | TransferFailed | None) -> Clip:
    assert isinstance(stored, Stored)
    return stored.clip


def test_a_whole_clip_gets_its_final_name_and_is_told_by_content(repo: Repo) -> None:
    stored = stored_clip(repo.put(DARK, step()))

    assert stored == Clip(
        "renders/harbour/sandbox/clips/quay/take-1.mp4", hashlib.sha256(DARK).hexdigest(), len(DARK), 64, 36, 1.0
    )
    assert repo.files() == {"quay/take-1.mp4": DARK}


@pytest.mark.parametrize("content", [b"", b"abc", b"\0" * 5000, b"<!doctype html>" * 100, DARK[:-10], DARK + b"more"])
def test_what_is_no_whole_video_never_gets_a_name(repo: Repo, content: bytes) -> None:
    got = repo.put(content, step())

    assert isinstance(got, TransferFailed)
    assert not got.final
    assert repo.files() == {}


DAMAGED = DARK[: DARK.index(b"mdat") + 4] + bytes(40) + DARK[DARK.index(b"mdat") + 44 :]
"""The first frame cannot be decoded."""


def doubtful_clip(kept: Stored | Doubtful | TransferFailed | None) -> Clip:
    assert isinstance(kept, Doubtful)
    return kept.clip


@pytest.mark.parametrize("content", [DARK[:-10], DARK[: len(DARK) // 2], DARK + b"more"])
def test_a_file_that_is_cut_off_twice_alike_is_doubtful(repo: Repo, content: bytes) -> None:
    assert isinstance(repo.put(content, step()), TransferFailed)
    assert doubtful_clip(repo.put(content, step(), repeated=True)).bytes == len(content)
    assert repo.files() == {"quay/take-1.doubtful.mp4": content}


@pytest.mark.parametrize("content", [b"", b"abc", b"\0" * 5000, b"<!doctype html>" * 100])
def test_what_is_no_video_is_never_kept_however_often_it_comes(repo: Repo, content: bytes) -> None:
    assert isinstance(repo.put(content, step(), repeated=True), TransferFailed)
    assert repo.files() == {}


def test_a_doubtful_clip_has_the_size_that_the_provider_says_or_that_was_ordered(repo: Repo) -> None:
    ordered = doubtful_clip(repo.put(DAMAGED, step()))
    assert (ordered.width, ordered.height) == (1280, 720)
    told = replace(attempt(), outputs=(Output("https://example.org/a.mp4", 640, 360),))
    stated = doubtful_clip(repo.put(DAMAGED, step(), told))
    assert (stated.width, stated.height) == (640, 360)


def test_another_doubtful_clip_never_takes_the_place_of_the_first(repo: Repo) -> None:
    repo.put(DAMAGED, step())
    repo.put(DAMAGED + b"\0\0\0\x08free", step(fingerprint=SECOND))
    assert sorted(repo.files().values()) == sorted([DAMAGED, DAMAGED + b"\0\0\0\x08free"])


def test_an_accepted_clip_gets_its_final_name_also_when_the_run_was_killed_half_way(repo: Repo) -> None:
    kept = replace(
        attempt(), state=AttemptState.DOUBTFUL, clip=doubtful_clip(repo.put(DAMAGED, step())), doubt="is odd"
    )
    for _ in range(2):  # the second time as after a kill before the ledger's row
        accepted = repo.clips.accept(kept, step())
        assert stored_clip(accepted).path == "renders/harbour/sandbox/clips/quay/take-1.mp4"
        assert accepted is not None
        assert accepted.notes == ("accepted by the user, although the file is odd",)
        assert repo.files() == {"quay/take-1.mp4": DAMAGED}


def test_an_accepted_clip_archives_what_had_its_name(repo: Repo) -> None:
    kept = replace(
        attempt(), state=AttemptState.DOUBTFUL, clip=doubtful_clip(repo.put(DAMAGED, step())), doubt="is odd"
    )
    repo.put(LIGHT, step(fingerprint=SECOND))
    assert repo.clips.accept(kept, step()) is not None
    assert repo.files() == {"quay/take-1.mp4": DAMAGED, "quay/earlier/take-1.bbbbbbbb.mp4": LIGHT}


def test_a_doubtful_clip_that_is_nowhere_is_not_accepted(repo: Repo) -> None:
    kept = replace(attempt(), state=AttemptState.DOUBTFUL, clip=doubtful_clip(repo.put(DAMAGED, step())))
    repo.clips.doubtful_path(step()).unlink()
    assert repo.clips.accept(kept, step()) is None


def test_another_clip_under_the_name_moves_to_the_earlier_ones_by_its_fingerprint(repo: Repo) -> None:
    repo.put(DARK, step())
    repo.put(LIGHT, step(fingerprint=SECOND))

    assert repo.files() == {"quay/take-1.mp4": LIGHT, "quay/earlier/take-1.aaaaaaaa.mp4": DARK}


def test_an_earlier_clip_comes_back_for_nothing_when_the_old_text_does(repo: Repo) -> None:
    first = stored_clip(repo.put(DARK, step()))
    repo.put(LIGHT, step(fingerprint=SECOND))
    back = repo.clips.restore(attempt(clip=first), step())

    assert stored_clip(back) == first
    assert repo.files() == {"quay/take-1.mp4": DARK, "quay/earlier/take-1.bbbbbbbb.mp4": LIGHT}


def test_to_and_fro_ten_times_loses_nothing(repo: Repo) -> None:
    both = {FIRST: stored_clip(repo.put(DARK, step())), SECOND: stored_clip(repo.put(LIGHT, step(fingerprint=SECOND)))}
    for turn in range(10):
        fingerprint = (FIRST, SECOND)[turn % 2]
        assert repo.clips.restore(attempt(fingerprint, both[fingerprint]), step(fingerprint=fingerprint)) is not None
        repo.owners[both[fingerprint].sha256] = fingerprint
        assert sorted(repo.files().values()) == sorted([DARK, LIGHT])


def test_a_file_of_the_users_under_the_name_is_kept_by_its_content(repo: Repo) -> None:
    target = repo.clips.clip_path(step())
    target.parent.mkdir(parents=True)
    target.write_bytes(b"my own")
    repo.put(DARK, step())

    prefix = hashlib.sha256(b"my own").hexdigest()[:8]
    assert repo.files() == {"quay/take-1.mp4": DARK, f"quay/earlier/take-1.{prefix}.mp4": b"my own"}


def test_the_note_that_git_lfs_leaves_gives_way_to_the_clip(repo: Repo) -> None:
    target = repo.clips.clip_path(step())
    target.parent.mkdir(parents=True)
    target.write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 2\n")
    repo.put(DARK, step())

    assert repo.files() == {"quay/take-1.mp4": DARK}


def test_two_earlier_clips_of_one_fingerprint_are_both_kept(repo: Repo) -> None:
    repo.put(DARK, step())
    repo.put(LIGHT, step(fingerprint=SECOND))
    repo.put(clip(120), step(fingerprint=FIRST))
    repo.put(LIGHT, step(fingerprint=SECOND))

    assert sorted(repo.files().values()) == sorted([DARK, LIGHT, clip(120), LIGHT])


def test_what_a_killed_run_left_behind_is_cleared_away(repo: Repo) -> None:
    repo.clips.part_path(step()).write_bytes(b"half")
    repo.clips.part_path(step(take=2)).write_bytes(b"another's")
    repo.put(LIGHT, step(fingerprint=SECOND))

    assert repo.files() == {"quay/take-1.mp4": LIGHT, "quay/.take-2.aaaaaaaa.part": b"another's"}


def test_the_same_clip_again_moves_nothing(repo: Repo) -> None:
    repo.put(DARK, step())
    repo.put(DARK, step())

    assert repo.files() == {"quay/take-1.mp4": DARK}


def test_a_clip_in_its_place_is_recalled_without_being_touched(repo: Repo) -> None:
    first = stored_clip(repo.put(DARK, step()))
    before = repo.clips.clip_path(step()).stat()
    repo.clips.restore(attempt(clip=first), step())

    after = repo.clips.clip_path(step()).stat()
    assert (after.st_ino, after.st_mtime_ns, after.st_size) == (before.st_ino, before.st_mtime_ns, before.st_size)


def test_a_shot_that_was_renamed_takes_its_clip_along(repo: Repo) -> None:
    first = stored_clip(repo.put(DARK, step("quay")))
    restored = stored_clip(repo.clips.restore(attempt(clip=first), step("pier", take=2)))

    assert restored.path.endswith("clips/pier/take-2.mp4")
    assert repo.files() == {"quay/take-1.mp4": DARK, "pier/take-2.mp4": DARK}


def test_a_copy_is_a_file_of_its_own(repo: Repo) -> None:
    first = stored_clip(repo.put(DARK, step("quay")))
    repo.clips.restore(attempt(clip=first), step("pier"))

    assert repo.clips.clip_path(step("quay")).stat().st_ino != repo.clips.clip_path(step("pier")).stat().st_ino


def test_a_clip_that_changed_on_disk_is_not_recalled(repo: Repo) -> None:
    first = stored_clip(repo.put(DARK, step()))
    rotten = bytearray(DARK)
    rotten[len(rotten) // 2] ^= 1
    repo.clips.clip_path(step()).write_bytes(rotten)

    assert repo.clips.restore(attempt(clip=first), step()) is None
    assert repo.clips.find(attempt(clip=first)) is None


def test_a_clip_is_found_at_another_take_that_shares_it(repo: Repo) -> None:
    first = stored_clip(repo.put(DARK, step()))
    copy = stored_clip(repo.clips.restore(attempt(clip=first), step("pier")))
    repo.clips.clip_path(step()).unlink()
    shared = attempt(clip=first, copies=(copy,))

    assert repo.clips.find(shared) == repo.clips.clip_path(step("pier"))
    assert stored_clip(repo.clips.restore(shared, step())) == first


@pytest.mark.parametrize("path", ["../outside.mp4", "{outside}"])
def test_a_manifest_that_names_a_file_elsewhere_gets_nothing_from_there(repo: Repo, path: str) -> None:
    outside = repo.root.parent / "outside.mp4"
    outside.write_bytes(DARK)
    recorded = Clip(path.format(outside=outside), hashlib.sha256(DARK).hexdigest(), len(DARK), 64, 36, 1.0)

    assert repo.clips.find(attempt(clip=recorded)) is None
    assert repo.clips.restore(attempt(clip=recorded), step()) is None


def test_an_attempt_without_a_clip_is_nowhere(repo: Repo) -> None:
    assert repo.clips.restore(attempt(), step()) is None
    assert repo.clips.find(attempt()) is None


def test_a_folder_under_the_clips_name_is_the_disks_trouble_and_nothing_is_lost(repo: Repo) -> None:
    repo.clips.clip_path(step()).mkdir(parents=True)

    with pytest.raises(IsADirectoryError):
        repo.put(DARK, step())
    assert list(repo.files().values()) == [DARK]


@pytest.mark.parametrize("link", ["clips", "clips/quay", "clips/quay/earlier"])
def test_nothing_is_written_outside_the_repository_by_way_of_a_link(
    repo: Repo, tmp_path_factory: pytest.TempPathFactory, link: str
) -> None:
    outside = tmp_path_factory.mktemp("outside")
    place = repo.root / "renders" / "harbour" / "sandbox" / link
    if link.endswith("earlier"):
        repo.put(DARK, step())
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(outside)

    with pytest.raises(PermissionError):
        repo.put(LIGHT, step(fingerprint=SECOND))
    assert list(outside.iterdir()) == []


def test_a_link_under_a_part_files_name_leads_no_clip_elsewhere(repo: Repo, tmp_path: Path) -> None:
    letter = tmp_path / "letter.txt"
    letter.write_text("mine")
    for part in (repo.clips.part_path(step()), repo.clips.archive_part_path(attempt())):
        part.symlink_to(letter)
        with create_afresh(part, repo.root) as file:
            file.write(DARK)
        assert not part.is_symlink()
    stored_clip(repo.put(DARK, step()))
    assert letter.read_text() == "mine"


def test_a_folder_without_rights_is_the_disks_trouble(repo: Repo) -> None:
    repo.root.chmod(0o500)
    with requirements.without_root_rights(), pytest.raises(PermissionError):
        repo.clips.part_path(step())


# -- what differs from what was ordered -------------------------------------------------------------------


def facts(width: int, height: int, seconds: str = "5") -> ClipFacts:
    return ClipFacts(width, height, Decimal(seconds))


def framed(ratio: str, width: int, height: int) -> Request:
    """A request whose clip begins with a picture of this size."""
    picture = LocalFile("storyboards/assets/door.png", "a" * 64, "image", 1000, width, height)
    return make_request("720p", 5, ratio)._replace(mode="keyframe", materials=(picture,))


@pytest.mark.parametrize(
    ("request_", "clip_facts"),
    [
        (make_request("720p", 5), facts(1280, 720)),
        (make_request("720p", 5), facts(1248, 704)),
        (make_request("480p", 5), facts(864, 496)),
        (make_request("480p", 5, "9:16"), facts(496, 864)),
        (make_request("480p", 5), facts(854, 480)),
        (make_request("720p", 5, "4:3"), facts(1112, 834)),
        (make_request("720p", 5, "21:9"), facts(1470, 630)),
        (framed("16:9", 900, 1200), facts(834, 1112)),
        (framed("16:9", 900, 1200), facts(1280, 720)),
        (make_request("720p", 5, "9:16"), facts(720, 1280)),
        (make_request("720p", 5, "1:1"), facts(960, 960)),
        (make_request("720p", 5, "1:1"), facts(720, 720)),
        (make_request("720p", 5, None), facts(1000, 700)),
        (make_request("720p", 5, upscale="4k"), facts(3840, 2160)),
        (make_request("720p", 5), facts(1280, 720, "5.042")),
    ],
)
def test_a_clip_as_ordered_has_no_note(request_: Request, clip_facts: ClipFacts) -> None:
    assert differences(request_, clip_facts) == ()


@pytest.mark.parametrize(
    ("request_", "clip_facts", "note"),
    [
        (make_request("720p", 5), facts(720, 1280), "the clip is 720x1280; 16:9 was ordered"),
        (make_request("720p", 5), facts(1280, 740), "the clip is 1280x740; 16:9 was ordered"),
        (make_request("480p", 5, "4:3"), facts(864, 496), "the clip is 864x496; 4:3 was ordered"),
        (framed("16:9", 900, 1200), facts(960, 960), "the clip is 960x960; 16:9 was ordered"),
        (make_request("1080p", 5), facts(1280, 720), "the clip is 1280x720; 1080p was ordered"),
        (make_request("720p", 5, upscale="4k"), facts(1280, 720), "the clip is 1280x720; 4k was ordered"),
        (make_request("720p", 5), facts(1280, 720, "4"), "the clip lasts 4 s; 5 s were ordered"),
    ],
)
def test_what_differs_is_said(request_: Request, clip_facts: ClipFacts, note: str) -> None:
    assert differences(request_, clip_facts) == (note,)


def test_a_clip_that_is_not_as_the_provider_says_is_told() -> None:
    outputs = (Output("https://a.example/1.mp4", 1920, 1080),)

    assert differences(make_request("720p", 5), facts(1280, 720), outputs) == (
        "the clip is 1280x720; the provider reports 1920x1080",
    )
