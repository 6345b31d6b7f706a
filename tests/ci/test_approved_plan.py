"""The plan that the paid job takes for approved: only the one that the workflow's own comment on the branch names."""

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.builders.workflow_jobs import tool_path
from tests.docs.pages import ROOT
from tests.double.code_hosts import OWN_REPOSITORY, CodeHost, Github, Gitlab

MARK = "<!-- storyboard diff -->"
PLAN, OTHER = "ab" * 32, "cd" * 32
MERGE, HEAD = "1" * 40, "2" * 40


def comment(digest: str) -> str:
    line = f"Merging runs this plan and nothing else, for at most 120 credits (&#36;0.60): `{digest}`"
    return f"{MARK}\n\n**storyboard** orders 2 clips more for 120 credits, beyond main (abc)\n\n{line}\n"


@dataclass
class Search:
    """One run of the script that looks for the approved plan."""

    code: int
    out: str
    work: Path

    @property
    def plan(self) -> tuple[str, str] | None:
        """The digest and the content of the approved plan; None without one."""
        if not (self.work / "approved").exists():
            return None
        return (self.work / "approved").read_text().strip(), (self.work / "approved.json").read_text()

    @property
    def why(self) -> str:
        return (self.work / "why").read_text()


def search(host: CodeHost, folder: Path, script: str, **env: str) -> Search:
    work = folder / "work"
    tools = tool_path(folder / "bin")
    (folder / "bin" / "storyboard").write_text('#!/bin/sh\ncat "$2"\n')  # the digest is all that these plans hold
    own = {"PATH": tools, "WORK": str(work), "GH_TOKEN": host.token, "GITHUB_API_URL": host.url, "DIGEST": ""}
    own |= {"GITHUB_REPOSITORY": "acme/film", "GITHUB_SHA": MERGE, "GITHUB_REF_NAME": "main"}
    own |= {"CI_API_V4_URL": host.url, "CI_PROJECT_ID": str(OWN_REPOSITORY), "CI_COMMIT_SHA": MERGE}
    own |= {"CI_COMMIT_BRANCH": "main", "STORYBOARD_TOKEN": host.token}
    command = ["bash", str(ROOT / "ci" / script)]
    done = subprocess.run(command, env=own | env, capture_output=True, text=True, check=False, timeout=60)
    return Search(done.returncode, done.stdout + done.stderr, work)


def at_github(github: Github, folder: Path, digest: str = "") -> Search:
    return search(github, folder, "github-plan.sh", DIGEST=digest)


def at_gitlab(gitlab: Gitlab, folder: Path, **env: str) -> Search:
    return search(gitlab, folder, "gitlab-plan.sh", **env)


def approved_at_github(github: Github) -> None:
    """A merged pull request whose comment names a plan, and the plan."""
    github.merge(MERGE, HEAD)
    github.comment(comment(PLAN))
    github.upload(f"storyboard-plan-{PLAN}", {"plan.json": PLAN.encode()}, HEAD)


def approved_at_gitlab(gitlab: Gitlab) -> None:
    gitlab.merge(MERGE, HEAD)
    gitlab.note(comment(PLAN))
    gitlab.upload(HEAD, PLAN.encode())


# -- GitHub -------------------------------------------------------------------------------------------------


def test_the_plan_of_the_merged_head_whose_digest_the_comment_names_is_approved(github: Github, tmp_path: Path) -> None:
    for number in range(150):  # of people; the workflow's own stands on the second page
        github.comment(f"Comment {number}", "ines")
    approved_at_github(github)
    assert at_github(github, tmp_path).plan == (PLAN, PLAN)
    assert not any(call.startswith(("POST", "PATCH")) for call in github.calls)


def without_pull_request(github: Github) -> None:
    github.pulls.clear()


def for_another_branch(github: Github) -> None:
    github.pulls.clear()
    github.merge(MERGE, HEAD, base="release")


def with_a_later_merge(github: Github) -> None:
    github.pulls.clear()
    github.merge(MERGE, HEAD, merge_commit="3" * 40)


def by_another_account(github: Github) -> None:
    github.comments[0]["user"]["login"] = "mallory"


def within_a_text(github: Github) -> None:
    github.comments[0]["body"] = f"I quote:\n{github.comments[0]['body']}"


def within_a_table(github: Github) -> None:
    github.comments[0]["body"] = f"{MARK}\n\n| changed | a Merging runs this plan and nothing else: `{PLAN}` |\n"


def of_an_earlier_commit(github: Github) -> None:
    github.artifacts[0]["workflow_run"]["head_sha"] = "4" * 40


def of_a_fork(github: Github) -> None:
    github.artifacts[0]["workflow_run"]["head_repository_id"] = OWN_REPOSITORY + 1


def expired(github: Github) -> None:
    github.artifacts[0]["expired"] = True


def of_another_digest(github: Github) -> None:
    github.comments[0]["body"] = comment(OTHER)


@pytest.mark.parametrize(
    "otherwise",
    [
        without_pull_request, for_another_branch, with_a_later_merge, by_another_account, within_a_text, within_a_table,
        of_an_earlier_commit, of_a_fork, expired, of_another_digest,
    ],
)  # fmt: skip
def test_any_other_plan_is_not_approved_and_the_job_goes_on_to_say_so(
    github: Github, tmp_path: Path, otherwise: Callable[[Github], None]
) -> None:
    approved_at_github(github)
    otherwise(github)
    done = at_github(github, tmp_path)
    assert (done.code, done.plan) == (0, None), done.out
    assert done.why.endswith(".\n")


def test_a_digest_that_a_person_typed_finds_its_plan_of_any_commit(github: Github, tmp_path: Path) -> None:
    github.upload(f"storyboard-plan-{PLAN}", {"plan.json": PLAN.encode()}, "5" * 40)
    assert at_github(github, tmp_path, PLAN).plan == (PLAN, PLAN)


@pytest.mark.parametrize("digest", [OTHER, "ab", "../../x", PLAN.upper()])
def test_a_digest_of_no_plan_ends_the_job(github: Github, tmp_path: Path, digest: str) -> None:
    github.upload(f"storyboard-plan-{PLAN}", {"plan.json": PLAN.encode()}, HEAD)
    done = at_github(github, tmp_path, digest)
    assert (done.code, done.plan, digest in done.out) == (1, None, True)


def test_a_host_that_does_not_answer_as_it_should_ends_the_job(github: Github, tmp_path: Path) -> None:
    done = search(github, tmp_path, "github-plan.sh", GH_TOKEN="another")
    assert (done.code != 0, done.plan) == (True, None)


# -- GitLab -------------------------------------------------------------------------------------------------


def test_at_gitlab_the_plan_whose_digest_the_tokens_own_note_names_is_approved(gitlab: Gitlab, tmp_path: Path) -> None:
    for number in range(150):
        gitlab.note(f"Note {number}", account=12)
    gitlab.upload("4" * 40, OTHER.encode())
    approved_at_gitlab(gitlab)
    assert at_gitlab(gitlab, tmp_path).plan == (PLAN, PLAN)


def test_at_gitlab_a_merge_without_a_merge_commit_is_that_of_the_branchs_last_commit(
    gitlab: Gitlab, tmp_path: Path
) -> None:
    approved_at_gitlab(gitlab)
    gitlab.requests[MERGE][0] |= {"merge_commit_sha": None, "sha": MERGE}
    gitlab.pipelines[0]["sha"] = MERGE
    assert at_gitlab(gitlab, tmp_path).plan == (PLAN, PLAN)


def note_by_another(gitlab: Gitlab) -> None:
    gitlab.notes[0]["author"]["id"] = 12


def request_of_a_fork(gitlab: Gitlab) -> None:
    gitlab.requests[MERGE][0]["source_project_id"] = OWN_REPOSITORY + 1


def no_request(gitlab: Gitlab) -> None:
    gitlab.requests.clear()


def plan_of_an_earlier_commit(gitlab: Gitlab) -> None:
    gitlab.pipelines[0]["sha"] = "4" * 40


def plan_that_is_gone(gitlab: Gitlab) -> None:
    gitlab.contents.clear()


def plan_of_another_digest(gitlab: Gitlab) -> None:
    gitlab.contents = dict.fromkeys(gitlab.contents, OTHER.encode())


@pytest.mark.parametrize(
    "otherwise",
    [
        note_by_another, request_of_a_fork, no_request, plan_of_an_earlier_commit, plan_that_is_gone,
        plan_of_another_digest,
    ],
)  # fmt: skip
def test_at_gitlab_any_other_plan_is_not_approved(
    gitlab: Gitlab, tmp_path: Path, otherwise: Callable[[Gitlab], None]
) -> None:
    approved_at_gitlab(gitlab)
    otherwise(gitlab)
    done = at_gitlab(gitlab, tmp_path)
    assert (done.code, done.plan) == (0, None), done.out
    assert done.why.endswith(".\n")


def test_at_gitlab_without_a_token_nothing_is_approved(gitlab: Gitlab, tmp_path: Path) -> None:
    approved_at_gitlab(gitlab)
    done = at_gitlab(gitlab, tmp_path, STORYBOARD_TOKEN="")
    assert (done.plan, "STORYBOARD_TOKEN" in done.why) == (None, True)


def test_at_gitlab_a_typed_digest_takes_the_plan_that_the_pipeline_showed(gitlab: Gitlab, tmp_path: Path) -> None:
    assert at_gitlab(gitlab, tmp_path, STORYBOARD_DIGEST=PLAN).code == 1
    (tmp_path / "work" / "plan.json").write_text(PLAN)
    assert at_gitlab(gitlab, tmp_path, STORYBOARD_DIGEST=PLAN).plan == (PLAN, PLAN)
