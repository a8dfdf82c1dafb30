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
names=(with without)
seeds=(1 2 3)
steps=$(sed -n 's/^  steps: //p' $recipe)

start() {
  case $1 in
    with) ;;
    without) echo "--set stage1.checkpoint=none --set initialise.bert=Data/pretrained/minilm" ;;
  esac
}

for seed in "${seeds[@]}"; do
  for name in "${names[@]}"; do
    output=$folder/$name-$seed
    if [ -f "$output/done" ]; then continue; fi
    resume=()
    if compgen -G "$output/step-*.h5" >/dev/null; then resume=(--resume); fi
    echo "== $name stage 1, seed $seed"
    # The words of `start` are options without blanks.
    # shellcheck disable=SC2046
    "$program" stage2 --llm llama --config $recipe --output "$output" "${resume[@]}" \
      --set "seed=$seed" $(start "$name") "$@"
    # A run that was paused goes on at the next call.
    if grep -q "\"step\":$steps,\"kind\":\"validation\"" "$output/metrics.jsonl"; then
      touch "$output/done"
    fi
  done
done

# The mean over the seeds of one number of the last validation, and how far the seeds lie apart.
summary() { # start, key
  for seed in "${seeds[@]}"; do
    # A number may be missing: that is a dash in the table, no error.
    { grep '"kind":"validation"' "$folder/$1-$seed/metrics.jsonl" || true; } | tail -n 1
  done | { grep -o "\"$2\":[0-9.e-]*" || true; } | cut -d: -f2 | awk '
    { sum += $1; if (NR == 1 || $1 < least) least = $1; if (NR == 1 || $1 > most) most = $1 }
    END { if (NR) printf "%.3f (%.3f–%.3f)", sum / NR, least, most; else printf "–" }'
}

echo
echo "| stage 1 | held-out loss | BLEU-1 | BLEU-4 | ROUGE-L | CIDEr |"
echo "|---|---|---|---|---|---|"
for name in "${names[@]}"; do
  row="| $name |"
  for key in lm bleu1 bleu4 rougeL cider; do row+=" $(summary "$name" "$key") |"; done
  echo "$row"
done
