"""The graphs that can be driven from outside, by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from langgraph.checkpoint.base import BaseCheckpointSaver
    from langgraph.graph import StateGraph
    from langgraph.graph.state import CompiledStateGraph

    from graphs.context import RunContext
    from tools.storage import Record

BUILD, FACTORY = "build", "factory"


@dataclass(frozen=True)
class Drivable:
    """One graph: its settings, and the graph itself, not yet compiled."""

    name: str
    context: type[RunContext]
    builder: StateGraph[Any, Any, Any, Any]

    def compiled(self, saver: BaseCheckpointSaver[Any]) -> CompiledStateGraph[Any, Any, Any, Any]:
        """The graph with its checkpoints."""
        from graphs.durable import durable

        return durable(self.builder.compile(checkpointer=saver, name=self.name))


def drivable(name: str) -> Drivable:
    """The graph of that name."""
    if name == FACTORY:
        from graphs.factory import FactoryContext
        from graphs.factory import builder as factory

        return Drivable(name, FactoryContext, factory())
    from graphs.build import BuildContext
    from graphs.build import builder as build

    return Drivable(BUILD, BuildContext, build())


def graph_of(manifest: Record) -> str:
    """The name of the graph that a run is of, by its `run.json`."""
    return str(manifest.get("graph") or BUILD)
