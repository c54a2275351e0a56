"""Graphs that lose no step: each superstep is on disk before the next begins, and one process drives a thread."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any, cast

# Private to LangGraph, and named nowhere else: how a parent graph tells a subgraph its saver and its durability.
from langgraph._internal._config import ensure_config
from langgraph._internal._constants import CONF, CONFIG_KEY_DURABILITY
from langgraph.graph.state import CompiledStateGraph
from langgraph.typing import ContextT, InputT, OutputT, StateT

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence

    from langchain_core.runnables import RunnableConfig
    from langgraph.types import StateUpdate


def durable(
    compiled: CompiledStateGraph[StateT, ContextT, InputT, OutputT],
) -> CompiledStateGraph[StateT, ContextT, InputT, OutputT]:
    """Return the same graph, made to save each superstep before the next whatever its caller asks for.

    LangGraph's default saves behind the run's back: a kill repeated up to 397 of 400 finished steps. While it runs,
    the graph also drives its thread on savers that know drivers (`claim`, `release`), so that a second process is
    refused with `tools.errors.Fenced` before it runs any node.
    """
    # As `copy` does it: a generic alias leaves its own attribute on what it makes.
    return Durable(**{name: value for name, value in vars(compiled).items() if name != "__orig_class__"})


class Durable(CompiledStateGraph[StateT, ContextT, InputT, OutputT]):
    """A compiled graph that always runs with durability "sync"; without a checkpointer there is nothing to save."""

    def stream(self, input: Any, config: RunnableConfig | None = None, **options: Any) -> Iterator[Any]:  # noqa: A002
        """Run the graph as `CompiledStateGraph.stream` does; `durability` is overruled."""
        config = self._synced(config, options)
        with self._driving(config):
            yield from super().stream(input, config, **options)

    async def astream(
        self,
        input: Any,  # noqa: A002
        config: RunnableConfig | None = None,
        **options: Any,
    ) -> AsyncIterator[Any]:
        """Run the graph as `CompiledStateGraph.astream` does; `durability` is overruled."""
        config = self._synced(config, options)
        # Closed by hand: the thread may be released only when the run's last write is on disk.
        chunks = cast("AsyncGenerator[Any]", super().astream(input, config, **options))
        async with self._adriving(config), aclosing(chunks):
            async for chunk in chunks:
                yield chunk

    def bulk_update_state(
        self, config: RunnableConfig, supersteps: Sequence[Sequence[StateUpdate]]
    ) -> RunnableConfig:
        """Update the state as `CompiledStateGraph.bulk_update_state` does, driving the thread meanwhile."""
        with self._driving(config):
            return super().bulk_update_state(config, supersteps)

    async def abulk_update_state(
        self, config: RunnableConfig, supersteps: Sequence[Sequence[StateUpdate]]
    ) -> RunnableConfig:
        """Update the state as `CompiledStateGraph.abulk_update_state` does, driving the thread meanwhile."""
        async with self._adriving(config):
            return await super().abulk_update_state(config, supersteps)

    def _synced(self, config: RunnableConfig | None, options: dict[str, Any]) -> RunnableConfig | None:
        """Settle `options["durability"]`, and return the config to run with."""
        options.pop("checkpoint_during", None)
        settled = ensure_config(self.config, config)
        options["durability"] = "sync" if self._resolve_checkpointer(settled) else None
        if options["durability"] or CONFIG_KEY_DURABILITY not in settled[CONF]:
            return config
        # LangGraph crashes when a subgraph without a checkpointer inherits "sync" from its parent.
        given = config or {}
        return {**given, CONF: {**given.get(CONF, {}), CONFIG_KEY_DURABILITY: "async"}}

    @contextmanager
    def _driving(self, config: RunnableConfig | None) -> Iterator[None]:
        saver, thread_id = self._fenced(config, "claim")
        claimed = saver is not None and saver.claim(thread_id)
        try:
            yield
        finally:
            if claimed:
                saver.release(thread_id)

    @asynccontextmanager
    async def _adriving(self, config: RunnableConfig | None) -> AsyncIterator[None]:
        saver, thread_id = self._fenced(config, "aclaim")
        try:
            claimed = saver is not None and await saver.aclaim(thread_id)
        except asyncio.CancelledError:
            # The saver may have become the driver all the same.
            await saver.arelease(thread_id)
            raise
        try:
            yield
        finally:
            if claimed:
                await saver.arelease(thread_id)

    def _fenced(self, config: RunnableConfig | None, claim: str) -> tuple[Any, str]:
        """Return the saver, if it has a method `claim`, and the thread."""
        settled = ensure_config(self.config, config)
        saver = self._resolve_checkpointer(settled)
        thread_id = settled[CONF].get("thread_id")
        # Asked by name, for a server wraps the saver in a class of its own that passes such calls on.
        return (saver if thread_id and hasattr(saver, claim) else None), str(thread_id)
