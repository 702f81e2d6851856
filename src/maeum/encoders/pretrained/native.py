"""What a device multiplies by itself: bfloat16 is slower than float32 where it does not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

SIGNS = ("avx512_bf16", "amx_bf16", "bf16")
"""What processors call it, Arm's the last."""

WIDE_SUMS = ("avx512_vnni", "avx_vnni")
"""What x86 processors call sums of products of bytes in 32 bits."""


def has_bfloat16(device: torch.device) -> bool:
    """Whether a device has instructions for it."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return not _told().isdisjoint(SIGNS)


def has_tiles() -> bool:
    """Whether the processor multiplies tiles of matrices in bfloat16 (AMX)."""
    return "amx_bf16" in _told()


def sums_int8() -> bool:
    """Whether products of bytes are summed in 32 bits; x86 without VNNI has 16, which overflow."""
    return "avx2" not in _told() or not _told().isdisjoint(WIDE_SUMS)


def _told() -> set[str]:
    return _told_by_torch() or _told_by_linux()


def _told_by_torch() -> set[str]:
    """What torch says this processor has; nothing from versions that do not say."""
    capabilities: Any = getattr(torch.cpu, "get_capabilities", dict)()
    return {name.removeprefix("arm_") for name, has in capabilities.items() if has is True}


def _told_by_linux() -> set[str]:
    path = Path("/proc/cpuinfo")
    return set(path.read_text(encoding="utf-8").split()) if path.is_file() else set()
