#!/usr/bin/env bash
# Makes the virtual environment .venv-peer with what the PyTorch side of the comparison needs
# (about 4 GB). Does nothing, and asks the network nothing, when all is there.
set -euo pipefail
cd "$(dirname "$0")/.."

folder=.venv-peer
list=Benchmarks/peers/requirements.txt

if cmp -s "$list" "$folder/requirements.txt"; then exit 0; fi
python3 -c 'import ensurepip, venv' 2>/dev/null || Scripts/setup.sh python3 python3-venv
python3 -m venv "$folder"
"$folder/bin/python" -m pip install --disable-pip-version-check -r "$list"
cp "$list" "$folder/requirements.txt"
