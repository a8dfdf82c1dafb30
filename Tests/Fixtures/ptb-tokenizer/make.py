#!/usr/bin/env python3
"""Writes the tokens in `cases.json` anew, from its texts, with the tokenizer of pycocoevalcap.

    pip install --no-deps pycocoevalcap==1.2   (and Java)

Each text of `captions` is followed by another line, so that it does not end the input.
"""

import json
import os
import subprocess
import tempfile

from pycocoevalcap.tokenizer import ptbtokenizer

FILE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "cases.json")
JAR = os.path.join(
    os.path.dirname(ptbtokenizer.__file__), ptbtokenizer.STANFORD_CORENLP_3_4_1_JAR)


def tokenise(texts):
    with tempfile.NamedTemporaryFile(delete=False) as file:
        file.write("\n".join(texts).encode())
    command = ["java", "-cp", JAR, "edu.stanford.nlp.process.PTBTokenizer",
               "-preserveLines", "-lowerCase", file.name]
    output = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
    os.remove(file.name)
    lines = output.stdout.decode().split("\n")[:len(texts)]
    assert len(lines) == len(texts)
    marks = ptbtokenizer.PUNCTUATIONS
    return [" ".join(w for w in line.rstrip().split(" ") if w not in marks) for line in lines]


with open(FILE) as file:
    cases = json.load(file)
texts = [text for case in cases["captions"] for text in (case["text"], "the next line")]
for case, tokens in zip(cases["captions"], tokenise(texts)[::2]):
    case["tokenised"] = tokens
for case in cases["lists"]:
    case["tokenised"] = tokenise(case["texts"] + ["the next line"])[:-1]
with open(FILE, "w") as file:
    json.dump(cases, file, ensure_ascii=False, indent=0)
