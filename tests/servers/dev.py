"""The real `langgraph dev`, as a user starts it, for tests that drive it with the real client."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from collections.abc import Callable

REPOSITORY = Path(__file__).parents[2]
PATIENCE = 60.0


class DevServer:
    """`langgraph dev` as a user starts it, in a directory of its own with the data directory inside."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder = folder / "project"
        self.folder.mkdir()
        self.log = folder / "log"
        self.environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("MILLWRIGHT", "LANG"))},
            "XDG_STATE_HOME": str(folder / "state"),
            "LANGGRAPH_CLI_NO_ANALYTICS": "1",
            "LANGGRAPH_NO_VERSION_CHECK": "true",
            "LANGSMITH_TRACING": "false",
            "LOG_COLOR": "false",
            **environment,
        }
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def start(self, *options: str) -> None:
        """Start the server and wait until it answers."""
        command = [Path(sys.executable).with_name("langgraph"), "dev", "--config", REPOSITORY / "langgraph.json"]
        command += ["--no-browser", "--port", str(self.port), *options]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, cwd=self.folder, env=self.environment, stdout=log, stderr=log, start_new_session=True
            )
        raise_if_late(self.answers, f"langgraph dev did not start: {self.log.read_text()[-4000:]}")

    def answers(self) -> bool:
        """Whether the server is up."""
        assert self.process.poll() is None, self.log.read_text()
        with contextlib.suppress(httpx.TransportError):
            return httpx.get(f"{self.url}/ok").status_code == 200
        return False

    def kill(self) -> None:
        """Kill the server, and the process that watches over it, without any notice."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def saves(self) -> None:
        """Wait until the server has written its catalogue of threads and runs, which it does every ten seconds."""
        catalogue = self.folder / ".langgraph_api" / ".langgraph_ops.pckl"
        before = catalogue.stat().st_mtime_ns if catalogue.exists() else 0
        raise_if_late(lambda: catalogue.exists() and catalogue.stat().st_mtime_ns > before, "nothing was saved")

    def said(self, text: str) -> int:
        """How often the log holds a text."""
        return self.log.read_text().count(text)


def raise_if_late(done: Callable[[], bool], message: str) -> None:
    """Wait until something is so."""
    pause = threading.Event()
    for _ in range(int(PATIENCE / 0.05)):
        if done():
            return
        pause.wait(0.05)
    raise AssertionError(message)
