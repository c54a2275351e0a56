"""Starts clients quickly: `launcher.py SOCKET` imports Millwright once and forks for every connection.

A connection brings one JSON line, the order: arguments, environment, files for output, errors and the names of the
points, and optionally a strike or the seconds after which to kill. It gets back JSON lines: the client's `pid`,
`stopped` when it stops, and at the end its `code` and `orphans`, the processes that outlived it.
"""

from __future__ import annotations

import ctypes
import datetime
import importlib
import json
import os
import signal
import socket
import sys
import threading
import time
from pathlib import Path
from typing import Any

from faults.points import Points, Strike

import tools.events
import tools.memory.memory
from agents.models.ollama_http import tls

_SET_PDEATHSIG, _SET_CHILD_SUBREAPER = 1, 36
_GRACE = 10


def serve(path: str) -> None:
    """Fork a keeper for every connection."""
    # Whatever a client would import is here once for all of them.
    for name in (
        "millwright.cli",
        "millwright.overview",
        "millwright.replaying",
        "graphs.build",
        "agents.models.ollama",
    ):
        importlib.import_module(name)
    tls()
    # A test run that is killed leaves no launcher behind.
    ctypes.CDLL(None).prctl(_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    assert threading.active_count() == 1, "a process with threads must not fork"
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(path)
        door.listen(16)
        print("ready", flush=True)
        while True:
            connection = door.accept()[0]
            if os.fork() == 0:
                door.close()
                keep(connection)
                os._exit(0)
            connection.close()


def keep(connection: socket.socket) -> None:
    """Start one client, and tell what becomes of it."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    with connection.makefile("rw") as talk:
        order = json.loads(talk.readline())
        client = os.fork()
        if client == 0:
            connection.close()
            play(order)
        tell(talk, pid=client)
        if order.get("kill_after") is not None:
            threading.Timer(order["kill_after"], os.kill, (client, signal.SIGKILL)).start()
        code = wait(talk, client)
        tell(talk, code=code, orphans=orphans())


def play(order: dict[str, Any]) -> None:
    """Be the client: the command line with these arguments."""
    os.setsid()
    for number, name in ((1, order["out"]), (2, order["err"])):
        os.dup2(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), number)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.environ.update(order["env"])
    os.chdir(order["cwd"])
    strike = order.get("strike")
    Points(order["env"]["MILLWRIGHT_HOME"], order["trace"], Strike(**strike) if strike else None).install()
    jump(float(os.environ.get("FAULTS_CLOCK", 0)))
    if pause := os.environ.get("FAULTS_BEFORE_CHROMA"):
        tools.memory.memory.BEFORE_CHROMA_SECONDS = float(pause)
    sys.argv = ["millwright", *order["arguments"]]
    from millwright.cli import main

    code = 99
    try:
        main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def jump(seconds: float) -> None:
    """Let this process's wall clock be so many seconds off."""
    if seconds:
        real, clock = time.time, datetime.datetime
        moved = datetime.timedelta(seconds=seconds)
        later = type("datetime", (clock,), {"now": classmethod(lambda _, zone=None: clock.now(zone) + moved)})
        time.time = lambda: real() + seconds
        tools.events.datetime = later


def wait(talk: Any, client: int) -> int:
    """Wait until the client has ended, telling whenever it stops."""
    while True:
        _, status = os.waitpid(client, os.WUNTRACED)
        if not os.WIFSTOPPED(status):
            return os.waitstatus_to_exitcode(status)
        tell(talk, stopped=True)


def orphans() -> list[str]:
    """The processes of the client that are still there after a grace of some seconds; they are ended."""

    def struck(*_: object) -> None:
        raise TimeoutError

    signal.signal(signal.SIGALRM, struck)
    signal.alarm(_GRACE)
    try:
        while True:
            os.waitpid(-1, 0)
    except ChildProcessError:
        return []
    except TimeoutError:
        left = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
        names = [Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ") for pid in left]
        for pid in left:
            os.kill(int(pid), signal.SIGKILL)
        return names
    finally:
        signal.alarm(0)


def tell(talk: Any, **facts: Any) -> None:
    """Send one line."""
    talk.write(json.dumps(facts) + "\n")
    talk.flush()


if __name__ == "__main__":
    serve(sys.argv[1])
