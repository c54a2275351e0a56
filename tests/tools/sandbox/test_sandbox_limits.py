"""Programs that take too much: each is bounded or stopped, and the result says which."""

from __future__ import annotations

import resource
import subprocess
import tempfile
from typing import TYPE_CHECKING

import pytest

from tools.sandbox import Limits, Sandbox, python_argv

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FLOOD = """
import os
block = (b'0123456789abcde' + bytes([10])) * 65536
for _ in range({blocks}): os.write(1, block)
print('the end')
"""
MANY_SMALL_HOGS = """
import os, time
for _ in range(10):
    if os.fork() == 0:
        held = bytearray(60_000_000)
        time.sleep(60)
time.sleep(60)
"""
SHARED_HOG = """
import mmap, time
held = mmap.mmap(-1, 600_000_000)
for _ in range(600): held.write(bytes(1_000_000))
time.sleep(60)
"""
FORK_BOMB = """
import os
started = 0
while True:
    try:
        if os.fork() == 0:
            import time; time.sleep(60)
        started += 1
    except BlockingIOError:
        print(started); break
    if started > 400:
        time.sleep(60)
"""
UNSEEN_FILES = """
import os, time
held = []
for number in range(15):
    held.append(open(f"f{number}", "wb"))
    os.unlink(f"f{number}")
    held[-1].write(bytes(1_000_000))
time.sleep(60)
"""
MANY_FILES = "for i in range(1000): open(f'f{i}', 'wb').write(bytes(1_000_000))\nimport time; time.sleep(60)"


@pytest.fixture
def small_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A disk of 20 MB on which the copies are made."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=20m,mode=711", "none", disk], capture_output=True)
    if mounted.returncode:
        pytest.skip(f"no disk can be mounted here: {mounted.stderr.decode().strip()}")
    monkeypatch.setattr(tempfile, "tempdir", str(disk))
    yield disk
    subprocess.run(["umount", disk], check=True)


def python(sandbox: Sandbox, workspace: Path, code: str, limits: Limits):
    return sandbox.run(python_argv("-S", "-c", code), workspace=workspace, limits=limits)


def test_the_clock_runs_out(sandbox: Sandbox, workspace: Path) -> None:
    ran = sandbox.run(["sh", "-c", "echo begun; sleep 600"], workspace=workspace, limits=Limits(seconds=2))
    assert (ran.timed_out, ran.stopped, ran.exit_code, ran.stdout) == (True, "time", None, "begun\n")
    assert ran.seconds >= 2


def test_processor_time_runs_out(sandbox: Sandbox, workspace: Path) -> None:
    ran = python(sandbox, workspace, "while True: pass", Limits(cpu_seconds=1))
    assert ran.exit_code == 137 or ran.exit_code == 128 + 24  # SIGXCPU comes before SIGKILL
    assert not ran.timed_out


def test_one_process_gets_no_more_memory(sandbox: Sandbox, workspace: Path) -> None:
    ran = python(sandbox, workspace, "bytearray(700_000_000)", Limits(memory_bytes=500_000_000))
    assert ran.exit_code == 1
    assert "MemoryError" in ran.stderr


@pytest.mark.parametrize("code", [MANY_SMALL_HOGS, SHARED_HOG], ids=["many small", "shared"])
def test_all_processes_together_get_no_more_memory(sandbox: Sandbox, workspace: Path, code: str) -> None:
    ran = python(sandbox, workspace, code, Limits(memory_bytes=300_000_000))
    assert (ran.stopped, ran.exit_code) == ("memory", None), ran.stderr


def test_a_fork_bomb_goes_nowhere(sandbox: Sandbox, workspace: Path) -> None:
    ran = python(sandbox, workspace, FORK_BOMB, Limits(processes=40))
    if "processes" in sandbox.held:
        assert ran.exit_code == 0, ran.stderr
        assert 0 < int(ran.stdout) < 40
    else:
        assert ran.stopped == "processes"


def test_a_file_grows_no_larger(sandbox: Sandbox, workspace: Path) -> None:
    code = "open('big', 'wb').write(bytes(20_000_000))"
    ran = python(sandbox, workspace, code, Limits(file_bytes=10_000_000))
    assert ran.exit_code == 1
    assert "File too large" in ran.stderr


def test_many_files_do_not_fill_the_disk(sandbox: Sandbox, workspace: Path) -> None:
    ran = python(sandbox, workspace, MANY_FILES, Limits(disk_bytes=50_000_000))
    assert (ran.stopped, ran.exit_code) == ("disk", None), ran.stderr


def test_files_that_nobody_sees_do_not_fill_a_small_disk(
    sandbox: Sandbox, workspace: Path, small_disk: Path
) -> None:
    ran = python(sandbox, workspace, UNSEEN_FILES, Limits(seconds=20))
    assert (ran.stopped, ran.exit_code) == ("disk", None), ran.stderr
    assert list(small_disk.iterdir()) == []


@pytest.mark.parametrize("blocks", [64, pytest.param(1024, marks=pytest.mark.soak)], ids=["64 MiB", "1 GiB"])
def test_a_flood_of_output_is_counted_and_not_kept(sandbox: Sandbox, workspace: Path, blocks: int) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    ran = python(sandbox, workspace, FLOOD.format(blocks=blocks), Limits(output_bytes=100_000, seconds=250))
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert ran.exit_code == 0
    assert ran.output_bytes == (blocks << 20) + len("the end\n")
    assert ran.output_cut
    assert len(ran.stdout) < 101_000
    assert ran.stdout.startswith("0123456789abcde\n")
    assert ran.stdout.endswith("the end\n")
    assert f"[... {ran.output_bytes - 100_000} bytes of output cut ...]" in ran.stdout
    assert grown < 20_000  # KiB


def test_a_flood_without_end_is_stopped(sandbox: Sandbox, workspace: Path) -> None:
    ran = sandbox.run(["yes"], workspace=workspace, limits=Limits(seconds=0.5, output_bytes=1000))
    assert (ran.stopped, ran.output_cut) == ("time", True)
