#!/usr/bin/env bash
# Makes Data/demo/encoder, the tiny image encoder of the demo: draws 56,000 pictures of the train
# combinations, trains the encoder on them with this project's own engine, and writes it as a float16
# folder. About half an hour on two cores of an AMD EPYC (Zen 4). Run it in the repository, after make
# build, with the Debian packages fonts-noto-color-emoji and unicode-cldr-core. Python draws the pictures
# and is used here alone.
set -euo pipefail
cd "$(dirname "$0")/.."

program=${BLIP2_TRAIN:-.build/release/blip2-train}
run=Checkpoints/demo-encoder
pictures=Checkpoints/demo-encoder-data

# A run, from where it was: output, options.
train() {
  local output=$1 resume=()
  shift
  if compgen -G "$output/step-*.h5" >/dev/null; then resume=(--resume); fi
  "$program" stage1 --config Configs/demo/encoder.yaml --output "$output" "${resume[@]}" "$@"
}
export_vision() { "$program" export "$1" --parts vision --output "$2" --dtype fp16 --force; }

if [ ! -f $pictures/vocab.txt ]; then
  if [ ! -x .venv-encoder/bin/pip ]; then python3 -m venv --clear .venv-encoder; fi
  .venv-encoder/bin/pip install -q --disable-pip-version-check fonttools==4.68.0 Pillow==13.0.0
  .venv-encoder/bin/python Data/make-demo-scenes.py --encoder-scenes $pictures
fi
# Things place by place, so that what is where can be seen at all.
train $run
export_vision $run $run-vision
# Then scenes as well, read by a new Q-Former that can only add things up (feed-forward width 16): what
# the first one still unfolds, the encoder must now lay open itself.
train $run-scenes --set vision.path=$run-vision --set training.steps=5000 \
  --set model.qFormer.feedForwardWidth=16 --set seed=9 \
  --set data.train.path=null --set "data.train.mix=[{path: $pictures/things}, {path: $pictures/scenes}]"
export_vision $run-scenes Data/demo/encoder
