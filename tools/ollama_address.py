"""Where Ollama's server is: an address as people write it, made into a URL."""

from __future__ import annotations

import os
from urllib.parse import urlsplit

from tools.errors import UsageError

DEFAULT_PORT = 11434
_PORTS = {"http": 80, "https": 443}
# A server that listens on every address is reached at the loopback.
_REACHED_AT = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104


def server_url(address: str | None = None) -> str:
    """The server's URL from an address, or else from `OLLAMA_HOST`, in any form that Ollama itself accepts.

    Raises:
        UsageError: it is no address of an HTTP server.
    """
    address = (address or os.environ.get("OLLAMA_HOST") or "").strip() or "127.0.0.1"
    scheme, has_scheme, rest = address.partition("://")
    scheme, rest = (scheme, rest) if has_scheme else ("http", address)
    try:
        parts = urlsplit(f"{scheme}://{rest}")
        port = parts.port or (_PORTS[scheme] if has_scheme else DEFAULT_PORT)
    except (ValueError, KeyError) as error:
        raise UsageError(
            f"{address!r} is no address of a server; write for example http://127.0.0.1:11434"
        ) from error
    login, at, _ = parts.netloc.rpartition("@")
    host = _REACHED_AT.get(parts.hostname or "", parts.hostname or "")
    host = f"[{host}]" if ":" in host else host
    return f"{scheme}://{login}{at}{host}:{port}{parts.path.rstrip('/')}"


def shown_url(url: str) -> str:
    """The URL without a password, for messages."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
