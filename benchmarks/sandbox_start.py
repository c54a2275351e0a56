"""What confinement costs: the start of a program at each level, as a ratio to starting it plainly.

Runs are interleaved so that a busy machine slows all of them alike; medians are printed. `copy` is the throwaway copy
alone, for workspaces of several sizes.

    python benchmarks/sandbox_start.py [ROUNDS]
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tools.errors import SandboxUnavailable
from tools.sandbox import Level, Sandbox, python_argv
from tools.sandbox.canary import try_level
from tools.sandbox.identity import own_identity
from tools.sandbox.throwaway import throwaway

if TYPE_CHECKING:
    from collections.abc import Callable

PROGRAMS = {"true": ["true"], "python -S -c pass": python_argv("-S", "-c", "pass")}
SIZES = (1, 10, 100, 1000)  # files of 4 kB


def main(rounds: int) -> None:
    """Print the tables."""
    levels = _available()
    with tempfile.TemporaryDirectory() as name:
        workspace = Path(name)
        for title, argv in PROGRAMS.items():
            _print_starts(title, _interleaved(_starters(argv, levels, workspace), rounds))
    _print_self_tests(levels)
    _print_copies(rounds)


def _available() -> list[Level]:
    levels: list[Level] = ["off"]
    for level in ("B", "A"):
        try:
            try_level(level)
        except SandboxUnavailable as error:
            print(f"level {level} is not measured: {error}")
        else:
            levels.append(level)
    return levels


def _starters(argv: list[str], levels: list[Level], workspace: Path) -> dict[str, Callable[[], object]]:
    starters: dict[str, Callable[[], object]] = {
        "plain subprocess": lambda: subprocess.run(argv, capture_output=True, check=True)
    }
    for level in levels:
        sandbox = Sandbox(level)
        starters[f"level {level}"] = lambda sandbox=sandbox: sandbox.run(argv, workspace=workspace)
    return starters


def _interleaved(starters: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    seconds: dict[str, list[float]] = {name: [] for name in starters}
    for _ in range(rounds):
        for name, start in starters.items():
            seconds[name].append(_timed(start))
    return {name: statistics.median(values) for name, values in seconds.items()}


def _timed(action: Callable[[], object]) -> float:
    begin = time.perf_counter()
    action()
    return time.perf_counter() - begin


def _print_starts(title: str, medians: dict[str, float]) -> None:
    plain = medians["plain subprocess"]
    print(f"\n{title:<20}{'ms':>8}{'ratio':>8}{'extra ms':>10}")
    for name, seconds in medians.items():
        print(f"{name:<20}{seconds * 1e3:>8.1f}{seconds / plain:>8.1f}{(seconds - plain) * 1e3:>10.1f}")


def _print_self_tests(levels: list[Level]) -> None:
    print(f"\n{'self-test':<20}{'ms':>8}")
    for level in levels:
        seconds = statistics.median(_timed(lambda level=level: try_level(level)) for _ in range(5))
        print(f"{f'level {level}':<20}{seconds * 1e3:>8.0f}")


def _print_copies(rounds: int) -> None:
    print(f"\n{'copy of':<20}{'ms':>8}")
    for files in SIZES:
        with tempfile.TemporaryDirectory() as name:
            for number in range(files):
                (Path(name) / f"{number}.py").write_text("x" * 4096)
            seconds = statistics.median(
                _timed(lambda name=name: _copied(Path(name))) for _ in range(min(rounds, 5))
            )
        print(f"{f'{files} files':<20}{seconds * 1e3:>8.1f}")


def _copied(workspace: Path) -> None:
    with throwaway(workspace, own_identity()):
        pass


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 25)
