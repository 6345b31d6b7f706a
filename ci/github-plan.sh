#!/usr/bin/env bash
# Finds the approved plan at GitHub: the artifact of the merged pull request's job at its last commit, whose digest is the
# one in the comment by the workflow's own account; or the artifact of a digest that a person typed in (DIGEST).
# Needs GH_TOKEN, WORK, and GitHub's own variables. Writes WORK/approved.json and WORK/approved, else WORK/why.
set -euo pipefail
mkdir -p "$WORK"
api=$GITHUB_API_URL/repos/$GITHUB_REPOSITORY
get() {
  curl --fail --silent --show-error --location --retry 3 \
    --config <(printf 'header = "Authorization: Bearer %s"\n' "$GH_TOKEN") "$api/$1"
}
none() {
  echo "$*" > "$WORK/why"
  exit 0
}

typed=$DIGEST head=''
if [ -z "$DIGEST" ]; then
  get "commits/$GITHUB_SHA/pulls?per_page=100" > "$WORK/pulls.json"
  read -r number head < <(jq --raw-output --arg sha "$GITHUB_SHA" --arg base "$GITHUB_REF_NAME" '
    map(select(.merged_at != null and .merge_commit_sha == $sha and .base.ref == $base)) | first // empty
    | "\(.number) \(.head.sha)"' "$WORK/pulls.json") || none 'this commit is not the merge of a pull request.'
  for ((page = 1; ; page++)); do
    get "issues/$number/comments?per_page=100&page=$page" > "$WORK/comments.json"
    jq 'map(select(.user.login == "github-actions[bot]" and (.body | startswith("<!-- storyboard diff -->"))))
      | first // empty' "$WORK/comments.json" > "$WORK/own.json"
    if [ -s "$WORK/own.json" ] || [ "$(jq length "$WORK/comments.json")" != 100 ]; then break; fi
  done
  DIGEST=$(jq --raw-output '.body' "$WORK/own.json" | sed -n 's/^Merging runs this plan .*: `\([0-9a-f]\{64\}\)`\r\{0,1\}$/\1/p')
  [ -n "$DIGEST" ] || none "no comment of the workflow on pull request $number names a plan."
fi
if ! [[ $DIGEST =~ ^[0-9a-f]{64}$ ]]; then
  echo "$DIGEST is not the digest of a plan: copy all 64 signs of it"
  exit 1
fi

get "actions/artifacts?name=storyboard-plan-$DIGEST&per_page=100" > "$WORK/artifacts.json"
id=$(jq --raw-output --arg head "$head" '
  .artifacts | map(select((.expired | not) and .workflow_run.head_repository_id == .workflow_run.repository_id
    and ($head == "" or .workflow_run.head_sha == $head))) | first.id // empty' "$WORK/artifacts.json")
if [ -z "$id" ]; then
  [ -z "$typed" ] || { echo "no artifact of this repository holds the plan $DIGEST"; exit 1; }
  none "the plan $DIGEST is no artifact of the last commit of pull request $number, or no longer."
fi
get "actions/artifacts/$id/zip" > "$WORK/plan.zip"
unzip -p "$WORK/plan.zip" plan.json > "$WORK/approved.json"
echo "$DIGEST" > "$WORK/approved"
