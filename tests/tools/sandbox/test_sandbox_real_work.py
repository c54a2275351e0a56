"""Ordinary programs run inside as they do outside; level B says which do not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import tools
from tools.errors import ToolRefused
from tools.sandbox import python_argv

if TYPE_CHECKING:
    from tools.sandbox import Sandbox

WORK = """
import asyncio, concurrent.futures, http.server, multiprocessing, multiprocessing.shared_memory, sqlite3
import subprocess, sys, tempfile, threading, urllib.request

def square(x):
    return x * x

def test_asyncio_subprocess():
    async def work():
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", "print(1)", stdout=subprocess.PIPE)
        return (await process.communicate())[0]
    assert asyncio.run(work()) == b"1\\n"

def test_pool():
    with multiprocessing.Pool(2) as pool:
        assert pool.map(square, [1, 2, 3]) == [1, 4, 9]

def test_process_pool_executor():
    with concurrent.futures.ProcessPoolExecutor(2) as pool:
        assert list(pool.map(square, [2])) == [4]

def test_manager():
    with multiprocessing.Manager() as manager:
        shared = manager.dict(a=1)
        assert shared["a"] == 1

def test_sqlite_wal(tmp_path):
    connection = sqlite3.connect(tmp_path / "a.db")
    assert connection.execute("pragma journal_mode=wal").fetchone() == ("wal",)
    connection.execute("create table t (x)")
    connection.commit()
    connection.close()

def test_tempfile():
    with tempfile.NamedTemporaryFile() as file:
        file.write(b"x")
        file.flush()
        assert open(file.name, "rb").read() == b"x"

def test_subprocess():
    assert subprocess.run(["sh", "-c", "echo hi"], capture_output=True, check=True).stdout == b"hi\\n"

def test_http_server():
    server = http.server.HTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        assert urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}/").status == 200
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

def test_threads():
    seen = []
    threads = [threading.Thread(target=seen.append, args=(i,)) for i in range(8)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    assert sorted(seen) == list(range(8))

def test_shared_memory():
    segment = multiprocessing.shared_memory.SharedMemory(create=True, size=100)
    segment.buf[0] = 1
    assert segment.buf[0] == 1
    segment.close()
    segment.unlink()
"""
NESTED = """
import sys
from pathlib import Path
from tools.sandbox import Sandbox, python_argv
argv = python_argv("-c", "import sys; print(sys.prefix)")
print(Sandbox(sys.argv[1]).run(argv, workspace=Path(sys.argv[2])).stdout)
"""
NEEDS_SOCKETS = {"test_manager", "test_http_server"}


def test_ten_kinds_of_real_work(sandbox: Sandbox, workspace: Path) -> None:
    (workspace / "test_work.py").write_text(WORK)
    ran = sandbox.run(python_argv("-m", "pytest", "-rA", "-q", "-p", "no:cacheprovider"), workspace=workspace)
    passed = {line.rpartition("::")[2] for line in ran.stdout.splitlines() if line.startswith("PASSED")}
    everything = {line[4:-3] for line in WORK.splitlines() if line.startswith("def test_") and "(" in line}
    everything = {name.partition("(")[0] for name in everything}
    assert len(everything) == 10
    assert everything - passed == (set() if sandbox.level == "A" else NEEDS_SOCKETS), ran.stdout


def test_python_sees_pytest_and_no_code_of_the_workspace_before_it(sandbox: Sandbox, workspace: Path) -> None:
    for planted in ("sitecustomize.py", "usercustomize.py", "pytest.py"):
        (workspace / planted).write_text("raise SystemExit('the workspace was imported')")
    ran = sandbox.run(python_argv("-c", "import pytest, sys; print(sys.flags.safe_path)"), workspace=workspace)
    assert (ran.stdout, ran.exit_code) == ("True\n", 0), ran.stderr


def test_input_arguments_and_environment_arrive(sandbox: Sandbox, workspace: Path) -> None:
    code = "import os, sys; print(sys.stdin.read(), sys.argv[1:], os.environ['GIVEN'], os.environ.get('LEAKED'))"
    large = b"x" * 300_000
    ran = sandbox.run(python_argv("-c", code, "a b", "*"), workspace=workspace, env={"GIVEN": "1"}, stdin=large)
    assert ran.stdout == f"{large.decode()} ['a b', '*'] 1 None\n"


def test_input_that_nobody_reads_does_no_harm(sandbox: Sandbox, workspace: Path) -> None:
    assert sandbox.run(["true"], workspace=workspace, stdin=b"x" * 1_000_000).exit_code == 0


@pytest.mark.parametrize(
    ("command", "code"),
    [("exit 3", 3), ("kill -KILL $$", 137), ("kill -TERM $$", 143), ("exec not-there", 127), ("exec ./plain", 126)],
)
def test_exit_codes_are_those_of_a_shell(sandbox: Sandbox, workspace: Path, command: str, code: int) -> None:
    (workspace / "plain").write_text("not a program")
    assert sandbox.run(["sh", "-c", command], workspace=workspace).exit_code == code


def test_a_command_that_does_not_exist_is_a_result(sandbox: Sandbox, workspace: Path) -> None:
    ran = sandbox.run(["not-there"], workspace=workspace)
    assert ran.exit_code == 127
    assert "not-there" in ran.stderr


@pytest.mark.parametrize(
    ("argv", "env"),
    [([], {}), ([""], {}), (["a\0b"], {}), (["\ud800"], {}), (["true"], {"A=B": "x"}), (["true"], {"": "x"})],
)
def test_what_no_command_can_be_is_refused(
    sandbox: Sandbox, workspace: Path, argv: list[str], env: dict[str, str]
) -> None:
    with pytest.raises(ToolRefused):
        sandbox.run(argv, workspace=workspace, env=env)


def test_an_interpreter_may_stand_where_the_copy_is_mounted(sandbox: Sandbox, tmp_path: Path) -> None:
    """A virtual environment in /tmp, which is another directory inside."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    (tmp_path / "files").mkdir()
    ran = subprocess.run(
        [tmp_path / "venv" / "bin" / "python", "-c", NESTED, sandbox.level, str(tmp_path / "files")],
        env={**os.environ, "PYTHONPATH": str(Path(tools.__path__[0]).parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.stdout == f"{tmp_path / 'venv'}\n\n", ran.stderr


def test_another_interpreter_can_be_run_when_it_is_named_as_readable_and_not_without(
    sandbox: Sandbox, workspace: Path, tmp_path: Path
) -> None:
    other = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", other], check=True)
    argv = [str(other / "bin" / "python"), "-P", "-s", "-c", "import sys; print(sys.prefix)"]
    ran = sandbox.run(argv, workspace=workspace, readable=[other])
    assert (ran.exit_code, ran.stdout) == (0, f"{other}\n"), ran.stderr
    assert not sandbox.run(argv, workspace=workspace).ok
    write = sandbox.run([*argv[:-1], f"open({str(other / 'x')!r}, 'w')"], workspace=workspace, readable=[other])
    assert not write.ok
    assert not (other / "x").exists()
