# The PyTorch side of the speed table, row "images"; Benchmarks/compare.sh runs it.
"""Time the training image pipeline on one core with Pillow + torchvision: JPEG 640x480 -> random resized crop 224 bicubic, flip, normalise.

  python images_torch.py [N]      (needs torchvision)
"""
import io, sys, time, numpy as np, torch
from PIL import Image
from torchvision import transforms as T
torch.set_num_threads(1); n = int(sys.argv[1]) if len(sys.argv) > 1 else 300
rng = np.random.default_rng(0); files = []
for i in range(16):       # smooth noise: compresses like a photograph rich in detail, about 100 kB
    im = Image.fromarray(rng.integers(0, 255, (60, 80, 3), dtype=np.uint8)).resize((640, 480), Image.BICUBIC); b = io.BytesIO(); im.save(b, 'JPEG', quality=90); files.append(b.getvalue())
t = T.Compose([T.RandomResizedCrop(224, scale=(0.5, 1.0), interpolation=T.InterpolationMode.BICUBIC), T.RandomHorizontalFlip(), T.ToTensor(), T.Normalize((0.48, 0.46, 0.41), (0.27, 0.26, 0.28))])
best = 1e9
for _ in range(4):
    t0 = time.perf_counter()
    for i in range(n): t(Image.open(io.BytesIO(files[i % 16])).convert('RGB'))
    best = min(best, time.perf_counter() - t0)
print(f'peer Pillow+torchvision: {n/best:.1f} images/s on one core, mean file {sum(map(len, files))/16/1024:.1f} KiB')
