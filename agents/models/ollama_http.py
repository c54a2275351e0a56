"""Ollama's HTTP interface as it is: JSON in, lines of JSON out, with a limit on the time of a whole call.

Every call has a client of its own: it is closed with the call, so no connection outlives the event loop that made
it, and one object serves any number of loops and threads.
"""

from __future__ import annotations

import asyncio
import functools
import json
import os
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx
from ollama import ResponseError

from agents.models.failures import Failure, failure
from agents.models.kinds import FailureKind

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping

CONNECT_SECONDS = 5.0
Json = dict[str, Any]


@functools.cache
def tls() -> ssl.SSLContext:
    """The certificates of this process; reading them takes 0.1 s, so it is done once."""
    return httpx.create_ssl_context()


def client_options(url: str) -> dict[str, Any]:
    """What any client of a model's server at `url` is made with. Blocks."""
    loopback = urlsplit(url).hostname in ("127.0.0.1", "::1", "localhost")
    return {
        "base_url": url,
        "verify": tls(),
        # Whoever answers at the address that was given has no say in where prompts go.
        "follow_redirects": False,
        # A proxy for the outside has no way to this machine's own loopback.
        "trust_env": not loopback,
    }


class OllamaHTTP:
    """One Ollama server."""

    def __init__(self, url: str, headers: Mapping[str, str] | None = None) -> None:
        """Speak to the server at `url`; with `OLLAMA_API_KEY` set, as its bearer."""
        key = os.environ.get("OLLAMA_API_KEY")
        self._client: dict[str, Any] = {
            **client_options(url),
            "headers": {
                "content-type": "application/json",
                **({"authorization": f"Bearer {key}"} if key else {}),
                **(headers or {}),
            },
        }

    async def ask(
        self, method: str, path: str, body: Json | None = None, *, seconds: float, connect: float = CONNECT_SECONDS
    ) -> Json:
        """One request, one JSON object.

        Raises:
            ResponseError: the server answered with an error.
            httpx.HTTPError: it did not answer.
        """
        async with httpx.AsyncClient(**self._client, timeout=_limits(seconds, connect)) as client:
            response = await client.request(method, path, content=_encoded(body))
            _good(response, response.content)
            return _object(response.content)

    def ask_now(self, method: str, path: str, body: Json | None = None, *, seconds: float) -> Json:
        """The same as `ask`, for callers without an event loop."""
        with httpx.Client(**self._client, timeout=_limits(seconds)) as client:
            response = client.request(method, path, content=_encoded(body))
            _good(response, response.content)
            return _object(response.content)

    async def stream(self, path: str, body: Json, seconds: float) -> AsyncGenerator[Json, None]:
        """The objects of an answer, within `seconds` for the whole of it.

        Raises:
            ModelFault, ModelUnavailable: the time is over, with something said or with nothing.
            ResponseError, httpx.HTTPError: as for `ask`, also in the middle.
        """
        lines, deadline = _Lines(), asyncio.get_running_loop().time() + seconds
        async with httpx.AsyncClient(**self._client, timeout=_limits(None)) as client:
            request = client.build_request("POST", path, content=_encoded(body))
            async with _within(deadline, lines, seconds):
                response = await client.send(request, stream=True)
            try:
                async with _within(deadline, lines, seconds):
                    _good(response, b"" if response.is_success else await response.aread())
                data = response.aiter_bytes()
                while not lines.over:
                    async with _within(deadline, lines, seconds):
                        found = lines.feed(await anext(data, None))
                    for line in found:
                        yield _object(line)
            finally:
                await response.aclose()

    def stream_now(self, path: str, body: Json, seconds: float) -> Iterator[Json]:
        """The same as `stream`, for callers without an event loop.

        A server that falls silent in mid-answer is waited for at most twice `seconds`.
        """
        lines, deadline = _Lines(), time.monotonic() + seconds
        try:
            with (
                httpx.Client(**self._client, timeout=_limits(seconds)) as client,
                client.stream("POST", path, content=_encoded(body)) as response,
            ):
                _good(response, b"" if response.is_success else response.read())
                data = response.iter_bytes()
                while not lines.over:
                    found = lines.feed(next(data, None))
                    if time.monotonic() > deadline:
                        raise _late(seconds, lines).error()
                    for line in found:
                        yield _object(line)
        except httpx.ReadTimeout as error:
            raise _late(seconds, lines).error() from error


def strict_json(text: str | bytes) -> Any:
    """The value of a JSON text, without Python's NaN and Infinity, which no server would take back.

    Raises:
        ValueError: it is not JSON.
    """
    return json.loads(text, parse_constant=_no_constant)


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _encoded(body: Json | None) -> bytes | None:
    # ASCII alone, so that a lone surrogate in a text is escaped and does not stop the request.
    return None if body is None else json.dumps(body).encode()


def _limits(seconds: float | None, connect: float = CONNECT_SECONDS) -> httpx.Timeout:
    return httpx.Timeout(seconds, connect=connect)


class _Lines:
    """Splits bytes at line feeds alone: other line separators may stand inside a JSON string."""

    def __init__(self) -> None:
        self._rest = b""
        self.count = 0
        self.over = False

    def feed(self, data: bytes | None) -> list[bytes]:
        """The lines that are whole by now; None ends the data, and with it the last line."""
        self.over = data is None
        *found, self._rest = (self._rest + (b"\n" if data is None else data)).split(b"\n")
        found = [line for line in found if line.strip()]
        self.count += len(found)
        return found


@asynccontextmanager
async def _within(deadline: float, lines: _Lines, seconds: float) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout_at(deadline):
            yield
    except TimeoutError as error:
        raise _late(seconds, lines).error() from error


def _late(seconds: float, lines: _Lines) -> Failure:
    """A model that spoke and found no end is at fault; a server that said nothing is slow."""
    if lines.count:
        return failure(FailureKind.TIME_LIMIT, f"{lines.count} pieces of an answer in {seconds:g} s")
    return failure(FailureKind.TIMEOUT, f"nothing in {seconds:g} s")


def _good(response: httpx.Response, content: bytes) -> None:
    if response.is_redirect:
        elsewhere = response.headers.get("location", "")
        raise ResponseError(f"it sends requests on to {elsewhere!r}; give that address", response.status_code)
    if not response.is_success:
        raise ResponseError(content.decode("utf-8", "replace") or response.reason_phrase, response.status_code)


def _object(line: bytes) -> Json:
    """One JSON object of an answer.

    Raises:
        ModelUnavailable: the line is not a JSON object.
        ResponseError: the object is an error in the middle of a stream.
    """
    try:
        found = strict_json(line)
    except ValueError as error:
        raise failure(
            FailureKind.TRANSIENT, f"the server sent {len(line)} bytes that are not JSON: {line[:200]!r}"
        ).error() from error
    if not isinstance(found, dict):
        raise failure(
            FailureKind.CONFIG, f"the server does not speak Ollama's protocol, it sent {line[:200]!r}"
        ).error()
    if problem := found.get("error"):
        raise ResponseError(problem if isinstance(problem, str) else json.dumps(problem))
    return found
