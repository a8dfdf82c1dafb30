#!/usr/bin/env bash
# Reads a run's event files with TensorBoard's own reader and prints what it finds there.
#   Scripts/check-tensorboard.sh Checkpoints/demo-stage1/tensorboard
# The reader is installed from PyPI into .venv-tensorboard at the first call.
set -euo pipefail
cd "$(dirname "$0")/.."

version=2.21.0
folder=.venv-tensorboard

if [ $# -ne 1 ] || [ ! -d "$1" ]; then
  echo "usage: Scripts/check-tensorboard.sh FOLDER, where events.out.tfevents.* files lie" >&2
  exit 64
fi
if [ "$(cat "$folder/version" 2>/dev/null)" != "$version" ]; then
  python3 -m venv "$folder"
  "$folder/bin/pip" install --quiet --disable-pip-version-check "tensorboard==$version" pillow
  echo "$version" >"$folder/version"
fi

events=$1
if [ -d "$1/tensorboard" ]; then events=$1/tensorboard; fi

exec "$folder/bin/python" - "$events" <<'PYTHON'
import glob, io, os, sys

from PIL import Image
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
from tensorboard.backend.event_processing.plugin_event_accumulator import EventAccumulator
from tensorboard.util import tensor_util

folder = sys.argv[1]
files = sorted(glob.glob(os.path.join(folder, "events.out.tfevents.*")))
for file in files:
    # The loader holds every record against its checksums.
    events = list(EventFileLoader(file).Load())
    steps = [event.step for event in events]
    print(f"{os.path.basename(file)}: {len(events)} events, steps {min(steps)} to {max(steps)}")

# 0: all events are kept, none are drawn from many.
run = EventAccumulator(folder, size_guidance={"tensors": 0})
run.Reload()
scalars = 0
for tag in run.Tags()["tensors"]:
    kind = run.SummaryMetadata(tag).plugin_data.plugin_name
    values = [(value.step, tensor_util.make_ndarray(value.tensor_proto)) for value in run.Tensors(tag)]
    steps = [step for step, _ in values]
    order = "" if steps == sorted(set(steps)) else "  (steps out of order or twice)"
    if kind == "scalars":
        scalars += 1
        ends = [values[0], values[-1]] if len(values) > 1 else values
        text = ", ".join(f"{value.item():.6g} at step {step}" for step, value in ends)
        print(f"scalar {tag}: {len(values)} values: {text}{order}")
    elif kind == "images":
        for step, (width, height, *pictures) in values:
            for picture in pictures:
                size = Image.open(io.BytesIO(picture)).convert("RGB").size
                print(f"image {tag} at step {step}: {size[0]} x {size[1]} pixels")
                if size != (int(width), int(height)):
                    sys.exit("error: the event names another size")
    elif kind == "text":
        for step, rows in values:
            cells = "; ".join(": ".join(cell.decode() for cell in row) for row in rows)
            print(f"text {tag} at step {step}: {cells}")
if scalars == 0:
    sys.exit(f"error: TensorBoard finds no numbers in {folder}")
PYTHON
