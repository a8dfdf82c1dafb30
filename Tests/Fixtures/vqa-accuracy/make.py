#!/usr/bin/env python3
"""Writes the results in `cases.json` anew, from its answers, with the VQA evaluation in LAVIS.

    pip download --no-deps salesforce-lavis==1.0.2
    unzip -j salesforce_lavis-1.0.2-*.whl lavis/common/vqa_tools/vqa_eval.py
"""

import json
import os

from vqa_eval import VQAEval

FILE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "cases.json")


class Answers:
    def __init__(self, answers):
        self.qa = answers

    def getQuesIds(self):
        return list(self.qa)


def accuracy(answers, prediction):
    people = [{"answer": answer, "answer_id": number} for number, answer in enumerate(answers)]
    known = {1: {"question_type": "", "answer_type": "", "answers": people}}
    evaluation = VQAEval(Answers(known), Answers({1: {"answer": prediction}}), n=12)
    evaluation.evaluate()
    return evaluation.evalQA[1] / 100


with open(FILE) as file:
    cases = json.load(file)
spelling = VQAEval(Answers({}), Answers({}))
for case in cases["texts"]:
    plain = case["answer"].replace("\n", " ").replace("\t", " ").strip()
    case["normalised"] = spelling.processDigitArticle(spelling.processPunctuation(plain))
    case["without_punctuation"] = spelling.processPunctuation(case["answer"])
for case in cases["items"]:
    case["accuracy"] = accuracy(case["answers"], case["prediction"])
with open(FILE, "w") as file:
    json.dump(cases, file, ensure_ascii=False, indent=0)
