"""Whether a device multiplies in bfloat16 by itself: elsewhere that is slower than float32."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

SIGNS = ("avx512_bf16", "amx_bf16", "bf16")
"""What processors call it, Arm's the last."""


def has_bfloat16(device: torch.device) -> bool:
    """Whether a device has instructions for it."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    told = _told_by_torch() or _told_by_linux()
    return any(sign in told for sign in SIGNS)


def _told_by_torch() -> set[str]:
    """What torch says this processor has; nothing from versions that do not say."""
    capabilities: Any = getattr(torch.cpu, "get_capabilities", dict)()
    return {name.removeprefix("arm_") for name, has in capabilities.items() if has is True}


def _told_by_linux() -> set[str]:
    path = Path("/proc/cpuinfo")
    return set(path.read_text(encoding="utf-8").split()) if path.is_file() else set()
