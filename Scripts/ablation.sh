#!/usr/bin/env bash
# The paper's ablation of stage 1's objectives (Li et al. 2023, Table 6) on a small scale: ITC alone,
# with ITM, and with ITG besides; three seeds each, equal steps, the same frozen features.
# Interrupted, it goes on where it was. Further arguments go to `blip2-train stage1`; with others, or
# another recipe, remove Checkpoints/ablation first.
set -euo pipefail
cd "$(dirname "$0")/.."

program=${BLIP2_TRAIN:-.build/release/blip2-train}
folder=Checkpoints/ablation
names=(itc itc+itm itc+itm+itg)
seeds=(1 2 3)
steps=$(sed -n 's/^  steps: //p' Configs/pretrained/ablation.yaml)
source Scripts/comparison.sh

objectives() {
  case $1 in
    itc) echo '{contrast: true, matching: false, generation: false}' ;;
    itc+itm) echo '{contrast: true, matching: true, generation: false}' ;;
    itc+itm+itg) echo '{contrast: true, matching: true, generation: true}' ;;
  esac
}

for seed in "${seeds[@]}"; do
  for name in "${names[@]}"; do
    bring_to_end "$folder/$name-$seed" "$steps" stage1 --config Configs/pretrained/ablation.yaml \
      --set "seed=$seed" --set "model.objectives=$(objectives "$name")" "$@"
  done
done

echo
echo "| objectives | ranked by | image → text R@1 | R@5 | R@10 | text → image R@1 | R@5 | R@10 |"
echo "|---|---|---|---|---|---|---|---|"
for name in "${names[@]}"; do
  for ranking in cosine reranked; do
    if [ "$name $ranking" = "itc reranked" ]; then continue; fi
    row="| $name | $ranking |"
    for way in imageToText textToImage; do
      for rank in 1 5 10; do row+=" $(summary "$folder/$name" "$ranking\\.$way\\.r$rank" 1) |"; done
    done
    echo "$row"
  done
done
