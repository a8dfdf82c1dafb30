#!/usr/bin/env bash
# How stage-1 steps of this program grow with the batch, the captions, the images and the threads:
# one of them at a time, in bf16. Prints a table in Markdown.
#
#   Benchmarks/scaling.sh [small] [base]
#
# small is MiniLM's size, base is BERT-base; without either, both run.
# Environment:
#   STEPS    counted steps of a run (2)
#   PROGRAM  default .build/release/blip2-train
# A batch that memory would not suffice for, by the two before it, is left out, and said so.
set -euo pipefail
cd "$(dirname "$0")/.."

program=${PROGRAM:-.build/release/blip2-train}
steps=${STEPS:-2}

fail() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

available() { awk '/^MemAvailable:/ { printf "%.2f", $2 / 1048576 }' /proc/meminfo; }

# One line of the table; leaves the peak memory in `peak`.
line() { # size, batch, caption tokens, feature vectors, threads
  local flags=() text=$3 mean=$3 label=$3 output
  [ "$1" = base ] || flags=(--small)
  # The captions of the other benchmarks.
  if [ "$text" = usual ]; then text=32 mean=12 label='about 12'; fi
  printf '== %s, batch %s, captions of %s, images of %s, %s threads\n' \
    "$1" "$2" "$label" "$4" "$5" >&2
  output=$(env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE "BLIP2_THREADS=$5" \
    "$program" bench stage1 "${flags[@]}" --precision bf16 --steps "$steps" --batch "$2" \
    --text "$text" --mean-text "$mean" --image-tokens "$4" </dev/null | tail -n 1)
  peak=$(sed -n 's/.*peak \([0-9.]*\) GiB.*/\1/p' <<<"$output")
  [ -n "$peak" ] || fail "no figures in $output"
  awk -v size="$1" -v batch="$2" -v text="$label" -v image="$4" -v threads="$5" '{
    printf "| %s | %s | %s | %s | %s | %.3f | %.4f | %s |\n", size, batch, text, image, threads,
      $2, $2 / batch, $(NF - 1)
  }' <<<"$output"
}

# Batches, as far as memory goes: what a sample needs is seen from the two batches before.
batches() { # size
  local batch before=0 last=0 needed free
  for batch in 4 8 16 32 64 128; do
    needed=$(awk -v a="$before" -v b="$last" 'BEGIN { printf "%.1f", a ? b + 2 * (b - a) : b }')
    free=$(available)
    if awk -v a="$needed" -v b="$free" 'BEGIN { exit !(a > b * 0.95) }'; then
      printf 'batch %s is left out: about %s GiB, %s are available\n' "$batch" "$needed" "$free" >&2
      return
    fi
    line "$1" "$batch" usual 257 "$processors"
    before=$last last=$peak
  done
}

[ -x "$program" ] || fail "no $program: run make build"
sizes=("$@")
[ $# -gt 0 ] || sizes=(small base)
for size in "${sizes[@]}"; do
  [[ $size =~ ^(small|base)$ ]] || fail "no size is called $size; there are: small base"
done
processors=$(nproc)

date '+%Y-%m-%d %H:%M'
machine=$("$program" bench images --count 1)
echo "${machine%%$'\n'*}"
echo
echo '| Q-Former | batch | caption tokens | feature vectors | threads | s/step | s/sample | peak GiB |'
echo '|---|---|---|---|---|---|---|---|'
for size in "${sizes[@]}"; do
  batches "$size"
  # Lengths lie at most a few tokens below the longest.
  for text in 8 16 24 32; do line "$size" 16 "$text" 257 "$processors"; done
  for image in 50 257 677; do line "$size" 16 usual "$image" "$processors"; done
  for threads in 1 $(((processors > 1) * processors)); do
    [ "$threads" -eq 0 ] || line "$size" 16 usual 257 "$threads"
  done
done
