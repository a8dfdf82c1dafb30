#!/usr/bin/env bash
# Trains for a while and draws the run's memory, threads and open files: the lines are to be flat.
#   Scripts/check-endurance.sh [MINUTES] [OUTPUT.svg]   60 minutes, .build/endurance.svg
# The second half's means are held against the first half's after a warm-up of a tenth.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1

program=${BLIP2_TRAIN:-$PWD/.build/release/blip2-train}
minutes=${1:-60}
output=${2:-.build/endurance.svg}
place=$(mktemp -d)
trap 'kill "$number" 2>/dev/null; rm -rf "$place"' EXIT

# Both images and shards are read, features are not kept, validations and checkpoints come often.
"$program" data pack Data/demo/heldout.jsonl --output "$place/shards" --shard-size 8 >/dev/null
cat >"$place/recipe.yaml" <<YAML
model:
  qFormer: {width: 96, layers: 2, heads: 4, feedForwardWidth: 192, queries: 8, maximumPositions: 64}
vision: {path: Data/demo/encoder}
data:
  train: {mix: [{path: Data/demo/train.jsonl, weight: 4}, {path: $place/shards, weight: 1}]}
  validation: {path: Data/demo/heldout.jsonl}
training: {steps: 100000000, batchSize: 24, learningRate: {warmupSteps: 100}}
validation: {every: 400, rerank: 8}
checkpoint: {every: 150, keep: 2}
log: {every: 50}
YAML
"$program" stage1 --config "$place/recipe.yaml" --output "$place/run" >"$place/said" 2>&1 &
number=$!

mkdir -p "$place/drawn"
end=$((SECONDS + minutes * 60))
second=0
while [ $SECONDS -lt $end ] && kill -0 $number 2>/dev/null; do
  sleep 5
  second=$((second + 5))
  resident=$(awk '/VmRSS/ { print $2 / 1024 }' "/proc/$number/status" 2>/dev/null)
  threads=$(awk '/Threads/ { print $2 }' "/proc/$number/status" 2>/dev/null)
  files=$(ls "/proc/$number/fd" 2>/dev/null | wc -l)
  [ -n "$resident" ] || break
  # In the layout of a run's metrics, so that `plot` draws it; a step is a second.
  echo "{\"step\":$second,\"kind\":\"machine\",\"resident MiB\":$resident,\"threads\":$threads,\"open files\":$files}" \
    >>"$place/drawn/metrics.jsonl"
done
kill -TERM $number 2>/dev/null
wait $number
status=$?
if [ ! -s "$place/drawn/metrics.jsonl" ]; then
  cat "$place/said" >&2
  exit 1
fi
grep -E '^step ' "$place/said" | tail -n 1
"$program" plot "$place/drawn" --metric "machine/resident MiB" --metric machine/threads \
  --metric "machine/open files" --title "One run, $minutes minutes; a step is a second" --output "$output" --force
awk -F'[:,}]' -v status=$status '
  { resident[NR] = $6; threads[NR] = $8; files[NR] = $10 }
  END {
    first = int(NR / 10) + 1; half = int((first + NR) / 2); bad = status != 143
    for (i = first; i <= NR; i++) {
      half_of = i <= half ? 1 : 2; n[half_of]++
      sum["resident MiB", half_of] += resident[i]; sum["threads", half_of] += threads[i]
      sum["open files", half_of] += files[i]
    }
    split("resident MiB,threads,open files", names, ",")
    for (k = 1; k <= 3; k++) {
      a = sum[names[k], 1] / n[1]; b = sum[names[k], 2] / n[2]
      printf "%-13s %8.1f in the first half, %8.1f in the second (%+.1f %%)\n", names[k], a, b, (b / a - 1) * 100
      if (b > a * 1.02 + 0.5) bad = 1
    }
    print bad ? "NOT flat, or not ended as asked (status " status ")" : "flat"
    exit bad
  }' "$place/drawn/metrics.jsonl"
