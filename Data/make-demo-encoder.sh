#!/usr/bin/env bash
# Makes Data/demo/encoder, the tiny image encoder of the demo: trains it with this project's own
# engine on the train scenes alone, then writes it as a float16 folder. About 40 minutes on two
# cores of an AMD EPYC (Zen 4). Run it in the repository, after make build.
set -euo pipefail
cd "$(dirname "$0")/.."

program=${BLIP2_TRAIN:-.build/release/blip2-train}
first=Checkpoints/demo-encoder
captions='model.objectives={contrast: false, matching: false, generation: true}'

# A run, from where it was, and then its encoder as a folder: output, options.
train() {
  local output=$1 resume=()
  shift
  if compgen -G "$output/step-*.h5" >/dev/null; then resume=(--resume); fi
  "$program" stage1 --output "$output" "${resume[@]}" "$@"
}
export_vision() { "$program" export vision --checkpoint "$1" --output "$2" --float16 --force; }

# All three objectives. The features of the result serve retrieval, but names lie in them folded up:
# a linear map reads 37 % of the names of things off the features where they lie.
train $first --config Configs/demo/encoder.yaml
export_vision $first $first-vision
# With a Q-Former that does little itself, and then captions alone: 77 %.
recipe=Configs/demo/encoder-captions.yaml
train $first-2 --config $recipe
export_vision $first-2 $first-2-vision
train $first-3 --config $recipe --set "$captions" --set training.steps=900 \
  --set initialise.checkpoint=$first-2 --set vision.path=$first-2-vision
export_vision $first-3 $first-3-vision
train $first-4 --config $recipe --set "$captions" --set training.steps=2600 \
  --set validation.every=650 --set initialise.checkpoint=$first-3 --set vision.path=$first-3-vision
export_vision $first-4 Data/demo/encoder
