"""A small real HTTP server that speaks Ollama's and OpenAI's protocols, with a script in the place of the model::

    with ModelServer([Reply("hello"), Reply(tool_calls=[call("read", path="a.py")])]) as server:
        OllamaChat(model="qwen2.5-coder:7b", base_url=server.url)

OpenAI's chat completions are below `/v1`, as on Ollama itself.
"""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from dataclasses import dataclass, field
from functools import partial
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import TYPE_CHECKING, Any, Self

from millwright.gym import ollama_wire, openai_wire
from millwright.gym.script import Answers, ChatRequest, Json, Model, Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

DEFAULT_CONTEXT = 4096
RUNNER_OPTIONS = ("num_ctx", "num_batch", "num_gpu", "main_gpu", "use_mmap", "num_thread")
_JSON = "application/json; charset=utf-8"


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
    stand_in: Model | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)
    closing: threading.Event = field(default_factory=threading.Event)
    requests: list[Request] = field(default_factory=list)
    chats: list[ChatRequest] = field(default_factory=list)
    loaded: dict[str, Json] = field(default_factory=dict)
    loads: list[tuple[str, Json]] = field(default_factory=list)
    connections: set[socket.socket] = field(default_factory=set)

    def model(self, name: str) -> Model:
        if not name:
            raise _HTTPError(400, "model is required")
        found = self.models.get(name) or self.models.get(f"{name}:latest") or self.stand_in
        if found is None:
            raise _HTTPError(404, f"model '{name}' not found")
        return found

    def load(self, model: Model, options: Json) -> None:
        """Reload the runner when one of its options changes, as Ollama does."""
        runner = {key: options[key] for key in RUNNER_OPTIONS if key in options}
        runner["num_ctx"] = min(runner.get("num_ctx", DEFAULT_CONTEXT), model.context_length)
        with self.lock:
            if self.loaded.get(model.name) != runner:
                self.loaded[model.name] = runner
                self.loads.append((model.name, runner))

    def next_chat(self, body: Json) -> tuple[ChatRequest, Reply]:
        """Number the request and answer it; with a list of answers, in the same breath."""
        with self.lock:
            request = ChatRequest(len(self.chats), body)
            self.chats.append(request)
            if not callable(self.answers):
                if request.number >= len(self.answers):
                    raise _HTTPError(500, f"the script has {len(self.answers)} replies and this is one more")
                return request, self.answers[request.number]
        try:
            return request, self.answers(request)
        except Exception as error:  # a script may fail in any way; the client is told
            raise _HTTPError(500, f"the script failed: {error!r}") from error


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
        error_body = openai_wire.error_body if path.startswith("/v1/") else _ollama_error
        try:
            body = json.loads(raw) if raw else None
            if not path.startswith("/_"):
                self.state.requests.append(Request(method, path, body))
            return self._route(method, path, body)
        except _HTTPError as error:
            return self._json(error_body(error.message, error.status), error.status)
        except json.JSONDecodeError as error:
            return self._json(error_body(str(error), 400), 400)

    def _route(self, method: str, path: str, body: Any) -> bool:
        state = self.state
        match method, path:
            case (("GET" | "HEAD"), "/"):
                return self._send(200, b"Ollama is running", "text/plain; charset=utf-8", method == "HEAD")
            case "GET", "/api/version":
                return self._json({"version": "0.32.6"})
            case "GET", "/api/tags":
                return self._json({"models": [ollama_wire.tag(model) for model in state.models.values()]})
            case "GET", "/api/ps":
                return self._json({"models": [ollama_wire.tag(state.models[name]) for name in state.loaded]})
            case "POST", "/api/show":
                return self._json(ollama_wire.show(state.model(_need(body).get("model") or body.get("name", ""))))
            case "POST", "/api/chat":
                return self._chat(_need(body))
            case "POST", "/api/generate":
                return self._generate(_need(body))
            case "POST", "/api/embed":
                return self._embed(_need(body))
            case "GET", "/v1/models":
                models = [openai_wire.listed(model) for model in state.models.values()]
                return self._json({"object": "list", "data": models})
            case "POST", "/v1/chat/completions":
                return self._complete(_need(body))
            case "GET", "/_requests":
                return self._json([vars(request) for request in state.requests])
            case _:
                return self._send(404, b"404 page not found", "text/plain")

    def _chat(self, body: Json) -> bool:
        model = self._capable(body)
        if not body.get("messages"):
            return self._idle(model, body, {"message": {"role": "assistant", "content": ""}})
        self.state.load(model, body.get("options") or {})
        return self._answer(body, model, lambda text: {"message": text})

    def _generate(self, body: Json) -> bool:
        model = self.state.model(body.get("model", ""))
        if not body.get("prompt"):
            return self._idle(model, body, {"response": ""})
        self.state.load(model, body.get("options") or {})
        body = {**body, "messages": [{"role": "user", "content": body["prompt"]}]}
        return self._answer(body, model, lambda text: {"response": text["content"]})

    def _complete(self, body: Json) -> bool:
        """Answer a chat completion; unlike Ollama's own interface it is not streamed unless that is asked for."""
        model = self._capable(body)
        request, reply = self.state.next_chat(body)
        if (early := self._refused(reply, openai_wire.error_body)) is not None:
            return early
        stream = bool(body.get("stream"))
        found = reply.lines
        if found is None:
            found = list(openai_wire.answer_lines(request, reply, model.context_length, stream))
        if reply.error is not None and not stream:
            return self._json(openai_wire.error_body(reply.error), 500)
        if not stream:
            return self._whole(found[-1] if found else "", reply)
        return self._stream([openai_wire.framed(line) for line in found], reply, openai_wire.CONTENT_TYPE)

    def _capable(self, body: Json) -> Model:
        model = self.state.model(body.get("model", ""))
        if (missing := ollama_wire.missing_capability(model, body)) is not None:
            raise _HTTPError(400, missing)
        return model

    def _idle(self, model: Model, body: Json, empty: Json) -> bool:
        """Answer a request without a prompt: it loads the model, or unloads it."""
        unload = body.get("keep_alive") == 0
        if unload:
            self.state.loaded.pop(model.name, None)
        else:
            self.state.load(model, body.get("options") or {})
        head = {"model": body["model"], "created_at": ollama_wire.now()}
        return self._json({**head, **empty, "done": True, "done_reason": "unload" if unload else "load"})

    def _answer(self, body: Json, model: Model, wrap: Callable[[Json], Json]) -> bool:
        request, reply = self.state.next_chat(body)
        if (early := self._refused(reply, _ollama_error)) is not None:
            return early
        stream = bool(body.get("stream", True))
        if reply.lines is not None:
            lines = list(reply.lines)
        else:
            window = self.state.loaded.get(model.name, {}).get("num_ctx", DEFAULT_CONTEXT)
            if body.get("truncate") is False and request.prompt_tokens >= window:
                raise _HTTPError(400, ollama_wire.too_long(request.prompt_tokens, window))
            # Like Go's encoder: text goes out as UTF-8.
            parts = ollama_wire.answer_parts(request, reply, window, wrap, stream)
            lines = [json.dumps(part, ensure_ascii=False) for part in parts]
        # An error that comes before any content has a status of its own; later ones are a line of the stream.
        if reply.error is not None and (not stream or len(lines) == 1):
            return self._json(ollama_wire.error_body(reply.error), 500)
        if not stream:
            return self._whole(lines[-1] if lines else "", reply)
        return self._stream([ollama_wire.framed(line) for line in lines], reply, ollama_wire.CONTENT_TYPE)

    def _refused(self, reply: Reply, error_body: Callable[[str, int], Json]) -> bool | None:
        """Wait as the reply says, and send its status; None when there is an answer to send."""
        if reply.delay and self.state.closing.wait(reply.delay):
            return False
        if reply.status == 200:
            return None
        if reply.lines is not None:
            return self._send(reply.status, "\n".join(reply.lines).encode(), "text/html")
        return self._json(error_body(reply.error or "internal error", reply.status), reply.status)

    def _whole(self, line: str, reply: Reply) -> bool:
        if reply.cut_connection_after is not None:
            return False
        return self._send(200, line.encode("utf-8", "backslashreplace"), _JSON)

    def _stream(self, framed: Sequence[bytes], reply: Reply, kind: str) -> bool:
        self._raw(f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
        for number, data in enumerate(framed):
            if number == reply.cut_connection_after:
                return False
            if number and reply.pause and self.state.closing.wait(reply.pause):
                return False
            self._raw(b"%x\r\n%b\r\n" % (len(data), data))
        if reply.cut_connection_after is not None:
            return False
        self._raw(b"0\r\n\r\n")
        return True

    def _embed(self, body: Json) -> bool:
        model = self.state.model(body.get("model", ""))
        texts = body.get("input") or []
        texts = [texts] if isinstance(texts, str) else texts
        answer = {"model": model.name, "embeddings": [ollama_wire.embedding(text) for text in texts]}
        return self._json({**answer, "prompt_eval_count": sum(len(text) // 4 for text in texts)})

    def _json(self, value: Any, status: int = 200) -> bool:
        return self._send(status, json.dumps(value).encode(), _JSON)

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


def _need(body: Any) -> Json:
    if not isinstance(body, dict):
        raise _HTTPError(400, "missing request body")
    return body


def _ollama_error(message: str, _status: int) -> Json:
    return ollama_wire.error_body(message)


class ModelServer:
    """The server on a free port of the loopback, in a thread of this process; a context manager.

    Each entry of `models` is a `Model` or a name; `stand_in` answers to every other name.
    """

    def __init__(
        self,
        answers: Answers = (),
        models: Sequence[Model | str] = ("qwen2.5-coder:7b",),
        port: int = 0,
        *,
        stand_in: Model | None = None,
    ) -> None:
        """Answer with a list of replies in turn, or with a function of the request; 0 is any free port."""
        known = [Model(entry) if isinstance(entry, str) else entry for entry in models]
        self._state = _State(answers, {model.name: model for model in known}, stand_in)
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.state = self._state
        self._thread = threading.Thread(target=partial(self._server.serve_forever, 0.05), daemon=True)

    @property
    def url(self) -> str:
        """The address of the server, as for Ollama's own clients."""
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
    def loads(self) -> list[tuple[str, Json]]:
        """Every time that a model was loaded, with the runner's options."""
        return self._state.loads

    def start(self) -> Self:
        """Begin to serve."""
        self._thread.start()
        return self

    def close(self) -> None:
        """Drop every connection and stop."""
        self._state.closing.set()
        self._server.shutdown()
        self._thread.join()
        for connection in list(self._state.connections):
            with contextlib.suppress(OSError):  # it is closed already
                connection.shutdown(socket.SHUT_RDWR)
        self._server.server_close()

    def __enter__(self) -> Self:
        """Begin to serve."""
        return self.start()

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self.close()
