#!/usr/bin/env bash
# Writes Benchmarks/reference: how the losses of the demo's two stages go over their first 60 steps, with
# five seeds each, for `blip2-train doctor --reference` and the test that holds new code against them.
# Stage 2 goes on from the stage-1 run of its own seed. About two minutes on two cores. To be run anew
# where the demo's data, weights or recipes change, or training is meant to go another way.
set -euo pipefail
cd "$(dirname "$0")/.."

program=${BLIP2_TRAIN:-.build/release/blip2-train}
runs=Checkpoints/reference
target=Benchmarks/reference
seeds=(1 2 3 4 5)
# Tests/RecipesTests/ReferenceCurveTests.swift trains with the same settings and another seed.
settings=(--max-steps 60 --set log.every=5 --set log.tensorBoard=false --set validation.every=0
  --set checkpoint.every=0)

mkdir -p "$runs" "$target"
stage1=() stage2=()
for seed in "${seeds[@]}"; do
  first=$runs/stage1-$seed second=$runs/stage2-opt-$seed
  # The curves of an earlier version would be taken for those of this one.
  rm -rf "$first" "$second"
  echo "== seed $seed"
  "$program" stage1 --config Configs/demo/stage1.yaml --output "$first" --set "seed=$seed" \
    "${settings[@]}"
  "$program" stage2 --llm opt --config Configs/demo/stage2.yaml --output "$second" \
    --set "seed=$seed" --set "stage1.checkpoint=$first" "${settings[@]}"
  stage1+=(--run "$first") stage2+=(--run "$second")
done
"$program" doctor "${stage1[@]}" --write-reference $target/demo-stage1.json
"$program" doctor "${stage2[@]}" --write-reference $target/demo-stage2-opt.json
