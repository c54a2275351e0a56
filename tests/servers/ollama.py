"""The scripted model server, as tests use it.

Inside a test::

    with OllamaServer([Reply("hello"), Reply(tool_calls=[call("read", path="a.py")])]) as server:
        OllamaChat(model="qwen2.5-coder:7b", base_url=server.url)

As a process of its own, which outlives a client that is killed (`OllamaProcess` starts it so)::

    PYTHONPATH=tests python -m servers.ollama --answers module:function [--port 0] [--model NAME ...]
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import json
import os
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

from millwright.gym.script import Answers, ChatRequest, Model, Reply, call
from millwright.gym.server import ModelServer as OllamaServer
from millwright.gym.server import Request

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["ChatRequest", "Model", "OllamaProcess", "OllamaServer", "Reply", "Request", "call"]


class OllamaProcess:
    """The same server as a process of its own; `answers` is `module:function` or `file.py:function`."""

    def __init__(self, answers: str, models: Sequence[str] = ("qwen2.5-coder:7b",)) -> None:
        command = [sys.executable, "-m", "servers.ollama", "--answers", answers]
        for model in models:
            command += ["--model", model]
        roots = [str(Path(__file__).parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(roots)}
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, start_new_session=True, env=environment
        )
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().strip()
        assert self.url, f"the server of {answers!r} did not start"

    def requests(self) -> list[dict[str, Any]]:
        """Every request so far: method, path, body."""
        with urllib.request.urlopen(f"{self.url}/_requests", timeout=10) as response:
            return json.load(response)

    def chats(self) -> list[dict[str, Any]]:
        """The bodies of the chat requests so far."""
        return [request["body"] for request in self.requests() if request["path"] == "/api/chat"]

    def __enter__(self) -> OllamaProcess:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


def load_answers(name: str) -> Answers:
    """Import what `module:function` or `file.py:function` names."""
    place, _, attribute = name.rpartition(":")
    if place.endswith(".py"):
        spec = importlib.util.spec_from_file_location(Path(place).stem, place)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    else:
        sys.path.insert(0, str(Path.cwd()))
        module = importlib.import_module(place)
    return getattr(module, attribute)


def main() -> None:
    parser = argparse.ArgumentParser(description="Serve Ollama's protocol with scripted answers.")
    parser.add_argument("--answers", required=True, help="module:function or file.py:function")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--model", action="append", help="a model's name; may be given more than once")
    options = parser.parse_args()
    with OllamaServer(load_answers(options.answers), options.model or ["qwen2.5-coder:7b"], options.port) as server:
        print(server.url, flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
