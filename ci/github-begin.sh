#!/usr/bin/env bash
# Notes in the state folder that this job pays, before it does: a runner that is lost saves no ledger, and the next job
# must not order again what it ordered. While an earlier job's note is there, nothing is paid but for a digest that a
# person typed into a new run of the workflow.
# Needs WORK; SUMMARY, a file; STORYBOARD_STATE; TYPED, the digest that a person typed in, or nothing; JOB, its address.
set -euo pipefail
note=$STORYBOARD_STATE/paying

[ -s "$WORK/approved.json" ] || exit 0
if [ -s "$note" ] && { [ -z "$TYPED" ] || grep -qF "$JOB," "$note"; }; then
  printf '%s\n\n' "**storyboard** Nothing was paid: the job $(cat "$note") began to pay and was lost with its ledger, so what" \
    "it ordered may be charged already. Look for its tasks on the provider's page. On a machine with the key type" \
    "\`storyboard settle STORYBOARD:SHOT --task ID\` for each of them, and" \
    "\`storyboard run FILE --provider NAME --max-credits 0\`, which collects their clips and buys nothing. Commit the" \
    "manifests, and start this workflow by hand with the digest \`$(cat "$WORK/approved")\`." | sed '/^$/d' | tee -a "$SUMMARY"
  exit 1
fi
mkdir -p "$STORYBOARD_STATE"
# Should this job order nothing, pay.sh puts the earlier note back.
[ ! -s "$note" ] || mv "$note" "$note.lost"
echo "$JOB, $(date -u '+%Y-%m-%d %H:%M') UTC" > "$note"
echo 'pays=true' >> "${GITHUB_OUTPUT:-/dev/null}"
