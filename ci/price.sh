#!/usr/bin/env bash
# Prices what a branch brings: the plan that merging runs (plan.json), and the comment that names its digest (comment.md).
# Needs OPTIONS, words for `plan` and `diff`; WORK, a folder; SUMMARY, a file. It has no secret and pays for nothing.
set -euo pipefail
mkdir -p "$WORK"
plan=$WORK/plan.json contract=(--plan "$WORK/plan.json")

code=0
storyboard plan $OPTIONS -o "$plan" --quiet || code=$?
case $code in
  0) ;;
  4) contract=() ;; # a price that nobody knows is no contract
  *) exit "$code" ;;
esac

code=0
storyboard diff $OPTIONS "${contract[@]}" --format markdown --exit-code > "$WORK/comment.md" || code=$?
case $code in
  0) orders=false digest='' ;;
  8) orders=true digest=$([ ${#contract[@]} = 0 ] || storyboard plan "$plan" --quiet) ;;
  *) exit "$code" ;;
esac
cat "$WORK/comment.md" >> "$SUMMARY"
echo "$orders" > "$WORK/orders"
printf 'orders=%s\ndigest=%s\n' "$orders" "$digest" >> "${GITHUB_OUTPUT:-/dev/null}"
