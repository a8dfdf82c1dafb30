#!/usr/bin/env bash
# Measures this program beside PyTorch, in turn, and prints a table in Markdown.
#
#   Benchmarks/compare.sh [ROW ...]
#
# ROW is part of a row's name: stage1 takes three rows, opt takes one; without any, all run.
# Environment:
#   PEER_PYTHON  the Python that has PyTorch (.venv-peer/bin/python); where there is no such
#                program, as with "none", this program is measured alone
#   ROUNDS       how often each side runs (3); the median of the rounds counts
#   STEPS        counted steps of a run (3); the median of the steps counts
#   IMAGES       images of a round of the image pipeline (300)
#   THREADS      threads of each side (as many as there are processors)
#   PROGRAM      default .build/release/blip2-train
# What every run said goes to .build/bench/; an interrupted measurement prints what it has.
set -euo pipefail
cd "$(dirname "$0")/.."

program=${PROGRAM:-.build/release/blip2-train}
peer=${PEER_PYTHON:-.venv-peer/bin/python}
rounds=${ROUNDS:-3} steps=${STEPS:-3} images=${IMAGES:-300} threads=${THREADS:-$(nproc)}

# name | what it is | ratio that must be, ratio wanted | our options | the peer's
rows() {
  cat <<ROWS
stage1-fp32|stage 1, BERT-base, float32, batch 16|3|5|stage1 --batch 16 --precision fp32|stage1_torch.py --batch 16 --precision fp32
stage1-bf16|stage 1, BERT-base, bf16, batch 16|2.5|4|stage1 --batch 16 --precision bf16|stage1_torch.py --batch 16 --precision bf16
stage1-small|stage 1, MiniLM's sizes, bf16, batch 16|3|5|stage1 --small --batch 16 --precision bf16|stage1_torch.py --small --batch 16 --precision bf16
stage2-opt|stage 2, OPT-125M, bf16, batch 16|1.7|2.7|stage2 --llm opt-125m --batch 16 --precision bf16|stage2_torch.py --llm opt-125m --batch 16 --precision bf16
stage2-flan-t5|stage 2, Flan-T5-base, bf16, batch 16|1.4|1.9|stage2 --llm flan-t5-base --batch 16 --precision bf16|stage2_torch.py --llm flan-t5-base --batch 16 --precision bf16
stage2-smollm2|stage 2, SmolLM2-135M, bf16, batch 16|1.7|2.7|stage2 --llm smollm2-135m --batch 16 --precision bf16|stage2_torch.py --llm smollm2-135m --batch 16 --precision bf16
generate|generation, OPT-125M, bf16, one image, 30 tokens|1.8|2.7|generate --llm opt-125m --batch 1 --tokens 30 --precision bf16|stage2_torch.py --llm opt-125m --batch 1 --generate 30 --precision bf16
vision-vit-g|ViT-g forward, bf16, batch 4|1.2|1.5|vision --model vit-g --batch 4 --precision bf16|vision_torch.py --model vit-g --batch 4 --precision bf16
vision-dinov2-s|DINOv2-S forward, bf16, batch 8|1.6|2.5|vision --model dinov2-s --batch 8 --precision bf16|vision_torch.py --model dinov2-s --batch 8 --precision bf16
images|image pipeline, one core|1.3|2|images --count $images|images_torch.py $images
ROWS
}

fail() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# The rows whose names contain one of the words.
chosen() {
  rows | awk -F '|' -v words="$*" '
    BEGIN { count = split(words, word, " ") }
    { for (i = 1; i <= count; i++) if (index($1, word[i])) { print; next } }
    count == 0 { print }'
}

# Both sides without inherited settings of OpenBLAS, which slow some machines down.
clean=(env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE "BLIP2_THREADS=$threads")

# Runs one side, keeps what it says, and notes the numbers of its last line.
measure() { # row, side, round, command ...
  local row=$1 side=$2 round=$3 output=$folder/$1-$2-$3.log
  shift 3
  printf '== %s, %s, round %s\n' "$row" "$side" "$round" >&2
  "$@" >"$output" 2>"$output.errors" </dev/null || {
    cat "$output" "$output.errors" >&2
    fail "failed: $*"
  }
  tail -n 1 "$output" >&2
  awk -v OFS='\t' -v row="$row" -v side="$side" '
    { last = $0 }
    function number(pattern,    text) {
      if (!match(last, pattern)) return ""
      text = substr(last, RSTART, RLENGTH); gsub(/[^0-9.]/, "", text); return text
    }
    END {
      seconds = number("median [0-9.]+ s"); peak = number("peak [0-9.]+ GiB")
      rate = number("[0-9.]+ (images|tokens|samples)")
      if (!rate) exit 1
      unit = last ~ /tokens\/s/ ? "tokens/s" : last ~ /images\/s/ ? "images/s" : "s/step"
      print row, side, unit == "s/step" ? seconds : rate, unit, peak
    }' "$output" >>"$folder/numbers" || fail "no figures in the last line of $output"
}

table() {
  [ -s "$folder/numbers" ] || return 0
  echo
  date '+%Y-%m-%d %H:%M'
  head -n 1 "$(ls "$folder"/*-ours-1.log | head -n 1)"
  git describe --always --dirty 2>/dev/null | sed 's/^/blip2-train /' || true
  if [ -n "$peer" ]; then "${clean[@]}" "$peer" - 2>/dev/null <<'PYTHON' || true
from importlib.metadata import version
print(', '.join(f'{name} {version(name)}' for name in ('torch', 'transformers', 'pillow', 'torchvision')))
PYTHON
  fi
  echo "medians of $rounds rounds of $steps steps"
  echo
  rows | awk -F '|' '
    function median(key,    count, list, i, j, swap) {
      count = split(values[key], list, " ")
      for (i = 2; i <= count; i++)
        for (j = i; j > 1 && list[j - 1] + 0 > list[j] + 0; j--) {
          swap = list[j]; list[j] = list[j - 1]; list[j - 1] = swap
        }
      if (count % 2) return list[(count + 1) / 2]
      return count ? sprintf("%.3f", (list[count / 2] + list[count / 2 + 1]) / 2) : ""
    }
    function shown(name, side,    value, peak) {
      value = median(name side "value"); peak = median(name side "peak")
      if (value == "") return "–"
      return value " " unit[name] (peak == "" ? "" : ", " peak " GiB")
    }
    NR == FNR {
      split($0, field, "\t")
      values[field[1] field[2] "value"] = values[field[1] field[2] "value"] " " field[3]
      values[field[1] field[2] "peak"] = values[field[1] field[2] "peak"] " " field[5]
      unit[field[1]] = field[4]
      next
    }
    FNR == 1 {
      print "| work | this program | PyTorch | ratio | must / want | reached | memory |"
      print "|---|---|---|---|---|---|---|"
    }
    $1 in unit {
      ours = median($1 "ours" "value"); theirs = median($1 "peer" "value")
      ratio = memory = reached = "–"
      if (ours != "" && theirs != "") {
        speed = unit[$1] == "s/step" ? theirs / ours : ours / theirs
        ratio = sprintf("%.2f", speed)
        reached = speed >= $4 ? "want" : speed >= $3 ? "must" : "no"
      }
      mine = median($1 "ours" "peak"); other = median($1 "peer" "peak")
      if (mine != "" && other > 0) memory = sprintf("%.2f", mine / other)
      printf "| %s | %s | %s | %s | %s / %s | %s | %s |\n", $2, shown($1, "ours"),
        shown($1, "peer"), ratio, $3, $4, reached, memory
    }' "$folder/numbers" -
}

[ -x "$program" ] || fail "no $program: run make build"
[ -n "$(chosen "$@")" ] || fail "no row is called $*; there are: $(rows | cut -d '|' -f 1 | xargs)"
if [ "$peer" = none ] || [ ! -x "$peer" ]; then
  echo "this program alone; make bench PEER=1 installs PyTorch into .venv-peer and compares" >&2
  peer=
fi

folder=.build/bench/$(date +%Y%m%d-%H%M%S)
mkdir -p "$folder"
trap table EXIT
trap 'exit 130' INT TERM

chosen "$@" >"$folder/rows"
for round in $(seq "$rounds"); do
  while IFS='|' read -r name _ _ _ ours theirs; do
    read -ra options <<<"$ours"
    read -ra script <<<"$theirs"
    if [ "$name" != images ]; then
      options+=(--steps "$steps")
      script+=(--steps "$steps" --threads "$threads")
    fi
    measure "$name" ours "$round" "${clean[@]}" "$program" bench "${options[@]}"
    [ -z "$peer" ] ||
      measure "$name" peer "$round" "${clean[@]}" "$peer" "Benchmarks/peers/${script[0]}" \
        "${script[@]:1}"
  done <"$folder/rows"
done
