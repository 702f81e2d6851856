"""What this process may use of the machine it runs on."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

CGROUPS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
"""Where a container's limit stands, in its second and first version."""


VARIABLE = "MAEUM_PROCESSORS"
"""Says how many processors to use, where others compute beside this process."""


def processors() -> int:
    """How many processors this process may use: in a container rarely all that there are."""
    said = os.environ.get(VARIABLE, "")
    if said.isdecimal() and int(said):
        return int(said)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def memory_bytes() -> float:
    """Main memory, or what of it a container is given."""
    limits = [float(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))]
    for place in CGROUPS:
        with suppress(OSError, ValueError):
            limits.append(float(Path(place).read_text(encoding="ascii")))
    return min(limits)
