#!/usr/bin/env python3
"""Makes `golden.safetensors` with OpenCV and numpy: the ten operations of the original's RandAugment.

    pip install opencv-python-headless==4.8.1.78 "numpy<2" safetensors
"""

import cv2
import numpy as np
from safetensors.numpy import save_file

rng = np.random.default_rng(7)


def smooth_picture(height, width):
    small = rng.integers(0, 256, (5, 6, 3), dtype=np.uint8)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)


def table(image, tables):
    return np.stack([tables[c][image[..., c]] for c in range(3)], axis=-1)


def autocontrast(image):
    tables = []
    for c in range(3):
        low, high = int(image[..., c].min()), int(image[..., c].max())
        values = np.arange(256, dtype=np.float64)
        if high > low:
            scale = 255 / (high - low)
            values = (values * scale - low * scale).clip(0, 255)
        tables.append(values.astype(np.uint8))
    return table(image, tables)


def equalize(image):
    tables = []
    for c in range(3):
        counts = cv2.calcHist([image[..., c].copy()], [0], None, [256], [0, 256]).ravel()
        step = int(counts[counts != 0][:-1].sum() // 255)
        values = np.arange(256)
        if step:
            start = np.concatenate([[step // 2], counts[:-1]])
            values = (np.cumsum(start) // step).clip(0, 255)
        tables.append(values.astype(np.uint8))
    return table(image, tables)


def brightness(image, factor):
    return (np.arange(256, dtype=np.float32) * factor).clip(0, 255).astype(np.uint8)[image]


def sharpness(image, factor):
    kernel = np.ones((3, 3), np.float32)
    kernel[1, 1] = 5
    smooth = cv2.filter2D(image, -1, kernel / 13).astype(np.float32)[1:-1, 1:-1]
    out = image.astype(np.float32)
    out[1:-1, 1:-1] = smooth + np.float32(factor) * (out[1:-1, 1:-1] - smooth)
    return out.clip(0, 255).astype(np.uint8)


def warp(image, matrix):
    size = (image.shape[1], image.shape[0])
    return cv2.warpAffine(
        image, np.float32(matrix) if not isinstance(matrix, np.ndarray) else matrix, size,
        flags=cv2.INTER_LINEAR, borderValue=(128, 128, 128))


tensors = {}
for name, (height, width) in {"wide": (37, 52), "square": (48, 48)}.items():
    image = smooth_picture(height, width)
    if name == "wide":
        image = (image // 2 + 40).astype(np.uint8)  # so that contrast has something to do
    tensors[f"{name}/input"] = image
    for magnitude in (2, 5, 9):
        share = magnitude / 10
        factor = share * 1.8 + 0.1
        outputs = {
            "identity": image,
            "autoContrast": autocontrast(image),
            "equalize": equalize(image),
            "brightness": brightness(image, factor),
            "sharpness": sharpness(image, factor) if magnitude != 5 else image,
        }
        for sign, way in ((1, "forward"), (-1, "reverse")):
            shear, shift = share * 0.3 * sign, share * 10 * sign
            turn = cv2.getRotationMatrix2D((width / 2, height / 2), share * 30 * sign, 1)
            outputs |= {
                f"shearX/{way}": warp(image, [[1, shear, 0], [0, 1, 0]]),
                f"shearY/{way}": warp(image, [[1, 0, 0], [shear, 1, 0]]),
                f"translateX/{way}": warp(image, [[1, 0, -shift], [0, 1, 0]]),
                f"translateY/{way}": warp(image, [[1, 0, 0], [0, 1, -shift]]),
                f"rotate/{way}": warp(image, turn),
            }
        for operation, output in outputs.items():
            tensors[f"{name}/{magnitude}/{operation}"] = np.ascontiguousarray(output)
save_file(tensors, "golden.safetensors")
