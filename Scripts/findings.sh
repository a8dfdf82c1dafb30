#!/usr/bin/env bash
# The findings of the BLIP-2 paper on the demo's scenes, three seeds each, a table for each question:
#
#   objectives  what ITC, ITM and ITG bring to retrieval (Li et al. 2023, Table 6)
#   stage1      stage 2 with and without stage 1, before OPT and T5 (Figure 5)
#   queries     1, 8 or 32 queries
#   negatives   hard negatives for matching, or random ones
#   gradients   in the contrastive loss, gradient through negatives as well, or not
#
# Scripts/findings.sh [QUESTION ...] answers those, or all. Runs lie in Checkpoints/findings and are
# shared by the questions; interrupted, it goes on where it was. After a change of the demo's recipes
# or data remove that folder.
set -euo pipefail
cd "$(dirname "$0")/.."

program=${BLIP2_TRAIN:-.build/release/blip2-train}
report=${DEMO_REPORT:-.build/release/demo-report}
folder=Checkpoints/findings
hard=Data/demo/heldout-hard.jsonl
seeds=(1 2 3)
# The Q-Former of Configs/demo/stage1.yaml, for what does not take it from a run of that.
qFormer="{width: 192, layers: 4, heads: 8, feedForwardWidth: 768, queries: 8, dropout: 0,
  initialDeviation: 0.07}"
steps1=$(sed -n 's/^  steps: //p' Configs/demo/stage1.yaml)
steps2=$(sed -n 's/^  steps: //p' Configs/demo/stage2.yaml)

# Brings a run to its end, from where it was; a run that was paused goes on at the next call.
bring_to_end() { # output folder, steps, command and options of the program
  local output=$1 steps=$2 resume=()
  shift 2
  if [ -f "$output/done" ]; then return; fi
  if compgen -G "$output/step-*.h5" >/dev/null; then resume=(--resume); fi
  echo "== $output"
  "$program" "$@" --output "$output" "${resume[@]}"
  if grep -q "\"step\":$steps,\"kind\":\"validation\"" "$output/metrics.jsonl"; then
    touch "$output/done"
  fi
}

# Stage 1 with three seeds, and what each makes of the hard list.
stage1() { # name, settings
  local name=$1 seed run
  shift
  for seed in "${seeds[@]}"; do
    run=$folder/$name-$seed
    bring_to_end "$run" "$steps1" stage1 --config Configs/demo/stage1.yaml --set "seed=$seed" "$@"
    if [ -s "$run/groups.json" ]; then continue; fi
    "$program" evaluate retrieval --checkpoint "$run" --set data.validation.path=$hard \
      --answers "$run/hard.jsonl" --force --json >"$run/hard.json"
    "$report" hard "$run/hard.jsonl" --data $hard --json >"$run/groups.json"
  done
}

# Stage 2 from stage-1 runs of the same seeds, or from none, and what its captions say.
stage2() { # name, family of the language model, name of the stage-1 runs or none, steps, settings
  local name=$1 family=$2 first=$3 steps=$4 seed run start settings=()
  shift 4
  # T5 learns at a lower rate, and whole captions: it could go on from nothing with a question as well.
  if [ "$family" = t5 ]; then
    settings=(--set model.objective.prefix=none --set training.clipNorm=1
      --set training.learningRate.peak=3.0e-4 --set training.learningRate.warmupSteps=300)
  fi
  for seed in "${seeds[@]}"; do
    run=$folder/$name-$seed start=none
    local sizes=()
    if [ "$first" != none ]; then
      start=$folder/$first-$seed
    else
      sizes=(--set "model.qFormer=$qFormer")
    fi
    bring_to_end "$run" "$steps" stage2 --llm "$family" --config Configs/demo/stage2.yaml \
      --set "seed=$seed" --set "stage1.checkpoint=$start" "${sizes[@]}" "${settings[@]}" "$@"
    if [ -s "$run/said.json" ]; then continue; fi
    "$program" evaluate caption --checkpoint "$run" --beams 1 --answers "$run/captions.jsonl" \
      --force --json >"$run/captions.json"
    "$report" captions "$run/captions.jsonl" --json >"$run/said.json"
  done
}

# A cell: the mean over the seeds (lowest–highest).
cell() { # name, file in the run's folder, key, digits
  local files=("${seeds[@]/#/$folder/$1-}")
  "$report" spread "$3" "${files[@]/%//$2}" --digits "${4:-1}"
}

# What retrieval is like, a row for each way of ranking.
retrieval_header() { # heading of the first column
  printf '\n| %s | ranked by | image → text R@1 | text → image R@1 | ITC | ITM |' "$1"
  printf ' hard list: text of four | image of four | whole groups |\n|---|---|---|---|---|---|---|---|---|\n'
}
retrieval_rows() { # heading, name
  local ranking
  for ranking in cosine reranked; do
    # Nothing ranks by matching where it was not trained.
    if [ "$ranking $(cell "$2" metrics.jsonl itm)" = "reranked –" ]; then continue; fi
    printf '| %s | %s |' "$1" "${ranking/reranked/ITM}"
    printf ' %s |' "$(cell "$2" metrics.jsonl $ranking.imageToText.r1)" \
      "$(cell "$2" metrics.jsonl $ranking.textToImage.r1)" \
      "$(cell "$2" metrics.jsonl itc 2)" "$(cell "$2" metrics.jsonl itm 3)" \
      "$(cell "$2" groups.json $ranking.imageToText)" \
      "$(cell "$2" groups.json $ranking.textToImage)" "$(cell "$2" groups.json $ranking.group)"
    printf '\n'
  done
}

objectives() {
  local only='generation: false}'
  stage1 itc --set "model.objectives={contrast: true, matching: false, $only"
  stage1 itc+itm --set "model.objectives={contrast: true, matching: true, $only"
  stage1 all
  retrieval_header objectives
  retrieval_rows ITC itc
  retrieval_rows "ITC + ITM" itc+itm
  retrieval_rows "ITC + ITM + ITG" all
}

label() { # family, or few
  if [ "$1" = few ]; then echo "OPT, 1,000 scenes"; else echo "${1^^}"; fi
}

stage1_matters() {
  local family first
  stage1 all
  for family in opt t5; do
    stage2 $family-with $family all "$steps2"
    stage2 $family-without $family none "$steps2"
  done
  # 4,000 scenes are enough for stage 2 alone; a quarter of them tells what stage 1 brings.
  local few=(--set data.train.path=Data/demo/train/scenes-00.tar --set training.steps=900)
  stage2 few-with opt all 900 "${few[@]}"
  stage2 few-without opt none 900 "${few[@]}"
  printf '\n| language model | stage 1 | held-out loss | captions right | objects right |'
  printf ' hallucinated objects | swapped relations | wrong numbers | CIDEr |\n'
  printf '|---|---|---|---|---|---|---|---|---|\n'
  for family in opt t5 few; do
    for first in with without; do
      printf '| %s | %s |' "$(label $family)" $first
      printf ' %s |' "$(cell $family-$first metrics.jsonl lm 2)" \
        "$(cell $family-$first said.json right)" "$(cell $family-$first said.json objectsRight)" \
        "$(cell $family-$first said.json hallucinatedObjects)" \
        "$(cell $family-$first said.json swappedRelations)" \
        "$(cell $family-$first said.json wrongNumbers)" \
        "$(cell $family-$first captions.json cider 2)"
      printf '\n'
    done
  done
}

queries() {
  stage1 queries-1 --set model.qFormer.queries=1
  stage1 all
  stage1 queries-32 --set model.qFormer.queries=32
  retrieval_header queries
  retrieval_rows 1 queries-1
  retrieval_rows 8 all
  retrieval_rows 32 queries-32
}

negatives() {
  stage1 all
  stage1 random --set model.hardNegatives=false
  retrieval_header negatives
  retrieval_rows hard all
  retrieval_rows random random
}

gradients() {
  stage1 all
  stage1 through --set model.gradientThroughNegatives=true
  retrieval_header "gradient through"
  retrieval_rows "the own pair" all
  retrieval_rows "negatives as well" through
}

if [ $# = 0 ]; then set -- objectives stage1 queries negatives gradients; fi
for question in "$@"; do
  case $question in
    objectives | queries | negatives | gradients) $question ;;
    stage1) stage1_matters ;;
    *)
      echo "$0: no question \"$question\": expected objectives, stage1, queries, negatives, gradients" >&2
      exit 64
      ;;
  esac
done
