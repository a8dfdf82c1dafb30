#!/usr/bin/env bash
# Exports checkpoints and holds what Hugging Face's transformers makes of the folders against this program's own
# answers: greedy and 5-beam texts (stage 2), contrastive and matching scores (stage 1). What transformers saves
# then comes back in as the numbers that went out, and the snippets of Checkpoints/README.md are run. Goldens, imported
# and exported, give transformers' own logits and tokens.
#   Scripts/check-export.sh [CHECKPOINT...]
# Without arguments: the goldens, and the runs of make demo as far as they are there. PyTorch and transformers are
# installed from PyPI into .venv-export at the first call (about 4 GB).
set -euo pipefail
cd "$(dirname "$0")/.."

packages="torch==2.15.0 transformers==5.24.0 pillow==11.3.0 sentencepiece==0.2.3 protobuf==7.36.2 h5py==3.16.0"
folder=.venv-export
program=${PROGRAM:-$PWD/.build/release/blip2-train}
[ -x "$program" ] || { echo "error: $program is not there: make build" >&2; exit 1; }

checkpoints=("$@")
if [ $# -eq 0 ]; then
  for run in Tests/Goldens/blip2-*-complete Checkpoints/demo-stage1 Checkpoints/demo-stage2-opt Checkpoints/demo-stage2-t5; do
    if [ -d "$run" ]; then checkpoints+=("$run"); fi
  done
fi

if [ "$(cat "$folder/packages" 2>/dev/null)" != "$packages" ]; then
  python3 -m venv "$folder"
  # shellcheck disable=SC2086
  "$folder/bin/pip" install --quiet --disable-pip-version-check $packages
  echo "$packages" >"$folder/packages"
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export HF_HUB_OFFLINE=1 TRANSFORMERS_VERBOSITY=error
for checkpoint in "${checkpoints[@]}"; do
  echo "$checkpoint"
  "$folder/bin/python" Scripts/check-export.py "$program" "$checkpoint" "$work"
done
