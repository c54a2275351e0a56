"""When a run ends, by itself, by a limit, by cancelling or by the death of its starter, nothing of it lives on."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import tools
from tools.sandbox import Limits, Sandbox
from tools.sandbox.canary import PREFIX as PLANTED
from tools.sandbox.identity import own_identity
from tools.sandbox.leftovers import sweep
from tools.sandbox.processes import everybody
from tools.sandbox.throwaway import PREFIX, throwaway

if TYPE_CHECKING:
    from collections.abc import Callable

PATIENCE = 60  # seconds
RUN = """
import sys
from pathlib import Path
from tools.sandbox import Sandbox
Sandbox(sys.argv[1]).run(["sh", "-c", sys.argv[2]], workspace=Path(sys.argv[3]))
"""


@pytest.fixture
def mark() -> str:
    """A number of seconds to sleep that nobody else sleeps."""
    return f"3600.{secrets.randbelow(10**9)}"


@pytest.fixture
def daemon(mark: str) -> str:
    """A shell command that leaves a process in a session of its own, twice removed, deaf to polite signals."""
    return f"(trap '' TERM HUP INT; setsid sh -c 'trap \"\" TERM HUP INT; sleep {mark} & sleep {mark}' &) "


def alive(mark: str) -> dict[int, str]:
    """The programs that have `mark` among their words."""
    found = {}
    for pid in everybody():
        with contextlib.suppress(OSError):
            words = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
            if any(mark in word for word in words):
                found[pid] = words[0]
    return found


def programs(mark: str) -> list[str]:
    """Those that are no bubblewrap on the way to the program."""
    return [program for program in alive(mark).values() if "bwrap" not in program]


def gone_by_a_sweep(mark: str) -> bool:
    """Sweep once; it passes over a copy that bubblewrap, just being started, still holds."""
    sweep()
    return not alive(mark)


def until(condition: Callable[[], object], pause: float = 0.01) -> None:
    """Wait for a condition; it is looked at once more after the deadline, for the machine itself may have stood still."""
    deadline = time.monotonic() + PATIENCE
    late = False
    while not condition():
        assert not late, "it did not come about"
        late = time.monotonic() > deadline
        time.sleep(pause)


def test_a_daemon_does_not_survive_the_program(sandbox: Sandbox, workspace: Path, daemon: str, mark: str) -> None:
    begun = f"{daemon}; until [ -e ready ]; do ls > ready; done; echo done"
    ran = sandbox.run(["sh", "-c", begun], workspace=workspace)
    assert (ran.exit_code, ran.stdout) == (0, "done\n")
    assert alive(mark) == {}


def test_a_daemon_does_not_survive_the_time_limit(
    sandbox: Sandbox, workspace: Path, daemon: str, mark: str
) -> None:
    ran = sandbox.run(["sh", "-c", f"{daemon}; sleep {mark}"], workspace=workspace, limits=Limits(seconds=0.7))
    assert ran.stopped == "time"
    assert alive(mark) == {}


async def test_cancelling_ends_everything(sandbox: Sandbox, workspace: Path, daemon: str, mark: str) -> None:
    running = asyncio.create_task(sandbox.arun(["sh", "-c", f"{daemon}; sleep {mark}"], workspace=workspace))
    while len(alive(mark)) < 3:
        await asyncio.sleep(0.01)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert alive(mark) == {}


async def test_the_loop_stays_free_and_runs_go_side_by_side(sandbox: Sandbox, workspace: Path) -> None:
    """Each run waits for a file that the next one's start does not depend on: together, or never."""
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    counting = asyncio.create_task(count())
    ran = await asyncio.gather(
        *(sandbox.arun(["sh", "-c", "sleep 0.3; pwd"], workspace=workspace) for _ in range(4))
    )
    counting.cancel()
    assert [run.stdout for run in ran] == ["/workspace\n"] * 4
    assert turns > 100


def test_nothing_survives_a_killed_starter_and_the_next_one_cleans_up(
    sandbox: Sandbox, workspace: Path, daemon: str, mark: str
) -> None:
    root = str(Path(tools.__path__[0]).parent)
    command = [sys.executable, "-c", RUN, sandbox.level, f"{daemon}; sleep {mark}", str(workspace)]
    temporary = workspace.parent / "temporary"
    temporary.mkdir(mode=0o711)
    starter = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": root, "TMPDIR": str(temporary)})
    try:
        until(lambda: len(alive(mark)) >= 3)
    finally:
        starter.kill()
        starter.wait()
    until(lambda: not alive(mark))
    assert list(temporary.glob(f"{PREFIX}*"))
    subprocess.run(
        [sys.executable, "-c", "from tools.sandbox.leftovers import sweep; sweep()"],
        env={**os.environ, "PYTHONPATH": root, "TMPDIR": str(temporary)},
        check=True,
    )
    assert list(temporary.glob(f"{PREFIX}*")) == []


def test_a_copy_in_use_is_not_swept(workspace: Path) -> None:
    with throwaway(workspace, own_identity()) as copy:
        sweep()
        assert copy.workspace.is_dir()
    assert not copy.root.exists()


def test_what_a_killed_self_test_planted_is_swept_when_it_is_old(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    old, fresh = tmp_path / f"{PLANTED}old", tmp_path / f"{PLANTED}fresh"
    segment = tmp_path / f"{PLANTED}segment"
    for folder in (old, fresh):
        (folder / "above").mkdir(parents=True)
    segment.write_text("secret")
    for left in (old, segment):
        os.utime(left, (0, 0))
    sweep()
    assert [left.exists() for left in (old, segment, fresh)] == [False, False, True]


@pytest.mark.parametrize("rounds", [6, pytest.param(100, marks=pytest.mark.soak)])
def test_a_starter_may_be_killed_at_any_moment(
    sandbox: Sandbox, workspace: Path, mark: str, rounds: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also before the confinement has bound itself to its starter: then the program does not begin."""
    monkeypatch.setattr(tempfile, "tempdir", str(workspace.parent))
    root = str(Path(tools.__path__[0]).parent)
    command = [sys.executable, "-S", "-c", RUN, sandbox.level, f"exec sleep {mark}", str(workspace)]
    for turn in range(rounds):
        starter = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": root, "TMPDIR": str(workspace.parent)})
        until(lambda pid=starter.pid: set(alive(mark)) - {pid}, pause=0)
        for _ in range(turn % 10):  # each look takes a moment, so that it is hit elsewhere in its start
            alive(mark)
        starter.kill()
        starter.wait()
        until(lambda: not programs(mark))
        until(lambda: gone_by_a_sweep(mark))
    assert list(workspace.parent.glob(f"{PREFIX}*")) == []
