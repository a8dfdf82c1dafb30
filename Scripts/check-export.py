"""Holds an exported checkpoint against the program that wrote it; see check-export.sh, which calls this.

  check-export.py PROGRAM CHECKPOINT FOLDER

The checkpoint may also be a folder of Tests/Goldens that has cases.json.
"""

import json
import os
import re
import shutil
import subprocess
import sys

import h5py
import numpy
import torch
from PIL import Image
from safetensors import safe_open
from safetensors.torch import load_file
from transformers import AutoProcessor, Blip2ForConditionalGeneration, Blip2ForImageTextRetrieval
from transformers.utils import logging

program, checkpoint, work = sys.argv[1:4]
# Everything in float32: what is multiplied in fewer bits gives other numbers.
EXACT = [word for key in ["precision=fp32", "vision.precision=null", "vision.cache=false"]
         for word in ("--set", key)]
IMAGES = 6
NEW_TOKENS = 24
failures = 0
logging.disable_progress_bar()


def run(*arguments):
    result = subprocess.run([program, *arguments], capture_output=True, text=True)
    if result.returncode:
        sys.exit(f"error: {program} {' '.join(arguments)}\n{result.stderr}")
    return result.stdout


def expect(name, is_right, detail=""):
    global failures
    failures += not is_right
    print(f"  {'ok   ' if is_right else 'FAIL '} {name}{': ' + detail if detail else ''}")


def compare(name, found, expected):
    """The largest difference, against 1e-4 of the largest expected number."""
    found, expected = numpy.asarray(found), numpy.asarray(expected)
    scale = float(abs(expected).max())
    worst = float(abs(found - expected).max())
    expect(name, worst <= 1e-4 * scale, f"{found.size} numbers, largest difference {worst:.1e} of {scale:.3g}")


def pictures():
    """Held-out images as PNG, which all programs decode alike, with their captions."""
    samples = []
    with open("Data/demo/heldout.jsonl") as lines:
        for number, line in zip(range(IMAGES), lines):
            entry = json.loads(line)
            path = os.path.join(work, f"picture-{number}.png")
            Image.open(os.path.join("Data/demo", entry["image"])).convert("RGB").save(path)
            caption = entry["caption"]
            samples.append((path, caption if isinstance(caption, str) else caption[0]))
    return samples


def check_texts(folder, samples):
    processor = AutoProcessor.from_pretrained(folder)
    model = Blip2ForConditionalGeneration.from_pretrained(folder, dtype=torch.float32).eval()
    paths = [path for path, _ in samples]
    for beams in (1, 5):
        lines = run("generate", "--checkpoint", checkpoint, "--image", *paths, "--beams", str(beams),
                    "--max-new-tokens", str(NEW_TOKENS), "--json", *EXACT).splitlines()
        expected = [json.loads(line)["texts"][0] for line in lines]
        found = []
        for path in paths:
            inputs = processor(images=Image.open(path), text="", return_tensors="pt")
            tokens = model.generate(**inputs, num_beams=beams, do_sample=False, max_new_tokens=NEW_TOKENS)
            found.append(processor.batch_decode(tokens, skip_special_tokens=True)[0].strip())
        name = "greedy texts" if beams == 1 else f"texts of {beams} beams"
        expect(name, found == expected, f"{found[0]!r} for {expected[0]!r}, and {len(found) - 1} more")
    return model, processor


def check_scores(folder, samples):
    processor = AutoProcessor.from_pretrained(folder)
    model = Blip2ForImageTextRetrieval.from_pretrained(folder, dtype=torch.float32).eval()
    listed = os.path.join(work, "pairs.jsonl")
    with open(listed, "w") as lines:
        for path, caption in samples:
            lines.write(json.dumps({"image": path, "caption": caption}) + "\n")
    answers = os.path.join(work, "answers.jsonl")
    run("evaluate", "retrieval", "--checkpoint", checkpoint, "--answers", answers, *EXACT,
        "--set", f"data.validation.path={listed}")
    ours = {}
    for line in open(answers):
        entry = json.loads(line)
        if "image" in entry:
            for text in entry["ranked"]:
                # The score is the match logit and the cosine together.
                ours[entry["image"], text["text"]] = (text["cosine"], text["score"] - text["cosine"])
    expected, found = [], []
    texts = [caption for _, caption in samples]
    for path, _ in samples:
        inputs = processor(images=[Image.open(path)] * len(texts), text=texts, padding=True, return_tensors="pt")
        with torch.no_grad():
            cosines = model(**inputs).logits_per_image[0]
            matches = model(**inputs, use_image_text_matching_head=True).logits_per_image[:, 1]
        for text, cosine, match in zip(texts, cosines.tolist(), matches.tolist()):
            found.append((cosine, match))
            expected.append(next(value for (image, other), value in ours.items()
                                 if os.path.basename(image) == os.path.basename(path) and other == text))
    found, expected = numpy.array(found), numpy.array(expected)
    compare("contrastive scores", found[:, 0], expected[:, 0])
    compare("matching scores", found[:, 1], expected[:, 1])
    return model, processor


def trained(path):
    arrays = {}
    with h5py.File(path) as file:
        file["model"].visititems(
            lambda name, item: arrays.update({name: item[()]}) if isinstance(item, h5py.Dataset) else None)
    return arrays


def check_return(model, processor, original, left_out):
    """What transformers saves, imported, holds the numbers that were exported."""
    saved, imported = os.path.join(work, "saved"), os.path.join(work, "imported.h5")
    shutil.rmtree(saved, ignore_errors=True)
    model.save_pretrained(saved)
    processor.save_pretrained(saved)
    run("import", saved, "--output", imported, "--force")
    before, after = trained(original), trained(imported)
    names = {name for name in before if not name.startswith(left_out)}
    expect("what transformers saves comes back", names <= set(after)
           and all(numpy.array_equal(before[name], after[name]) for name in names), f"{len(names)} arrays")


def check_snippets(folder, original):
    """The Python of Checkpoints/README.md, in a folder that has what it speaks of."""
    place = os.path.join(work, "snippets")
    os.makedirs(place)
    shutil.copy(original, os.path.join(place, "step-00000040.h5"))
    shutil.copy(os.path.join(work, "picture-0.png"), os.path.join(place, "photo.png"))
    os.symlink(os.path.abspath(folder), os.path.join(place, "exported"))
    with open("Checkpoints/README.md") as page:
        snippets = re.findall(r"^```python\n(.*?)^```", page.read(), re.M | re.S)
    for snippet in snippets:
        result = subprocess.run([sys.executable, "-c", snippet, "step-00000040.h5"], cwd=place,
                                capture_output=True, text=True)
        first = snippet.strip().splitlines()[0]
        expect(f"snippet {first!r}", result.returncode == 0, (result.stdout or result.stderr).strip()[-200:])


def check_golden(golden):
    """A folder that transformers saved, imported and exported, gives the logits and tokens that it gave."""
    checkpoint, folder = os.path.join(work, "golden.h5"), os.path.join(work, "golden")
    run("import", golden, "--output", checkpoint, "--force")
    run("export", checkpoint, "--format", "huggingface", "--output", folder, "--force")
    model = Blip2ForConditionalGeneration.from_pretrained(folder, dtype=torch.float32).eval()
    processor = AutoProcessor.from_pretrained(folder)
    cases = json.load(open(os.path.join(golden, "cases.json")))
    number = {}
    expected, found, ids, tokens = [], [], [], []
    with safe_open(os.path.join(golden, "golden.safetensors"), "pt") as values:
        for case in cases["cases"]:
            picture = case["picture"].removesuffix(".png")
            place = number[picture] = number.get(picture, -1) + 1
            image = Image.open(os.path.join(golden, case["picture"]))
            text = processor(images=image, text=case["prompt"] or "", return_tensors="pt")
            ids.append(text["input_ids"][0].tolist() == case["input_ids"])
            inputs = dict(text, pixel_values=values.get_tensor(f"outputs/pixel_values/{picture}"))
            for name, beams in (("greedy", 1), ("beam3", 3)):
                result = model.generate(**inputs, num_beams=beams, do_sample=False, return_dict_in_generate=True,
                                        output_logits=True, max_new_tokens=cases["max_new_tokens"])
                new = result.sequences[0].tolist()[-len(case[name]["new_ids"]):]
                tokens.append(new == case[name]["new_ids"])
                if beams == 1:
                    found.append(result.logits[0][0].numpy())
                    expected.append(values.get_tensor(f"outputs/first_logits/{picture}/{place}")[0].numpy())
    compare("first logits", found, expected)
    expect("tokens of prompts", all(ids), f"{len(ids)} prompts")
    expect("greedy and 3-beam tokens", all(tokens), f"{len(tokens)} answers")


def main():
    if os.path.exists(os.path.join(checkpoint, "cases.json")):
        check_golden(checkpoint)
    else:
        check_checkpoint()
    if failures:
        sys.exit(f"error: {failures} of these checks failed")


def check_checkpoint():
    description = json.loads(run("inspect", checkpoint, "--json"))
    folder = os.path.join(work, "exported")
    shutil.rmtree(folder, ignore_errors=True)
    run("export", checkpoint, "--format", "huggingface", "--output", folder)
    authors = os.path.join(work, "authors")
    shutil.rmtree(authors, ignore_errors=True)
    run("export", checkpoint, "--format", "lavis", "--output", authors)
    samples = pictures()
    is_first = description["kind"] == "stage1"
    model, processor = (check_scores if is_first else check_texts)(folder, samples)

    state = torch.load(os.path.join(authors, "checkpoint.pth"), weights_only=True)["model"]
    same = load_file(os.path.join(authors, "checkpoint.safetensors"))
    arrays = trained(description["file"])
    values = sum(array.size for name, array in arrays.items() if not name.startswith("vision/"))
    expect("the authors' files", state.keys() == same.keys()
           and all(torch.equal(state[name], same[name]) for name in state)
           and values == sum(tensor.numel() for name, tensor in state.items()
                             if not name.startswith("visual_encoder.")), f"{len(state)} tensors")

    # Retrieval has no place for these; an encoder that was trained comes back as a part of the folder.
    left_out = ("temperature", "languageHead/", "vision/")
    check_return(model, processor, description["file"], left_out)
    if not is_first:
        check_snippets(folder, description["file"])
        shutil.rmtree(os.path.join(work, "snippets"))


main()
