"""The graphs as `langgraph dev` serves them: what only the server's owner may allow, no request can set.

A request brings the settings of its run along. Two of them reach beyond the run: `sandbox: off` runs what a model
wrote with all rights of the server's user, and `base_url` makes the server call an address of the caller's choice.
From the owner's own code and command line both stay possible.
"""

from __future__ import annotations

import os
import re
from contextlib import aclosing, contextmanager
from typing import TYPE_CHECKING, Any, cast

from pydantic import BaseModel, ValidationError

from graphs.build import graph as _build
from graphs.durable import Durable
from graphs.factory import graph as _factory
from tools.errors import MillwrightError, UsageError
from tools.ollama_address import server_url

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping

    from langchain_core.runnables import RunnableConfig
    from langgraph.graph.state import CompiledStateGraph

ALLOW_UNCONFINED = "MILLWRIGHT_ALLOW_UNCONFINED"
"""The variable that, set to 1 where the server is started, lets requests turn the sandbox off."""

# Matched as text and not parsed: two parsers of one address may see two hosts in it.
_LOOPBACK = re.compile(r"(https?://)?(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?(/[\w./-]*)?", re.ASCII)


def refusal(context: Mapping[str, Any]) -> str | None:
    """Why the settings that a request brings may not be; None when they may."""
    if context.get("sandbox") == "off" and os.environ.get(ALLOW_UNCONFINED) != "1":
        return (
            "a request may not set 'sandbox' to 'off': what a model wrote would run with all rights of this server; "
            f"leave it out, or let the server's owner start it with {ALLOW_UNCONFINED}=1"
        )
    address = context.get("base_url")
    if address is None or _LOOPBACK.fullmatch(str(address)) or str(address).rstrip("/") == server_url():
        return None
    return (
        f"a request may not set 'base_url' to {str(address).rpartition('@')[2]!r}: it is neither on this machine nor "
        "the OLLAMA_HOST that this server was started with; leave it out, or start the server with that OLLAMA_HOST"
    )


class RunStopped(RuntimeError):
    """Why a run stops, for whoever asked for it: the server passes on the words of Python's own errors alone."""


class Served(Durable[Any, Any, Any, Any]):
    """A durable graph that takes no setting from a request which it may not bring, and says why a run stops."""

    def stream(
        self,
        input: Any,  # noqa: A002
        config: RunnableConfig | None = None,
        *,
        context: Any = None,
        **options: Any,
    ) -> Iterator[Any]:
        """Run the graph as `Durable.stream` does. Raises RunStopped."""
        with _told():
            self._check(context)
            yield from super().stream(input, config, context=context, **options)

    async def astream(
        self,
        input: Any,  # noqa: A002
        config: RunnableConfig | None = None,
        *,
        context: Any = None,
        **options: Any,
    ) -> AsyncIterator[Any]:
        """Run the graph as `Durable.astream` does. Raises RunStopped."""
        with _told():
            self._check(context)
            chunks = cast("AsyncGenerator[Any]", super().astream(input, config, context=context, **options))
            async with aclosing(chunks):
                async for chunk in chunks:
                    yield chunk

    def _check(self, context: Any) -> None:
        given = context if isinstance(context, dict) else context.model_dump() if context else {}
        why = refusal(given)
        if why is None and self.context_schema is not None:
            why = _misfit(self.context_schema, given)
        if why is not None:
            raise UsageError(why)


def served(graph: CompiledStateGraph[Any, Any, Any, Any]) -> Served:
    """The same graph, for requests."""
    return Served(**{name: value for name, value in vars(graph).items() if name != "__orig_class__"})


def _misfit(settings: type[BaseModel], given: Mapping[str, Any]) -> str | None:
    try:
        settings.model_validate(given)
    except ValidationError as error:
        wrong = error.errors()[0]
        return f"the setting {'.'.join(map(str, wrong['loc']))!r} cannot be used: {wrong['msg']} (got {wrong['input']!r})"
    return None


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except MillwrightError as error:
        raise RunStopped(str(error)) from error


build = served(_build)
factory = served(_factory)
