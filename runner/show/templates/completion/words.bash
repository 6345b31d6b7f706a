# The words of this repository's storyboards, which `storyboard validate`, `plan` and `run` keep in a text file.

# Sets _storyboard_file to the words of the nearest repository above the working folder; false without any.
_storyboard_find_words() {
  local state="${STORYBOARD_STATE:-DEFAULT_STATE}" folder
  folder=$(pwd -P 2>/dev/null)
  while [[ -n $folder ]]; do
    _storyboard_file="$state/completion/${folder//\//%}.txt"
    [[ -r $_storyboard_file ]] && return 0
    folder=${folder%/*}
  done
  return 1
}

# $1: the kind of words, $2: the beginning of the word
_storyboard_words() {
  local _storyboard_file kind name takes rest
  _storyboard_find_words || return 0
  {
    while IFS=$'\t' read -r kind name takes rest; do
      [[ $1 == select && ( $kind == tag || $kind == scene ) ]] && name="$kind:$name" kind=select
      [[ $1 == select && $kind == shot ]] && kind=select
      [[ $kind == "$1" && $name == "$2"* ]] && printf '%s\n' "$name"
    done <"$_storyboard_file"
  } 2>/dev/null
  return 0
}

_storyboard_select() { _storyboard_words select "$1"; }
_storyboard_shot() { _storyboard_words shot "$1"; }
_storyboard_profile() { _storyboard_words profile "$1"; }

# The takes of the shot that is the word before
_storyboard_take() {
  local _storyboard_file kind name takes rest number
  _storyboard_find_words || return 0
  {
    while IFS=$'\t' read -r kind name takes rest; do
      [[ $kind == shot && $name == "${COMP_WORDS[COMP_CWORD-1]}" ]] || continue
      for ((number = 1; number <= takes; number++)); do
        [[ $number == "$1"* ]] && printf '%s\n' "$number"
      done
      [[ none == "$1"* ]] && printf 'none\n'
      break
    done <"$_storyboard_file"
  } 2>/dev/null
  return 0
}

# bash takes words apart at a colon: they are put together before, and what stands before the colon is taken away after.
_storyboard() {
  local words=() index=0 position=0 word before="" colon
  for ((position = 0; position < ${#COMP_WORDS[@]}; position++)); do
    word=${COMP_WORDS[position]}
    if ((position > 1)) && [[ $word == :* || ( $before == *: && -n $word ) ]]; then
      words[${#words[@]}-1]+=$word
    else
      words+=("$word")
    fi
    before=$word
    ((position == COMP_CWORD)) && index=$((${#words[@]} - 1))
  done
  local COMP_WORDS=("${words[@]}") COMP_CWORD=$index
  _shtab_storyboard
  word=${words[index]}
  if [[ $word == *:* && $COMP_WORDBREAKS == *:* ]]; then
    colon=${word%"${word##*:}"}
    COMPREPLY=("${COMPREPLY[@]#"$colon"}")
  fi
}
