"""The conversation of one agent: what it is working with, what it is shown next, and how its turns are judged."""

from __future__ import annotations

import operator
import time
from collections.abc import Awaitable, Callable, Mapping  # noqa: TC003 - LangGraph reads the hints of a context
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any

from langchain_core.messages import AIMessage, AnyMessage, BaseMessage, HumanMessage
from typing_extensions import TypedDict

from agents.loops import rounds
from agents.models.approach import Approach
from agents.models.compaction import compacted, room_for
from agents.models.continuing import CONTINUATIONS, Unfinished, joined, unfinished_file, unfinished_text
from agents.models.protocols import Rung, as_text, how_to_answer
from agents.models.reading import Reading, Surroundings, known_files, spelled
from agents.models.windows import text_tokens
from agents.toolbox import BAD_CALL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from langchain_core.messages import ToolMessage

    from agents.models.caller import Ask
    from agents.toolbox import Toolbox
    from tools.errors import ModelFault

REFUSED_CLOSINGS = 3
BAD_TURNS = 3
LOOP = 3
"""So often the same call, or the same few calls in turn, with the same result: a nudge, and after it the end."""

LOOPING = (
    "You did the same thing several times with the same result. Do something else, or raise_callback and finish."
)
LAST_CALL = (
    "This is your last call. Finish now with what there is, or raise a callback that says what is left to do."
)
BAD_ARGUMENTS = "three answers in a row held no call that could be carried out"


async def _never(scope: str, turn: int) -> bool:
    return False


@dataclass(frozen=True)
class Work:
    """What one agent needs: how to ask its model, its tools, which of them closes the work, and its limits."""

    ask: Ask
    toolbox: Toolbox
    scope: str
    closing: str
    turns: int
    deadline: float | None = None
    approach: Approach = field(default_factory=Approach)
    paths: tuple[str, ...] = ()
    """The files that it is to write."""
    existing: Mapping[str, str] = field(default_factory=dict)
    """Those of them that were there when it began, with their text."""
    max_tokens: int | None = None
    max_seconds: float | None = None
    """Seconds in model calls, as the journal has them, so that a replay stops where the run did."""
    is_last: Callable[[str, int], Awaitable[bool]] = _never
    """Whether the run's budget ends with the call of this scope and turn."""

    def seconds_left(self) -> float | None:
        """Seconds until the deadline; None without one."""
        return None if self.deadline is None else self.deadline - time.monotonic()


class Turns(TypedDict, total=False):
    """The conversation of one agent, and how it ended."""

    messages: Annotated[list[AnyMessage], operator.add]
    opening: int
    turn: int
    rung: Rung
    expected: str
    reading: Reading | None
    nudges: int
    faults: int
    bad_turns: int
    missed: int
    looped: bool
    asked: bool
    cut: Unfinished | None
    """The file in which the last reply was cut, when the model is asked for the rest of it."""
    continued: int
    longer: bool
    """Whether a reply was cut, so that the next ones get more room."""
    tokens: int
    seconds: float
    calls: Annotated[list[dict[str, Any]], operator.add]
    closed: dict[str, Any]
    stopped: str
    stopped_by: str


def limit_reached(state: Turns, work: Work) -> Turns | None:
    """How the work ends when its turns, its time or its tokens are used up."""
    left = work.seconds_left()
    if state.get("turn", 0) >= work.turns:
        return {"stopped": f"it did not finish within {work.turns} model calls", "stopped_by": "stuck"}
    if left is not None and left <= 0:
        return {"stopped": "its time was used up", "stopped_by": "time_limit"}
    if work.max_tokens is not None and state.get("tokens", 0) >= work.max_tokens:
        return stop(f"it did not finish within {work.max_tokens} tokens", "budget")
    if work.max_seconds is not None and state.get("seconds", 0.0) >= work.max_seconds:
        return stop(f"it did not finish within {work.max_seconds:g} seconds of model calls", "budget")
    return None


async def prompt(state: Turns, work: Work) -> list[BaseMessage]:
    """The conversation as it is sent: fit for the rung and the window, with the last call announced."""
    turn = state.get("turn", 0)
    messages: list[BaseMessage] = list(state["messages"])
    if turn > 0 and (turn == work.turns - 1 or await work.is_last(work.scope, turn)):
        messages.append(HumanMessage(LAST_CALL))
    messages = compacted(messages, state["opening"], room_for(work.approach.window))
    if (cut := state.get("cut")) is not None:
        messages += [AIMessage(cut.text), HumanMessage(cut.request)]
    return as_text(messages) if state["rung"].textual else messages


def gone_on(state: Turns, work: Work, fault: ModelFault) -> Turns | None:
    """Ask for the rest of the file in which the reply was cut; None when that is not certain to fit together."""
    before, reply, times = state.get("cut"), fault.reply, state.get("continued", 0)
    if fault.kind != "cut" or not isinstance(reply, AIMessage) or times >= CONTINUATIONS:
        return None
    expected = state.get("expected", "")
    if before is None:
        found = unfinished_file(reply, work.paths, expected)
    else:
        text = joined(before, reply.text)
        found = None if text is None else unfinished_text(text, work.paths, expected)
        if found is not None and len(found.text) <= len(before.text):
            return None
    window = work.approach.window
    # What was written is sent back with the prompt, and has to leave room for as much again.
    if found is None or (window is not None and text_tokens(found.text) > window // 4):
        return None
    return {"cut": found, "continued": times + 1}


def surroundings(state: Turns, work: Work) -> Surroundings:
    """What the next reply is read against."""
    files = known_files(work.existing, state.get("calls", []))
    return Surroundings(work.toolbox.schemas, work.closing, work.paths, files, state.get("expected", ""))


def carried_out(answer: ToolMessage) -> dict[str, Any]:
    """What is kept of a call that was carried out, or refused."""
    kept = answer.artifact
    return {name: kept[name] for name in ("name", "arguments", "refused", "reason", "content")}


def names(call: Mapping[str, Any], path: str) -> bool:
    """Whether a call is about a path."""
    return isinstance(call["arguments"], dict) and spelled(call["arguments"].get("path")) == path


def written(calls: Sequence[Mapping[str, Any]]) -> list[str]:
    """The paths that these calls wrote or edited, each once."""
    done = [c for c in calls if not c["refused"] and c["name"] in ("write_file", "edit_file")]
    return list(dict.fromkeys(spelled(c["arguments"]["path"]) for c in done))


def pending(calls: Sequence[Mapping[str, Any]], work: Work) -> list[str]:
    """The files that are to be written and neither were there nor were written yet."""
    known = known_files(work.existing, calls)
    return [path for path in work.paths if path not in known]


def untouched(calls: Sequence[Mapping[str, Any]], work: Work) -> list[str]:
    """The files that were there and that this agent has not changed."""
    done = written(calls)
    return [path for path in work.paths if path in work.existing and path not in done]


def judged(state: Turns, update: Turns, work: Work, told: list[str]) -> Turns:
    """Count what went wrong in this turn: refused closings, circles, calls that could not be carried out."""
    calls = [*state.get("calls", []), *update["calls"]]
    refusals = sum(c["name"] == work.closing and c["refused"] for c in calls)
    bad = all(c["reason"] in BAD_CALL for c in update["calls"]) and bool(update["calls"])
    update["bad_turns"] = state.get("bad_turns", 0) + 1 if bad else 0
    if "closed" in update:
        return update
    if refusals >= REFUSED_CLOSINGS:
        return {**update, **stop(f"it called {work.closing} {refusals} times without having done the work")}
    if rounds([_signature(call) for call in calls]) >= LOOP:
        if state.get("looped"):
            return {**update, **stop("it did the same thing again and again, with the same result", "stuck")}
        told.append(LOOPING)
        return {**update, "looped": True}
    if update["bad_turns"] >= BAD_TURNS:
        if state["rung"].textual:
            return {**update, **stop(BAD_ARGUMENTS)}
        told.append(how_to_answer(work.approach.lower, work.paths, work.closing, work.toolbox.schemas))
        return {**update, "rung": work.approach.lower, "bad_turns": 0, "nudges": 0, "faults": 0}
    return update


def _signature(call: Mapping[str, Any]) -> str:
    return repr((call["name"], call["arguments"], call["content"]))


def stop(why: str, by: str = "agent_failed") -> Turns:
    """The end of the work, with its reason and the kind of it."""
    return {"stopped": why, "stopped_by": by}
