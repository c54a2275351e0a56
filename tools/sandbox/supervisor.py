"""Running a confined command: feeding it, reading it within bounds, watching what it uses, and ending all of it."""

from __future__ import annotations

import contextlib
import json
import math
import os
import select
import selectors
import signal
import subprocess
import time
from dataclasses import dataclass
from functools import partial
from typing import IO, TYPE_CHECKING

from tools.errors import SandboxUnavailable
from tools.sandbox.capture import Capture
from tools.sandbox.processes import descendants, kill, resident_bytes, state, threads

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from threading import Event

    from tools.sandbox.command import Command
    from tools.sandbox.execution import Limits, Stopped
    from tools.sandbox.throwaway import Throwaway

GATE_TICK = 0.001
TICK = 0.05  # seconds between two looks at memory and processes
DISK_TICK = 0.5
DISK_RESERVE = 500_000_000  # bytes that stay free, or half of what there is
GRACE = 5.0  # seconds for the last output and the end of the tree
BLOCK = 65536
OUR_OWN = 4  # processes of the command itself: bubblewrap, its init, the launcher

Process = subprocess.Popen[bytes]
Selector = selectors.BaseSelector


@dataclass(frozen=True)
class StatusPipe:
    """Where the command reports what became of the program."""

    reader: IO[bytes]
    writer: IO[bytes]


@contextlib.contextmanager
def status_pipe() -> Iterator[StatusPipe]:
    """A pipe, closed at the end whoever still holds it."""
    reading, writing = os.pipe()
    with open(reading, "rb", buffering=0) as reader, open(writing, "wb", buffering=0) as writer:
        yield StatusPipe(reader, writer)


class Supervisor:
    """One confined process from its start to the end of its whole tree."""

    def __init__(self, command: Command, copy: Throwaway, limits: Limits, stop: Event) -> None:
        """Prepare to run `command` in `copy`; setting `stop` ends it early."""
        self._command = command
        self._copy = copy
        self._limits = limits
        self._stop = stop
        without = command.hidden.encode()
        self.stdout = Capture(limits.output_bytes, without=without)
        self.stderr = Capture(limits.output_bytes, without=without)
        self.stopped: Stopped = ""
        self.seconds = 0.0
        self._status = b""
        self._closed = command.gated
        self._init: int | None = None  # a pidfd of the first process inside
        # Files that are unlinked while open, or in a closed directory, are found by nothing but the lack of space.
        self._least_free = min(DISK_RESERVE, copy.free_bytes() // 2)
        self._next_look = 0.0
        self._next_disk_look = time.monotonic() + DISK_TICK

    @property
    def started(self) -> bool:
        """Whether the program was reached; else standard error says why not."""
        return self.exit_code is not None or bool(self.stopped)

    @property
    def exit_code(self) -> int | None:
        """What the program ended with, as the command reported it."""
        return None if self.stopped else self._reported("exit-code")

    def run(self, stdin: bytes, status: StatusPipe) -> None:
        """Run to the end of the program and of everything it started.

        Raises:
            SandboxUnavailable: not even the confining command could be started.
        """
        begin = time.monotonic()
        with selectors.DefaultSelector() as selector, self._start(stdin) as process:
            status.writer.close()
            try:
                self._read_from(selector, process, status)
                if not self._closed:
                    self._write_to(selector, process, stdin)
                self._watch(selector, process, stdin, begin + self._limits.seconds)
            finally:
                self._end(process)
        self.seconds = time.monotonic() - begin
        self.stdout.close()
        self.stderr.close()

    def _start(self, stdin: bytes) -> Process:
        try:
            return subprocess.Popen(
                self._command.argv,
                stdin=subprocess.PIPE if stdin or self._closed else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=self._command.environment,
                cwd=self._copy.workspace,
                pass_fds=self._command.descriptors,
                start_new_session=True,
                bufsize=0,
            )
        except OSError as error:
            raise SandboxUnavailable(
                f"cannot start {self._command.argv[0]!r}: {error.strerror}; try again"
            ) from error

    def _read_from(self, selector: Selector, process: Process, status: StatusPipe) -> None:
        for stream, take in (
            (process.stdout, self.stdout.feed),
            (process.stderr, self.stderr.feed),
            (status.reader, self._feed_status),
        ):
            assert stream is not None
            os.set_blocking(stream.fileno(), False)
            selector.register(stream, selectors.EVENT_READ, partial(_pass_on, selector, stream, take))

    def _write_to(self, selector: Selector, process: Process, stdin: bytes) -> None:
        if process.stdin is not None:
            os.set_blocking(process.stdin.fileno(), False)
            rest = memoryview(stdin)
            selector.register(
                process.stdin, selectors.EVENT_WRITE, partial(_hand_over, selector, process.stdin, [rest])
            )

    def _watch(self, selector: Selector, process: Process, stdin: bytes, deadline: float) -> None:
        """Serve the streams until they end; once the process has ended or is told to, for `GRACE` at most."""
        give_up = math.inf
        while any(key.events == selectors.EVENT_READ for key in selector.get_map().values()):
            for key, _ in selector.select(GATE_TICK if self._closed else TICK):
                key.data()
            if self._closed and self._bound():
                self._closed = False
                self._write_to(selector, process, b"\n" + stdin)
            now = time.monotonic()
            if now > give_up:
                return
            if give_up == math.inf and (process.poll() is not None or self._must_stop(process, now, deadline)):
                give_up = now + GRACE

    def _must_stop(self, process: Process, now: float, deadline: float) -> bool:
        self.stopped = self._reason(process, now, deadline)
        if self.stopped:
            self._kill(process)
        return bool(self.stopped)

    def _reason(self, process: Process, now: float, deadline: float) -> Stopped:
        if self._stop.is_set():
            return "cancelled"
        if now >= deadline:
            return "time"
        if now >= self._next_look:
            self._next_look = now + TICK
            tree = descendants(process.pid)
            if resident_bytes(tree) > self._limits.memory_bytes:
                return "memory"
            if threads(tree) > self._limits.processes + OUR_OWN:
                return "processes"
            if self._copy.free_bytes() < self._least_free:
                return "disk"
        if now >= self._next_disk_look:
            used = self._copy.used_bytes()
            # A tree of many small files takes long to sum up: spend a twentieth of the time on it at most.
            self._next_disk_look = now + max(DISK_TICK, 20 * (time.monotonic() - now))
            return "disk" if used > self._limits.disk_bytes else ""
        return ""

    def _feed_status(self, data: bytes) -> None:
        self._status += data
        if self._init is None and (child := self._reported("child-pid")):
            # Gone already is fine: then there is nothing to kill.
            with contextlib.suppress(ProcessLookupError):
                self._init = os.pidfd_open(child)

    def _bound(self) -> bool:
        """Whether the first process inside waits for the program; just before, it has bound itself to our life."""
        first = self._reported("child-pid")
        return first is not None and bool(descendants(first)) and state(first) == "S"

    def _reported(self, key: str) -> int | None:
        whole_lines = self._status[: self._status.rfind(b"\n") + 1].splitlines()
        values = [report[key] for report in map(json.loads, whole_lines) if key in report]
        return int(values[0]) if values else None

    def _kill(self, process: Process) -> None:
        if self._command.ends_by == "asking the launcher":
            process.terminate()
        elif self._init is None:
            process.kill()
        else:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._init, signal.SIGKILL)

    def _end(self, process: Process) -> None:
        """Leave nothing behind: the first process of a namespace has ended only when all in it have."""
        if process.poll() is None:
            self._kill(process)
        try:
            process.wait(GRACE)
        except subprocess.TimeoutExpired:
            # A launcher that was stopped, or cannot keep up: nobody else would end what is below it.
            kill(descendants(process.pid))
            process.kill()
        if self._init is not None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._init, signal.SIGKILL)
            select.select([self._init], [], [], GRACE)
            os.close(self._init)


def _pass_on(selector: Selector, stream: IO[bytes], take: Callable[[bytes], None]) -> None:
    data = os.read(stream.fileno(), BLOCK)
    take(data)
    if not data:
        selector.unregister(stream)


def _hand_over(selector: Selector, stream: IO[bytes], rest: list[memoryview]) -> None:
    try:
        rest[0] = rest[0][os.write(stream.fileno(), rest[0][:BLOCK]) :]
    except BrokenPipeError:
        rest[0] = rest[0][:0]
    if not rest[0]:
        selector.unregister(stream)
        stream.close()
