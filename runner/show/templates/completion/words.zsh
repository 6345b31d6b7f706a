# The words of this repository's storyboards, which `storyboard validate`, `plan` and `run` keep in a text file.

# Sets _storyboard_lines to the words of the nearest repository above the working folder; false without any.
_storyboard_find_words() {
  local state="${STORYBOARD_STATE:-DEFAULT_STATE}" folder="${PWD:A}" file
  while [[ -n $folder ]]; do
    file="$state/completion/${folder//\//%}.txt"
    if [[ -r $file ]]; then
      _storyboard_lines=("${(@f)$(<$file)}") 2>/dev/null
      return 0
    fi
    folder=${folder%/*}
  done
  return 1
}

# $1: the kind of words; the rest is for compadd
_storyboard_words() {
  local -a _storyboard_lines names
  local kind=$1 tab=$'\t'
  shift
  _storyboard_find_words || return 0
  names=(${${${(M)_storyboard_lines:#${kind}${tab}*}#${kind}${tab}}%%${tab}*})
  if [[ $kind == shot && -n $_storyboard_with_groups ]]; then
    names+=(tag:${^${${${(M)_storyboard_lines:#tag${tab}*}#tag${tab}}%%${tab}*}})
    names+=(scene:${^${${${(M)_storyboard_lines:#scene${tab}*}#scene${tab}}%%${tab}*}})
  fi
  compadd "$@" -a names
}

_storyboard_select() { local _storyboard_with_groups=yes; _storyboard_words shot "$@" }
_storyboard_shot() { _storyboard_words shot "$@" }
_storyboard_profile() { _storyboard_words profile "$@" }

# The takes of the shot that is the word before
_storyboard_take() {
  local -a _storyboard_lines lines fields numbers
  local tab=$'\t' shot=${words[CURRENT-1]}
  _storyboard_find_words || return 0
  lines=(${(M)_storyboard_lines:#shot${tab}${shot}${tab}*})
  fields=("${(@ps:\t:)lines[1]}")
  [[ -n ${fields[3]} ]] || return 0
  numbers=({1..${fields[3]}} none)
  compadd "$@" -a numbers
}
