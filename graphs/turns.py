"""One agent at work: it thinks, what its reply asks for is carried out, until it closes the work or is stopped.

    START → think ─┬─ to do ───→ act ──┬─ open ─→ think
                   ├─ nothing → nudge ─┘
                   ├─ fault ─→ think
                   └─ stopped → END    └─ closed / stopped → END

Its conversation is its own: the graph above it gets one compact result. Inner steps are journalled, not checkpointed,
so a crash costs no model call and the checkpoint database does not grow with the conversation. What an agent is told
depends on its conversation alone, never on the disk of this moment, so a repeated step asks the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, cast

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, InvalidToolCall, ToolCall
from langgraph.graph import END, START, StateGraph
from langgraph.runtime import get_runtime

from agents.answers import shortened
from agents.models.approach import SMALL
from agents.models.continuing import joined
from agents.models.honesty import context_lost
from agents.models.protocols import Rung, how_to_answer, only_the_file
from agents.models.reading import Reading, read_reply
from graphs.conversation import (
    Turns,
    Work,
    carried_out,
    gone_on,
    judged,
    limit_reached,
    names,
    pending,
    prompt,
    stop,
    surroundings,
    untouched,
    written,
)
from graphs.doors import two_doors
from graphs.durable import durable
from tools.errors import BudgetExhausted, ModelFault

if TYPE_CHECKING:
    from collections.abc import Sequence

    from langchain_core.messages import BaseMessage, ToolMessage
    from langgraph.graph.state import CompiledStateGraph

NUDGES = 2
FAULTS = 3
MISSED_EDITS = 2
LONGEST_SUMMARY = 2000
MISJOINED = "the rest does not begin with the last lines of what there was"
SHORTER = " Write one file at a time, and keep it short."
PIECES = {
    Rung.NATIVE: " If it has to be long, write a first part of it that can stand alone, then add to it with edit_file.",
    Rung.FENCED: "",
    Rung.EDITS: " If it has to be long, write a first part of it that can stand alone, then add to it piece by piece.",
}
DESCENT = frozenset({"format_fault", "discarded", "no_tools"})
"""Faults that another question in the same form will not mend."""


async def think(state: Turns) -> Turns:
    """Ask the model for its next move; a fault is told to it, a limit stops the work."""
    work = get_runtime(Work).context
    turn, rung = state.get("turn", 0), state["rung"]
    if (limit := limit_reached(state, work)) is not None:
        return limit
    messages = await prompt(state, work)
    cut = state.get("cut")
    tools = [] if rung.textual or cut else list(work.toolbox.tools.values())
    how: dict[str, Any] = {"temperature": work.approach.temperature, "longer": state.get("longer", False)}
    try:
        message = await work.ask(work.scope, turn, messages, tools=tools, seconds=work.seconds_left(), **how)
    except BudgetExhausted as error:
        return {"stopped": str(error), "stopped_by": "budget"}
    except ModelFault as fault:
        return _after_fault(state, work, fault)
    lost = context_lost(message.response_metadata.get("prompt", {}))
    if lost:
        return {"stopped": lost, "stopped_by": "context_lost", "turn": turn + 1}
    spent = _spent(state, message, message.response_metadata.get("seconds", 0.0))
    if cut is not None:
        whole = joined(cut, message.text)
        if whole is None:
            return {**_after_fault(state, work, ModelFault(MISJOINED, kind="cut")), **spent}
        message = AIMessage(whole)
    reading = read_reply(message, Rung.FENCED if cut else rung, surroundings(state, work), turn)
    kept = _kept(message, reading, rung, written_out=cut is not None)
    return {"messages": [kept], "reading": reading, "turn": turn + 1, "cut": None, "continued": 0, **spent}


def _spent(state: Turns, message: object, seconds: float) -> Turns:
    """The tokens and seconds of the conversation, with those of one more call."""
    usage = message.usage_metadata if isinstance(message, AIMessage) else None
    tokens = state.get("tokens", 0) + (usage["total_tokens"] if usage else 0)
    return {"tokens": tokens, "seconds": state.get("seconds", 0.0) + seconds}


async def act(state: Turns) -> Turns:
    """Carry out what the last reply asks for, in order."""
    work, reading, turn = get_runtime(Work).context, state["reading"], state["turn"] - 1
    assert reading is not None
    answers: list[ToolMessage] = []
    update: Turns = {"calls": [], "reading": None}
    asked: list[ToolCall | InvalidToolCall] = [*reading.calls, *reading.unreadable]
    for index, call in enumerate(asked):
        answers.append(await work.toolbox.run(call, turn, index))
        update["calls"].append(carried_out(answers[-1]))
        if _closes(update, work):
            break
    told = _left_out(reading)
    if state["rung"].textual and work.paths and "closed" not in update:
        told += await _go_on(state, update, work, answers)
    return {**judged(state, update, work, told), "messages": _answers(state["rung"], answers, told)}


async def nudge(state: Turns) -> Turns:
    """Remind an agent that talks instead of acting; then ask for one file as text; then stop."""
    work, rung, reading = get_runtime(Work).context, state["rung"], state["reading"]
    nudges = state.get("nudges", 0) + 1
    refused = "\n".join(reading.refusals) if reading is not None else ""
    waiting = _waiting(state, work)
    if rung is Rung.EDITS and refused and state.get("missed", 0) + 1 >= MISSED_EDITS:
        text = f"{refused}\n{how_to_answer(Rung.FENCED, work.paths, work.closing, work.toolbox.schemas)}"
        return {"messages": [HumanMessage(text)], "rung": Rung.FENCED, "nudges": 0}
    most = NUDGES if work.approach.patient else 1
    if nudges >= most and work.paths and not waiting:
        closed = await _close_for(state, work)
        if "closed" in closed:
            return closed
    if nudges >= most and not rung.textual:
        return _descent(state, work)
    if nudges > most:
        return stop("it answered with text instead of doing its work")
    text = "\n".join(filter(None, [refused, _reminder(rung, waiting, work)]))
    expected = waiting[0] if rung.textual and waiting else ""
    missed = state.get("missed", 0) + bool(refused)
    return {"nudges": nudges, "messages": [HumanMessage(text)], "expected": expected, "missed": missed}


def after_thinking(state: Turns) -> Literal["to do", "nothing", "fault", "stopped"]:
    """Route on what the model's last message asks for."""
    if state.get("stopped"):
        return "stopped"
    reading = state.get("reading")
    if reading is None:
        return "fault"
    return "nothing" if reading.empty else "to do"


def after_acting(state: Turns) -> Literal["open", "closed"]:
    """Route on whether the work is over."""
    return "closed" if "closed" in state or state.get("stopped") else "open"


def after_nudging(state: Turns) -> Literal["open", "closed"]:
    """Route on whether the agent was nudged too often, or had done its work without saying so."""
    return after_acting(state)


def assemble() -> CompiledStateGraph[Turns, Work, Turns, Turns]:
    """The loop of one agent, without checkpoints of its own."""
    builder = StateGraph(Turns, context_schema=Work)
    for step in (think, act, nudge):
        builder.add_node(step.__name__, two_doors(step))
    builder.add_edge(START, "think")
    builder.add_conditional_edges(
        "think", after_thinking, {"to do": "act", "nothing": "nudge", "fault": "think", "stopped": END}
    )
    builder.add_conditional_edges("act", after_acting, {"open": "think", "closed": END})
    builder.add_conditional_edges("nudge", after_nudging, {"open": "think", "closed": END})
    return durable(builder.compile(checkpointer=False, name="agent"))


async def carry_out(work: Work, messages: Sequence[BaseMessage]) -> Turns:
    """Let one agent work until it closes its work or is stopped."""
    rung = work.approach.rung
    told = [SMALL] if work.approach.small and work.paths else []
    if rung.textual:
        told.append(how_to_answer(rung, work.paths, work.closing, work.toolbox.schemas))
    opening = [*messages[:-1], HumanMessage("\n\n".join([messages[-1].text, *told]))]
    # Two steps a turn, a nudge and an end: the graph's own limit must never be the one that strikes.
    limit = 4 * work.turns + 10
    start = cast("Turns", {"messages": opening, "opening": len(opening), "rung": rung})
    return cast("Turns", await graph.ainvoke(start, {"recursion_limit": limit}, context=work))


def _kept(message: AIMessage, reading: Reading, rung: Rung, *, written_out: bool) -> AIMessage:
    """The message as it stays in the conversation: with the calls that were found in its text, or as text."""
    text = shortened(message.text) if reading.empty else message.text
    if rung.textual:
        return AIMessage(text or "(nothing)")
    if written_out and not reading.empty:
        text = ""  # the calls hold it already
    if message.tool_calls or message.invalid_tool_calls:
        called = {"tool_calls": list(reading.calls), "invalid_tool_calls": list(reading.unreadable)}
        return AIMessage(message.text, **called)
    return AIMessage(text, tool_calls=list(reading.calls))


def _closes(update: Turns, work: Work) -> bool:
    """Note that the last call closed the work, if it did."""
    last = update["calls"][-1]
    if last["name"] == work.closing and not last["refused"]:
        update["closed"] = last["arguments"]
    return "closed" in update


def _left_out(reading: Reading) -> list[str]:
    if not reading.left_out:
        return []
    return [f"Your answer held {reading.left_out} calls too many; they were not carried out. Make fewer at a time."]


async def _go_on(state: Turns, update: Turns, work: Work, answers: list[ToolMessage]) -> list[str]:
    """On a textual rung: close the work when every file is written, else say which file is next."""
    reading, calls = state["reading"], [*state.get("calls", []), *update["calls"]]
    assert reading is not None
    refused = [path for path in work.paths if any(c["refused"] and names(c, path) for c in update["calls"])]
    next_one = [*refused, *pending(calls, work)][:1]
    update["expected"] = next_one[0] if next_one else ""
    same = untouched(calls, work)
    if not refused and (reading.done or not (next_one or (same and not state.get("asked")))):
        answers.append(await _call_closing(state, work, "Written as text.", len(update["calls"])))
        update["calls"].append(carried_out(answers[-1]))
        if _closes(update, work):
            return []
    if next_one:
        return [only_the_file(next_one[0])]
    update["asked"] = True
    return [f"Not changed: {', '.join(same)}. Output what has to change, whole; if nothing has, answer DONE."]


async def _call_closing(state: Turns, work: Work, summary: str, index: int) -> ToolMessage:
    """Close the work for an agent whose files are all written; the tool itself looks at the disk."""
    arguments = {"summary": summary, "files": written(state.get("calls", []))}
    closing = ToolCall(name=work.closing, args=arguments, id="close")
    return await work.toolbox.run(closing, state["turn"] - 1, index)


async def _close_for(state: Turns, work: Work) -> Turns:
    said = state["messages"][-1].text[:LONGEST_SUMMARY] or "Done."
    outcome = carried_out(await _call_closing(state, work, said, 0))
    update: Turns = {"calls": [outcome]}
    _closes(update, work)
    return update


def _waiting(state: Turns, work: Work) -> list[str]:
    """The files that are still to be written, then those that are still as they were."""
    calls = state.get("calls", [])
    return [*pending(calls, work), *untouched(calls, work)]


def _answers(rung: Rung, answers: Sequence[ToolMessage], told: Sequence[str]) -> list[AnyMessage]:
    """The results as messages: next to their calls, or on a textual rung as one message of the user."""
    if not rung.textual:
        return [*answers, *([HumanMessage("\n".join(told))] if told else [])]
    lines = [answer.text for answer in answers]
    return [HumanMessage("\n".join([*lines, *told]) or "Noted.")]


def _reminder(rung: Rung, waiting: Sequence[str], work: Work) -> str:
    if rung.textual:
        again = how_to_answer(rung, work.paths, work.closing, work.toolbox.schemas)
        return only_the_file(waiting[0]) if waiting else f"That could not be used; nothing was done.\n{again}"
    offered = ", ".join(work.toolbox.tools)
    return f"That was text; nothing was done. Use the tools: {offered}. When all is done, call {work.closing}."


def _descent(state: Turns, work: Work) -> Turns:
    """One rung down, with the counters set back and the request in its shortest form."""
    waiting, rung = _waiting(state, work), work.approach.lower
    how = how_to_answer(rung, work.paths, work.closing, work.toolbox.schemas)
    text = only_the_file(waiting[0]) if waiting else how
    expected = waiting[0] if waiting else ""
    return {"rung": rung, "nudges": 0, "faults": 0, "expected": expected, "messages": [HumanMessage(text)]}


def _after_fault(state: Turns, work: Work, fault: ModelFault) -> Turns:
    faults, turn = state.get("faults", 0) + 1, state.get("turn", 0) + 1
    counted: Turns = {"turn": turn, "reading": None, **_spent(state, fault.reply, fault.seconds)}
    if fault.kind == "cut":
        counted["longer"] = True
    if (more := gone_on(state, work, fault)) is not None:
        return {**counted, **more}
    counted |= {"faults": faults, "cut": None, "continued": 0}
    if fault.kind == "time_limit":
        return {**counted, **stop(f"the model failed: {fault}", fault.kind)}
    most = FAULTS if work.approach.patient else 1
    if not state["rung"].textual and (fault.kind in DESCENT or faults == most):
        return {**counted, **_descent(state, work)}
    if faults > most:
        return {**counted, **stop(f"the model failed: {fault}", fault.kind)}
    how = "Answer again" if state["rung"].textual else "Answer again, with one tool call"
    shorter = SHORTER + PIECES[state["rung"]] if fault.kind == "cut" else ""
    return {**counted, "messages": [HumanMessage(f"Your last answer could not be used: {fault}. {how}.{shorter}")]}


graph = assemble()
