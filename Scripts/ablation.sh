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

objectives() {
  case $1 in
    itc) echo '{contrast: true, matching: false, generation: false}' ;;
    itc+itm) echo '{contrast: true, matching: true, generation: false}' ;;
    itc+itm+itg) echo '{contrast: true, matching: true, generation: true}' ;;
  esac
}

for seed in "${seeds[@]}"; do
  for name in "${names[@]}"; do
    output=$folder/$name-$seed
    if [ -f "$output/done" ]; then continue; fi
    resume=()
    if compgen -G "$output/step-*.h5" >/dev/null; then resume=(--resume); fi
    echo "== $name, seed $seed"
    "$program" stage1 --config Configs/pretrained/ablation.yaml --output "$output" "${resume[@]}" \
      --set "seed=$seed" --set "model.objectives=$(objectives "$name")" "$@"
    # A run that was paused goes on at the next call.
    if grep -q "\"step\":$steps,\"kind\":\"validation\"" "$output/metrics.jsonl"; then
      touch "$output/done"
    fi
  done
done

# The mean over the seeds of one number of the last validation, and how far the seeds lie apart.
summary() { # objectives, key
  for seed in "${seeds[@]}"; do
    # A number may be missing: that is a dash in the table, no error.
    { grep '"kind":"validation"' "$folder/$1-$seed/metrics.jsonl" || true; } | tail -n 1
  done | { grep -o "\"$2\":[0-9.]*" || true; } | cut -d: -f2 | awk '
    { sum += $1; if (NR == 1 || $1 < least) least = $1; if ($1 > most) most = $1 }
    END { if (NR) printf "%.1f (%.1f–%.1f)", sum / NR, least, most; else printf "–" }'
}

echo
echo "| objectives | ranked by | image → text R@1 | R@5 | R@10 | text → image R@1 | R@5 | R@10 |"
echo "|---|---|---|---|---|---|---|---|"
for name in "${names[@]}"; do
  for ranking in cosine reranked; do
    if [ "$name $ranking" = "itc reranked" ]; then continue; fi
    row="| $name | $ranking |"
    for way in imageToText textToImage; do
      for rank in 1 5 10; do row+=" $(summary "$name" "$ranking\\.$way\\.r$rank") |"; done
    done
    echo "$row"
  done
done
