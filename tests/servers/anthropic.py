"""A small real HTTP server that speaks Anthropic's messages protocol, streamed and whole, with a script as its model.

Source: Anthropic's pages on the Messages API, its streaming events and its errors.
"""

from __future__ import annotations

import contextlib
import json
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Sequence

Json = dict[str, Any]


@dataclass
class Said:
    """What is answered to one request.

    `calls` are names with arguments, or with a text in place of them. With a `status` the answer is the error `kind`;
    with an `error` it is that event in the middle of the stream. `breaks` drops the connection before the end.
    """

    text: str = ""
    calls: Sequence[tuple[str, Any]] = ()
    stop: str = "end_turn"
    status: int = 200
    kind: str = "api_error"
    message: str = "it failed"
    raw: bytes | None = None
    error: str = ""
    breaks: bool = False
    pieces: int = 4
    tokens: int = 20

    def events(self) -> list[Json]:
        """The events of a stream."""
        usage = {"input_tokens": 10, "output_tokens": 1}
        message = {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude", "content": []}
        found: list[Json] = [{"type": "message_start", "message": {**message, "stop_reason": None, "usage": usage}}]
        if self.text:
            parts = _pieces(self.text, self.pieces)
            found += _block(0, {"type": "text", "text": ""}, [{"type": "text_delta", "text": p} for p in parts])
        for at, (name, given) in enumerate(self.calls, 1):
            text = given if isinstance(given, str) else json.dumps(given)
            parts = [{"type": "input_json_delta", "partial_json": p} for p in _pieces(text, self.pieces)]
            found += _block(at, {"type": "tool_use", "id": f"toolu_{at}", "name": name, "input": {}}, parts)
        if self.error:
            return [*found, {"type": "error", "error": {"type": self.error, "message": self.message}}]
        ending = {"stop_reason": self.stop, "stop_sequence": None}
        found.append({"type": "message_delta", "delta": ending, "usage": {"output_tokens": self.tokens}})
        return [*found, {"type": "message_stop"}]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        with self.server.lock:
            self.server.bodies.append(body)
            said = self.server.script[min(len(self.server.bodies), len(self.server.script)) - 1]
        with contextlib.suppress(OSError):  # the client went away
            self._answer(said)

    def _answer(self, said: Said) -> None:
        if said.status != 200 or said.raw is not None:
            error = {"type": "error", "error": {"type": said.kind, "message": said.message}, "request_id": "req_1"}
            data = said.raw if said.raw is not None else json.dumps(error).encode()
            self._head(said.status, "application/json", ("Content-Length", str(len(data))))
            self.wfile.write(data)
            return
        self._head(200, "text/event-stream", ("Transfer-Encoding", "chunked"))
        events = said.events()
        for event in events[: len(events) - 2 * said.breaks]:
            data = f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()
            self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data))
            self.server.events += 1
        self.close_connection = True
        if not said.breaks:
            self.wfile.write(b"0\r\n\r\n")

    def _head(self, status: int, kind: str, length: tuple[str, str]) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header(*length)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    script: Sequence[Said]
    lock: threading.Lock
    bodies: list[Json]
    events: int


class AnthropicServer:
    """The server on a free port of the loopback; the last of its answers is repeated. A context manager."""

    def __init__(self, *script: Said) -> None:
        """Answer with these, in turn."""
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.script, self._server.lock = script, threading.Lock()
        self._server.bodies, self._server.events = [], 0
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        """The address, as Anthropic's client takes it."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def bodies(self) -> list[Json]:
        """The requests so far."""
        return self._server.bodies

    @property
    def events(self) -> int:
        """How many events were sent."""
        return self._server.events

    def __enter__(self) -> Self:
        """Begin to serve."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def _block(index: int, start: Json, deltas: Sequence[Json]) -> list[Json]:
    changes = [{"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas]
    opening = {"type": "content_block_start", "index": index, "content_block": start}
    return [opening, *changes, {"type": "content_block_stop", "index": index}]


def _pieces(text: str, count: int) -> list[str]:
    size = max(1, -(-len(text) // count))
    return [text[at : at + size] for at in range(0, len(text), size)]
