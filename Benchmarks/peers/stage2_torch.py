# The PyTorch side of the speed table, rows "stage2-*" and "generate"; Benchmarks/compare.sh runs it.
"""Time one stage-2 training step in PyTorch + transformers: Q-Former trains, the language model is frozen.

  python stage2_torch.py --llm opt-125m|opt-1.3b|opt-2.7b|flan-t5-base|smollm2-135m --batch 16 --precision bf16 --steps 5
Random weights of the real shapes; 32 queries; captions of COCO-like length right-padded to the longest.
"""
import argparse, time, resource, torch
from transformers import Blip2QFormerConfig, Blip2QFormerModel, OPTConfig, OPTForCausalLM, T5Config, T5ForConditionalGeneration, LlamaConfig, LlamaForCausalLM
a = argparse.ArgumentParser(); a.add_argument('--llm', default='opt-125m'); a.add_argument('--batch', type=int, default=16); a.add_argument('--precision', default='bf16', choices=['fp32', 'bf16'])
a.add_argument('--steps', type=int, default=5); a.add_argument('--threads', type=int, default=2); a.add_argument('--mean-text', type=int, default=12); a.add_argument('--generate', type=int, default=0, help='instead: time generating this many tokens'); a = a.parse_args()
torch.set_num_threads(a.threads); torch.manual_seed(0)
dt = torch.bfloat16 if a.precision == 'bf16' else torch.float32
opt = lambda h, l, n: OPTForCausalLM(OPTConfig(hidden_size=h, num_hidden_layers=l, num_attention_heads=n, ffn_dim=4*h, word_embed_proj_dim=h, vocab_size=50272))
torch.set_default_dtype(dt)
llm = {'opt-125m': lambda: opt(768, 12, 12), 'opt-1.3b': lambda: opt(2048, 24, 32), 'opt-2.7b': lambda: opt(2560, 32, 32),
       'flan-t5-base': lambda: T5ForConditionalGeneration(T5Config(vocab_size=32128, d_model=768, d_kv=64, d_ff=2048, num_layers=12, num_heads=12, feed_forward_proj='gated-gelu', tie_word_embeddings=False, decoder_start_token_id=0)),
       'smollm2-135m': lambda: LlamaForCausalLM(LlamaConfig(vocab_size=49152, hidden_size=576, intermediate_size=1536, num_hidden_layers=30, num_attention_heads=9, num_key_value_heads=3, tie_word_embeddings=True))}[a.llm]()
torch.set_default_dtype(torch.float32)
llm.requires_grad_(False); llm.eval()
q = Blip2QFormerModel(Blip2QFormerConfig(encoder_hidden_size=1408)); q.train()
tokens = torch.nn.Parameter(torch.randn(1, 32, 768) * 0.02); D = llm.get_input_embeddings().weight.shape[1]; proj = torch.nn.Linear(768, D)
B = a.batch; lens = (torch.randn(B) * 3 + a.mean_text).round().clamp(5, 32).long(); L = int(lens.max())
mask = (torch.arange(L)[None] < lens[:, None]).long(); ids = torch.randint(10, 30000, (B, L)); feats = torch.randn(B, 257, 1408)
params = [*q.parameters(), tokens, *proj.parameters()]; o = torch.optim.AdamW(params, lr=1e-4, betas=(0.9, 0.98), weight_decay=0.05, fused=True)


def soft():
    with torch.autocast('cpu', dtype=torch.bfloat16, enabled=a.precision == 'bf16'):
        return proj(q(query_embeds=tokens.expand(B, -1, -1), encoder_hidden_states=feats).last_hidden_state).to(dt)


def loss():
    v = soft(); vm = torch.ones(B, 32, dtype=torch.long)
    if a.llm.startswith('flan'):
        cut = L // 2; e = torch.cat([v, llm.get_input_embeddings()(ids[:, :cut])], 1)
        lab = ids[:, cut:].masked_fill(mask[:, cut:] == 0, -100)
        return llm(inputs_embeds=e, attention_mask=torch.cat([vm, mask[:, :cut]], 1), labels=lab).loss
    e = torch.cat([v, llm.get_input_embeddings()(ids)], 1)
    lab = torch.cat([torch.full((B, 32), -100), ids.masked_fill(mask == 0, -100)], 1)
    return llm(inputs_embeds=e, attention_mask=torch.cat([vm, mask], 1), labels=lab).loss


ts = []
for _ in range(a.steps + 1):
    t0 = time.perf_counter()
    if a.generate:
        with torch.no_grad(): llm.generate(inputs_embeds=soft(), attention_mask=torch.ones(B, 32, dtype=torch.long), max_new_tokens=a.generate, min_new_tokens=a.generate, do_sample=False)
    else: l = loss(); l.backward(); o.step(); o.zero_grad(set_to_none=True)
    ts.append(time.perf_counter() - t0); print(f'{ts[-1]:.3f}s', flush=True)
ts = sorted(ts[1:]); med = ts[len(ts)//2]
unit = f'{a.generate*B/med:.2f} tokens/s' if a.generate else f'{B/med:.3f} samples/s'
print(f'peer torch {torch.__version__} {a.llm} {a.precision} batch {B}: median {med:.3f} s/step, {unit}, peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss/2**20:.2f} GiB')
