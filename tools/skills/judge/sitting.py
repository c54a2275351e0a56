"""How the judge has tests run: it hands a program over to the process of the tests, and reads what they came to."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import time
from contextlib import suppress

from tools.skills.judge import serving

TYPE_CHECKING = False  # `typing` takes longer to import than a program to start
if TYPE_CHECKING:
    from typing import Any

    from tools.skills.judge.asking import Running

LONGEST_READING = 15.0  # seconds of the clock
LONGEST_RUN = 15.0


class Lost(Exception):
    """The process of the tests is gone, or does not answer, or something that they left is in the way."""


class Run:
    """What the tests came to on one version: each test's outcome and message, and how often the program was called.

    `problem` says why the program could not be asked. `ended` is false where the tests did not tell what they came to,
    and `late` says that this was because they took too long.
    """

    def __init__(
        self, told: dict[str, Any] | None = None, *, problem: str = "", ended: bool = True, late: bool = False
    ) -> None:
        """Take what the process of the tests told.

        Raises:
            KeyError: that is not what it should tell.
        """
        told = told or {"tests": {}, "calls": 0, "asked": [], "all": False}
        self.tests: dict[str, dict[str, str]] = told["tests"]
        self.calls: int = told["calls"]
        self.asked: list[dict[str, Any]] = told["asked"]
        self.all_recorded: bool = told["all"]
        self.problem, self.ended, self.late = problem, ended, late

    @property
    def passed(self) -> bool:
        """Whether nothing failed."""
        return self.ended and not self.problem and all(test["outcome"] != "failed" for test in self.tests.values())

    @property
    def noticed(self) -> bool:
        """Whether the tests say that this is not the program; when their process just ends, they say nothing."""
        return not self.passed and (self.ended or self.late)

    def shown(self) -> dict[str, Any]:
        """The run as the report tells it."""
        return {"tests": self.tests, "calls": self.calls, "problem": self.problem, "ended": self.ended}


class Tests:
    """The process of the tests, which begins as a fork of one that knows nothing yet."""

    def __init__(self) -> None:
        """Start it at once; it loads pytest while the caller goes on, which inherits what it leaves behind."""
        serving.prctl(serving.PR_SET_CHILD_SUBREAPER, 1)
        self._control, theirs = socket.socketpair()
        self._pid = os.fork()
        if self._pid == 0:
            try:
                self._control.close()
                from tools.skills.judge import tester

                tester.main(theirs)
            finally:
                os._exit(0)
        theirs.close()
        self._lines = self._control.makefile("rb")

    def read(self, tests: str, entry: str, parameters: list[str]) -> dict[str, Any]:
        """Have the tests read: how many there are, and why they cannot be read.

        Raises:
            Lost: reading them ends the process, or does not end.
        """
        family = _children(os.getpid())
        self._control.settimeout(LONGEST_READING)
        told = {"tests": tests, "entry": entry, "parameters": parameters}
        with suppress(OSError):
            self._control.sendall(json.dumps(told).encode() + b"\n")
        found: dict[str, Any] = json.loads(self._line())
        if _threads(self._pid) > 1 or _children(self._pid) or _children(os.getpid()) != family:
            raise Lost("the tests start processes or threads while they are read")
        return found

    def begin(self, running: Running, *, backwards: bool = False, telling: bool = False) -> Sitting:
        """Have the tests run on a program; with `telling`, all of them, and with words for every failure.

        Raises:
            Lost: there is nobody to run them.
        """
        if running.problem:
            return Sitting(running, 0, 0)
        reading, writing = os.pipe()
        how = json.dumps({"backwards": backwards, "telling": telling}).encode()
        try:
            socket.send_fds(self._control, [how], [running.connection.fileno(), writing])
            return Sitting(running, int(self._line()), reading)
        except (OSError, ValueError) as error:
            raise Lost("the process of the tests has ended") from error
        finally:
            os.close(writing)

    def _line(self) -> bytes:
        try:
            line = self._lines.readline()
        except OSError as error:
            raise Lost("reading the tests does not come to an end") from error
        if not line:
            raise Lost("reading the tests ends the process that reads them")
        return line


class Sitting:
    """A run of the tests that goes on."""

    def __init__(self, running: Running, pid: int, pipe: int) -> None:
        """Of this program, in this process, which writes into this pipe."""
        self._running, self._pid, self._pipe = running, pid, pipe
        self._until = time.monotonic() + LONGEST_RUN

    def result(self, until: float) -> Run:
        """What it comes to; afterwards neither the tests nor the program run any longer."""
        try:
            if self._running.problem:
                return Run(problem=f"it cannot be imported: {self._running.problem}")
            return self._read(min(until, self._until))
        finally:
            self._running.end()

    def _read(self, until: float) -> Run:
        line, late = b"", False
        with open(self._pipe, "rb", buffering=0) as pipe:
            while b"\n" not in line:
                late = not select.select([pipe], [], [], max(0.0, until - time.monotonic()))[0]
                block = b"" if late else pipe.read(65536)
                if not block:
                    break
                line += block
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._pid, signal.SIGKILL)
        try:
            return Run(json.loads(line.split(b"\n")[0]))
        except (ValueError, KeyError, TypeError):
            return Run(ended=False, late=late)


def _threads(pid: int) -> int:
    """How many threads a process has; where the weaker level of the sandbox closes /proc, this is not known."""
    try:
        return len(os.listdir(f"/proc/{pid}/task"))  # noqa: PTH208 - `pathlib` takes long to import
    except OSError:
        return 0


def _children(pid: int) -> str:
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            return file.read()
    except OSError:
        return ""
