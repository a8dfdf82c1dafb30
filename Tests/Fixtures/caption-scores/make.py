#!/usr/bin/env python3
"""Writes the scores in `cases.json` anew, from its captions, with pycocoevalcap.

    pip install --no-deps pycocoevalcap==1.2 numpy
"""

import json
import os

from pycocoevalcap.bleu.bleu import Bleu
from pycocoevalcap.cider.cider import Cider
from pycocoevalcap.rouge.rouge import Rouge

FILE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "cases.json")

with open(FILE) as file:
    cases = json.load(file)
for case in cases["sets"]:
    references = dict(enumerate(case["references"]))
    candidates = {index: [text] for index, text in enumerate(case["candidates"])}
    bleu, item_bleu = Bleu(4).compute_score(references, candidates, verbose=0)
    rouge, item_rouge = Rouge().compute_score(references, candidates)
    cider, item_cider = Cider().compute_score(references, candidates)
    case["bleu"] = [float(value) for value in bleu]
    case["item_bleu"] = [[float(value) for value in item] for item in zip(*item_bleu)]
    case["rouge_l"], case["item_rouge_l"] = float(rouge), [float(v) for v in item_rouge]
    case["cider"], case["item_cider"] = float(cider), [float(v) for v in item_cider]
with open(FILE, "w") as file:
    json.dump(cases, file, ensure_ascii=False, indent=0)
