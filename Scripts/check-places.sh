#!/usr/bin/env bash
# Takes the program to the places where runs get lost: limits of shells and batch systems, signals, full
# and vanishing disks, odd names, slips of the hand. Prints right or wrong for each; exits 1 if any is wrong.
#   Scripts/check-places.sh            all of them, a few minutes
#   Scripts/check-places.sh signals    those whose names begin so; several may be named
# BLIP2_TRAIN names another program than the one that `make build` makes.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1

program=${BLIP2_TRAIN:-$PWD/.build/release/blip2-train}
[ -x "$program" ] || { echo "error: $program is not there: make build" >&2; exit 1; }
wanted=("$@")
place=$(mktemp -d)
mounted=()
cleanup() {
  for folder in "${mounted[@]}"; do umount "$folder" 2>/dev/null; done
  rm -rf "$place"
}
trap cleanup EXIT
wrong=0
tried=0

cat >"$place/recipe.yaml" <<'YAML'
model:
  qFormer: {width: 48, layers: 2, heads: 2, feedForwardWidth: 96, queries: 4, maximumPositions: 64}
  embeddingWidth: 32
vision: {path: Data/demo/encoder}
data: {train: {path: Data/demo/heldout.jsonl}}
training: {steps: 3, batchSize: 8}
validation: {every: 0}
checkpoint: {every: 0, keep: 1}
log: {every: 1}
YAML

# Whether a check was asked for; its first word is the name.
is_wanted() {
  local name=$1 prefix
  [ ${#wanted[@]} -gt 0 ] || return 0
  for prefix in "${wanted[@]}"; do [[ $name == "$prefix"* ]] && return 0; done
  return 1
}

# What a check found: its name, 0 for right, and words.
verdict() {
  tried=$((tried + 1))
  if [ "$2" -eq 0 ]; then
    printf 'right  %-34s %s\n' "$1" "$3"
  else
    printf 'WRONG  %-34s %s\n' "$1" "$3"
    wrong=$((wrong + 1))
  fi
}

# Runs stage 1 into $place/NAME: the rest are further options. Output in $place/said, status in $status.
train() {
  local name=$1
  shift
  timeout -k 2 60 "$program" stage1 --config "$place/recipe.yaml" --output "$place/$name" "$@" \
    >"$place/said" 2>&1 </dev/null
  status=$?
}

last_line() { tail -n 1 "$place/said" | cut -c 1-110; }

# Right if the run ended well, or said in one line beginning with "error: " why it does not begin.
fits_or_says_so() {
  if [ "$status" -eq 0 ] && grep -q '^done: ' "$place/said"; then return 0; fi
  [ "$status" -eq 1 ] && [ "$(grep -c '^error: ' "$place/said")" -eq 1 ] &&
    ! grep -q 'Fatal error\|Program crashed' "$place/said"
}

addresses() {
  local limit
  for limit in 300000 350000 400000 450000 500000 600000 800000 1000000 1300000 1500000 1700000 \
    2000000 2100000 2500000 3000000 4100000 4600000 4900000 8400000 8800000 9000000 12000000 \
    16300000 16500000 17200000; do
    is_wanted "addresses-$limit" || continue
    rm -rf "$place/a"
    (ulimit -v "$limit" && train a && echo "$status" >"$place/status")
    status=$(cat "$place/status")
    fits_or_says_so
    verdict "addresses-$limit" $? "ulimit -v $limit: $(last_line)"
  done
}

stack() {
  local limit
  for limit in 64 128 1024; do
    is_wanted "stack-$limit" || continue
    rm -rf "$place/a"
    (ulimit -s "$limit" && train a && echo "$status" >"$place/status")
    [ "$(cat "$place/status")" -eq 0 ]
    verdict "stack-$limit" $? "ulimit -s $limit: $(last_line)"
  done
}

memory() {
  is_wanted memory-too-large || return
  train large --set model.qFormer.width=16384 --set model.qFormer.heads=64 \
    --set model.qFormer.layers=48
  [ "$status" -eq 1 ] && grep -q 'GiB of memory.*GiB left' "$place/said"
  verdict memory-too-large $? "$(last_line)"
}

# A control group of 400 MiB, where this user may make one.
group_memory() {
  is_wanted group-memory || return
  local group limit
  if [ -f /sys/fs/cgroup/cgroup.controllers ]; then
    group=/sys/fs/cgroup/blip2-train-check limit=memory.max
  else
    group=/sys/fs/cgroup/memory/blip2-train-check limit=memory.limit_in_bytes
  fi
  if ! mkdir "$group" 2>/dev/null || ! echo 400M 2>/dev/null >"$group/$limit"; then
    rmdir "$group" 2>/dev/null
    echo "passed over: group-memory (no control group may be made here)"
    return
  fi
  (echo "$BASHPID" >"$group/cgroup.procs" && train large --set model.qFormer.width=1024 \
    --set model.qFormer.heads=16 --set model.qFormer.layers=12 && echo "$status" >"$place/status")
  [ "$(cat "$place/status")" -eq 1 ] && grep -q 'of memory' "$place/said"
  verdict group-memory $? "400 MiB: $(last_line)"
  sleep 0.2
  rmdir "$group"
}

open_files() {
  local name source
  is_wanted open-files || return
  "$program" data pack Data/demo/heldout.jsonl --output "$place/packed" --shard-size 2 >/dev/null
  local mix=""
  for source in $(seq 1 20); do
    cp -r "$place/packed" "$place/shards-$source"
    mix+="{path: $place/shards-$source}, "
  done
  (ulimit -n 1024 && train open --set data.train.path=null --set "data.train.mix=[${mix%, }]" \
    --set training.steps=60 && echo "$status" >"$place/status")
  [ "$(cat "$place/status")" -eq 0 ] && ! grep -q 'skipped' "$place/said"
  verdict open-files-1024 $? "20 sources of 90 shards: $(last_line)"
  (ulimit -n 64 && "$program" data pack "$place/shards-1" --output "$place/again" >"$place/said" 2>&1
    echo $? >"$place/status")
  [ "$(cat "$place/status")" -eq 0 ] && grep -q 'packed 180 images' "$place/said" &&
    ! grep -q skipped "$place/said"
  verdict open-files-64 $? "data pack of 90 shards: $(last_line)"
}

signals() {
  local name number
  for name in INT TERM HUP USR1 USR2 XCPU; do
    is_wanted "signals-$name" || continue
    rm -rf "$place/s"
    # A shell ignores SIGINT for what it starts in the background; setsid's env -i does not undo it.
    perl -e '$SIG{INT} = "DEFAULT"; exec @ARGV' "$program" stage1 --config "$place/recipe.yaml" \
      --output "$place/s" --set training.steps=100000 --set training.accumulation=40 \
      >"$place/said" 2>&1 &
    number=$!
    wait_for 'step 2/' || true
    kill "-$name" $number
    wait $number
    status=$?
    [ "$status" -eq $((128 + $(kill -l "$name"))) ] && ls "$place"/s/step-*.h5 >/dev/null 2>&1 &&
      grep -q 'giving the present step up' "$place/said"
    verdict "signals-$name" $? "status $status: $(last_line)"
  done
  for name in HUP INT; do
    is_wanted "signals-$name-ignored" || continue
    rm -rf "$place/s"
    (trap '' $name && exec "$program" stage1 --config "$place/recipe.yaml" --output "$place/s" \
      --set training.steps=60) >"$place/said" 2>&1 &
    number=$!
    wait_for 'step 2/' || true
    kill "-$name" $number
    wait $number
    status=$?
    [ "$status" -eq 0 ] && grep -q '^done: ' "$place/said"
    verdict "signals-$name-ignored" $? "status $status: $(last_line)"
  done
}

# Waits until $place/said holds a text.
wait_for() {
  local tries
  for tries in $(seq 1 600); do
    grep -q "$1" "$place/said" 2>/dev/null && return 0
    sleep 0.05
  done
  return 1
}

streams() {
  is_wanted streams-closed && {
    (exec 0<&- 1>&- 2>&-; "$program" stage1 --config "$place/recipe.yaml" --output "$place/closed")
    status=$?
    [ "$status" -eq 0 ] && grep -Eq '^[0-9]+$' "$place/closed/.lock"
    verdict streams-closed $? "status $status, .lock holds $(head -c 40 "$place/closed/.lock")"
  }
  is_wanted streams-reader-gone && {
    "$program" stage1 --config "$place/recipe.yaml" --output "$place/gone" \
      --set training.steps=300 2>"$place/said" | head -n 2 >/dev/null
    grep -q 'Broken pipe' "$place/said" && ls "$place"/gone/step-*.h5 >/dev/null 2>&1
    verdict streams-reader-gone $? "$(last_line)"
  }
}

disk() {
  is_wanted disk || return
  mkdir -p "$place/tiny"
  if ! mount -t tmpfs -o size=24m tmpfs "$place/tiny" 2>/dev/null; then
    echo "passed over: disk (mounting a small disk takes root)"
    return
  fi
  mounted+=("$place/tiny")
  train tiny/large --set model.qFormer.width=384 --set model.qFormer.heads=12
  [ "$status" -eq 1 ] && grep -q 'checkpoints take .* are free' "$place/said"
  verdict disk-too-small $? "$(last_line)"
  # Full while the run goes on, and free again before it ends.
  "$program" stage1 --config "$place/recipe.yaml" --output "$place/tiny/run" \
    --set model.qFormer.width=16 --set model.qFormer.feedForwardWidth=32 \
    --set training.steps=4000 --set checkpoint.every=50 >"$place/said" 2>&1 &
  local number=$!
  wait_for 'step 20/'
  head -c 60m /dev/zero >"$place/tiny/filler" 2>/dev/null
  wait_for 'warning: .*the run goes on'
  rm -f "$place/tiny/filler"
  kill -TERM $number
  wait $number
  status=$?
  [ "$status" -eq 143 ] && grep -q 'warning: cannot write' "$place/said" &&
    ls "$place"/tiny/run/step-*.h5 >/dev/null 2>&1
  verdict disk-full-for-a-while $? "status $status: $(grep -m 1 warning "$place/said" | cut -c 1-90)"
}

folder() {
  is_wanted folder-removed || return
  "$program" stage1 --config "$place/recipe.yaml" --output "$place/removed" \
    --set training.steps=200 --set checkpoint.every=100 >"$place/said" 2>&1 &
  local number=$!
  wait_for 'step 20/'
  rm -rf "$place/removed"
  wait $number
  status=$?
  [ "$status" -eq 0 ] && ls "$place/removed/step-00000200.h5" >/dev/null 2>&1
  verdict folder-removed $? "status $status: $(grep -m 1 warning "$place/said" | cut -c 1-90)"
}

outputs() {
  is_wanted outputs || return
  train out
  local checkpoint="$place/out/step-00000003.h5" before
  before=$(sha256sum "$checkpoint")
  refuses outputs-embed embed --checkpoint "$checkpoint" --text cat --output "$checkpoint"
  refuses outputs-plot plot "$place/out" --output "$place/out/metrics.jsonl"
  refuses outputs-pack data pack Data/demo/heldout.jsonl --output "$place/out"
  refuses outputs-features features --config "$place/recipe.yaml" --output "$place/out"
  refuses outputs-run stage1 --config "$place/recipe.yaml" --output .
  refuses outputs-empty stage1 --config "$place/recipe.yaml" --output ""
  [ "$before" = "$(sha256sum "$checkpoint")" ]
  verdict outputs-untouched $? "$before"
  rm "$checkpoint"
  cp "$place/out/metrics.jsonl" "$place/numbers"
  train out
  [ "$status" -eq 0 ] && cmp -s "$place/numbers" "$place/out/metrics.jsonl.superseded"
  verdict outputs-numbers-set-aside $? "$(grep -m 1 'set aside' "$place/said" | cut -c 1-90)"
  mkdir "$place/linked"
  echo precious >"$place/victim"
  ln -s "$place/victim" "$place/linked/.lock"
  train linked
  [ "$(cat "$place/victim")" = precious ]
  verdict outputs-links $? "$(last_line)"
}

# Right if a command is refused with one error and a status that says so.
refuses() {
  local name=$1
  shift
  "$program" "$@" >"$place/said" 2>&1 </dev/null
  status=$?
  [ "$status" -ne 0 ] && grep -Eiq '^error: ' "$place/said"
  verdict "$name" $? "status $status: $(grep -Ei -m 1 '^error: ' "$place/said" | cut -c 1-90)"
}

resume() {
  is_wanted resume || return
  train r --set checkpoint.every=1 --set checkpoint.keep=9
  local file="$place/r/step-00000002.h5" form
  for form in "--resume=$file --max-steps 3" "--max-steps 3 --resume=$file" \
    "--resume $file --max-steps 3"; do
    # shellcheck disable=SC2086
    train r --set checkpoint.every=1 --set checkpoint.keep=9 $form
    grep -q "resumed from $file at step 2" "$place/said"
    verdict "resume-as-named" $? "${form//$place\//}"
  done
  refuses resume-of-nothing stage1 --config "$place/recipe.yaml" --output "$place/r" \
    --resume=nowhere.h5 --max-steps 3
}

sources() {
  is_wanted sources || return
  sed 's#images/#lost/#' Data/demo/heldout.jsonl >"$place/lost.jsonl"
  train lost --set "data.validation.path=$place/lost.jsonl"
  [ "$status" -eq 1 ] && grep -q '^error: data.validation.path: ' "$place/said" &&
    ! grep -q '^step ' "$place/said"
  verdict sources-touched-first $? "$(last_line)"
  BLIP2_THREADS=abc "$program" doctor >"$place/said" 2>&1
  status=$?
  [ "$status" -eq 1 ] && grep -q 'BLIP2_THREADS' "$place/said"
  verdict threads-refused $? "$(last_line)"
}

names() {
  is_wanted names || return
  mkdir "$place/names"
  local pictures=(Data/demo/images/*.webp) number=0 name
  # Two forms of é, a byte that is no UTF-8, another, and a plain one.
  for name in $'caf\xc3\xa9' $'cafe\xcc\x81' $'bad\xff' $'bad\xfe' plain; do
    cp "${pictures[$number]}" "$place/names/$name.webp"
    echo "picture number $number" >"$place/names/$name.txt"
    number=$((number + 1))
  done
  "$program" data pack "$place/names" --output "$place/named" >"$place/said" 2>&1
  grep -q 'packed 5 images' "$place/said"
  verdict names-in-a-folder $? "$(last_line)"
  "$program" data pack "$place/named" --output "$place/named-again" >"$place/said" 2>&1
  grep -q 'packed 5 images' "$place/said" && cmp -s "$place"/named/*.tar "$place"/named-again/*.tar
  verdict names-in-shards $? "$(last_line)"
  local checkpoint=Tests/Fixtures/run-0.1/stage1
  "$program" caption --checkpoint $checkpoint --image "$place"/names/*.webp >"$place/said" 2>&1
  status=$?
  [ "$status" -eq 0 ] && [ "$(grep -c $'\t' "$place/said")" -eq 5 ]
  verdict names-on-the-command-line $? "status $status: $(grep -a -m 1 xff "$place/said" | sed "s#$place/##")"
}

for group in addresses stack memory group_memory open_files signals streams disk folder outputs \
  resume sources names; do
  "$group"
done
echo
echo "$((tried - wrong)) of $tried right"
[ "$wrong" -eq 0 ]
