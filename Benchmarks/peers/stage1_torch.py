# The PyTorch side of the speed table, rows "stage1-*"; Benchmarks/compare.sh runs it.
"""Time one stage-1 training step in PyTorch (forward, backward, AdamW) on cached image features.

  python stage1_torch.py --batch 16 --precision bf16 --steps 5 [--compile] [--small]
Prints a line per step and the median; --small is MiniLM-sized (6 layers, width 384, features 257x384).
"""
import argparse, time, resource, torch
from qformer_torch import StageOne
a = argparse.ArgumentParser(); a.add_argument('--batch', type=int, default=16); a.add_argument('--precision', default='fp32', choices=['fp32', 'bf16'])
a.add_argument('--steps', type=int, default=5); a.add_argument('--threads', type=int, default=2); a.add_argument('--text', type=int, default=32); a.add_argument('--mean-text', type=int, default=12)
a.add_argument('--compile', action='store_true'); a.add_argument('--small', action='store_true'); a = a.parse_args()
torch.set_num_threads(a.threads); torch.manual_seed(0)
m = StageOne(width=384, layers=6, heads=12, ffn=1536, vis=384) if a.small else StageOne()
vis = 384 if a.small else 1408
m.train(); B, L = a.batch, a.text
lens = (torch.randn(B) * 3 + a.mean_text).round().clamp(5, L).long()       # caption lengths like COCO's: about 12 tokens
mask = (torch.arange(L)[None] < lens[:, None]).long(); ids = torch.randint(1000, 30000, (B, L)) * mask; ids[:, 0] = 101
x = torch.randn(B, 257, vis)
decay = [p for p in m.parameters() if p.dim() > 1]; rest = [p for p in m.parameters() if p.dim() <= 1]
opt = torch.optim.AdamW([{'params': decay, 'weight_decay': 0.05}, {'params': rest, 'weight_decay': 0.0}], lr=1e-4, betas=(0.9, 0.98), fused=True)
step = torch.compile(m) if a.compile else m
ts = []
for _ in range(a.steps + 1):
    t0 = time.perf_counter()
    with torch.autocast('cpu', dtype=torch.bfloat16, enabled=a.precision == 'bf16'): l = step(x, ids, mask, 30522)
    sum(l).backward(); opt.step(); opt.zero_grad(set_to_none=True)
    ts.append(time.perf_counter() - t0); print(f'{ts[-1]:.3f}s  itc {l[0].item():.3f} itm {l[1].item():.3f} itg {l[2].item():.3f}', flush=True)
ts = sorted(ts[1:]); med = ts[len(ts)//2]
print(f'peer torch {torch.__version__} {a.precision}{" compile" if a.compile else ""} batch {B}: median {med:.3f} s/step, {B/med:.3f} samples/s, peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss/2**20:.2f} GiB')
