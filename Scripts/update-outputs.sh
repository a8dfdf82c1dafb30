#!/usr/bin/env bash
# Puts into README.md what the last `make demo` here printed, so that its blocks of output are the program's own.
# A block stands after a line `<!-- lines of NAME: PATTERN -->`: the lines of Checkpoints/NAME that match
# the extended regular expression, with … where some are left out between.
set -euo pipefail
cd "$(dirname "$0")/.."

logs=Checkpoints
new=$(mktemp)
trap 'rm -f "$new"' EXIT

excerpt() { # file, pattern
  awk -v pattern="$2" '
    $0 ~ pattern { if (last && NR > last + 1) print "…"; print; last = NR }
    END { if (!last) exit 1 }
  ' "$1"
}

while IFS= read -r line; do
  printf '%s\n' "$line"
  [[ "$line" =~ ^'<!-- lines of '([^:]+)': '(.*)' -->'$ ]] || continue
  name=${BASH_REMATCH[1]} pattern=${BASH_REMATCH[2]}
  [ -f "$logs/$name" ] || { echo "error: $logs/$name is not there: run make demo" >&2; exit 1; }
  IFS= read -r fence
  printf '%s\n' "$fence"
  excerpt "$logs/$name" "$pattern" || { echo "error: no line of $logs/$name matches $pattern" >&2; exit 1; }
  while IFS= read -r line && [ "$line" != '```' ]; do :; done
  printf '```\n'
done <README.md >"$new"
cat "$new" >README.md
