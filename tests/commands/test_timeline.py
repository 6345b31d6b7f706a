"""`timeline`: what an editor opens, with media that exists under names of its own."""

import csv
import json
from pathlib import Path

import opentimelineio as otio
import pytest

from tests.builders.content_repo import ContentRepo, content

FILM = """\
storyboard: 1
title: The quay
defaults: {resolution: 480p, duration: 4, aspect_ratio: 16:9}
shots:
  - {id: quay, prompt: Sunrise over the quay, takes: 2}
  - {id: boats, prompt: =Boats leave the harbour}
"""
OUTPUT = "renders/film/sandbox"


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> ContentRepo:
    film = content(tmp_path_factory.mktemp("timeline"), FILM)
    assert film.storyboard("run", "storyboards/film.yaml", "--quiet").code == 0
    assert film.storyboard("pick", "quay", "2").code == 0
    return film


def media_paths(timeline: Path) -> list[Path]:
    """Every media file that an OTIO file names."""
    document = otio.adapters.read_from_file(str(timeline))
    clips = list(document.find_clips())
    return [timeline.parent / reference.target_url for clip in clips for reference in clip.media_references().values()]


def test_a_timeline_names_media_that_exists(film: ContentRepo) -> None:
    result = film.storyboard("timeline", "storyboards/film.yaml")
    assert result.code == 0, result.err
    assert f"timeline   {OUTPUT}/timeline.otio\n             0:08 · 3 clips in media/" in result.out
    paths = media_paths(film.root / OUTPUT / "timeline.otio")
    assert {path.name for path in paths} == {"film_quay_t01.mp4", "film_quay_t02.mp4", "film_boats_t01.mp4"}
    assert all(path.is_file() for path in paths)


def test_a_file_in_the_media_folder_that_is_no_clip_of_ours_stays_and_is_said(film: ContentRepo) -> None:
    graded = film.root / OUTPUT / "media/film_boats_t01.mp4"
    film.storyboard("timeline", "storyboards/film.yaml")
    graded.unlink()
    graded.write_bytes(b"a graded clip of the same name")
    result = film.storyboard("timeline", "storyboards/film.yaml", COLUMNS="200")
    assert (result.code, "media/film_boats_t01.mp4 is another file than the clip, and stays" in result.out) == (0, True)
    assert graded.read_bytes() == b"a graded clip of the same name"
    graded.unlink()


def test_where_links_fail_media_are_copies_that_are_made_once(film: ContentRepo) -> None:
    copy, clip = film.root / OUTPUT / "media/film_boats_t01.mp4", film.root / OUTPUT / "clips/boats/take-1.mp4"
    film.storyboard("timeline", "storyboards/film.yaml")
    copy.unlink()
    copy.write_bytes(clip.read_bytes())
    before = copy.stat().st_mtime_ns
    result = film.storyboard("timeline", "storyboards/film.yaml")
    assert ("another file" in result.out, copy.is_symlink(), copy.stat().st_mtime_ns) == (False, False, before)
    copy.unlink()


def test_the_picked_take_is_active_and_carries_its_prompt_and_price(film: ContentRepo) -> None:
    film.storyboard("timeline", "storyboards/film.yaml")
    document = otio.adapters.read_from_file(str(film.root / OUTPUT / "timeline.otio"))
    clip = document.tracks[0][0]
    assert (clip.name, clip.active_media_reference_key) == ("film_quay_t02", "take 2")
    metadata = clip.media_reference.metadata["storyboard"]
    assert metadata["prompt"] == "Sunrise over the quay"
    assert metadata["quoted_credits"] > 0


@pytest.mark.parametrize("file_format", ["edl", "xml", "fcpxml"])
def test_an_editor_s_own_format_reads_back_with_equal_ranges(film: ContentRepo, file_format: str) -> None:
    result = film.storyboard("timeline", "storyboards/film.yaml", "--format", file_format)
    assert result.code == 0, result.err
    path = film.root / OUTPUT / f"timeline.{file_format}"
    adapter = {"edl": "cmx_3600", "xml": "fcp_xml", "fcpxml": "fcpx_xml"}[file_format]
    document = otio.adapters.read_from_file(str(path), adapter)
    first = document if isinstance(document, otio.schema.Timeline) else next(iter(document.find_children()))
    seconds = [clip.duration().to_seconds() for clip in first.find_clips()]
    assert seconds[:2] == [4, 4]


def test_reels_of_an_edl_are_the_unique_names(film: ContentRepo) -> None:
    film.storyboard("timeline", "storyboards/film.yaml", "--format", "edl")
    text = (film.root / OUTPUT / "timeline.edl").read_text()
    assert "001  film_quay_t02 V     C        00:00:00:00 00:00:04:00 00:00:00:00 00:00:04:00" in text
    assert "002  film_boats_t01 V" in text


def test_a_spreadsheet_takes_no_prompt_for_a_formula(film: ContentRepo) -> None:
    film.storyboard("timeline", "storyboards/film.yaml", "--format", "csv")
    rows = list(csv.DictReader((film.root / OUTPUT / "timeline.csv").read_text().splitlines()))
    assert [row["prompt"] for row in rows] == ["Sunrise over the quay", "'=Boats leave the harbour"]
    assert [row["film_end"] for row in rows] == ["4.000", "8.000"]


def test_a_missing_clip_is_a_gap_and_exit_1(film: ContentRepo, tmp_path: Path) -> None:
    bare = content(tmp_path, FILM)
    result = bare.storyboard("timeline", "storyboards/film.yaml", "--json")
    assert result.code == 1, result.err
    assert [missing["shot"] for missing in result.json["films"][0]["missing"]] == ["quay", "boats"]
    document = json.loads((bare.root / OUTPUT / "timeline.otio").read_text())
    assert [child["OTIO_SCHEMA"] for child in document["tracks"]["children"][0]["children"]] == ["Gap.1", "Gap.1"]


def test_a_note_about_the_shown_take_is_a_marker(film: ContentRepo) -> None:
    path = film.root / OUTPUT / "manifest.json"
    before = path.read_text("utf-8")
    manifest = json.loads(before)
    quay = next(shot for shot in manifest["shots"] if shot["id"] == "quay")
    notes = [{"at": f"2026-11-21T12:0{take}:00.000Z", "take": take, "text": f"about {take}"} for take in (1, 2)]
    path.write_text(
        json.dumps(
            {**manifest, "shots": [{**shot, "notes": notes} if shot is quay else shot for shot in manifest["shots"]]}
        )
    )
    film.storyboard("timeline", "storyboards/film.yaml")
    path.write_text(before, "utf-8")
    document = otio.adapters.read_from_file(str(film.root / OUTPUT / "timeline.otio"))
    assert [marker.name for marker in document.tracks[0][0].markers] == ["about 2"]
