"""Every link of the documentation leads somewhere, to the line if it says one."""

import re
from pathlib import Path

import pytest

from tests.docs.pages import PAGES, ROOT, anchors, prose


def _links(page: Path) -> list[str]:
    found: list[str] = re.findall(r"\]\(([^)\s]+)\)|(?:src|href)=\"([^\"]+)\"", prose(page))
    return [link for pair in found for link in pair if link]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    missing = []
    for link in _links(page):
        target, _, anchor = link.partition("#")
        if "://" in link:
            continue
        path = (page.parent / target) if target else page
        if not path.exists() or (anchor and path.suffix == ".md" and anchor not in anchors(path)):
            missing.append(link)
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_file_of_the_repository_that_a_page_names_exists(page: Path) -> None:
    paths = re.findall(r"`((?:runner|tests|schemas|benchmarks)/[\w/.*-]*)`", prose(page))
    modules = [f"tests/**/{name}" for name in re.findall(r"`(test_\w+\.py)`", prose(page))]
    assert [path for path in [*paths, *modules] if not any(ROOT.glob(path.rstrip("/")))] == []


def test_the_readme_links_each_promise_to_a_test_that_exists() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    promised = re.findall(r"\[`(test_\w+)`\]\((tests/[^)#]+)\)", readme)
    assert len(promised) >= 4
    for name, path in promised:
        assert f"def {name}(" in (ROOT / path).read_text("utf-8"), f"{path} has no {name}"
