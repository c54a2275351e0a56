"""From a small task to a proved tool.

    START → draw ─┬─ no task → settle
                  └─ task → recall → decide ─┬─ reuse ──────────→ prove ─┬─ solved ────→ settle
                                             ├─ reuse, no oracle → author → prove       │
                                             └─ adapt or write → write ∥ author ←───────┴─ not solved
    write ∥ author → examine ─┬─ passed → admit → settle → END
                              ├─ blames code → write
                              ├─ blames tests → author
                              └─ no tries left → settle

One invocation is one task, and one run. Whoever writes the tests knows the statement alone and never sees the code. Every
route is a function of what code measured.
"""

from __future__ import annotations

import functools
import time
from typing import TYPE_CHECKING, Any

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import get_runtime

from graphs.durable import durable
from graphs.factory.admitting import admit
from graphs.factory.drawing import after_draw, draw
from graphs.factory.examining import after_examine, examine
from graphs.factory.proving import after_prove, prove
from graphs.factory.recalling import after_decide, decide, recall
from graphs.factory.schemas import FactoryContext, FactoryInput, FactoryOutput, FactoryState, GivenTask
from graphs.factory.settling import settle
from graphs.factory.writing import after_author, author, write
from graphs.session import node

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from langgraph.graph.state import CompiledStateGraph

    from graphs.session import Session, Update

    Work = Callable[[Any, Session[Any]], Awaitable[Update]]

__all__ = ["FactoryContext", "FactoryInput", "FactoryOutput", "FactoryState", "GivenTask", "builder", "graph"]


def route_exam(state: FactoryState) -> list[str]:
    """Where an exam leads."""
    given = get_runtime(FactoryContext).context
    context = given if isinstance(given, FactoryContext) else FactoryContext.model_validate(given or {})
    return after_examine(state, context.tries)


def timed(work: Work) -> Work:
    """The same work, which adds the seconds that it took to the state."""

    @functools.wraps(work)
    async def measured(state: Any, session: Session[Any]) -> Update:
        began = time.monotonic()
        update = await work(state, session)
        return {**update, "seconds": {getattr(work, "__name__", "node"): round(time.monotonic() - began, 3)}}

    return measured


def builder() -> StateGraph[FactoryState, FactoryContext, FactoryInput, FactoryOutput]:
    """The graph, not yet compiled."""
    graph = StateGraph(FactoryState, FactoryContext, input_schema=FactoryInput, output_schema=FactoryOutput)
    for work in (draw, recall, decide, prove, examine, admit, settle):
        graph.add_node(work.__name__, node(timed(work), FactoryContext))
    for work in (write, author):  # side by side: neither moves the run's position
        graph.add_node(work.__name__, node(timed(work), FactoryContext, advances=False))
    graph.add_edge(START, "draw")
    graph.add_conditional_edges("draw", after_draw, {"task": "recall", "no task": "settle"})
    graph.add_edge("recall", "decide")
    graph.add_conditional_edges(
        "decide",
        after_decide,
        {
            "reuse": "prove",
            "reuse, no oracle": "author",
            "adapt or write": "write",
            "adapt or write: tests": "author",
        },
    )
    graph.add_conditional_edges(
        "prove", after_prove, {"solved": "settle", "not solved": "write", "not solved: tests": "author"}
    )
    graph.add_edge("write", "examine")
    graph.add_conditional_edges("author", after_author, {"tool to prove": "prove", "code to examine": "examine"})
    graph.add_conditional_edges(
        "examine",
        route_exam,
        {"passed": "admit", "blames code": "write", "blames tests": "author", "no tries left": "settle"},
    )
    graph.add_edge("admit", "settle")
    graph.add_edge("settle", END)
    return graph


graph: CompiledStateGraph[FactoryState, FactoryContext, FactoryInput, FactoryOutput] = durable(
    builder().compile(name="factory")
)
