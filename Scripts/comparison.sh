# What scripts that compare runs share; they source it. Needs `program` (blip2-train) and `seeds`.

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

# The mean over the seeds of one number of the last validation, and how far the seeds lie apart.
summary() { # folder without -SEED, key, digits
  for seed in "${seeds[@]}"; do
    # A number may be missing: that is a dash in the table, no error.
    { grep '"kind":"validation"' "$1-$seed/metrics.jsonl" || true; } | tail -n 1
  done | { grep -o "\"$2\":[0-9.e-]*" || true; } | cut -d: -f2 | awk -v "digits=$3" '
    { sum += $1; if (NR == 1 || $1 < least) least = $1; if (NR == 1 || $1 > most) most = $1 }
    END {
      number = "%." digits "f"
      if (NR) printf number " (" number "–" number ")", sum / NR, least, most; else printf "–"
    }'
}
