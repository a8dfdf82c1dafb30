#!/usr/bin/env bash
# How far an image encoder's features in bf16 and int8 are from those in float32, on real weights and
# images: the recipe's layer, 380 images of Data/make-pretrained.sh, features as they are kept
# (bfloat16). Prints the relative error over all features and the cosines of the tokens.
set -euo pipefail
cd "$(dirname "$0")/.."
program=${PROGRAM:-.build/release/blip2-train}
recipe=${1:-Configs/pretrained/emoji.yaml}
Data/make-pretrained.sh
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
for precision in fp32 bf16 int8; do
  "$program" features --config "$recipe" --output "$folder/$precision" --set vision.views=1 \
    --set data.train.path=Data/pretrained/heldout.jsonl --set data.validation.path=null \
    --set vision.precision=$precision >&2
done
.venv-pretrained/bin/python - "$folder" <<'PYTHON'
import glob, json, struct, sys
import numpy

def features(precision):
    """Kept features as float32, [tokens of all images, width]."""
    (path,) = glob.glob(f"{sys.argv[1]}/{precision}/*.safetensors")
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))["features"]
        begin, end = header["data_offsets"]
        file.seek(8 + length + begin)
        halves = numpy.frombuffer(file.read(end - begin), "<u2")
    return (halves.astype("<u4") << 16).view("<f4").reshape(-1, header["shape"][-1])

exact = features("fp32").astype("f8")
for precision in ["bf16", "int8"]:
    other = features(precision).astype("f8")
    error = numpy.linalg.norm(other - exact) / numpy.linalg.norm(exact)
    cosines = (exact * other).sum(1) / numpy.sqrt((exact**2).sum(1) * (other**2).sum(1))
    print(
        f"{precision}: relative error {error:.4f}, cosine of a token: mean {cosines.mean():.5f}, "
        f"1st percentile {numpy.percentile(cosines, 1):.5f}, least {cosines.min():.5f}")
PYTHON
