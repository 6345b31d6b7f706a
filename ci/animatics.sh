#!/usr/bin/env bash
# Draws the shots that a branch added or changed, free: below WORK/animatics each film's clips, contact sheet and dailies.
# Needs OPTIONS, words for `diff`, and WORK, a folder. A film that cannot be drawn is a warning, not an end.
set -euo pipefail
mkdir -p "$WORK/animatics"
export STORYBOARD_STATE=$WORK/state # no ledger that outlives the job
storyboard diff $OPTIONS --format select > "$WORK/changed"
while IFS=$'\t' read -r -u 3 file profile shots; do
  film=("$file" --provider sandbox --profile "$profile" --select "$shots")
  storyboard run "${film[@]}" --no-cut --quiet || echo "not every shot of $file is drawn (exit $?)"
  storyboard sheet "${film[@]}" --quiet || echo "the sheet of $file has empty frames (exit $?)"
  page=$(storyboard dailies "${film[@]}" --json | jq --raw-output '.films[0].path // empty') || true
  [ -n "$page" ] || continue
  folder=$(dirname "$page")
  mkdir -p "$WORK/animatics/$folder"
  cp -R "$folder/." "$WORK/animatics/$folder"
done 3< "$WORK/changed"
rm -rf "$WORK/state"
