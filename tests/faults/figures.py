"""Kill a build of twenty assignments everywhere and at random, and print what it cost as a table.

    PYTHONPATH=tests:. python tests/faults/figures.py [--every N] [--random N] [--workers N]

`--every 1` takes a build up from before every durable operation there is, and from inside every second write of a log.
For that one build is stopped at each of them, and its disk copied: what a kill there leaves. The random kills are kills.
"""

from __future__ import annotations

import argparse
import random
import shutil
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from faults.clients import Launcher
from faults.scenes import Figures, Outcome, Scene, disturbed, fresh, holds, large, stopped, taken_up

if TYPE_CHECKING:
    from collections.abc import Callable

    from faults.clients import Ended

HEAD = """\
| killed | builds | killed before the end | same end | model calls | in flight, asked again | finished calls repeated \
| finished writes repeated | bytes lost |
|---|---|---|---|---|---|---|---|---|"""
OPTIONS = ("--verification", "quick")


@dataclass
class Total:
    """What a number of trials came to."""

    tried: int = 0
    killed: int = 0
    survived: int = 0
    calls: int = 0
    calls_asked_again: int = 0
    calls_repeated: int = 0
    writes_repeated: int = 0
    bytes_lost: int = 0
    failures: list[str] = field(default_factory=list)

    def add(self, figures: Figures, failure: str) -> None:
        self.tried += 1
        self.killed += figures.clients > 1
        self.survived += not failure
        self.calls += figures.calls
        self.calls_asked_again += figures.calls_asked_again
        self.calls_repeated += figures.calls_repeated
        self.writes_repeated += figures.writes_repeated
        self.bytes_lost += figures.bytes_lost
        if failure:
            self.failures.append(f"{figures.point}: {failure}")

    def __iadd__(self, other: Total) -> Total:
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)
        return self

    def row(self, what: str) -> str:
        cells = (self.tried, self.killed, self.survived, self.calls, self.calls_asked_again)
        costs = (self.calls_repeated, self.writes_repeated, self.bytes_lost)
        return f"| {what} | {' | '.join(map(str, (*cells, *costs)))} |"


def undisturbed(launcher: Launcher) -> tuple[Outcome, float]:
    """What the build comes to when nobody disturbs it, and its seconds."""
    scene = fresh(launcher, large(), *OPTIONS)
    began = time.monotonic()
    scene.build()
    seconds = time.monotonic() - began
    outcome = scene.outcome()
    _away(scene)
    return outcome, seconds


def everywhere(part: int, parts: int, every: int) -> Total:
    """Take a build up from before every `every`th point, of which this is one of several equal parts."""
    launcher = Launcher()
    total = Total()
    try:
        whole, _ = undisturbed(launcher)
        scene = fresh(launcher, large(), *OPTIONS)
        for kept in stopped(scene, part * every, parts * every):
            _try(total, scene, whole, partial(taken_up, scene, kept))
        _away(scene)
    finally:
        launcher.close()
    return total


def at_random(part: int, count: int) -> Total:
    """Kill so many builds at random times."""
    launcher = Launcher()
    total = Total()
    try:
        whole, seconds = undisturbed(launcher)
        moments = random.Random(part)
        for _ in range(count):
            scene = fresh(launcher, large(), *OPTIONS)
            strikes = [{"kill_after": moments.uniform(0, seconds)}]
            _try(total, scene, whole, partial(disturbed, scene, strikes))
            _away(scene)
    finally:
        launcher.close()
    return total


def _try(total: Total, scene: Scene, whole: Outcome, trial: Callable[[], tuple[Ended, Figures]]) -> None:
    figures, failure = Figures(), ""
    try:
        ended, figures = trial()
        holds(scene, ended, figures, whole)
    except AssertionError as error:
        failure = " ".join(str(error).split())[:300]
    total.add(figures, failure)


def _away(scene: Scene) -> None:
    scene.close()
    shutil.rmtree(scene.root)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--every", type=int, default=1, help="kill at every Nth point")
    parser.add_argument("--random", type=int, default=200, help="kill so often at random times")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    workers = options.workers
    with ProcessPoolExecutor(workers) as pool:
        chance = [pool.submit(at_random, part, options.random // workers) for part in range(workers)]
        points = [pool.submit(everywhere, part, workers, options.every) for part in range(workers)]
        rows = {"at a random time": chance, f"before every {options.every}. durable operation": points}
        print(HEAD, flush=True)
        for what, parts in rows.items():
            total = Total()
            for each in parts:
                total += each.result()
            print(total.row(what), *total.failures, sep="\n", flush=True)


if __name__ == "__main__":
    main()
