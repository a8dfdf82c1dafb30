#!/usr/bin/env bash
# Runs every command that README.md and Docs/ show (blocks of `sh`; lines of make and export are left out),
# in a folder with 60 images, each with its text, and with the shipped Configs and Data. Training is cut to 8 steps.
#   Scripts/check-docs.sh [PAGE...]
set -euo pipefail
cd "$(dirname "$0")/.."
root=$(pwd -P)
program=${PROGRAM:-$root/.build/release/blip2-train}
[ -x "$program" ] || { echo "error: $program is not there: make build" >&2; exit 1; }
pages=("$@")
[ $# -gt 0 ] || pages=(README.md Docs/*.md)

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/bin"
cat >"$work/bin/blip2-train" <<END
#!/usr/bin/env bash
case "\$1" in
  train | stage1 | stage2) set -- "\$@" --set training.steps=8 ;;
esac
exec "$program" "\$@"
END
chmod +x "$work/bin/blip2-train"
export PATH="$work/bin:$PATH"
# Open MPI runs for root, and more processes than processors, only if told so.
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1

# A folder for a page to work in.
prepare() { # folder
  mkdir -p "$1/my/images" "$1/runs" "$1/out"
  ln -s "$root/Configs" "$root/Data" "$1"
  head -n 60 Data/demo/heldout.jsonl |
    sed -n 's/.*"image": "images\/\([^"]*\)\.webp".*"caption": \[\{0,1\}"\([^"]*\)".*/\1 \2/p' |
    while read -r name text; do
      cp "Data/demo/images/$name.webp" "$1/my/images/$name.webp"
      printf '%s\n' "$text" >"$1/my/images/$name.txt"
    done
}

commands() { # page
  awk '/^```sh$/ { inside = 1; next } /^```/ { inside = 0 } inside && !/^(make|export) / && !/^#/ && NF' "$1"
}

for page in "${pages[@]}"; do
  folder=$work/$(basename "$page" .md)
  prepare "$folder"
  number=0
  while IFS= read -r command; do
    number=$((number + 1))
    if ! (cd "$folder" && bash -c "$command") >"$work/output" 2>&1 </dev/null; then
      printf 'error: %s: this command fails:\n  %s\n' "$page" "$command" >&2
      tail -n 20 "$work/output" >&2
      exit 1
    fi
  done < <(commands "$page")
  echo "$page: $number commands run"
done
