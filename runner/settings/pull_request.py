"""The table of CI services: which variables say that a job belongs to a pull request, which pays only when allowed."""

from collections.abc import Callable, Mapping

_PAYING_EVENTS = ("push", "schedule", "workflow_dispatch", "repository_dispatch", "release")
_NOTHING = ("", "false", "0", "null", "none", "undefined")


def _is_set(text: str) -> bool:
    """Whether a variable holds a number, branch or address of a pull request; some services write `false` instead."""
    return text.lower() not in _NOTHING


def _is_pull_event(text: str) -> bool:
    """Whether an event concerns a pull request, as any service spells it: `merge_request_event`, `PullRequest`."""
    letters = "".join(character for character in text.lower() if character.isalpha())
    return "pullrequest" in letters or "mergerequest" in letters


def _is_pull_ref(text: str) -> bool:
    """Whether a ref is that of a pull request: `refs/pull/5/merge`, `pull/5`, `refs/merge-requests/5/head`."""
    parts = text.removeprefix("refs/").split("/")
    return len(parts) > 1 and parts[0] in ("pull", "pull-requests", "merge-requests") and parts[1].isdigit()


def _is_pull_trigger(text: str) -> bool:
    """Whether CodeBuild was started by a pull request: `pr/5`."""
    return text.startswith("pr/")


def _is_other_event(text: str) -> bool:
    """Whether an event of GitHub is none of those that only people with write access cause."""
    return text not in ("", *_PAYING_EVENTS)


PULL_REQUEST_VARIABLES: Mapping[str, Mapping[str, Callable[[str], bool]]] = {
    "GitHub": {"GITHUB_EVENT_NAME": _is_other_event, "GITHUB_HEAD_REF": _is_set, "GITHUB_REF": _is_pull_ref},
    "GitLab": {
        "CI_MERGE_REQUEST_IID": _is_set,
        "CI_MERGE_REQUEST_ID": _is_set,
        "CI_MERGE_REQUEST_REF_PATH": _is_set,
        "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": _is_set,
        "CI_EXTERNAL_PULL_REQUEST_IID": _is_set,
        "CI_EXTERNAL_PULL_REQUEST_SOURCE_BRANCH_NAME": _is_set,
        "CI_PIPELINE_SOURCE": _is_pull_event,
    },
    "Bitbucket": {"BITBUCKET_PR_ID": _is_set, "BITBUCKET_PR_DESTINATION_BRANCH": _is_set},
    "Azure": {
        "SYSTEM_PULLREQUEST_PULLREQUESTID": _is_set,
        "SYSTEM_PULLREQUEST_PULLREQUESTNUMBER": _is_set,
        "SYSTEM_PULLREQUEST_SOURCEBRANCH": _is_set,
        "SYSTEM_PULLREQUEST_ISFORK": _is_set,
        "BUILD_REASON": _is_pull_event,
        "BUILD_SOURCEBRANCH": _is_pull_ref,
    },
    "Jenkins": {
        "CHANGE_ID": _is_set,
        "CHANGE_TARGET": _is_set,
        "CHANGE_URL": _is_set,
        "CHANGE_BRANCH": _is_set,
        "CHANGE_FORK": _is_set,
        "ghprbPullId": _is_set,
        "gitlabMergeRequestIid": _is_set,
    },
    "CircleCI": {
        "CIRCLE_PULL_REQUEST": _is_set,
        "CIRCLE_PULL_REQUESTS": _is_set,
        "CIRCLE_PR_NUMBER": _is_set,
        "CIRCLE_PR_REPONAME": _is_set,
        "CIRCLE_PR_USERNAME": _is_set,
        "CIRCLE_BRANCH": _is_pull_ref,
    },
    "Buildkite": {
        "BUILDKITE_PULL_REQUEST": _is_set,
        "BUILDKITE_PULL_REQUEST_BASE_BRANCH": _is_set,
        "BUILDKITE_PULL_REQUEST_REPO": _is_set,
    },
    "Drone": {
        "DRONE_PULL_REQUEST": _is_set,
        "DRONE_BUILD_EVENT": _is_pull_event,
        "DRONE_COMMIT_REF": _is_pull_ref,
    },
    "Travis": {
        "TRAVIS_PULL_REQUEST": _is_set,
        "TRAVIS_PULL_REQUEST_BRANCH": _is_set,
        "TRAVIS_PULL_REQUEST_SLUG": _is_set,
        "TRAVIS_EVENT_TYPE": _is_pull_event,
    },
    "AppVeyor": {
        "APPVEYOR_PULL_REQUEST_NUMBER": _is_set,
        "APPVEYOR_PULL_REQUEST_HEAD_COMMIT": _is_set,
        "APPVEYOR_PULL_REQUEST_HEAD_REPO_NAME": _is_set,
    },
    "Woodpecker": {
        "CI_PIPELINE_EVENT": _is_pull_event,
        "CI_BUILD_EVENT": _is_pull_event,
        "CI_COMMIT_PULL_REQUEST": _is_set,
        "CI_COMMIT_REF": _is_pull_ref,
    },
    "CodeBuild": {"CODEBUILD_WEBHOOK_EVENT": _is_pull_event, "CODEBUILD_WEBHOOK_TRIGGER": _is_pull_trigger},
    "Semaphore": {
        "SEMAPHORE_GIT_PR_NUMBER": _is_set,
        "SEMAPHORE_GIT_PR_SLUG": _is_set,
        "SEMAPHORE_GIT_REF_TYPE": _is_pull_event,
    },
    "Cirrus": {"CIRRUS_PR": _is_set},
}
"""By service: each variable that can mark a pull request's job, with the check of the values that do."""


def pull_request(env: Mapping[str, str]) -> str | None:
    """The CI service whose variables mark this as a pull request's job; None if there is none."""
    return next(
        (
            service
            for service, variables in PULL_REQUEST_VARIABLES.items()
            if any(marks(env.get(name, "").strip()) for name, marks in variables.items())
        ),
        None,
    )
