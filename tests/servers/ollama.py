"""A small real HTTP server that speaks Ollama's protocol, with a script in the place of the model.

Inside a test::

    with OllamaServer([Reply("hello"), Reply(tool_calls=[call("read", path="a.py")])]) as server:
        OllamaChat(model="qwen2.5-coder:7b", base_url=server.url)

As a process of its own, which outlives a client that is killed (`OllamaProcess` starts it so)::

    PYTHONPATH=tests python -m servers.ollama --answers module:function [--port 0] [--model NAME ...]

Shapes, status codes and error texts are those of Ollama's server/routes.go and llm/llama_server.go (2026-08).
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import TYPE_CHECKING, Any

from servers.ollama_script import Answers, ChatRequest, Model, Reply, call, load_answers
from servers.ollama_shapes import answer_lines, embedding, missing_capability, now, show, tag, too_long

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["ChatRequest", "Model", "OllamaProcess", "OllamaServer", "Reply", "Request", "call"]

DEFAULT_CONTEXT = 4096
RUNNER_OPTIONS = ("num_ctx", "num_batch", "num_gpu", "main_gpu", "use_mmap", "num_thread")


@dataclass
class Request:
    """One HTTP request as it came."""

    method: str
    path: str
    body: Any


class _HTTPError(Exception):
    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


@dataclass
class _State:
    """All that the handlers share."""

    answers: Answers
    models: dict[str, Model]
    lock: threading.Lock = field(default_factory=threading.Lock)
    closing: threading.Event = field(default_factory=threading.Event)
    requests: list[Request] = field(default_factory=list)
    chats: list[ChatRequest] = field(default_factory=list)
    loaded: dict[str, dict[str, Any]] = field(default_factory=dict)
    loads: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    connections: set[socket.socket] = field(default_factory=set)

    def model(self, name: str) -> Model:
        if not name:
            raise _HTTPError(400, "model is required")
        found = self.models.get(name) or self.models.get(f"{name}:latest")
        if found is None:
            raise _HTTPError(404, f"model '{name}' not found")
        return found

    def load(self, model: Model, options: dict[str, Any]) -> None:
        """Reload the runner when one of its options changes, as Ollama does."""
        runner = {key: options[key] for key in RUNNER_OPTIONS if key in options}
        runner["num_ctx"] = min(runner.get("num_ctx", DEFAULT_CONTEXT), model.context_length)
        with self.lock:
            if self.loaded.get(model.name) != runner:
                self.loaded[model.name] = runner
                self.loads.append((model.name, runner))

    def next_chat(self, body: dict[str, Any]) -> tuple[ChatRequest, Reply | None]:
        """Number the request; with a list of answers, take its reply in the same breath."""
        with self.lock:
            request = ChatRequest(len(self.chats), body)
            self.chats.append(request)
            if callable(self.answers):
                return request, None
            if request.number >= len(self.answers):
                raise _HTTPError(500, f"the script has {len(self.answers)} replies and this is one more")
            return request, self.answers[request.number]


class _Handler(StreamRequestHandler):
    disable_nagle_algorithm = True
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.state = self.server.state
        self.state.connections.add(self.request)

    def finish(self) -> None:
        self.state.connections.discard(self.request)
        with contextlib.suppress(OSError):  # the client went away
            super().finish()

    def handle(self) -> None:
        with contextlib.suppress(OSError):  # the client went away
            while not self.state.closing.is_set() and self._one():
                pass

    def _one(self) -> bool:
        """Serve one request; return whether the connection goes on."""
        request_line = self.rfile.readline(65536).decode("latin-1").split()
        if len(request_line) != 3:
            return False
        length = 0
        while (line := self.rfile.readline(65536)) not in (b"\r\n", b"\n", b""):
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        method, path = request_line[0], request_line[1].partition("?")[0]
        raw = self.rfile.read(length)
        try:
            body = json.loads(raw) if raw else None
            if not path.startswith("/_"):
                self.state.requests.append(Request(method, path, body))
            return self._route(method, path, body)
        except _HTTPError as error:
            return self._json({"error": error.message}, error.status)
        except json.JSONDecodeError as error:
            return self._json({"error": str(error)}, 400)

    def _reply(self, request: ChatRequest, listed: Reply | None) -> Reply:
        """What the script says; its own failure becomes an answer, so that the test shows it."""
        if listed is not None:
            return listed
        try:
            return self.state.answers(request)
        except Exception as error:
            raise _HTTPError(500, f"the script failed: {error!r}") from error

    def _route(self, method: str, path: str, body: Any) -> bool:
        state = self.state
        match method, path:
            case (("GET" | "HEAD"), "/"):
                return self._send(200, b"Ollama is running", "text/plain; charset=utf-8", method == "HEAD")
            case "GET", "/api/version":
                return self._json({"version": "0.32.6"})
            case "GET", "/api/tags":
                return self._json({"models": [tag(model) for model in state.models.values()]})
            case "GET", "/api/ps":
                return self._json({"models": [tag(state.models[name]) for name in state.loaded]})
            case "POST", "/api/show":
                return self._json(show(state.model(_need(body).get("model") or body.get("name", ""))))
            case "POST", "/api/chat":
                return self._chat(_need(body))
            case "POST", "/api/generate":
                return self._generate(_need(body))
            case "POST", "/api/embed":
                return self._embed(_need(body))
            case "GET", "/_requests":
                return self._json([vars(request) for request in state.requests])
            case _:
                return self._send(404, b"404 page not found", "text/plain")

    def _chat(self, body: dict[str, Any]) -> bool:
        model = self.state.model(body.get("model", ""))
        if (missing := missing_capability(model, body)) is not None:
            raise _HTTPError(400, missing)
        if not body.get("messages"):
            return self._idle(model, body, {"message": {"role": "assistant", "content": ""}})
        self.state.load(model, body.get("options") or {})
        request, listed = self.state.next_chat(body)
        return self._answer(request, self._reply(request, listed), model, lambda text: {"message": text})

    def _generate(self, body: dict[str, Any]) -> bool:
        model = self.state.model(body.get("model", ""))
        if not body.get("prompt"):
            return self._idle(model, body, {"response": ""})
        self.state.load(model, body.get("options") or {})
        body = {**body, "messages": [{"role": "user", "content": body["prompt"]}]}
        request, listed = self.state.next_chat(body)
        return self._answer(
            request, self._reply(request, listed), model, lambda text: {"response": text["content"]}
        )

    def _idle(self, model: Model, body: dict[str, Any], empty: dict[str, Any]) -> bool:
        """Answer a request without a prompt: it loads the model, or unloads it."""
        unload = body.get("keep_alive") == 0
        if unload:
            self.state.loaded.pop(model.name, None)
        else:
            self.state.load(model, body.get("options") or {})
        head = {"model": body["model"], "created_at": now()}
        return self._json({**head, **empty, "done": True, "done_reason": "unload" if unload else "load"})

    def _answer(self, request: ChatRequest, reply: Reply, model: Model, wrap: Callable[[dict], dict]) -> bool:
        if reply.delay and self.state.closing.wait(reply.delay):
            return False
        if reply.status != 200:
            return self._json({"error": reply.error or "internal error"}, reply.status)
        stream = request.body.get("stream", True)
        if reply.lines is not None:
            lines = list(reply.lines)
        else:
            window = self.state.loaded.get(model.name, {}).get("num_ctx", DEFAULT_CONTEXT)
            if request.body.get("truncate") is False and request.prompt_tokens >= window:
                raise _HTTPError(400, too_long(request.prompt_tokens, window))
            # Like Go's encoder: text goes out as UTF-8.
            answer = answer_lines(request, reply, window, wrap, stream)
            lines = [json.dumps(line, ensure_ascii=False) for line in answer]
        # An error that comes before any content has a status of its own; later ones are a line of the stream.
        if reply.error is not None and (not stream or len(lines) == 1):
            return self._json({"error": reply.error}, 500)
        return self._stream(lines, reply) if stream else self._whole(lines[-1], reply)

    def _whole(self, line: str, reply: Reply) -> bool:
        if reply.cut_connection_after is not None:
            return False
        return self._send(200, line.encode(), "application/json; charset=utf-8")

    def _stream(self, lines: Sequence[str], reply: Reply) -> bool:
        self._raw(b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n")
        for number, line in enumerate(lines):
            if number == reply.cut_connection_after:
                return False
            if number and reply.pause and self.state.closing.wait(reply.pause):
                return False
            data = line.encode() + b"\n"
            self._raw(b"%x\r\n%b\r\n" % (len(data), data))
        if reply.cut_connection_after is not None:
            return False
        self._raw(b"0\r\n\r\n")
        return True

    def _embed(self, body: dict[str, Any]) -> bool:
        model = self.state.model(body.get("model", ""))
        texts = body.get("input") or []
        texts = [texts] if isinstance(texts, str) else texts
        answer = {"model": model.name, "embeddings": [embedding(text) for text in texts]}
        return self._json({**answer, "prompt_eval_count": sum(len(text) // 4 for text in texts)})

    def _json(self, value: Any, status: int = 200) -> bool:
        return self._send(status, json.dumps(value).encode(), "application/json; charset=utf-8")

    def _send(self, status: int, data: bytes, kind: str, head: bool = False) -> bool:
        top = f"HTTP/1.1 {status} {'OK' if status == 200 else 'Error'}\r\nContent-Type: {kind}\r\n"
        self._raw(f"{top}Content-Length: {len(data)}\r\n\r\n".encode() + (b"" if head else data))
        return True

    def _raw(self, data: bytes) -> None:
        self.request.sendall(data)


class _Server(ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    state: _State


def _need(body: Any) -> dict[str, Any]:
    if body is None:
        raise _HTTPError(400, "missing request body")
    return body


class OllamaServer:
    """The server on a free port of the loopback, in a thread of this process; a context manager.

    Each entry of `models` is a `Model` or a name.
    """

    def __init__(
        self, answers: Answers = (), models: Sequence[Model | str] = ("qwen2.5-coder:7b",), port: int = 0
    ) -> None:
        known = [Model(entry) if isinstance(entry, str) else entry for entry in models]
        self._state = _State(answers, {model.name: model for model in known})
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.state = self._state
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def requests(self) -> list[Request]:
        """Every request so far, oldest first."""
        return self._state.requests

    @property
    def chats(self) -> list[ChatRequest]:
        """Every chat request that reached the model."""
        return self._state.chats

    @property
    def loads(self) -> list[tuple[str, dict[str, Any]]]:
        """Every time that a model was loaded, with the runner's options."""
        return self._state.loads

    def start(self) -> OllamaServer:
        self._thread.start()
        return self

    def close(self) -> None:
        self._state.closing.set()
        self._server.shutdown()
        self._thread.join()
        for connection in list(self._state.connections):
            with contextlib.suppress(OSError):  # it is closed already
                connection.shutdown(socket.SHUT_RDWR)
        self._server.server_close()

    def __enter__(self) -> OllamaServer:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()


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
