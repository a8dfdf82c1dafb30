#!/usr/bin/env bash
# Builds everything with its tests, in release as numeric code needs it, then runs all tests.
# Warnings in our own code fail, and so does a run without tests.
#
# The tests have a build folder of their own: they are compiled with -enable-testing, and going to
# and fro between that and the program's own flags would compile every package again each time.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$(pwd -P)
cd "$root"

folder=.build-tests
options=(-c release --scratch-path "$folder" -Xswiftc -enable-testing)

# Builds, and fails where our own code gives a warning: the folder to build in, and swift build's options.
build_without_warnings() {
  local folder=$1 warnings
  shift
  mkdir -p "$folder"
  swift build -c release --scratch-path "$folder" "$@" 2>&1 </dev/null | tee "$folder/build.log"
  warnings=$(awk -v root="$root/" -v package="${root##*/}" '
    / warning: / && index($0, root ".build") != 1 && index($0, root) == 1 { print }
    /^macro expansion .* warning: / { print; getline; sub(/^`- /, ""); print }
    index(tolower($0), "warning: '\''" tolower(package) "'\''") == 1 { print }
  ' "$folder/build.log")
  [ -n "$warnings" ] || return 0
  printf 'error: the build gave warnings:\n%s\n' "$warnings" >&2
  # So that the next call compiles these files again, and does not pass for want of a fresh build.
  sed -n 's/^\(\/[^:]*\):[0-9].*/\1/p' <<<"$warnings" | sort -u | xargs -r -d '\n' touch -c
  exit 1
}

build_without_warnings "$folder" -Xswiftc -enable-testing --build-tests
# Vectors wider than the processor's registers make the compiler warn; this machine may have all of them.
BLIP2_MARCH=x86-64-v3 build_without_warnings .build-v3 --target Tensors

status=0
swift test "${options[@]}" --skip-build --no-parallel --disable-xctest 2>&1 </dev/null |
  tee "$folder/test.log" || status=$?
if ! grep -Eq 'Test run with [1-9][0-9]* tests? ' "$folder/test.log"; then
  echo "error: no tests ran" >&2
  exit 1
fi
# Once more what failed, where one looks first: the run's output has thousands of lines.
if [ "$status" -ne 0 ]; then
  grep -E '^✘ Test .* recorded an issue|^✘ Test run with' "$folder/test.log" | cut -c 1-1000
fi
exit "$status"
