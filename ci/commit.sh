#!/usr/bin/env bash
# Commits the manifests of this job to BRANCH of REMOTE, and the clips where Git LFS tracks them; all other clips are
# gathered below WORK/clips, for an artifact. Nothing changed: no commit.
# Needs WORK, BRANCH, REMOTE, AUTHOR and EMAIL; SERVER, GIT_USER and GIT_TOKEN where pushing needs them.
set -euo pipefail
git config user.name "$AUTHOR"
git config user.email "$EMAIL"
git config merge.storyboard.driver 'storyboard mend --driver %O %A %B %P'
if [ -n "${GIT_TOKEN:-}" ]; then
  export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0="http.$SERVER/.extraheader"
  GIT_CONFIG_VALUE_0="AUTHORIZATION: basic $(printf '%s:%s' "$GIT_USER" "$GIT_TOKEN" | base64 | tr -d '\n')"
  export GIT_CONFIG_VALUE_0
fi

is_in_lfs() { # whether git commits a clip of this folder, as a pointer
  ! git check-ignore -q -- "$1/shot/take-1.mp4" && [[ $(git check-attr filter -- "$1/shot/take-1.mp4") == *': lfs' ]]
}
while IFS= read -r -d '' manifest; do
  git add -- "$manifest"
  folder=${manifest%manifest.json}clips
  if [ ! -d "$folder" ]; then
    continue
  elif is_in_lfs "$folder"; then
    git add -- "$folder"
  else
    mkdir -p "$WORK/clips"
    cp -R --parents -- "$folder" "$manifest" "$WORK/clips"
  fi
done < <(git ls-files -z --others --modified --exclude-standard -- manifest.json '*/manifest.json' ':!storyboard-ci')
git diff --cached --quiet || git commit --quiet --message 'Note the takes that were made'

# Whoever pushed meanwhile is no conflict: the merge driver keeps everything paid of both sides.
for attempt in 1 2 3 4 5; do
  git fetch --quiet "$REMOTE" "$BRANCH"
  if git merge-base --is-ancestor HEAD FETCH_HEAD; then exit 0; fi
  git rebase --quiet FETCH_HEAD
  if git push --quiet "$REMOTE" "HEAD:refs/heads/$BRANCH"; then exit 0; fi
  sleep "$attempt"
done
echo "the manifests could not be pushed to $BRANCH: let this job push there, and run it again"
exit 1
