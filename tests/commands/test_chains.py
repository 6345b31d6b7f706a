"""Films whose shots go on from one another, at a paid host that has uploads; the store is one of three variants."""

import io
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import av
import pytest
from PIL import Image, ImageChops, ImageStat

from runner.media.frames import image_of
from tests.builders.content_repo import ContentRepo, content
from tests.commands.conftest import KEY, Host
from tests.double.media import clip
from tests.double.server import Double
from tests.double.steps import CREATE, POLL, Step, record, reply
from tests.publish.servers import BUCKET, Answer, s3_server, web_server

STORYBOARDS = Path(__file__).parents[2] / "storyboards"
HARBOUR = "storyboards/harbour.yaml"
PICTURES = ("door.png", "ferry.png", "maria-front.png", "maria-side.png", "tomas.png")
OCTOBER = '[providers.kinovi]\nedition = "2026-10"\n'


@pytest.fixture
def harbour(tmp_path: Path) -> ContentRepo:
    """The example film, in a repository with one pushed commit."""
    film = content(tmp_path)
    shutil.copytree(STORYBOARDS, film.root / "storyboards", dirs_exist_ok=True)
    subprocess.run(["git", "init", "-q", "--bare", str(tmp_path / "film.git")], check=True)
    film.git("remote", "add", "origin", str(tmp_path / "film.git"))
    film.git("add", "--all")
    film.git("commit", "-qm", "Harbour at dawn")
    film.git("push", "-q", "origin", "HEAD:main")
    return film


def run_whole(film: ContentRepo, host: Host, **env: str) -> None:
    """Run the example's draft, and expect its ten clips for what the plan quotes."""
    run = ("run", HARBOUR, "--profile", "draft", "--max-credits", "658", "--concurrency", "10")
    done = film.storyboard(*run, **host.env, **env)
    assert (done.code, "10 clips made" in done.out) == (0, True), done.out + done.err
    assert (host.state["creates"], host.state["charged"]) == (10, 658)


def test_the_example_film_runs_whole_with_an_edition_and_nothing_else(
    harbour: ContentRepo, host: Callable[..., Host]
) -> None:
    harbour.write("storyboard.toml", OCTOBER)
    paid = host("--edition", "2026-10")
    run_whole(harbour, paid)
    assert paid.state["uploads"] == len(PICTURES)  # frames are those that the provider's records name


@pytest.mark.long
def test_the_example_film_runs_whole_with_pictures_from_git(harbour: ContentRepo, host: Callable[..., Host]) -> None:
    commit = harbour.git("rev-parse", "HEAD").strip()
    assets = {f"{commit}/storyboards/assets/{name}": STORYBOARDS / "assets" / name for name in PICTURES}
    paid = host("--edition", "2026-10", "--local-materials")
    with web_server({path: Answer(200, file.read_bytes()) for path, file in assets.items()}) as raw:
        harbour.write("storyboard.toml", f'{OCTOBER}[publish]\ngit_url = "{raw.base_url}/{{commit}}/{{path}}"\n')
        run_whole(harbour, paid)
        assert {path for path, _ in raw.requests} == {f"/{path}" for path in assets}
    assert paid.state["uploads"] == 0


@pytest.mark.long
def test_the_example_film_runs_whole_with_pictures_from_a_store(
    harbour: ContentRepo, host: Callable[..., Host], tmp_path: Path
) -> None:
    paid = host("--edition", "2026-10", "--local-materials")
    with s3_server(tmp_path / "objects") as s3:
        harbour.write("storyboard.toml", f'{OCTOBER}[publish]\nstore = "s3://{BUCKET}/refs"\n')
        run_whole(harbour, paid, **s3.environment)
        assert len(s3.objects()) == len(PICTURES)
    assert paid.state["uploads"] == 0


# -- pictures of chained clips ----------------------------------------------------------------------------

PAIR = """\
storyboard: 1
title: The quay
defaults: {resolution: 480p, duration: 4, model: MODEL}
shots:
  - {id: quay, prompt: Sunrise over the quay}
  - {id: enter, first_frame: "@quay.last_frame", prompt: She pushes the door open}
"""


def pictures(path: Path) -> list[Image.Image]:
    with av.open(str(path)) as container:
        return [image_of(frame) for frame in container.decode(video=0)]


def difference(one: Image.Image, other: Image.Image) -> float:
    """The mean difference of the colours, 0 to 255, of two small copies."""
    small = [picture.convert("RGB").resize((64, 36)) for picture in (one, other)]
    mean = ImageStat.Stat(ImageChops.difference(*small)).mean
    return sum(mean) / len(mean)


@pytest.mark.long  # draws two clips
@pytest.mark.parametrize(
    ("model", "uploads"),
    [pytest.param("seedance2.0-mini", 0, id="named-as-png"), pytest.param("seedance2-5", 1, id="named-as-jpeg")],
)
def test_a_chained_clip_begins_with_the_picture_that_the_one_before_ends_with(
    tmp_path: Path, host: Callable[..., Host], model: str, uploads: int
) -> None:
    film = content(tmp_path, PAIR.replace("MODEL", model))
    film.write("storyboard.toml", OCTOBER)
    paid = host("--edition", "2026-10", drawn=True)
    running = film.start("run", "storyboards/film.yaml", "--max-credits", "300", **paid.env)
    shown = running.communicate(timeout=300)
    assert running.returncode == 0, shown
    assert paid.state["uploads"] == uploads
    quay, enter = (pictures(film.root / f"renders/film/kinovi/clips/{shot}/take-1.mp4") for shot in ("quay", "enter"))
    assert difference(quay[-1], enter[0]) < difference(quay[0], enter[0]) / 2


def png(width: int, height: int, shade: int, form: str = "PNG") -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (width, height), (shade,) * 3).save(file, form)
    return file.getvalue()


@pytest.mark.parametrize(
    ("named", "address"),
    [
        pytest.param(Step(body=png(854, 480, 80)), "/named.png", id="the clip's last picture"),
        pytest.param(Step(body=png(854, 480, 80, "JPEG")), "/sent.png", id="a JPEG"),
        pytest.param(Step(body=png(640, 360, 80)), "/sent.png", id="another size"),
        pytest.param(Step(status=404), "/sent.png", id="404"),
        pytest.param(Step(body=png(854, 480, 200)), "/sent.png", id="another picture of the same size"),
    ],
)
def test_a_chain_goes_on_from_the_clips_true_last_picture_whatever_the_record_names(
    tmp_path: Path, named: Step, address: str
) -> None:
    film = content(tmp_path, PAIR.replace("MODEL", "seedance-20"))
    film.write("storyboard.toml", f"{OCTOBER}[publish]\ncheck = false\n")
    with Double(media=clip(80, 4.0, 854, 480)) as double:
        output = [{"url": f"{double.url}/media/a.mp4", "width": 854, "height": 480}]
        last = {"lastFrameImage": f"{double.url}/named.png"}
        for task in ("task_1", "task_2"):
            ended = record(task, "success", creditsUsed=60, output=output, **last)
            double.play(reply(200, ended, on=f"{POLL}?taskId={task}", times=0))
        upload = {"uploadUrl": f"{double.url}/put.png", "url": f"{double.url}/sent.png"}
        double.play(
            Step(on="GET /named.png", status=named.status, body=named.body, times=0),
            reply(200, upload, on="POST /api/v1/uploads"),
            Step(on="PUT /put.png"),
        )
        env = Host(double.url).env
        done = film.storyboard("run", "storyboards/film.yaml", "--no-cut", "--max-credits", "120", **env)
        assert done.code == 0, done.out + done.err
        second = json.loads(double.requests(CREATE)[1].body)
        sent = double.requests("PUT /put.png")
    assert second["inputs"]["imageUrls"] == [f"{double.url}{address}"]
    assert [Image.open(io.BytesIO(entry.body)).size for entry in sent] == [(854, 480)] * (address == "/sent.png")
    assert all(KEY not in str(entry.headers) for entry in sent)
