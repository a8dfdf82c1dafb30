#!/usr/bin/env bash
# Installs the built program with what it looks for: vocabulary and recipes, completions for bash, zsh and fish,
# and man pages made from --help. `Scripts/install.sh --uninstall` takes all of it away.
#   PREFIX=/usr/local DESTDIR= Scripts/install.sh
set -euo pipefail
cd "$(dirname "$0")/.."
umask 022

prefix=${PREFIX:-/usr/local}
root=${DESTDIR:-}$prefix
program=.build/release/blip2-train
share=$root/share/blip2-train
man=$root/share/man/man1
completions=(
  bash "$root/share/bash-completion/completions/blip2-train"
  zsh "$root/share/zsh/site-functions/_blip2-train"
  fish "$root/share/fish/vendor_completions.d/blip2-train.fish"
)

if [ "${1:-}" = --uninstall ]; then
  rm -rf "$root/bin/blip2-train" "$share" "$man"/blip2-train.1 "$man"/blip2-train-*.1 \
    "${completions[1]}" "${completions[3]}" "${completions[5]}"
  echo "removed blip2-train from $root"
  exit 0
fi

[ -x "$program" ] || { echo "error: $program is not there: make build" >&2; exit 1; }
mkdir -p "$root" 2>/dev/null && [ -w "$root" ] ||
  { echo "error: $root cannot be written to: choose another (make install PREFIX=~/.local), or be root" >&2; exit 1; }

install -D -m 755 "$program" "$root/bin/blip2-train"
mkdir -p "$share/Data/demo"
cp -r Configs LICENSE "$share/"
cp -r Data/bert-vocabulary "$share/Data/"
cp -r Data/demo/encoder Data/demo/LICENSES "$share/Data/demo/"

for ((i = 0; i < ${#completions[@]}; i += 2)); do
  mkdir -p "$(dirname "${completions[i + 1]}")"
  "$program" --generate-completion-script "${completions[i]}" >"${completions[i + 1]}"
done

# The program's help in the words that help2man knows.
wrapper=$(mktemp)
trap 'rm -f "$wrapper"' EXIT
cat >"$wrapper" <<END
#!/usr/bin/env bash
"$PWD/$program" "\$@" | sed 's/^OVERVIEW: //; s/^USAGE:/Usage:/'
END
chmod +x "$wrapper"

# Subcommands: the first words below SUBCOMMANDS.
subcommands() { "$wrapper" $1 --help | awk '/^SUBCOMMANDS:/ { on = 1; next } on && /^  [a-z]/ { print $1 }'; }

page() { # words of the subcommand
  local name="blip2-train${1:+ $1}"
  help2man --no-info --section 1 --manual blip2-train --source "blip2-train $("$program" --version)" \
    --name "$("$wrapper" $1 --help | awk '!NF { exit } { printf "%s%s", sep, $0; sep = " " }')" \
    --version-string "$("$program" --version)" --help-option "${1:+$1 }--help" "$wrapper" |
    sed "s/$(basename "$wrapper")/$name/g; s/^\.TH [^ ]*/.TH $(tr ' a-z' '-A-Z' <<<"$name")/" >"$man/${name// /-}.1"
}

mkdir -p "$man"
if command -v help2man >/dev/null; then
  page ""
  for command in $(subcommands ""); do
    page "$command"
    for inner in $(subcommands "$command"); do page "$command $inner"; done
  done
else
  echo "note: without help2man no man pages (apt-get install help2man)" >&2
fi
echo "installed blip2-train in $root/bin"
