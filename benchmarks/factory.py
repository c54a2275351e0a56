"""What a task of the factory costs without the model's time, by phase, and what a long session leaves.

PYTHONPATH=tests:. .venv/bin/python benchmarks/factory.py [--tasks N]

The model's server answers at once. Seconds are those of this machine at this moment; the ratio to one bare
sandboxed `python -c pass`, measured before every task, is what can be compared.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import re
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from servers.ollama import OllamaServer
from toolmakers import solver

from millwright.factory import Order, Trainer
from millwright.factory_summary import PHASES
from tools.sandbox import Sandbox, python_argv
from tools.tasks import draw

if TYPE_CHECKING:
    from millwright.factory_summary import Done


def resident() -> int:
    """KiB of memory that this process has."""
    return int(re.search(r"VmRSS:\s+(\d+)", Path("/proc/self/status").read_text())[1])


def bare_start(sandbox: Sandbox) -> float:
    """Seconds of one bare start of the sandbox."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        sandbox.run(python_argv("-c", "pass"), workspace=Path(folder))
        return time.perf_counter() - began


def size_of(folder: Path) -> int:
    """Bytes of the files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


async def measured(tasks: int) -> None:
    sandbox = Sandbox.choose()
    starts, done = [bare_start(sandbox) for _ in range(3)], []
    held: list[tuple[int, int, int]] = []

    def tell(task: Done) -> None:
        done.append(task)
        starts.append(bare_start(sandbox))
        if task.number % max(1, tasks // 10) == 0:
            gc.collect()
            held.append((task.number, resident(), sum(1 for _ in Path("/proc/self/fd").iterdir())))

    with OllamaServer(solver([draw("any", 0, number) for number in range(tasks)])) as server:
        began = time.monotonic()
        summary = await Trainer(Order(max_tasks=tasks, settings={"base_url": server.url}), tell, print).run()
        took = time.monotonic() - began
    bare = median(starts)
    print(f"{summary.total} tasks in {took:.0f} s, {summary.successful} solved, {summary.reused} by reuse")
    print(f"one bare start of the sandbox: {bare:.3f} s (median)")
    by_way: dict[str, list[Any]] = defaultdict(list)
    for task in done:
        by_way[task.outcome].append(task)
    for outcome, some in sorted(by_way.items()):
        whole = median(task.total for task in some)
        print(f"{outcome:<10} {len(some):>4} tasks, median {whole:.2f} s = {whole / bare:.1f} bare starts")
        for phase in PHASES:
            spent = [task.seconds[phase] for task in some if phase in task.seconds]
            if spent:
                print(f"    {phase:<8} {median(spent):.3f} s = {median(spent) / bare:.2f}")
    for number, memory, opened in held:
        print(f"after {number:>5} tasks: {memory / 1024:.0f} MiB resident, {opened} descriptors")


def left(home: Path, tasks: int) -> None:
    """Tell how much is on disk for each task."""
    print(f"{size_of(home / 'runs') // tasks} bytes of runs a task")
    print(f"{size_of(home / 'memory') // tasks} bytes of library a task")
    print(f"{sum(p.stat().st_size for p in home.glob('checkpoints.sqlite*')) // tasks} bytes of checkpoints a task")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--tasks", type=int, default=20)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        os.environ |= {"MILLWRIGHT_HOME": folder, "MILLWRIGHT_EMBEDDINGS": "lexical", "MILLWRIGHT_CHROMA": "off"}
        asyncio.run(measured(options.tasks))
        left(Path(folder), options.tasks)


if __name__ == "__main__":
    sys.exit(main())
