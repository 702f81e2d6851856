"""How fast this machine multiplies matrices: the limit that everything else is measured against.

    python benchmarks/limits.py

A product of the size that wav2vec2-large spends its time with, 400 frames by 1,024 by 4,096, with
weights laid out ahead by oneDNN, best of many: what no encoder can exceed.
"""

from __future__ import annotations

import math
import time
from functools import cache

import torch
from side_by_side import keep, table, versions

FRAMES, INTO, OUT = 400, 1024, 4096
TRIES = 60


def main() -> None:
    """Measure each precision."""
    rows = [(name, f"{measured_gflops(name):.0f}") for name in ("float32", "bfloat16", "int8")]
    rows.insert(0, ("float32, torch's own product", f"{_best(_plain()):.0f}"))
    text = table(("product", "GFLOP/s of all cores"), rows)
    keep("limits", f"{text}\n\n{versions('torch')}")


@cache
def measured_gflops(precision: str) -> float:
    """Billions of operations a second, a multiply and an add are two; nan: it cannot do that."""
    try:
        product = _quantized() if precision == "int8" else _packed(getattr(torch, precision))
    except RuntimeError:  # no bfloat16 on this processor
        return math.nan
    return _best(product)


def _best(product) -> float:  # noqa: ANN001
    seconds = []
    with torch.inference_mode():
        for _ in range(TRIES):
            begin = time.perf_counter()
            product()
            seconds.append(time.perf_counter() - begin)
    return 2 * FRAMES * INTO * OUT / min(seconds) / 1e9


def _plain():  # noqa: ANN202
    x, weight = torch.randn(FRAMES, INTO), torch.randn(OUT, INTO)
    return lambda: torch.nn.functional.linear(x, weight)


def _packed(dtype: torch.dtype):  # noqa: ANN202
    x, weight = torch.randn(FRAMES, INTO, dtype=dtype), torch.randn(OUT, INTO, dtype=dtype)
    laid_out = torch.ops.mkldnn._reorder_linear_weight(weight, FRAMES)
    return lambda: torch.ops.mkldnn._linear_pointwise(x, laid_out, None, "none", [], "")


def _quantized():  # noqa: ANN202
    x = torch.randint(0, 255, (FRAMES, INTO), dtype=torch.uint8)
    weight = torch.randint(-128, 127, (OUT, INTO), dtype=torch.int8)
    laid_out = torch.ops.onednn.qlinear_prepack(weight, None)
    scales, zeros = torch.full((OUT,), 0.1), torch.zeros(OUT, dtype=torch.long)
    return lambda: torch.ops.onednn.qlinear_pointwise(
        x, 0.1, 0, laid_out, scales, zeros, None, 1.0, 0, torch.float32, "none", [], ""
    )


if __name__ == "__main__":
    main()
