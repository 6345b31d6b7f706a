#!/usr/bin/env bash
# Carries out the approved plan (WORK/approved.json, whose digest is in WORK/approved), and nothing else. Where there is
# none, WORK/why says so, and the job shows and saves the present plan (WORK/plan.json) and pays for nothing.
# Needs OPTIONS, words for `plan`; WORK, a folder; SUMMARY, a file; STORYBOARD_STATE; STORYBOARD_MAX_CREDITS; the key.
set -euo pipefail
approved=$WORK/approved.json
note=$STORYBOARD_STATE/paying ran=no

end_note() { # the note of github-begin.sh is for a runner that is lost: an earlier one stays until a plan was carried out
  [ -s "$approved" ] || return 0 # without a plan this job wrote none
  if [ "$ran" = no ] && [ -s "$note.lost" ]; then mv "$note.lost" "$note"; else rm -f "$note" "$note.lost"; fi
}
trap end_note EXIT

say() { printf '%s\n\n' "$*" | tee -a "$SUMMARY"; }
show() { # shows a screen in the log and, as it stands, in the summary
  cat "$1"
  { printf '~~~~~~~~text\n'; cat "$1"; printf '~~~~~~~~\n\n'; } >> "$SUMMARY"
}
refuse() {
  say "**storyboard** Nothing was paid: $*"
  exit 1
}

has_state() { [ -s "$STORYBOARD_STATE/ledger.db" ]; }
open_takes() { # the shots whose takes may still cost money, by the manifests of paid providers
  git ls-files -z -- manifest.json '*/manifest.json' | xargs -0 -r jq --raw-output '
    select(.provider? != "sandbox") | .storyboard as $board | .shots[]? | . as $shot | .takes[]?
    | select(.status == "running" or .status == "unsettled") | "\($board): \($shot.id) take \(.take) is \(.status)"'
}

show_plan() { # no such plan: shows the present one, and saves it for who wants to run it by its digest
  say "**storyboard** Nothing was paid: $*"
  # Saving notes the plan in the ledger, and a ledger that is missing must stay missing.
  has_state || export STORYBOARD_STATE=$WORK/state
  storyboard plan $OPTIONS > "$WORK/plan.txt"
  show "$WORK/plan.txt"
  storyboard plan $OPTIONS -o "$WORK/plan.json" --quiet || exit 0 # a price that nobody knows is no contract
  rm -rf "$WORK/state"
  digest=$(storyboard plan "$WORK/plan.json" --quiet)
  say "To pay for this plan, run the job again by hand with this digest: \`$digest\`"
  echo "digest=$digest" >> "${GITHUB_OUTPUT:-/dev/null}"
  exit 0
}

[ -s "$approved" ] || show_plan "$(cat "$WORK/why")"
digest=$(storyboard plan "$approved" --quiet)
[ "$digest" = "$(cat "$WORK/approved")" ] || refuse "the plan of the artifact is not the approved one ($digest)."
if [ "$(storyboard plan "$approved" --json | jq .since.expired)" != false ]; then
  show_plan "the approved plan has expired."
fi
[ -n "$STORYBOARD_MAX_CREDITS" ] || refuse "set the variable STORYBOARD_MAX_CREDITS, the most that one job may spend."
if ! has_state; then
  open_takes > "$WORK/open.txt"
  if [ -s "$WORK/open.txt" ]; then
    show "$WORK/open.txt"
    refuse "the state folder of earlier jobs is gone, and the manifests name takes that may be charged already. On a" \
      "machine with the key type \`storyboard run FILE --provider NAME --max-credits 0\`, which collects what runs and" \
      "buys nothing, and \`storyboard settle\` for what is unsettled. Commit the manifests, and run this job by hand" \
      "with the digest \`$digest\`."
  fi
fi

storyboard run --plan "$approved" --yes > "$WORK/run.txt" &
run=$! code=0 ran=yes
# Cancelling a job stops this shell alone, and the run must have ended before its ledger is saved.
trap 'kill -TERM "$run" 2> /dev/null || true' INT TERM
wait "$run" || code=$?
while kill -0 "$run" 2> /dev/null; do
  code=0
  wait "$run" || code=$?
done
trap - INT TERM
say "**storyboard** ran the plan \`$digest\` (exit $code)"
show "$WORK/run.txt"
# 9: a take waits for a pick, which people make; the next plan goes on from there.
[ "$code" = 9 ] || exit "$code"
