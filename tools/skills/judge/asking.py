"""Starts programs through `serving` and asks them."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import time
from contextlib import suppress

from tools.skills.judge import serving

TYPE_CHECKING = False  # `typing` takes longer to import than a program to start
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

with open(serving.__file__, encoding="utf-8") as file:
    _SERVING = file.read()
# Of the clock, which runs on while a busy machine does something else: so much more than of processor time.
LATE, LEAST_LATE = 5.0, 5.0
AHEAD = 30_000  # bytes of calls that are sent ahead; less than a socket holds while nobody reads (socket(7))


class Server:
    """A process that programs are started from, with a hash seed of its own.

    The judges start theirs before they read what programs must not know: the first is a fork.
    """

    def __init__(self, seed: int = 0) -> None:
        """Start it at once; it gets ready while the caller goes on."""
        self._seed = seed
        self._busy = False
        self._open(_fork if seed == 0 else _execute)

    def preload(self, modules: Sequence[str]) -> None:
        """Load modules once instead of in every program; the caller goes on meanwhile."""
        self._control.sendall(json.dumps(list(modules)).encode())
        self._busy = True

    def start(self, modules: dict[str, str], entry: str, cpu_seconds: float) -> Running:
        """Start a program: `main` and the skills it is made of, by module name.

        `cpu_seconds` of processor time are given to importing it and to each call.
        """
        ours, theirs = socket.socketpair()
        try:
            pid = self._forked(theirs)
        except ConnectionError:  # a program before it has ended the server
            self._open(_execute)
            pid = self._forked(theirs)
        theirs.close()
        running = Running(ours, cpu_seconds, pid)
        running.load({"modules": modules, "entry": entry, "cpu_seconds": cpu_seconds})
        return running

    def _open(self, begin: Callable[[socket.socket, int], None]) -> None:
        self._control, theirs = socket.socketpair()
        begin(theirs, self._seed)
        theirs.close()

    def _forked(self, connection: socket.socket) -> int:
        if self._busy:  # a stream would run the list of modules and what follows into one
            self._control.recv(1)
            self._busy = False
        socket.send_fds(self._control, [b"p"], [connection.fileno()])
        told = self._control.recv(32)
        if not told:
            raise ConnectionResetError("the server of programs has ended")
        return int(told)


class Running:
    """A program that runs, and what it was asked."""

    def __init__(self, connection: socket.socket, cpu_seconds: float, pid: int = 0) -> None:
        """Speak to a program over a connection; whoever gives its process as well can end it.

        `problem` says why it cannot be asked, if so.
        """
        self.connection = connection
        self.slowest = 0.0
        self.problem = ""
        self._stream = connection.makefile("rwb")
        self._pid = pid
        self._seconds = cpu_seconds
        self._patience = max(LEAST_LATE, LATE * cpu_seconds)
        connection.settimeout(self._patience)

    def load(self, program: dict[str, Any]) -> None:
        """Hand the program over."""
        self._send([_line(program)])
        ready = self._answer()
        self.slowest = float(ready.get("seconds", 0.0))
        self.problem = "" if ready["kind"] == "ready" else told(ready)

    def ask(self, args: list[Any], kwargs: dict[str, Any]) -> dict[str, Any]:
        """What a call came to: its kind, and its value or error.

        Raises:
            NotJson: an argument has no form in JSON.
        """
        if self.problem:
            return {"kind": "stopped", "error": self.problem}
        self._send([_line({"args": serving.packed(args), "kwargs": serving.packed(kwargs)})])
        return self._asked()

    def ask_all(self, calls: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """What calls with these arguments came to, in order; after one that did not end there are no more.

        Some are sent ahead, for to wait for each other takes both sides longer than most calls.

        Raises:
            NotJson: an argument has no form in JSON.
        """
        lines = [_line({"args": [], "kwargs": serving.packed(call)}) for call in calls]
        done = 0
        while done < len(lines) and not self.problem:
            size, end = len(lines[done]), done + 1
            while end < len(lines) and size + len(lines[end]) <= AHEAD:
                size, end = size + len(lines[end]), end + 1
            self._send(lines[done:end])
            while done < end and not self.problem:
                done += 1
                yield self._asked()

    def end(self) -> None:
        """End the program."""
        self._stream.close()
        self.connection.close()
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._pid, signal.SIGKILL)

    def _asked(self) -> dict[str, Any]:
        found = self._answer()
        self.slowest = max(self.slowest, found.get("seconds", 0.0))
        if found["kind"] == "stopped":
            self.problem = found["error"]
        return found

    def _send(self, lines: Sequence[bytes]) -> None:
        with suppress(OSError):  # of a program that has ended, as is noticed when it does not answer
            self._stream.write(b"".join(lines))
            self._stream.flush()

    def _answer(self) -> dict[str, Any]:
        begin = time.monotonic()
        try:
            line = self._stream.readline(10 * serving.LONGEST_ANSWER)
            found = json.loads(line) if line.endswith(b"\n") else None
        except TimeoutError:
            return {"kind": "stopped", "error": f"it did not answer within {self._patience:g} s"}
        except (OSError, ValueError):
            found = None
        if isinstance(found, dict) and found.get("kind") in ("ready", "returned", "raised", "not_json"):
            return found
        late = time.monotonic() - begin >= 0.8 * self._seconds
        why = f"it did not end within {self._seconds:g} s" if late else "its process ended before it answered"
        return {"kind": "stopped", "error": why}


def _line(message: dict[str, Any]) -> bytes:
    return json.dumps(message).encode() + b"\n"


def told(answer: dict[str, Any]) -> str:
    """An answer that is no value, in words."""
    if answer["kind"] == "raised":
        return f"{answer['error']}: {answer['message']}" if answer["message"] else answer["error"]
    return str(answer.get("error", answer["kind"]))


def _fork(control: socket.socket, _: int) -> None:
    """Serve from a copy of this process, which must not know anything yet."""
    if os.fork() == 0:
        try:
            serving.main(control)
        finally:
            os._exit(0)


def _execute(control: socket.socket, seed: int) -> None:
    """Serve from a new interpreter with this hash seed."""
    if os.fork() == 0:
        try:
            os.set_inheritable(control.fileno(), True)
            argv = [sys.executable, "-B", "-P", "-s", "-S", "-c", _SERVING, str(control.fileno())]
            environment = {"PYTHONHASHSEED": str(seed), "LANG": "C.UTF-8", "TZ": "UTC"}
            os.execve(sys.executable, argv, environment)  # noqa: S606 - our own text in our own interpreter
        finally:
            os._exit(127)
