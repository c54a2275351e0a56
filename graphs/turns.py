"""One agent at work: it thinks, its tool calls are carried out, until it closes the work or is stopped.

    START → think ─┬─ calls ──→ act ─┬─ open ──→ think
                   ├─ no call → nudge ┘
                   └─ stopped → END    └─ closed / stopped → END

Its conversation is its own: the graph above it gets one compact result. Inner steps are journalled, not checkpointed,
so a crash costs no model call and the checkpoint database does not grow with the conversation.
"""

from __future__ import annotations

import operator
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage
from langgraph.graph import END, START, StateGraph
from langgraph.runtime import get_runtime
from typing_extensions import TypedDict

from agents.models.salvage import salvage
from graphs.doors import two_doors
from graphs.durable import durable
from tools.errors import BudgetExhausted, ModelFault

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from langchain_core.messages import BaseMessage
    from langgraph.graph.state import CompiledStateGraph

    from agents.models.caller import Ask
    from agents.toolbox import Toolbox

NUDGES = 2
FAULTS = 3
REFUSED_CLOSINGS = 3


@dataclass(frozen=True)
class Work:
    """What one agent needs: how to ask its model, its tools, which of them closes the work, and its limits."""

    ask: Ask
    toolbox: Toolbox
    scope: str
    closing: str
    turns: int
    deadline: float | None = None
    schemas: Mapping[str, dict[str, Any]] = field(default_factory=dict)

    def seconds_left(self) -> float | None:
        """Seconds until the deadline; None without one."""
        return None if self.deadline is None else self.deadline - time.monotonic()


class Turns(TypedDict, total=False):
    """The conversation of one agent, and how it ended."""

    messages: Annotated[list[AnyMessage], operator.add]
    turn: int
    nudges: int
    faults: int
    calls: Annotated[list[dict[str, Any]], operator.add]
    closed: dict[str, Any]
    stopped: str
    stopped_by: str


async def think(state: Turns) -> Turns:
    """Ask the model for its next move; a fault is told to it, a limit stops the work."""
    work = get_runtime(Work).context
    turn = state.get("turn", 0)
    left = work.seconds_left()
    if turn >= work.turns:
        return {"stopped": f"it did not finish within {work.turns} model calls", "stopped_by": "stuck"}
    if left is not None and left <= 0:
        return {"stopped": "its time was used up", "stopped_by": "time_limit"}
    try:
        message = await work.ask(
            work.scope, turn, state["messages"], tools=list(work.toolbox.tools.values()), seconds=left
        )
    except BudgetExhausted as error:
        return {"stopped": str(error), "stopped_by": "budget"}
    except ModelFault as fault:
        return _after_fault(state, fault)
    return {"messages": [_with_calls(message, work, turn)], "turn": turn + 1}


async def act(state: Turns) -> Turns:
    """Carry out the tool calls of the last message, in order."""
    work = get_runtime(Work).context
    last = state["messages"][-1]
    assert isinstance(last, AIMessage)
    answers: list[AnyMessage] = []
    update: Turns = {"calls": []}
    for index, call in enumerate(last.tool_calls):
        answer = await work.toolbox.run(call, state["turn"] - 1, index)
        answers.append(answer)
        refused = answer.status == "error"
        update["calls"].append({"name": call["name"], "arguments": call["args"], "refused": refused})
        if call["name"] == work.closing and not refused:
            update["closed"] = call["args"]
            break
    refusals = sum(c["name"] == work.closing and c["refused"] for c in [*state.get("calls", []), *update["calls"]])
    if refusals >= REFUSED_CLOSINGS:
        update["stopped"] = f"it called {work.closing} {refusals} times without having done the work"
        update["stopped_by"] = "agent_failed"
    return {**update, "messages": answers}


async def nudge(state: Turns) -> Turns:
    """Remind an agent that talks instead of acting; after two reminders, stop."""
    work = get_runtime(Work).context
    nudges = state.get("nudges", 0) + 1
    if nudges > NUDGES:
        return {"stopped": "it answered with text instead of using its tools", "stopped_by": "agent_failed"}
    names = ", ".join(work.toolbox.tools)
    text = f"That was text; nothing was done. Use the tools: {names}. When all is done, call {work.closing}."
    return {"nudges": nudges, "messages": [HumanMessage(text)]}


def after_thinking(state: Turns) -> Literal["calls", "no call", "again", "stopped"]:
    """Route on what the model's last message holds."""
    if state.get("stopped"):
        return "stopped"
    last = state["messages"][-1]
    if not isinstance(last, AIMessage):
        return "again"
    return "calls" if last.tool_calls else "no call"


def after_acting(state: Turns) -> Literal["open", "closed"]:
    """Route on whether the work is over."""
    return "closed" if "closed" in state or state.get("stopped") else "open"


def after_nudging(state: Turns) -> Literal["open", "stopped"]:
    """Route on whether the agent was nudged too often."""
    return "stopped" if state.get("stopped") else "open"


def assemble() -> CompiledStateGraph[Turns, Work, Turns, Turns]:
    """The loop of one agent, without checkpoints of its own."""
    builder = StateGraph(Turns, context_schema=Work)
    for step in (think, act, nudge):
        builder.add_node(step.__name__, two_doors(step))
    builder.add_edge(START, "think")
    builder.add_conditional_edges(
        "think", after_thinking, {"calls": "act", "no call": "nudge", "again": "think", "stopped": END}
    )
    builder.add_conditional_edges("act", after_acting, {"open": "think", "closed": END})
    builder.add_conditional_edges("nudge", after_nudging, {"open": "think", "stopped": END})
    return durable(builder.compile(checkpointer=False, name="agent"))


async def carry_out(work: Work, messages: Sequence[BaseMessage]) -> Turns:
    """Let one agent work until it closes its work or is stopped."""
    # Two steps a turn, a nudge and an end: the graph's own limit must never be the one that strikes.
    limit = 4 * work.turns + 10
    opening = cast("Turns", {"messages": list(messages)})
    return cast("Turns", await graph.ainvoke(opening, {"recursion_limit": limit}, context=work))


def _after_fault(state: Turns, fault: ModelFault) -> Turns:
    faults = state.get("faults", 0) + 1
    turn = state.get("turn", 0) + 1
    if fault.kind == "time_limit" or faults > FAULTS:
        return {"stopped": f"the model failed: {fault}", "stopped_by": fault.kind, "turn": turn}
    told = HumanMessage(f"Your last answer could not be used: {fault}. Answer again, with one tool call.")
    return {"messages": [told], "faults": faults, "turn": turn}


def _with_calls(message: AIMessage, work: Work, turn: int) -> AIMessage:
    """The message with the calls that its text holds, when the model wrote them as text."""
    if message.tool_calls:
        return message
    reason = str(message.response_metadata.get("done_reason") or "stop")
    found = salvage(message.text, work.schemas, reason)
    calls = [
        {"name": c.name, "args": c.arguments, "id": f"text-{turn}-{n}", "type": "tool_call"}
        for n, c in enumerate(found)
    ]
    return AIMessage(message.text, tool_calls=calls) if calls else message


graph = assemble()
