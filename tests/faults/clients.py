"""Clients of Millwright as processes of their own, which can be killed, stopped and interrupted anywhere."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from faults.points import Strike

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Ended:
    """How a client ended."""

    code: int
    out: str
    err: str
    orphans: list[str]
    points: list[str]

    @property
    def killed(self) -> bool:
        return self.code < 0

    @property
    def result(self) -> dict[str, Any]:
        """The one machine-readable result."""
        return json.loads(self.out)


@dataclass
class Client:
    """One `millwright …` at work."""

    connection: socket.socket
    folder: Path
    pid: int = 0
    stopped: bool = False
    _talk: Any = field(default=None)
    _end: dict[str, Any] = field(default_factory=dict)

    def until_stopped(self) -> None:
        """Wait until a strike has stopped it."""
        while not self.stopped:
            assert "code" not in self._heard(), f"it ended: {(self.folder / 'err').read_text()}"

    def stops(self) -> Iterator[None]:
        """Every stop until it ends; it goes on after each."""
        while "code" not in (heard := self._heard()):
            yield
            self.send(signal.SIGCONT)
        self._end = heard

    def send(self, number: int) -> None:
        os.kill(self.pid, number)

    def kill(self) -> None:
        """End it, unless its end was waited for."""
        if self.connection.fileno() >= 0:
            self.send(signal.SIGKILL)
            self.ended()

    def ended(self) -> Ended:
        """Wait for its end."""
        heard = self._end
        while "code" not in heard:
            heard = self._heard()
        self._talk.close()
        self.connection.close()
        out, err, points = ((self.folder / name).read_text() for name in ("out", "err", "points"))
        return Ended(heard["code"], out, err, heard["orphans"], points.splitlines())

    def _heard(self) -> dict[str, Any]:
        self._talk = self._talk or self.connection.makefile("r")
        heard: dict[str, Any] = json.loads(self._talk.readline())
        self.pid = heard.get("pid", self.pid)
        self.stopped = self.stopped or "stopped" in heard
        return heard


class Launcher:
    """Starts clients; Millwright is imported once for all of them."""

    def __init__(self) -> None:
        self._clients: list[Client] = []
        self._folder = tempfile.TemporaryDirectory(prefix="millwright-faults-")
        self._socket = f"{self._folder.name}/door"
        path = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("launcher.py")), self._socket],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": path},
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n"

    def start(
        self,
        *arguments: str,
        home: Path,
        strike: Strike | None = None,
        kill_after: float | None = None,
        cwd: Path | None = None,
        **env: str,
    ) -> Client:
        """Start `millwright ARGUMENTS` on a data directory, to be struck at a point or killed after some seconds."""
        folder = Path(tempfile.mkdtemp(dir=self._folder.name))
        order = {
            "arguments": arguments,
            "env": {"MILLWRIGHT_HOME": str(home), **env},
            "cwd": str(cwd or folder),
            "strike": None if strike is None else asdict(strike),
            "kill_after": kill_after,
            **{name: str(folder / name) for name in ("out", "err")},
            "trace": str(folder / "points"),
        }
        (folder / "points").touch()
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(self._socket)
        connection.sendall(json.dumps(order).encode() + b"\n")
        client = Client(connection, folder)
        self._clients.append(client)
        client._heard()
        return client

    def run(self, *arguments: str, **options: Any) -> Ended:
        """Start a client and wait for its end."""
        return self.start(*arguments, **options).ended()

    def close(self) -> None:
        """End the launcher, and the clients that a failed test has left stopped."""
        for client in self._clients:
            client.kill()
        self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._folder.cleanup()
