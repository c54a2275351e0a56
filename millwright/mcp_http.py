"""The tools over HTTP, on this machine's loopback alone: a token for everything, and Host and Origin are checked."""

from __future__ import annotations

import hmac
import os
import secrets
import socket
from typing import TYPE_CHECKING

from mcp.server.transport_security import TransportSecuritySettings
from starlette.datastructures import Headers
from starlette.responses import JSONResponse

from tools.errors import UsageError

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from millwright.mcp_server import SkillServer

TOKEN = "MILLWRIGHT_TOKEN"  # noqa: S105 - the name of a variable
HOST = "127.0.0.1"
SHORTEST_TOKEN = 16


class TokenDoor:
    """Lets in who brings the token; answers 401 to everyone else."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        """Stand in front of `app`."""
        self._app = app
        self._expected = f"Bearer {token}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 401."""
        if scope["type"] == "http":
            given = Headers(scope=scope).get("authorization", "").encode()
            if not hmac.compare_digest(given, self._expected):
                told = {"error": f"this needs the header Authorization: Bearer TOKEN, with the token of {TOKEN}"}
                await JSONResponse(told, 401, {"WWW-Authenticate": "Bearer"})(scope, receive, send)
                return
        await self._app(scope, receive, send)


def given_token() -> tuple[str, bool]:
    """The token of the environment, or a fresh one; and whether it is fresh.

    Raises:
        UsageError: the token of the environment is too short to keep anybody out.
    """
    token = os.environ.get(TOKEN, "").strip()
    if not token:
        return secrets.token_urlsafe(32), True
    if len(token) < SHORTEST_TOKEN:
        raise UsageError(
            f"the token in {TOKEN} has {len(token)} characters, at least {SHORTEST_TOKEN} are needed; "
            f"unset it to get a fresh one"
        )
    return token, False


def listening_at(port: int) -> socket.socket:
    """A socket on the loopback; port 0 takes a free one.

    Raises:
        UsageError: the port is taken.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        listener.listen()  # from here on nobody is refused, whoever reads the address first
    except OSError as error:
        listener.close()
        raise UsageError(f"port {port} cannot be listened at: {error.strerror}; choose another, or 0") from error
    return listener


async def over_http(server: SkillServer, listener: socket.socket, token: str) -> None:
    """Serve `/mcp` until the process is told to end."""
    import uvicorn

    port = listener.getsockname()[1]
    hosts = [f"{name}:{port}" for name in (HOST, "localhost")]
    security = TransportSecuritySettings(allowed_hosts=hosts, allowed_origins=[f"http://{host}" for host in hosts])
    app = server.protocol.streamable_http_app(transport_security=security, host=HOST)
    config = uvicorn.Config(TokenDoor(app, token), log_level="warning", access_log=False)
    await uvicorn.Server(config).serve(sockets=[listener])
