"""What `doctor` says of the libraries that this very installation has."""

from runner.media.health import libraries


def test_an_installation_that_passes_these_tests_has_what_clips_need() -> None:
    assert {check.name: check.verdict for check in libraries()} == {
        "video": "ok",
        "pictures": "ok",
        "storyboards": "ok",
    }
