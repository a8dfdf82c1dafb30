#!/usr/bin/env python3
"""Makes `cases.json` with transformers: decoding over a table of logits, and what sampling keeps.

    pip install torch==2.15.0 transformers==5.23.0
"""

import json
import torch
from transformers import GenerationMixin, PretrainedConfig, PreTrainedModel
from transformers.generation import logits_process
from transformers.modeling_outputs import CausalLMOutput

VOCABULARY, PROMPTS, UNIT = 23, 12, 1024
rng = torch.Generator().manual_seed(11)


class TableConfig(PretrainedConfig):
    model_type = "table"


class TableModel(PreTrainedModel, GenerationMixin):
    """The logits after tokens ..., a, b are row a * VOCABULARY + b of the table."""

    config_class = TableConfig

    def __init__(self, config, table):
        super().__init__(config)
        self.table = torch.nn.Parameter(table)

    def forward(self, input_ids=None, **_):
        rows = input_ids[:, :-1] * VOCABULARY + input_ids[:, 1:]
        return CausalLMOutput(logits=self.table[rows])


def integers(*shape, scale):
    return (torch.randn(*shape, generator=rng) * scale * UNIT).round()


def decoding(model, prompts, settings):
    out = model.generate(
        prompts, attention_mask=torch.ones_like(prompts), return_dict_in_generate=True,
        output_scores=True, use_cache=False, pad_token_id=0, top_k=0, **settings)
    rows, ends = out.sequences[:, prompts.shape[1]:].tolist(), settings["eos_token_id"]
    for row in rows:
        first = next((i for i, token in enumerate(row) if token in ends), len(row) - 1)
        # Sequences that came to no end are as long as the longest.
        del row[first + 1:]
    scores = out.sequences_scores.tolist() if "num_beams" in settings else None
    return {"settings": settings, "sequences": rows, "scores": scores}


def settings():
    yield {"max_new_tokens": 9, "eos_token_id": [1]}
    yield {"max_new_tokens": 9, "eos_token_id": [1], "repetition_penalty": 1.4}
    yield {"max_new_tokens": 9, "eos_token_id": [1], "repetition_penalty": 0.7}
    yield {"max_new_tokens": 9, "eos_token_id": [1, 5, 8], "min_new_tokens": 3}
    for beams in (2, 3, 5):
        for penalty in (1.0, -1.0, 0.0, 2.5):
            yield {"max_new_tokens": 9, "eos_token_id": [1], "num_beams": beams,
                   "length_penalty": penalty, "num_return_sequences": beams}
        yield {"max_new_tokens": 7, "eos_token_id": [1, 5, 8], "num_beams": beams,
               "num_return_sequences": beams}
        yield {"max_new_tokens": 12, "eos_token_id": [1, 5], "num_beams": beams,
               "min_new_tokens": 4, "repetition_penalty": 1.3}
        yield {"max_new_tokens": 1, "eos_token_id": [1], "num_beams": beams,
               "num_return_sequences": beams}


def kept(row, temperature, top_k, top_p):
    scores = row[None]
    if temperature != 1:
        scores = logits_process.TemperatureLogitsWarper(temperature)(None, scores)
    if top_k:
        scores = logits_process.TopKLogitsWarper(top_k)(None, scores)
    if top_p < 1:
        scores = logits_process.TopPLogitsWarper(top_p)(None, scores)
    return {"temperature": temperature, "top_k": top_k, "top_p": top_p,
            "tokens": scores[0].isfinite().nonzero()[:, 0].tolist()}


table = integers(VOCABULARY * VOCABULARY, VOCABULARY, scale=1.6)
# The end tokens are likely enough that sequences of every length come.
table[:, 1] += UNIT
prompts = torch.randint(0, VOCABULARY, (PROMPTS, 3), generator=rng)
model = TableModel(TableConfig(vocab_size=VOCABULARY), table / UNIT).eval()
wide = integers(3, 301, scale=2.0)
with torch.no_grad():
    cases = [decoding(model, prompts, case) for case in settings()]
    warped = [[kept(row, t, k, p) for t in (1.0, 0.6, 1.7) for k in (None, 1, 20)
               for p in (1.0, 0.9, 0.3, 0.01)] for row in wide / UNIT]
json.dump(
    {"vocabulary": VOCABULARY, "unit": UNIT, "table": table.int().flatten().tolist(),
     "prompts": prompts.tolist(), "decoding": cases,
     "sampling": [{"logits": row.int().tolist(), "kept": settings}
                  for row, settings in zip(wide, warped)]},
    open("cases.json", "w"), separators=(",", ":"))
