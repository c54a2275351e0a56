"""The self-test's attacks: each breaks out where nothing confines, and is held where something does."""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import tools
from tools.sandbox import probes
from tools.sandbox.canary import Verdict, try_level
from tools.sandbox.choice import TOLERATED

if TYPE_CHECKING:
    from collections.abc import Iterator

NAMES = [probe.__name__ for probe in probes.PROBES]
# Held by the clean environment, the limits and the launcher alone.
HELD_WITHOUT_CONFINEMENT = {"environment", "memory", "file_size", "processes", "raised_limits", "daemon", "home"}
SYSTEM_PYTHON = Path("/usr/bin/python3")
SELF_TEST = """
import json, sys
from tools.sandbox.canary import try_level
verdict = try_level(sys.argv[1])
json.dump([verdict.held, verdict.open], sys.stdout)
"""


@pytest.fixture(scope="module")
def unconfined() -> Verdict:
    return try_level("off")


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A directory that every user can read; those of pytest are closed."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.mark.parametrize("name", sorted(set(NAMES) - HELD_WITHOUT_CONFINEMENT))
def test_the_attack_works_where_nothing_confines(name: str, unconfined: Verdict) -> None:
    if name in ("user_namespace", "io_uring", "ptrace_host", "mptcp", "keyring") and name in unconfined.held:
        pytest.skip("this kernel or container forbids it to everyone")
    assert unconfined.open[name]


@pytest.mark.parametrize("name", NAMES)
def test_the_level_holds_the_attack_or_says_that_it_does_not(name: str, verdict: Verdict) -> None:
    assert name in verdict.held or name in TOLERATED[verdict.level], verdict.open.get(name)


def test_every_attack_has_a_result(verdict: Verdict) -> None:
    assert {*verdict.held, *verdict.open} == set(NAMES)


@pytest.mark.parametrize("level", ["A", "B"])
def test_an_ordinary_user_is_confined_as_well(level: str, open_folder: Path) -> None:
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("only root can become another user; an ordinary user is what the other tests run as")
    python = _python_that_everyone_can_run()
    command = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--"]
    shutil.copytree(Path(tools.__path__[0]), open_folder / "tools", ignore=shutil.ignore_patterns("__pycache__"))
    found = subprocess.run(
        [*command, str(python), "-B", "-c", SELF_TEST, level],
        env={"PATH": os.defpath, "PYTHONPATH": str(open_folder), "HOME": "/nonexistent"},
        capture_output=True,
        text=True,
    )
    assert found.returncode == 0, found.stderr
    held, broken = json.loads(found.stdout)
    assert {*held, *broken} == set(NAMES)
    assert set(broken) <= TOLERATED[level], broken
    assert "processes" in held  # which does not hold for root


def test_what_the_host_holds_for_the_probes_ends_with_a_process_that_is_killed() -> None:
    code = "import sys, time; from pathlib import Path; from tools.sandbox.canary import _planted\n"
    code += "with _planted(Path(sys.argv[1])) as p: print(p.process, p.shm, flush=True); time.sleep(600)"
    folder = Path(tempfile.mkdtemp(dir="/tmp"))  # a name that is short enough for a socket
    command = [sys.executable, "-c", code, str(folder)]
    environment = {**os.environ, "PYTHONPATH": str(Path(tools.__path__[0]).parent)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as tester:
        process, shared = tester.stdout.readline().split()
        planted = os.pidfd_open(int(process))
        tester.kill()
    ended, _, _ = select.select([planted], [], [], 30)
    os.close(planted)
    shutil.rmtree(folder)
    Path(shared).unlink()
    assert ended


def _python_that_everyone_can_run() -> Path:
    question = "import sys; sys.exit(sys.version_info < (3, 11))"
    if not SYSTEM_PYTHON.exists() or subprocess.run([SYSTEM_PYTHON, "-c", question]).returncode:
        pytest.skip(f"{SYSTEM_PYTHON} is not Python 3.11 or later")
    return SYSTEM_PYTHON
