"""Counts in SQLite, Chroma, `index.json` and `nodes/` agree after kill -9 at every step of an admission."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STEPS = (
    "pwrite64 memory/memory.sqlite-wal",
    "rename nodes/takt_time-1",
    "fsync tools/.index.json.*",
    "pwrite64 memory/chroma/chroma.sqlite3",
    "write memory/chroma/*/data_level0.bin",
)
SOME = {"first": 61, "another": 61, "version": 120}
ALL = (*SOME, "retire", "forget")


def killed(work: str, every: int, start: int = 0) -> tuple[list[str], list[str]]:
    """The system calls before which a process was killed, and all; whatever does not hold afterwards ends the trials."""
    words = [sys.executable, "tests/faults/admissions.py", work, "--every", str(every), "--from", str(start)]
    environment = {**os.environ, "PYTHONPATH": ".:tests"}
    trials = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert trials.returncode == 0, trials.stderr
    told = json.loads(trials.stdout)
    return told["points"], told["steps"]


linux = pytest.mark.skipif(
    platform.system() != "Linux" or platform.machine() not in ("x86_64", "aarch64"),
    reason="the kernel that counts the system calls is Linux on x86_64 or aarch64",
)


@linux
@pytest.mark.parametrize("work", SOME)
def test_counts_in_sqlite_chroma_index_json_and_nodes_agree_after_kill_9_at_some_steps(work: str) -> None:
    points, steps = killed(work, SOME[work], start=5)
    assert len(points) >= 2
    assert work == "version" or set(STEPS) <= set(steps)


@linux
@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("work", ALL)
def test_counts_in_sqlite_chroma_index_json_and_nodes_agree_after_kill_9_at_every_step(work: str) -> None:
    points, _ = killed(work, 1)
    assert len(points) > 250
    if work in ("first", "another"):
        assert set(STEPS) <= set(points)
