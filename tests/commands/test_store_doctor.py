"""What `doctor` says of the store: how its kind was tried, without a connection."""

import pytest

from tests.builders.content_repo import ContentRepo, content


@pytest.fixture
def repo(tmp_path_factory: pytest.TempPathFactory) -> ContentRepo:
    return content(tmp_path_factory.mktemp("film"), "storyboard: 1\nshots:\n  - {id: quay, prompt: A quay}\n")


@pytest.mark.parametrize(
    ("store", "verdict", "words"),
    [
        ("s3://film/refs", "ok", "rclone"),
        ("az://film/refs", "ok", "Azurite"),
        ("gs://film/refs", "warning", "never tried"),
    ],
)
def test_the_check_of_a_store_says_how_its_kind_was_tried(
    repo: ContentRepo, store: str, verdict: str, words: str
) -> None:
    repo.write("storyboard.toml", f'[publish]\nstore = "{store}"\n')
    checks = {check["name"]: check for check in repo.storyboard("doctor", "--json").json["checks"]}

    assert checks["store"]["verdict"] == verdict
    assert words in checks["store"]["message"]


def test_without_a_store_there_is_no_check_of_it(repo: ContentRepo) -> None:
    assert "store" not in {check["name"] for check in repo.storyboard("doctor", "--json").json["checks"]}
