#!/usr/bin/env bash
# The paper's question whether stage 1 matters (Li et al. 2023, Figure 5) on a small scale: stage 2
# before SmolLM2-135M from the stage-1 run of `make demo-pretrained`, and from BERT's weights without
# stage 1; three seeds each, equal steps. Interrupted, it goes on where it was. Further arguments go to
# `blip2-train stage2`; with others, or another recipe, remove Checkpoints/figure5 first.
set -euo pipefail
cd "$(dirname "$0")/.."

program=${BLIP2_TRAIN:-.build/release/blip2-train}
recipe=Configs/pretrained/stage2.yaml
folder=Checkpoints/figure5
seeds=(1 2 3)
steps=$(sed -n 's/^  steps: //p' $recipe)
source Scripts/comparison.sh

for seed in "${seeds[@]}"; do
  common=(stage2 --llm llama --config $recipe --set "seed=$seed" "$@")
  bring_to_end $folder/with-"$seed" "$steps" "${common[@]}"
  bring_to_end $folder/without-"$seed" "$steps" "${common[@]}" \
    --set stage1.checkpoint=none --set initialise.bert=Data/pretrained/minilm
done

echo
echo "| stage 1 | held-out loss | ROUGE-L | CIDEr |"
echo "|---|---|---|---|"
for name in with without; do
  row="| $name | $(summary $folder/$name lm 2) |"
  for key in rougeL cider; do row+=" $(summary $folder/$name $key 3) |"; done
  echo "$row"
done
