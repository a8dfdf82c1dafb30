#!/usr/bin/env bash
# What `make test` leaves out for its length. Each part says what it found; the first that fails ends it.
#   SKIP="fuzz kills" Scripts/check-all.sh    leaves parts out: plain, mpich, fuzz, places, kills
set -euo pipefail
cd "$(dirname "$0")/.."

part() { # name, command
  [[ " ${SKIP:-} " == *" $1 "* ]] && return
  echo "== $1"
  "${@:2}"
}

# The tests by the ways of a processor with AVX2 alone: oneDNN told so, and everything compiled for it.
plain() {
  local options=(-c release --scratch-path .build-tests-v3 -Xswiftc -enable-testing)
  ONEDNN_MAX_CPU_ISA=AVX2 swift test -c release --scratch-path .build-tests -Xswiftc -enable-testing \
    --skip-build --no-parallel --disable-xctest
  BLIP2_MARCH=x86-64-v3 swift build "${options[@]}" --build-tests
  BLIP2_MARCH=x86-64-v3 ONEDNN_MAX_CPU_ISA=AVX2 swift test "${options[@]}" --skip-build --no-parallel \
    --disable-xctest
}

# What several processes do, by the other library of MPI.
mpich() {
  Scripts/setup.sh mpich
  BLIP2_MPIRUN=/usr/bin/mpirun.mpich swift test -c release --scratch-path .build-tests \
    -Xswiftc -enable-testing --skip-build --no-parallel --disable-xctest --filter Launched
}

swift build -c release --product blip2-train
part plain plain
part mpich mpich
part fuzz Scripts/fuzz.sh
part places Scripts/check-places.sh
part kills Scripts/check-kills.sh
