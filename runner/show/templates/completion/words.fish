# The words of this repository's storyboards, which `storyboard validate`, `plan` and `run` keep in a text file.

# The file of the nearest repository above the working folder; false without any.
function __storyboard_find_words
  set -l state DEFAULT_STATE
  if test -n "$STORYBOARD_STATE"
    set state $STORYBOARD_STATE
  end
  set -l folder (pwd -P)
  while test -n "$folder"
    set -l file $state/completion/(string replace -a / % -- $folder).txt
    if test -r $file
      echo $file
      return 0
    end
    set folder (string replace -r '/[^/]*$' '' -- $folder)
  end
  return 1
end

function __storyboard_words
  set -l file (__storyboard_find_words); or return 0
  string replace -rf "^$argv[1]\t([^\t]+).*" '$1' <$file
end

function __storyboard_select
  set -l file (__storyboard_find_words); or return 0
  string replace -rf '^shot\t([^\t]+).*' '$1' <$file
  string replace -rf '^(tag|scene)\t([^\t]+).*' '$1:$2' <$file
end

# The takes of the shot that is the word before
function __storyboard_take
  set -l file (__storyboard_find_words); or return 0
  set -l shot (string escape --style=regex -- (commandline -opc)[-1])
  set -l takes (string replace -rf "^shot\t$shot\t([0-9]+).*" '$1' <$file)[1]
  test -n "$takes"; or return 0
  seq $takes
  echo none
end
