"""A server that sends requests on to another address is not followed there."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from agents.models.providers import open_model
from tools.errors import MillwrightError

if TYPE_CHECKING:
    from collections.abc import Iterator

asked: list[str] = []


class Elsewhere(BaseHTTPRequestHandler):
    """Answers everything with another place of its own, and remembers what it was asked."""

    def do_GET(self) -> None:
        """Send on."""
        asked.append(self.path)
        self.send_response(307)
        self.send_header("Location", f"http://127.0.0.1:{self.server.server_address[1]}/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_POST = do_GET

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def address() -> Iterator[str]:
    asked.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


async def test_a_server_that_sends_on_is_not_followed_and_the_address_is_told(address: str) -> None:
    with pytest.raises(MillwrightError, match=r"/elsewhere'; give that address"):
        await open_model("ollama:any", base_url=address)
    assert asked
    assert "/elsewhere" not in asked
