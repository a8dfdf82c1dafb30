#!/usr/bin/env bash
# Ends runs of both stages at random moments, goes on with them, and compares what comes out with runs
# that were never ended: weights and moments by h5diff, and the numbers of metrics.jsonl.
#   Scripts/check-kills.sh [KILLS] [SEED]   100 kills by default; a seed is drawn and printed
# BLIP2_TRAIN names another program than the one that `make build` makes.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1

program=${BLIP2_TRAIN:-$PWD/.build/release/blip2-train}
kills=${1:-100}
seed=${2:-$((SRANDOM % 32768))}
RANDOM=$seed
echo "seed $seed: Scripts/check-kills.sh $kills $seed draws the same moments"
steps=40
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT

write_recipe() { # stage, further YAML
  cat >"$place/$1.yaml" <<YAML
seed: 5
model:
  qFormer: {width: 48, layers: 2, heads: 2, feedForwardWidth: 96, queries: 4, maximumPositions: 64}
vision: {path: Data/demo/encoder}
data:
  train: {path: Data/demo/heldout.jsonl}
  validation: {path: $place/few.jsonl}
training: {steps: $steps, batchSize: 8, accumulation: 2, clipNorm: 1, learningRate: {warmupSteps: 5}}
checkpoint: {every: 7, keep: 2}
log: {every: 5}
$2
YAML
}
sed 's#images/#'"$PWD"'/Data/demo/images/#' Data/demo/heldout.jsonl | head -n 12 >"$place/few.jsonl"
write_recipe stage1 'validation: {every: 20, rerank: 4}'
write_recipe stage2 'validation: {every: 20, captions: 4, generation: {beams: 2, maximumNewTokens: 4}}
stage1: {checkpoint: none}
llm: {family: opt, path: "Data/demo/{llm}"}'

# What must be the same, of a run's metrics: all but times and memory.
numbers() { sed -E 's/,"([a-z]*[sS]econds|samplesPerSecond|peakMemory)":[^,}]*//g' "$1/metrics.jsonl"; }

run() { # stage, folder, further options
  "$program" "$1" --config "$place/$1.yaml" --output "$place/$2" "${@:3}" >>"$place/$2.log" 2>&1
}

for stage in stage1 stage2; do
  begin=$(date +%s%N)
  run $stage "$stage-whole" || { cat "$place/$stage-whole.log"; exit 1; }
  eval "took_$stage=$((($(date +%s%N) - begin) / 1000000))"
done

done_kills=0
round=0
failed=0
signals=(KILL KILL KILL TERM INT HUP USR1)
while [ "$done_kills" -lt "$kills" ]; do
  round=$((round + 1))
  stage=stage$((1 + round % 2))
  took=$(eval "echo \$took_$stage")
  folder="$stage-$round"
  moments=""
  status=1
  while [ "$status" -ne 0 ]; do
    resume=()
    compgen -G "$place/$folder/step-*.h5" >/dev/null && resume=(--resume)
    # After some kills the run may come to its end.
    if [ "$done_kills" -lt "$kills" ] && [ $((RANDOM % 4)) -ne 0 ]; then
      signal=${signals[$((RANDOM % ${#signals[@]}))]}
      moment=$((RANDOM * took / 32768))
      perl -e '$SIG{INT} = "DEFAULT"; exec @ARGV' "$program" $stage --config "$place/$stage.yaml" \
        --output "$place/$folder" "${resume[@]}" >>"$place/$folder.log" 2>&1 &
      number=$!
      sleep "$(printf '%d.%03d' $((moment / 1000)) $((moment % 1000)))"
      if kill "-$signal" $number 2>/dev/null; then
        done_kills=$((done_kills + 1))
        moments+=" $signal@${moment}ms"
      fi
      wait $number 2>/dev/null
      status=$?
    else
      run $stage "$folder" "${resume[@]}"
      status=$?
      if [ "$status" -ne 0 ]; then
        tail -n 3 "$place/$folder.log"
        failed=$((failed + 1))
        break
      fi
    fi
  done
  verdict=equal
  for group in /model /optimizer; do
    last=$(printf 'step-%08d.h5' $steps)
    h5diff "$place/$stage-whole/$last" "$place/$folder/$last" $group $group >/dev/null 2>&1 ||
      verdict="DIFFERENT in $group"
  done
  cmp -s <(numbers "$place/$stage-whole") <(numbers "$place/$folder") ||
    verdict="$verdict, metrics.jsonl DIFFERENT"
  [ "$verdict" = equal ] || failed=$((failed + 1))
  printf '%s  round %d, %s:%s\n' "$verdict" $round $stage "$moments"
  rm -rf "${place:?}/$folder"
done
echo
echo "$done_kills kills in $round runs, $failed of them not as if never ended"
[ "$failed" -eq 0 ]
