"""A small real HTTP server that speaks the part of Ollama's protocol that embeds: only the weights are replaced.

The stand-in for a model knows which words mean the same (`MEANINGS`) and nothing else.
"""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from tools.memory.embeddings.words import stems

if TYPE_CHECKING:
    from collections.abc import Callable

MEANINGS = ("rhythm takt pace beat", "customer client buyer", "word term", "backwards reverse", "mean average")
DIMENSIONS = 64


def vector(text: str) -> list[float]:
    groups = {word: line.split()[0] for line in MEANINGS for word in line.split()}
    row = [0.0] * DIMENSIONS
    for stem in stems(" ".join(groups.get(word, word) for word in text.lower().split())):
        row[sum(stem.encode()) % DIMENSIONS] += 1.0
    return row


class EmbeddingServer:
    """Serves until it is closed; `say` may be replaced to answer `/api/embed` in another way."""

    def __init__(self, models: dict[str, str] | None = None, port: int = 0, family: str = "nomic-bert") -> None:
        self.models = {"nomic-embed-text:latest": "sha256:0a109f422b47"} if models is None else models
        self.family = family
        self.requests: list[tuple[str, Any]] = []
        self.say: Callable[[dict[str, Any]], tuple[int, Any]] = lambda body: (
            200,
            {"model": body["model"], "embeddings": [vector(text) for text in body["input"]]},
        )
        self._server = ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def embedded(self) -> list[str]:
        """Every text that was embedded so far."""
        return [text for path, body in list(self.requests) if path == "/api/embed" for text in body["input"]]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> EmbeddingServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def answer(self, path: str, body: Any) -> tuple[int, Any]:
        if path == "/api/tags":
            details = {"family": self.family, "families": [self.family]}
            models = [{"name": name, "digest": digest, "details": details} for name, digest in self.models.items()]
            return 200, {"models": models}
        if path == "/api/show":
            return 200, {
                "model_info": {f"{self.family}.embedding_length": DIMENSIONS},
                "capabilities": ["embedding"],
            }
        return self.say(body) if path == "/api/embed" else (404, {"error": "not found"})

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._reply(None)

            def do_POST(self) -> None:
                self._reply(json.loads(self.rfile.read(int(self.headers["content-length"]))))

            def _reply(self, body: Any) -> None:
                server.requests.append((self.path, body))
                status, said = server.answer(self.path, body)
                data = said if isinstance(said, bytes) else json.dumps(said).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        return Handler
