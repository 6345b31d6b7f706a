#!/usr/bin/env bash
# Finds the approved plan at GitLab: the artifact of the merged request's job at its last commit, if a note by this token's
# own account names its digest; or the plan that this pipeline showed, whose digest a person typed in (STORYBOARD_DIGEST).
# Needs STORYBOARD_TOKEN, WORK, and GitLab's own variables. Writes WORK/approved.json and WORK/approved, else WORK/why.
set -euo pipefail
mkdir -p "$WORK"
api=$CI_API_V4_URL/projects/$CI_PROJECT_ID
get() {
  curl --fail --silent --show-error --retry 3 \
    --config <(printf 'header = "PRIVATE-TOKEN: %s"\n' "$STORYBOARD_TOKEN") "$1"
}
none() {
  echo "$*" > "$WORK/why"
  exit 0
}

if [ -n "${STORYBOARD_DIGEST:-}" ]; then
  [ -s "$WORK/plan.json" ] || { echo 'this pipeline has shown no plan that a digest could name'; exit 1; }
  mv "$WORK/plan.json" "$WORK/approved.json"
  echo "$STORYBOARD_DIGEST" > "$WORK/approved"
  exit 0
fi
[ -n "${STORYBOARD_TOKEN:-}" ] || none 'set the variable STORYBOARD_TOKEN, by which this job reads the merge request.'
get "$api/repository/commits/$CI_COMMIT_SHA/merge_requests?per_page=100" > "$WORK/requests.json"
# A merge without a merge commit and without squashing leaves the last commit of the branch itself.
read -r number head < <(jq --raw-output --arg sha "$CI_COMMIT_SHA" --arg base "$CI_COMMIT_BRANCH" '
  map(select(.state == "merged" and .target_branch == $base and .source_project_id == .target_project_id
    and (.merge_commit_sha // .squash_commit_sha // .sha) == $sha)) | first // empty
  | "\(.iid) \(.sha)"' "$WORK/requests.json") || none 'this commit is not the merge of a request of this project.'
own=$(get "$CI_API_V4_URL/user" | jq .id)
for ((page = 1; ; page++)); do
  get "$api/merge_requests/$number/notes?sort=asc&order_by=created_at&per_page=100&page=$page" > "$WORK/notes.json"
  jq --argjson own "$own" 'map(select(.author.id == $own and (.body | startswith("<!-- storyboard diff -->"))))
    | first // empty' "$WORK/notes.json" > "$WORK/own.json"
  if [ -s "$WORK/own.json" ] || [ "$(jq length "$WORK/notes.json")" != 100 ]; then break; fi
done
digest=$(jq --raw-output '.body' "$WORK/own.json" | sed -n 's/^Merging runs this plan .*: `\([0-9a-f]\{64\}\)`$/\1/p')
[ -n "$digest" ] || none "no note of this token's account on merge request $number names a plan."

get "$api/merge_requests/$number/pipelines?per_page=100" > "$WORK/pipelines.json"
for pipeline in $(jq --arg head "$head" '.[] | select(.sha == $head and .source == "merge_request_event").id' "$WORK/pipelines.json"); do
  get "$api/pipelines/$pipeline/jobs?per_page=100" > "$WORK/jobs.json"
  for job in $(jq '.[] | select(.name == "storyboard" and .status == "success").id' "$WORK/jobs.json"); do
    get "$api/jobs/$job/artifacts/storyboard-ci/plan.json" > "$WORK/candidate.json" || continue
    [ "$(storyboard plan "$WORK/candidate.json" --quiet)" = "$digest" ] || continue
    mv "$WORK/candidate.json" "$WORK/approved.json"
    echo "$digest" > "$WORK/approved"
    exit 0
  done
done
none "the plan $digest is no artifact of the last commit of merge request $number, or no longer."
