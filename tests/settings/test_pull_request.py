"""Which jobs of CI services count as a pull request's, by any variable that says so."""

import pytest

from runner.settings.pull_request import PULL_REQUEST_VARIABLES, pull_request

GITHUB_PULL_REQUEST_EVENTS = (
    *("pull_request", "pull_request_target", "pull_request_review", "workflow_run", "issue_comment", "merge_group"),
    *("issues", "fork", "watch", "discussion", "check_run", "status", "create", "delete", "public", "Push", "made-up"),
)
OF_A_PULL_REQUEST = [
    *(("GitHub", {"GITHUB_EVENT_NAME": event}) for event in GITHUB_PULL_REQUEST_EVENTS),
    ("GitHub", {"GITHUB_EVENT_NAME": "push", "GITHUB_REF": "refs/pull/5/merge"}),
    ("GitHub", {"GITHUB_HEAD_REF": "a-branch"}),
    ("GitLab", {"CI_MERGE_REQUEST_IID": "12"}),
    ("GitLab", {"CI_PIPELINE_SOURCE": "merge_request_event"}),
    ("GitLab", {"CI_PIPELINE_SOURCE": "external_pull_request_event"}),
    ("GitLab", {"CI_PIPELINE_SOURCE": "parent_pipeline", "CI_MERGE_REQUEST_ID": "1000012"}),
    ("GitLab", {"CI_EXTERNAL_PULL_REQUEST_IID": "4"}),
    ("Bitbucket", {"BITBUCKET_PR_ID": "5"}),
    ("Azure", {"SYSTEM_PULLREQUEST_PULLREQUESTID": "5"}),
    ("Azure", {"SYSTEM_PULLREQUEST_PULLREQUESTNUMBER": "5"}),
    ("Azure", {"BUILD_REASON": "PullRequest"}),
    ("Azure", {"BUILD_SOURCEBRANCH": "refs/pull/5/merge"}),
    ("Jenkins", {"CHANGE_ID": "7"}),
    ("Azure", {"SYSTEM_PULLREQUEST_ISFORK": "True"}),
    ("Jenkins", {"CHANGE_TARGET": "main"}),
    ("Jenkins", {"CHANGE_URL": "https://example.com/pull/7"}),
    ("CodeBuild", {"CODEBUILD_WEBHOOK_TRIGGER": "pr/7"}),
    ("Semaphore", {"SEMAPHORE_GIT_REF_TYPE": "pull-request"}),
    ("Jenkins", {"ghprbPullId": "7"}),
    ("CircleCI", {"CIRCLE_PULL_REQUEST": "https://example.com/pull/5"}),
    ("CircleCI", {"CIRCLE_PULL_REQUESTS": "https://example.com/pull/5,https://example.com/pull/6"}),
    ("CircleCI", {"CIRCLE_PR_NUMBER": "5"}),
    ("CircleCI", {"CIRCLE_PR_USERNAME": "a"}),
    ("CircleCI", {"CIRCLE_BRANCH": "pull/5"}),
    ("Buildkite", {"BUILDKITE_PULL_REQUEST": "7"}),
    ("Buildkite", {"BUILDKITE_PULL_REQUEST": "false", "BUILDKITE_PULL_REQUEST_REPO": "git://example.com/fork"}),
    ("Drone", {"DRONE_PULL_REQUEST": "3"}),
    ("Drone", {"DRONE_BUILD_EVENT": "pull_request"}),
    ("Travis", {"TRAVIS_PULL_REQUEST": "5"}),
    ("Travis", {"TRAVIS_EVENT_TYPE": "pull_request"}),
    ("AppVeyor", {"APPVEYOR_PULL_REQUEST_NUMBER": "5"}),
    ("Woodpecker", {"CI_PIPELINE_EVENT": "pull_request"}),
    ("Woodpecker", {"CI_PIPELINE_EVENT": "pull_request_metadata"}),
    ("Woodpecker", {"CI_COMMIT_PULL_REQUEST": "5"}),
    ("CodeBuild", {"CODEBUILD_WEBHOOK_EVENT": "PULL_REQUEST_CREATED"}),
    ("Semaphore", {"SEMAPHORE_GIT_PR_NUMBER": "5"}),
    ("Cirrus", {"CIRRUS_PR": "5"}),
    ("GitHub", {"GITHUB_BASE_REF": "main"}),
    ("GitHub", {"GITHUB_EVENT_NAME": "push", "GITHUB_REF": "refs/heads/gh-readonly-queue/main/pr-5-1cc06dc"}),
    ("GitLab", {"CI_PIPELINE_SOURCE": "parent_pipeline", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main"}),
    ("GitLab", {"CI_MERGE_REQUEST_EVENT_TYPE": "merge_train"}),
    ("GitLab", {"CI_EXTERNAL_PULL_REQUEST_TARGET_BRANCH_NAME": "main"}),
    ("Bitbucket", {"BITBUCKET_PR_DESTINATION_COMMIT": "1cc06dc"}),
    ("Azure", {"SYSTEM_PULLREQUEST_TARGETBRANCH": "refs/heads/main"}),
    ("Azure", {"BUILD_REASON": "ValidateShelveset"}),
    ("Jenkins", {"CHANGE_AUTHOR_EMAIL": "a@example.com"}),
    ("Jenkins", {"BRANCH_NAME": "PR-5-merge"}),
    ("Jenkins", {"ghprbActualCommit": "1cc06dc"}),
    ("Jenkins", {"gitlabActionType": "MERGE"}),
    ("Jenkins", {"GERRIT_EVENT_TYPE": "patchset-created"}),
    ("CircleCI", {"CI_PULL_REQUEST": "https://example.com/pull/5"}),
    ("Buildkite", {"BUILDKITE_MERGE_QUEUE_BASE_BRANCH": "main"}),
    ("Drone", {"DRONE_PULL_REQUEST_TITLE": "a change"}),
    ("Travis", {"TRAVIS_PULL_REQUEST_SHA": "1cc06dc"}),
    ("AppVeyor", {"APPVEYOR_PULL_REQUEST_TITLE": "a change"}),
    ("Woodpecker", {"CI_COMMIT_TARGET_BRANCH": "main"}),
    ("CodeBuild", {"CODEBUILD_SOURCE_VERSION": "pr/7"}),
    ("Semaphore", {"SEMAPHORE_GIT_REF": "refs/pull/5/merge"}),
    ("Bitrise", {"BITRISE_PULL_REQUEST": "5"}),
    ("Codefresh", {"CF_PULL_REQUEST_NUMBER": "5"}),
    ("Codemagic", {"CM_PULL_REQUEST": "true"}),
    ("Prow", {"JOB_TYPE": "presubmit"}),
    ("Vercel", {"VERCEL_GIT_PULL_REQUEST_ID": "5"}),
    ("Netlify, Render", {"IS_PULL_REQUEST": "true"}),
]
OF_NONE = [
    {},
    {"CI": "true", "GITHUB_ACTIONS": "true"},
    {"SYSTEM_PULLREQUEST_ISFORK": "False", "BUILD_REASON": "Manual"},
    {"CODEBUILD_WEBHOOK_TRIGGER": "branch/main"},
    *({"GITHUB_EVENT_NAME": event, "GITHUB_REF": "refs/heads/main", "GITHUB_HEAD_REF": ""}
      for event in ("push", "schedule", "workflow_dispatch", "repository_dispatch", "release")),
    *({"CI_PIPELINE_SOURCE": source} for source in ("push", "schedule", "web", "api", "trigger", "parent_pipeline")),
    *({"BUILD_REASON": reason} for reason in ("Manual", "IndividualCI", "Schedule")),
    {"BUILD_SOURCEBRANCH": "refs/heads/pull/it"},
    {"CIRCLE_BRANCH": "pull/request-words", "CIRCLE_PULL_REQUEST": ""},
    {"BUILDKITE_PULL_REQUEST": "false", "BUILDKITE_PULL_REQUEST_REPO": ""},
    {"TRAVIS_PULL_REQUEST": "false", "TRAVIS_EVENT_TYPE": "push", "TRAVIS_PULL_REQUEST_BRANCH": ""},
    {"DRONE_BUILD_EVENT": "push", "DRONE_COMMIT_REF": "refs/heads/main"},
    {"CI_PIPELINE_EVENT": "push"},
    *({"BRANCH_NAME": branch} for branch in ("main", "PR-review", "MR-", "FIX-5")),
    {"gitlabActionType": "PUSH"},
    {"GERRIT_EVENT_TYPE": "change-merged"},
    {"GITHUB_BASE_REF": "", "GITHUB_REF": "refs/heads/queue/main"},
    {"CODEBUILD_SOURCE_VERSION": "refs/heads/pr/7"},
    {"CM_PULL_REQUEST": "false", "JOB_TYPE": "postsubmit", "PULL_REQUEST": "false"},
]  # fmt: skip


@pytest.mark.parametrize(("service", "env"), OF_A_PULL_REQUEST)
def test_a_pull_requests_job_is_known_by_any_of_its_variables(service: str, env: dict[str, str]) -> None:
    assert pull_request(env) == service


@pytest.mark.parametrize("env", OF_NONE)
def test_another_job_is_none(env: dict[str, str]) -> None:
    assert pull_request(env) is None


def test_every_service_of_the_table_has_a_case() -> None:
    assert PULL_REQUEST_VARIABLES.keys() == {service for service, _ in OF_A_PULL_REQUEST}
