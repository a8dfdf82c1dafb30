#!/usr/bin/env bash
# The authors' published numbers beside this program's, for whoever has the real weights and COCO. It was
# never run where this project was made: weights and images could not be had there.
#   Scripts/check-public.sh FOLDER
# FOLDER holds COCO's images in val2014/, Karpathy's dataset_coco.json, and what of these there is (Hugging Face's
# folders of Salesforce's models): blip2-itm-vit-g-coco, blip2-opt-2.7b-coco, blip2-flan-t5-xl-coco, blip2-opt-2.7b;
# for the last, VQAv2's v2_OpenEnded_mscoco_val2014_questions.json and v2_mscoco_val2014_annotations.json too.
# Rows are Li et al. 2023, tables 2 (VQA), 3 (captions) and 5 (retrieval). A whole row takes days on a
# processor: IMAGES=200 takes the first 200 images of the test split, whose recalls are higher, the fewer they are.
# Python makes the list of the test split.
set -euo pipefail
cd "$(dirname "$0")/.."

program=${BLIP2_TRAIN:-$PWD/.build/release/blip2-train}
[ -x "$program" ] || { echo "error: $program is not there: make build" >&2; exit 1; }
[ $# -eq 1 ] && [ -d "$1" ] || { echo "usage: Scripts/check-public.sh FOLDER" >&2; exit 64; }
folder=$(cd "$1" && pwd)
[ -f "$folder/dataset_coco.json" ] || { echo "error: $folder/dataset_coco.json is not there" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

python3 - "$folder" "$work/test.jsonl" "${IMAGES:-5000}" <<'END'
import json, sys
folder, output, most = sys.argv[1], sys.argv[2], int(sys.argv[3])
images = json.load(open(f"{folder}/dataset_coco.json"))["images"]
test = [image for image in images if image["split"] == "test"][:most]
with open(output, "w") as list:
    for image in test:
        path = f"{folder}/{image['filepath']}/{image['filename']}"
        captions = [sentence["raw"] for sentence in image["sentences"]]
        print(json.dumps({"image": path, "caption": captions[:5]}), file=list)
END

# What is published, then what the program says.
published() { echo; echo "$1"; echo "  published: $2"; }

model=$folder/blip2-itm-vit-g-coco
if [ -d "$model" ]; then
  published "retrieval, COCO 5K test" \
    "image → text R@1/5/10 85.4 97.0 98.5, text → image 68.3 87.7 92.6 (re-ranked, k = 128)"
  "$program" evaluate retrieval --checkpoint "$model" \
    --set data.validation.path="$work/test.jsonl" --set validation.rerank=128
fi
for row in "blip2-opt-2.7b-coco|BLEU-4 43.7, CIDEr 145.8" "blip2-flan-t5-xl-coco|BLEU-4 42.4, CIDEr 144.5"; do
  model=$folder/${row%%|*}
  [ -d "$model" ] || continue
  published "captions, COCO test, ${row%%|*}" "${row#*|}"
  "$program" evaluate caption --checkpoint "$model" --data "$work/test.jsonl" \
    --prompt "a photo of" --beams 5 --min-new-tokens 8 --max-new-tokens 30
done
model=$folder/blip2-opt-2.7b
questions=$folder/v2_OpenEnded_mscoco_val2014_questions.json
if [ -d "$model" ] && [ -f "$questions" ]; then
  published "VQAv2 val, zero-shot, blip2-opt-2.7b" "accuracy 53.5 %"
  "$program" evaluate vqa --checkpoint "$model" --questions "$questions" \
    --annotations "$folder/v2_mscoco_val2014_annotations.json" --images "$folder/val2014" \
    --prompt "Question: {} Short answer:" --beams 5 --max-new-tokens 10 --length-penalty=-1
fi
