#!/usr/bin/env bash
# Gives every reader of files from outside 10,000 damaged ones: each must answer with a value or an
# error of its own, soon and without much memory. From the environment:
#   BLIP2_FUZZ_CASES  another number of cases for each reader
#   BLIP2_FUZZ_SEED   a number; another seed makes other cases
#   BLIP2_FUZZ_CASE   only the case of this number
#
# Each reader keeps the case under way in a file, so that one that ends the process is known.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$(pwd -P)
cd "$root"

folder=.build-tests
options=(-c release --scratch-path "$folder" -Xswiftc -enable-testing)
journal="$root/$folder/fuzz"
mkdir -p "$journal"
rm -f "$journal"/*.txt

swift build "${options[@]}" --build-tests </dev/null

export BLIP2_FUZZ_CASES="${BLIP2_FUZZ_CASES:-10000}" BLIP2_FUZZ_JOURNAL="$journal"
# Some ten thousands of small files: in memory, where the system has a folder for that.
if [ -z "${TMPDIR:-}" ] && [ -w /dev/shm ]; then export TMPDIR=/dev/shm; fi

log="$folder/fuzz.log"
if ! swift test "${options[@]}" --skip-build --no-parallel --disable-xctest --filter FuzzTests \
  2>&1 </dev/null | tee "$log"; then
  for file in "$journal"/*.txt; do
    if [ -e "$file" ]; then printf 'error: the process ended in %s\n' "$(cat "$file")" >&2; fi
  done
  exit 1
fi
if ! grep -Eq 'Test run with [1-9][0-9]* tests? ' "$log"; then
  echo "error: no tests ran" >&2
  exit 1
fi
