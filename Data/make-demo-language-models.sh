#!/usr/bin/env bash
# Makes the demo's language models, Data/demo/opt and Data/demo/t5: tokenizers by the public libraries,
# then weights from scratch by this project's own engine, both from what can be said of the train scenes
# alone (Checkpoints/demo-texts.jsonl). They ship with the repository, so this is only needed to make
# others. Python is used here alone.
set -euo pipefail
cd "$(dirname "$0")/.."

if [ ! -x .venv-language-models/bin/pip ]; then python3 -m venv --clear .venv-language-models; fi
.venv-language-models/bin/pip install -q --disable-pip-version-check \
  tokenizers==0.22.1 sentencepiece==0.2.1
mkdir -p Checkpoints
python3 Data/make-demo-scenes.py --texts Checkpoints/demo-texts.jsonl
.venv-language-models/bin/python Data/make-demo-tokenizers.py Checkpoints/demo-texts.jsonl
program=${BLIP2_TRAIN:-.build/release/blip2-train}
for family in opt t5; do
  resume=()
  if compgen -G "Checkpoints/demo-$family/step-*.h5" >/dev/null; then resume=(--resume); fi
  "$program" language-model --config "Configs/demo/$family.yaml" "${resume[@]}"
done
