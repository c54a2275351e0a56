"""What this process holds while it works, and how fast that grows with the tasks it has done (Linux: proc(5))."""

from __future__ import annotations

import gc
import re
import threading
from dataclasses import dataclass
from pathlib import Path
from statistics import linear_regression
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Held:
    """One look, after garbage was collected; memory in KiB: what the process has allocated, no mapped files."""

    tasks: int
    memory: int
    objects: int
    descriptors: int
    threads: int

    def __str__(self) -> str:
        return (
            f"after {self.tasks:>5} tasks: {self.memory / 1024:.1f} MiB, {self.objects:,} Python objects, "
            f"{self.descriptors} descriptors, {self.threads} threads"
        )


def held(tasks: int) -> Held:
    """What this process holds after so many tasks."""
    gc.collect()
    memory = int(re.search(r"RssAnon:\s+(\d+)", Path("/proc/self/status").read_text())[1])
    descriptors = sum(1 for _ in Path("/proc/self/fd").iterdir())
    return Held(tasks, memory, len(gc.get_objects()), descriptors, threading.active_count())


def slope(looks: Sequence[Held], what: str) -> float:
    """How much more of it is held for each task: the least squares' line through these looks."""
    return linear_regression([look.tasks for look in looks], [getattr(look, what) for look in looks]).slope
