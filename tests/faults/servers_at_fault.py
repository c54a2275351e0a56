"""Model servers that fail in the middle of a build; for `OllamaProcess`."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

from faults.scenes import small

if TYPE_CHECKING:
    from servers.ollama import ChatRequest, Reply

_CREW = small()
FAILS_AT = 3


def dies(request: ChatRequest) -> Reply:
    """The whole server is killed by one request."""
    if request.number == FAILS_AT:
        os.kill(os.getpid(), signal.SIGKILL)
    return _CREW(request)


def hangs(request: ChatRequest) -> Reply:
    """The server stops in the middle of one request, with its connections open."""
    if request.number == FAILS_AT:
        os.kill(os.getpid(), signal.SIGSTOP)
    return _CREW(request)
