# The PyTorch side of the speed table, rows "vision-*"; Benchmarks/compare.sh runs it.
"""Time a frozen image encoder's forward pass in PyTorch + transformers, random weights of the real shapes.

  python vision_torch.py --model vit-g|vit-l|dinov2-s --batch 8 --precision bf16 --steps 5
"""
import argparse, time, resource, torch
from transformers import Blip2VisionConfig, Blip2VisionModel, CLIPVisionConfig, CLIPVisionModel, Dinov2Config, Dinov2Model
a = argparse.ArgumentParser(); a.add_argument('--model', default='vit-g'); a.add_argument('--batch', type=int, default=8); a.add_argument('--precision', default='bf16', choices=['fp32', 'bf16'])
a.add_argument('--steps', type=int, default=5); a.add_argument('--threads', type=int, default=2); a = a.parse_args()
torch.set_num_threads(a.threads); torch.manual_seed(0)
torch.set_default_dtype(torch.bfloat16 if a.precision == 'bf16' else torch.float32)
m = {'vit-g': lambda: Blip2VisionModel(Blip2VisionConfig()),
     'vit-l': lambda: CLIPVisionModel(CLIPVisionConfig(hidden_size=1024, intermediate_size=4096, num_hidden_layers=23, num_attention_heads=16, image_size=224, patch_size=14)),
     'dinov2-s': lambda: Dinov2Model(Dinov2Config(hidden_size=384, num_hidden_layers=12, num_attention_heads=6, image_size=224, patch_size=14))}[a.model]().eval()
x = torch.randn(a.batch, 3, 224, 224); ts = []
with torch.inference_mode():
    for _ in range(a.steps + 1):
        t0 = time.perf_counter(); m(pixel_values=x); ts.append(time.perf_counter() - t0); print(f'{ts[-1]:.3f}s', flush=True)
ts = sorted(ts[1:]); med = ts[len(ts)//2]
print(f'peer torch {torch.__version__} {a.model} {a.precision} batch {a.batch}: median {med:.3f} s/step, {a.batch/med:.2f} images/s, peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss/2**20:.2f} GiB')
