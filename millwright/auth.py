"""The door of `langgraph dev`: this machine and Studio may come in, no other web page.

A server on the loopback is open to every page that the user's browser shows: a page can point a name of its own at
127.0.0.1 (DNS rebinding), and it can send what a form may send, which the browser lets through unasked. So the host
must be this machine's, the origin the server's own or one of `http.cors.allow_origins` in langgraph.json, and a body JSON.

`auth` is LangGraph's handler for its own routes. It is not asked about those around them, of which `/internal/truncate`
forgets every thread and `/deploy` uploads the project; `app` is a middleware in front of all of them.
"""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING, Any

from langgraph_sdk import Auth
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.responses import JSONResponse

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

LOCAL = frozenset({"localhost", "127.0.0.1", "[::1]"})
HOSTS = "MILLWRIGHT_HOSTS"
"""The variable that names, with commas, further hosts that this server may be called by."""

_HOST = re.compile(r"(\[[0-9a-f:]+\]|[a-z0-9._-]+)(:[0-9]+)?", re.IGNORECASE)
_READING = frozenset({"GET", "HEAD", "OPTIONS"})

auth = Auth()


@auth.authenticate
async def authenticate(scope: dict[str, Any]) -> Auth.types.MinimalUserDict:
    """Let the machine's own user in. Raises a 403 that says what is wrong with the request."""
    why = refusal(scope)
    if why is not None:
        raise Auth.exceptions.HTTPException(status_code=403, detail=why)
    return {"identity": "local"}


class Door:
    """Refuses, in front of every route, what `refusal` refuses."""

    def __init__(self, app: ASGIApp) -> None:
        """Stand in front of `app`."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 403, or pass the request on."""
        why = None if _needs_no_door(scope) else refusal(scope)
        if why is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": why})
        else:
            await JSONResponse({"detail": why}, 403)(scope, receive, send)


app = Starlette(middleware=[Middleware(Door)])


def refusal(scope: Scope) -> str | None:
    """Why a request (an ASGI scope) may not come in; None when it may."""
    headers = Headers(scope=scope)
    hosts, origins = headers.getlist("host"), headers.getlist("origin")
    name = _HOST.fullmatch(hosts[0]) if len(hosts) == 1 else None
    if name is None or name[1].lower() not in LOCAL | _listed(HOSTS):
        return f"the host {', '.join(hosts)!r} is not this machine; name it in {HOSTS} to let it in"
    own = [f"{scheme}://{hosts[0]}" for scheme in ("http", "https")]
    for origin in origins:
        if origin not in own and origin not in _allowed_origins():
            return f"the origin {origin!r} is not listed in http.cors.allow_origins of langgraph.json"
    if not origins and headers.get("sec-fetch-site") == "cross-site":
        return "a page of another site may not send requests to this server"
    if scope.get("method", "GET") not in _READING and _has_body(headers):
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json":
            return f"a body of type {kind!r} is not taken; send application/json"
    return None


def _needs_no_door(scope: Scope) -> bool:
    # The server's own calls (a root path cannot come from outside), and the probe, which tells nothing.
    own = scope.get("root_path", "").split("/")[:2] == ["", "noauth"]
    return own or scope["type"] == "lifespan" or bool(scope["path"] == "/ok")


def _has_body(headers: Headers) -> bool:
    return headers.get("content-length", "0") != "0" or "transfer-encoding" in headers


def _allowed_origins() -> list[str]:
    # The command line tool hands the `http` part of langgraph.json to the server in this variable.
    http = json.loads(os.environ.get("LANGGRAPH_HTTP") or "{}")
    return list((http.get("cors") or {}).get("allow_origins") or [])


def _listed(variable: str) -> frozenset[str]:
    return frozenset(name.strip().lower() for name in os.environ.get(variable, "").split(",") if name.strip())
