"""The table of CI services: which variables say that a job belongs to a pull request, which pays only when allowed."""

import os
from collections.abc import Callable, Mapping

# The list of those that may pay, not of those that may not: an event that GitHub adds is refused until it is known.
_PAYING_EVENTS = ("push", "schedule", "workflow_dispatch", "repository_dispatch", "release")
# What services write in the place of no pull request.
_NOTHING = ("", "false", "0", "null", "none", "undefined")


def _is_set(text: str) -> bool:
    """Whether a variable holds a number, branch or address of a pull request; some services write `false` instead."""
    return text.lower() not in _NOTHING


def _is_pull_event(text: str) -> bool:
    """Whether an event concerns a pull request, as any service spells it: `merge_request_event`, `PullRequest`."""
    letters = "".join(character for character in text.lower() if character.isalpha())
    return "pullrequest" in letters or "mergerequest" in letters


def _is_pull_ref(text: str) -> bool:
    """Whether a ref is that of a pull request, or of GitHub's merge queue.

    `refs/pull/5/merge`, `pull/5`, `pr/5`, `refs/merge-requests/5/head`, `refs/heads/gh-readonly-queue/main/pr-5-…`.
    """
    parts = text.removeprefix("refs/").split("/")
    if parts[:2] == ["heads", "gh-readonly-queue"]:
        return True
    return len(parts) > 1 and parts[0] in ("pull", "pull-requests", "merge-requests", "pr") and parts[1].isdigit()


def _is_pull_branch(text: str) -> bool:
    """Whether Jenkins named a branch for a pull request: `PR-5`, `MR-5-merge`."""
    kind, _, number = text.partition("-")
    return kind in ("PR", "MR") and number.partition("-")[0].isdigit()


def _is_merge(text: str) -> bool:
    """Whether GitLab's plugin for Jenkins was started by a merge request, or by a comment on one."""
    return text in ("MERGE", "NOTE")


def _is_unmerged_change(text: str) -> bool:
    """Whether an event of Gerrit concerns a change that nobody has merged yet."""
    return text not in ("", "change-merged", "ref-updated")


def _is_shelved(text: str) -> bool:
    """Whether Azure builds a pull request, or changes that wait for a check-in."""
    return _is_pull_event(text) or text in ("CheckInShelveset", "ValidateShelveset")


def _is_other_event(text: str) -> bool:
    """Whether an event of GitHub is none of those that only people with write access cause."""
    return text not in ("", *_PAYING_EVENTS)


PULL_REQUEST_VARIABLES: Mapping[str, Mapping[str, Callable[[str], bool]]] = {
    "GitHub": {
        "GITHUB_EVENT_NAME": _is_other_event,
        "GITHUB_HEAD_REF": _is_set,
        "GITHUB_BASE_REF": _is_set,
        "GITHUB_REF": _is_pull_ref,
    },
    "GitLab": {
        "CI_MERGE_REQUEST_*": _is_set,
        "CI_EXTERNAL_PULL_REQUEST_*": _is_set,
        "CI_PIPELINE_SOURCE": _is_pull_event,
    },
    "Bitbucket": {"BITBUCKET_PR_*": _is_set},
    "Azure": {"SYSTEM_PULLREQUEST_*": _is_set, "BUILD_REASON": _is_shelved, "BUILD_SOURCEBRANCH": _is_pull_ref},
    "Jenkins": {
        "CHANGE_ID": _is_set,
        "CHANGE_TARGET": _is_set,
        "CHANGE_URL": _is_set,
        "CHANGE_BRANCH": _is_set,
        "CHANGE_FORK": _is_set,
        "CHANGE_TITLE": _is_set,
        "CHANGE_AUTHOR*": _is_set,
        "BRANCH_NAME": _is_pull_branch,
        "ghprb*": _is_set,
        "gitlabMergeRequest*": _is_set,
        "gitlabActionType": _is_merge,
        "BITBUCKET_PULL_REQUEST_*": _is_set,
        "GERRIT_EVENT_TYPE": _is_unmerged_change,
    },
    "CircleCI": {
        "CIRCLE_PULL_REQUEST*": _is_set,
        "CIRCLE_PR_*": _is_set,
        "CIRCLE_BRANCH": _is_pull_ref,
        "CI_PULL_REQUEST*": _is_set,
    },
    "Buildkite": {"BUILDKITE_PULL_REQUEST*": _is_set, "BUILDKITE_MERGE_QUEUE_*": _is_set},
    "Drone": {
        "DRONE_PULL_REQUEST*": _is_set,
        "DRONE_BUILD_EVENT": _is_pull_event,
        "DRONE_COMMIT_REF": _is_pull_ref,
    },
    "Travis": {"TRAVIS_PULL_REQUEST*": _is_set, "TRAVIS_EVENT_TYPE": _is_pull_event},
    "AppVeyor": {"APPVEYOR_PULL_REQUEST_*": _is_set},
    "Woodpecker": {
        "CI_PIPELINE_EVENT": _is_pull_event,
        "CI_BUILD_EVENT": _is_pull_event,
        "CI_COMMIT_PULL_REQUEST*": _is_set,
        "CI_COMMIT_TARGET_BRANCH": _is_set,
        "CI_COMMIT_REF": _is_pull_ref,
    },
    "CodeBuild": {
        "CODEBUILD_WEBHOOK_EVENT": _is_pull_event,
        "CODEBUILD_WEBHOOK_TRIGGER": _is_pull_ref,
        "CODEBUILD_WEBHOOK_BASE_REF": _is_set,
        "CODEBUILD_SOURCE_VERSION": _is_pull_ref,
    },
    "Semaphore": {
        "SEMAPHORE_GIT_PR_*": _is_set,
        "SEMAPHORE_GIT_REF_TYPE": _is_pull_event,
        "SEMAPHORE_GIT_REF": _is_pull_ref,
    },
    "Cirrus": {"CIRRUS_PR*": _is_set, "CIRRUS_BASE_BRANCH": _is_set},
    "Bitrise": {"BITRISE_PULL_REQUEST": _is_set, "BITRISEIO_PULL_REQUEST_*": _is_set},
    "Codefresh": {"CF_PULL_REQUEST_*": _is_set},
    "Codemagic": {"CM_PULL_REQUEST*": _is_set},
    "Prow": {"JOB_TYPE": lambda text: text == "presubmit"},
    "Vercel": {"VERCEL_GIT_PULL_REQUEST_ID": _is_set},
    "Netlify, Render": {"PULL_REQUEST": _is_set, "IS_PULL_REQUEST": _is_set},
}
"""By service: each variable that can mark a pull request's job, with the check of the values that do.

`*` at the end of a name stands for all variables that begin so."""


def pull_request(env: Mapping[str, str]) -> str | None:
    """The CI service whose variables mark this as a pull request's job; None if there is none."""
    return next(
        (
            service
            for service, variables in PULL_REQUEST_VARIABLES.items()
            if any(marks(value) for name, marks in variables.items() for value in _values(name, env))
        ),
        None,
    )


def _values(name: str, env: Mapping[str, str]) -> list[str]:
    if not name.endswith("*"):
        return [env.get(name, "").strip()]
    return [value.strip() for variable, value in env.items() if variable.startswith(name[:-1])]


# Variables with the branch that a pull request is for; they count in a pull request's job only.
_BASE_BRANCHES = (
    "GITHUB_BASE_REF",
    "CI_MERGE_REQUEST_TARGET_BRANCH_NAME",
    "CI_EXTERNAL_PULL_REQUEST_TARGET_BRANCH_NAME",
    "BITBUCKET_PR_DESTINATION_BRANCH",
    "SYSTEM_PULLREQUEST_TARGETBRANCH",
    "CHANGE_TARGET",
    "BUILDKITE_PULL_REQUEST_BASE_BRANCH",
    "DRONE_TARGET_BRANCH",
    "CI_COMMIT_TARGET_BRANCH",
    "APPVEYOR_REPO_BRANCH",
    "TRAVIS_BRANCH",
    "CIRRUS_BASE_BRANCH",
    "BITRISEIO_GIT_BRANCH_DEST",
)


def base_branch(environ: Mapping[str, str] | None = None) -> str:
    """The branch that the pull request of this job is for; empty where no CI service names one."""
    env = os.environ if environ is None else environ
    if pull_request(env) is None:
        return ""
    names = (env.get(name, "").strip().removeprefix("refs/heads/") for name in _BASE_BRANCHES)
    return next(filter(_is_set, names), "")
