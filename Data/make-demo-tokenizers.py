"""Trains the tokenizers of the demo's language models on the texts that `make-demo-scenes.py` writes."""

import json
import sys
from pathlib import Path

import sentencepiece
from tokenizers import ByteLevelBPETokenizer

DEMO = Path("Data/demo")


def texts(path):
    for line in Path(path).read_text(encoding="utf-8").splitlines():
        yield from json.loads(line)["caption"]


def write(folder, name, value):
    (folder / name).write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")


def byte_level(texts):
    """OPT's kind: GPT-2's rules, `</s>` in front of every text."""
    folder = DEMO / "opt"
    folder.mkdir(exist_ok=True)
    tokenizer = ByteLevelBPETokenizer()
    tokenizer.train_from_iterator(
        texts, vocab_size=4000, min_frequency=2,
        special_tokens=["<s>", "<pad>", "</s>", "<unk>"])
    tokenizer.save_model(str(folder))
    special = {"bos_token": "</s>", "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "</s>"}
    write(folder, "special_tokens_map.json", special)
    write(folder, "tokenizer_config.json",
          {"add_bos_token": True, "tokenizer_class": "GPT2Tokenizer", **special})


def unigram(texts):
    """T5's kind: `</s>` behind every text, no token in front."""
    folder = DEMO / "t5"
    folder.mkdir(exist_ok=True)
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(texts), model_prefix=str(folder / "spiece"), vocab_size=3000,
        hard_vocab_limit=False, model_type="unigram", character_coverage=1.0, num_threads=1,
        pad_id=0, eos_id=1, unk_id=2, bos_id=-1, minloglevel=2)
    (folder / "spiece.vocab").unlink()
    write(folder, "tokenizer_config.json",
          {"tokenizer_class": "T5Tokenizer", "extra_ids": 0, "eos_token": "</s>",
           "pad_token": "<pad>", "unk_token": "<unk>"})


if __name__ == "__main__":
    lines = list(texts(sys.argv[1]))
    byte_level(lines)
    unigram(lines)
