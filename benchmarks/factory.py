"""What a task of the factory costs without the model's time, by phase, and what a long session holds and leaves.

PYTHONPATH=tests:. .venv/bin/python benchmarks/factory.py [--tasks N] [--again N] [--workers N] [--looks FILE]

The tasks are those of the stream that a user's first session draws, so most of them are written anew. `--again` has so
many more drawn from its beginning, and those that were there before are solved by their tools. The model's server
is a process of its own and answers at once. Seconds are those of this machine at this moment; the ratio to one bare
sandboxed `python -c pass`, measured as the session goes, is what can be compared. `--looks` writes each look at the
process to a file as it is made.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from collections import Counter, defaultdict
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from growth import Held, held, slope
from servers.ollama import OllamaProcess

from millwright.factory import Order, Trainer
from millwright.factory_summary import PHASES
from millwright.heap import share_heap
from tools.runs import counters
from tools.sandbox import Sandbox, python_argv

if TYPE_CHECKING:
    from collections.abc import Sequence

    from millwright.factory_summary import Done

WHOLE = "whole"
LOOKS = 50
"""So often a session is looked at, and a bare start is measured."""


class Watched:
    """Hears of every task of a session, and looks at the process now and then."""

    def __init__(self, tasks: int, home: Path, looks: Path | None) -> None:
        self.outcomes: Counter[str] = Counter()
        self.spent: dict[tuple[str, str], list[float]] = defaultdict(list)
        self.looks: list[Held] = []
        self._tasks = 0
        self._every = max(1, tasks // LOOKS)
        self._home, self._file = home, looks
        self._sandbox = Sandbox.choose()
        self.starts = [self._bare_start() for _ in range(3)]
        self._began = time.monotonic()

    def tell(self, task: Done) -> None:
        """Hear of a finished task."""
        self.outcomes[task.outcome] += 1
        for phase, seconds in {WHOLE: task.total, **task.seconds}.items():
            self.spent[task.outcome, phase].append(seconds)
        self._tasks += 1
        if self._tasks % self._every:
            return
        self.starts.append(self._bare_start())
        self.looks.append(held(self._tasks))
        if self._file is not None:
            seconds = round(time.monotonic() - self._began)
            more = {"seconds": seconds, "outcomes": self.outcomes, "logs": self._logs()}
            with self._file.open("a", encoding="utf-8") as file:
                file.write(json.dumps({**asdict(self.looks[-1]), **more}) + "\n")

    def _logs(self) -> dict[str, int]:
        """Bytes of the databases' write-ahead logs."""
        return {path.name: path.stat().st_size for path in self._home.rglob("*.sqlite-wal")}

    def _bare_start(self) -> float:
        """Seconds of one bare start of the sandbox."""
        with tempfile.TemporaryDirectory() as folder:
            began = time.perf_counter()
            self._sandbox.run(python_argv("-c", "pass"), workspace=Path(folder))
            return time.perf_counter() - began


async def sessions(watched: Watched, home: Path, counts: Sequence[int], workers: int) -> None:
    """Sessions of so many tasks after each other, each from the beginning of the stream."""
    with OllamaProcess("toolmakers:stream") as server:
        for tasks in filter(None, counts):
            order = Order(max_tasks=tasks, workers=workers, settings={"base_url": server.url})
            summary = await Trainer(order, watched.tell, print).run()
            print("\n".join(summary.lines()))
            (home / counters.FILE).unlink()


def tell_costs(watched: Watched) -> None:
    """Tell what a task of each outcome took."""
    bare = median(watched.starts)
    print(f"one bare start of the sandbox: {bare:.3f} s (median)")
    for outcome, count in sorted(watched.outcomes.items()):
        whole = median(watched.spent[outcome, WHOLE])
        print(f"{outcome:<10} {count:>4} tasks, median {whole:.2f} s = {whole / bare:.1f} bare starts")
        for phase in PHASES:
            if spent := watched.spent.get((outcome, phase)):
                print(f"    {phase:<8} {median(spent):.3f} s = {median(spent) / bare:.2f}")


def tell_growth(looks: Sequence[Held]) -> None:
    """Tell what the process held, and how fast that grew in the second half, when its caches are warm."""
    for look in looks[:: max(1, len(looks) // 10)]:
        print(look)
    late = looks[len(looks) // 2 :]
    if len(late) > 1:
        print(
            f"from {late[0].tasks} to {late[-1].tasks} tasks: {slope(late, 'memory'):+.2f} KiB, "
            f"{slope(late, 'objects'):+.2f} Python objects a task"
        )


def tell_left(home: Path, tasks: int) -> None:
    """Tell how much is on disk for each task, and of that how much in the databases' write-ahead logs."""
    print(f"{size_of(home / 'runs') // tasks} bytes of runs a task")
    print(f"{sum(p.stat().st_size for p in home.glob('runs/*/events.jsonl')) // tasks} of them events")
    print(f"{size_of(home / 'memory') // tasks} bytes of library a task")
    print(f"{sum(p.stat().st_size for p in home.glob('checkpoints.sqlite*')) // tasks} bytes of checkpoints a task")
    print(f"{(home / 'profiles.sqlite').stat().st_size} bytes of profiles")


def size_of(folder: Path) -> int:
    """Bytes of the files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--tasks", type=int, default=20)
    parser.add_argument("--again", type=int, default=0)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--looks", type=Path)
    options = parser.parse_args()
    share_heap()  # as `millwright factory run` does
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        os.environ |= {"MILLWRIGHT_HOME": folder, "MILLWRIGHT_EMBEDDINGS": "lexical", "MILLWRIGHT_CHROMA": "off"}
        tasks = options.tasks + options.again
        watched = Watched(tasks, Path(folder), options.looks)
        asyncio.run(sessions(watched, Path(folder), (options.tasks, options.again), options.workers))
        tell_costs(watched)
        tell_growth(watched.looks)
        tell_left(Path(folder), tasks)


if __name__ == "__main__":
    sys.exit(main())
