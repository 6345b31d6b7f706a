"""`storyboard run` on the free sandbox, end to end."""

import json
import signal
from pathlib import Path

import av
import pytest

from tests.builders.content_repo import ContentRepo, clone
from tests.builders.running_commands import RunningCommand

FILM = "storyboards/film.yaml"


def test_it_makes_clips_that_play_and_a_manifest_that_the_next_run_trusts(film: ContentRepo) -> None:
    first = film.storyboard("run", FILM)
    assert first.code == 0, first.err
    clips = [f"renders/film/sandbox/clips/{shot}/take-1.mp4" for shot in ("enter", "quay")]
    assert film.clips() == clips
    assert all(clip in first.out for clip in clips)
    for clip in clips:
        with av.open(str(film.root / clip)) as video:
            stream = video.streams.video[0]
            assert (stream.codec_context.name, stream.codec_context.height) == ("h264", 480)
            assert video.streams.audio[0].codec_context.name == "aac"
            assert float(video.duration or 0) / av.time_base == pytest.approx(4, abs=0.1)
    assert [shot["id"] for shot in film.manifest()["shots"]] == ["enter", "quay"]

    before = {path: path.stat().st_mtime_ns for path in film.root.glob("renders/**/*") if path.is_file()}
    again = film.storyboard("run", FILM)
    assert again.code == 0, again.err
    assert "2 shots, all made. Nothing to pay." in again.out
    assert before == {path: path.stat().st_mtime_ns for path in film.root.glob("renders/**/*") if path.is_file()}


def test_it_says_what_the_paid_provider_would_ask_and_what_to_type_next(film: ContentRepo) -> None:
    said = film.storyboard("run", FILM)
    assert "free; on kinovi 120 credits, $0.60" in said.out
    assert "storyboard plan storyboards/film.yaml --provider kinovi" in said.out


def test_the_paths_of_clips_open_from_where_the_user_stands(film: ContentRepo) -> None:
    below = ContentRepo(film.root / "storyboards")
    said = below.storyboard("run", "film.yaml", STORYBOARD_STATE=str(film.state))
    assert said.code == 0, said.err
    shown = [word for word in (said.out + said.err).split() if word.endswith(".mp4")]
    assert len(shown) == 5
    assert all((below.root / path).is_file() for path in shown)


def test_quiet_says_nothing_of_a_success_and_the_price_of_a_plan_in_one_line(film: ContentRepo) -> None:
    assert film.in_process("plan", FILM, "--quiet").out == "free; on kinovi 120 credits, $0.60\n"
    for _ in range(2):
        said = film.storyboard("run", FILM, "--quiet")
        assert (said.code, said.out, said.err) == (0, "", "")


def test_a_changed_prompt_makes_only_the_touched_shots_and_keeps_the_old_clip(film: ContentRepo) -> None:
    film.storyboard("run", FILM)
    text = (film.root / FILM).read_text()
    film.write(FILM, text.replace("pushes the door", "opens the door"))
    said = film.storyboard("run", FILM)
    assert said.code == 0, said.err
    assert said.err.count(" made ") == 1
    assert [clip for clip in film.clips() if "earlier" in clip]

    film.write(FILM, text)
    back = film.storyboard("run", FILM, "--json")
    assert back.code == 0
    assert "created" not in {event["event"] for event in back.events}


def test_a_renamed_shots_clip_moves_to_its_new_name_for_nothing(film: ContentRepo) -> None:
    film.storyboard("run", FILM)
    text = (film.root / FILM).read_text()
    film.write(FILM, text.replace("id: quay", "id: pier").replace("@quay", "@pier"))
    said = film.storyboard("run", FILM, "--json")
    assert said.code == 0
    assert "created" not in {event["event"] for event in said.events}
    assert (film.root / "renders/film/sandbox/clips/pier/take-1.mp4").is_file()
    shots = {shot["id"]: shot["takes"][0]["clip"]["path"] for shot in film.manifest()["shots"]}
    assert shots["pier"] == "renders/film/sandbox/clips/pier/take-1.mp4"


def test_two_shots_with_one_request_are_made_once_and_shown_twice(film: ContentRepo) -> None:
    film.write(FILM, "storyboard: 1\ndefaults: {resolution: 480p, duration: 4}\nshots:\n"
               "  - {id: a, prompt: The sea}\n  - {id: b, prompt: The sea}\n")  # fmt: skip
    said = film.storyboard("run", FILM, "--json")
    assert said.code == 0, said.err
    assert [event["event"] for event in said.events].count("created") == 1
    one, two = (film.root / clip for clip in film.clips())
    assert one.read_bytes() == two.read_bytes()
    assert film.in_process("status", FILM, "--exit-code").code == 0


def test_a_deleted_clip_is_fetched_again_for_nothing(film: ContentRepo) -> None:
    film.storyboard("run", FILM)
    clip = film.root / film.clips()[0]
    whole = clip.read_bytes()
    clip.unlink()
    said = film.storyboard("run", FILM, "--json")
    assert said.code == 0, said.err
    assert "created" not in {event["event"] for event in said.events}
    assert clip.read_bytes() == whole


def test_a_second_clone_draws_free_clips_of_its_own(film: ContentRepo) -> None:
    """Only what was paid is known in every repository of an account: `test_repository_names.py`."""
    film.storyboard("run", FILM)
    other = clone(film, "second")
    result = other.storyboard("run", FILM, "--json")
    assert result.code == 0, result.err
    assert "created" in {event["event"] for event in result.events}
    assert other.clips() == film.clips()


def test_killed_again_and_again_it_ends_whole_and_makes_nothing_twice(film: ContentRepo) -> None:
    for word in ("start", "sent", "made", "start"):
        process = film.start("run", FILM)
        _until(process, word)
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=10)
    said = film.storyboard("run", FILM)
    assert said.code == 0, said.err
    assert len(film.clips()) == 2
    journals = list((film.state / "sandbox").rglob("*.jsonl"))
    made = [line for journal in journals for line in journal.read_text().splitlines() if '"event": "task"' in line]
    bodies = [json.dumps(json.loads(line)["body"], sort_keys=True) for line in made]
    assert len(bodies) == len(set(bodies))


def _until(process: RunningCommand, word: str) -> str:
    """Reads what a run says until a line has this word."""
    assert process.stderr is not None
    seen = ""
    for line in process.stderr:
        seen += line
        if word in line:
            break
    return seen


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_new_clips_and_the_same_command_goes_on(film: ContentRepo, number: signal.Signals) -> None:
    process = film.start("run", FILM)
    seen = _until(process, "sent")
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, seen + err
    assert "run again to go on" in out + err
    assert film.storyboard("run", FILM).code == 0


def test_a_profile_has_its_own_output(film: ContentRepo) -> None:
    text = (film.root / FILM).read_text()
    film.write(FILM, text + "profiles:\n  draft: {model: seedance2-fast}\n")
    said = film.storyboard("run", FILM, "--profile", "draft", "--select", "quay")
    assert said.code == 0, said.err
    assert film.clips() == ["renders/film/sandbox-draft/clips/quay/take-1.mp4"]


def test_another_run_at_the_same_output_is_exit_7(film: ContentRepo) -> None:
    process = film.start("run", FILM)
    _until(process, "sent")
    said = film.storyboard("run", FILM)
    process.communicate(timeout=60)
    assert said.code == 7
    assert "another run is working on" in said.err


def test_events_are_json_lines_that_end_with_done(film: ContentRepo) -> None:
    events = film.storyboard("run", FILM, "--json").events
    assert events[0]["event"] == "plan"
    assert events[-1]["event"] == "done"
    assert [event["event"] for event in events].count("stored") == 2


def test_a_closed_pipe_ends_nothing(film: ContentRepo, tmp_path: Path) -> None:
    process = film.start_interpreter("run", FILM)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    process.stderr.close()
    process.wait(timeout=60)
    assert len(film.clips()) == 2


def test_combined_profiles_are_a_film_with_an_output_of_its_own(film: ContentRepo) -> None:
    board = film.root / FILM
    board.write_text(board.read_text("utf-8") + "profiles: {few: {takes: 1}, tall: {aspect_ratio: '9:16'}}\n", "utf-8")
    said = film.storyboard("run", FILM, "--profile", "few+tall")
    assert said.code == 0, said.err
    assert (film.root / "renders/film/sandbox-few+tall/manifest.json").is_file()
    again = film.in_process("plan", FILM, "--profile", "few+tall")
    assert "2 shots, all made. Nothing to pay." in again.out


def test_a_film_of_another_length_is_a_warning_at_the_line_of_its_length(film: ContentRepo) -> None:
    text = (film.root / FILM).read_text("utf-8").replace("defaults:", "length: 90\ndefaults:", 1)
    film.write(FILM, text)
    line = text.splitlines().index("length: 90") + 1
    assert f"`length` says 90 s   {FILM}:{line}" in " ".join(film.in_process("plan", FILM).out.split("\n"))
