"""Carrying out the tool calls of an agent: validated, journalled, on the log, and never twice."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from langchain_core.messages import ToolCall, ToolMessage
from pydantic import ValidationError

from agents.models import aliases
from agents.models.offers import schemas
from tools.errors import FileMissing, PathRefused, StorageFailed, ToolRefused
from tools.events import EventLog, Kind
from tools.redaction import redact
from tools.workspace.names import checked

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from langchain_core.messages import InvalidToolCall
    from langchain_core.tools import BaseTool

    from agents.models.journal import Journal
    from tools.runs.lineage import Position
    from tools.storage import Record
    from tools.workspace.view import WorkspaceView

BAD_CALL = frozenset({"unreadable", "unknown_tool", "arguments"})
"""The reasons of refusals that blame the form of a call and not what it wants."""

LONGEST_QUOTE = 300
_TELLING = ("read_file", "write_file", "edit_file")


class Toolbox:
    """The tools that one agent may use in one piece of work."""

    def __init__(
        self,
        tools: Sequence[BaseTool],
        *,
        view: WorkspaceView | None,
        journal: Journal,
        events: EventLog,
        place: Position,
        scope: str,
        seen: Iterable[str] = (),
    ) -> None:
        """Offer `tools`; those that write do so through `view`. The agent was shown the files `seen`."""
        self.tools = {tool.name: tool for tool in tools}
        self.schemas = schemas(tools)
        self._view = view
        self._journal = journal
        self._events = events
        self._place = place
        self._scope = scope
        self._seen = set(seen)

    async def run(self, call: ToolCall | InvalidToolCall, turn: int, index: int) -> ToolMessage:
        """Answer one tool call; what the tool refuses becomes an answer that says why.

        The answer's `artifact` is the journal's record, with the name and the arguments that were meant.

        Raises:
            Suspended: the disk refused, so the run stops.
        """
        known = self._journal.tool_answer(self._place, self._scope, turn, index)
        if known is None or known["called"] != call["name"]:
            known = await asyncio.to_thread(self._carry_out, call, turn, index)
        if not known["refused"] and known["name"] in _TELLING:
            self._seen.add(_canonical(known["arguments"].get("path")))
        return ToolMessage(
            content=known["content"],
            name=call["name"] or "tool",
            tool_call_id=call["id"] or "",
            status="error" if known["refused"] else "success",
            artifact=known,
        )

    def _carry_out(self, call: ToolCall | InvalidToolCall, turn: int, index: int) -> Record:
        if self._view is not None:
            self._view.key = f"{self._place}/{self._scope}/{turn}/{index}"
        name, arguments = self._meant(call)
        refused: Exception | None = None
        try:
            content = self._invoke(name, arguments)
        except (ToolRefused, ValidationError) as error:
            refused = error
            content = f"Error: {_explained(error)}"
        except StorageFailed as error:
            self._events.error(Kind.TOOL_EXECUTION_ERROR, error, scope=self._scope, turn=turn, call=dict(call))
            raise
        # A user's file may hold a key: the model and the cassette get it masked.
        content = redact(content)
        fields: Record = {"scope": self._scope, "turn": turn, "name": name, "arguments": arguments}
        if name != call["name"] or arguments != call["args"]:
            fields["called"] = {"name": call["name"], "arguments": call["args"]}
        if refused is None:
            self._events.emit(Kind.TOOL_CALL, **fields, answer=content)
        else:
            self._events.error(Kind.TOOL_EXECUTION_ERROR, refused, **fields, answer=content)
        answer: Record = {"name": name, "called": call["name"], "arguments": arguments, "content": content}
        answer |= {"refused": refused is not None, "reason": _reason(refused)}
        self._journal.keep_tool_answer(self._place, self._scope, turn, index, **answer)
        return answer

    def _meant(self, call: ToolCall | InvalidToolCall) -> tuple[str, Any]:
        name = aliases.tool_name(call["name"] or "", self.tools)
        given = call["args"]
        if name in self.tools and isinstance(given, dict):
            given = aliases.arguments(given, self.schemas[name])
        return name, given

    def _invoke(self, name: str, arguments: Any) -> str:
        tool = self.tools.get(name)
        if tool is None:
            what = f"there is no tool {_quoted(name)}" if name else "the call names no tool"
            raise ToolRefused(f"{what}; the tools are: {', '.join(self.tools)}", reason="unknown_tool")
        if not isinstance(arguments, dict):
            raise ToolRefused(
                f"the arguments of {name} cannot be read: {_quoted(arguments)} is no JSON object; call it again with an "
                f"object that has the members {', '.join(self.schemas[name].get('properties', {}))}",
                reason="unreadable",
            )
        if name == "edit_file":
            self._check_read(arguments.get("path"))
        # In this form a tool takes the arguments as they are, whatever members they have.
        answered = tool.invoke(ToolCall(name=name, args=arguments, id="", type="tool_call"))
        return str(answered.content)

    def _check_read(self, path: object) -> None:
        name = _canonical(path)
        if self._view is None or name in self._seen or name not in self._view.owned:
            return
        if self._view.exists(name):
            raise ToolRefused(
                f"{path!r} was not read yet; read it with read_file before you edit it", reason="unread"
            )
        raise FileMissing(f"{path!r} does not exist; create it with write_file", reason="missing")


def _canonical(path: object) -> str:
    try:
        return checked(path) if isinstance(path, str) else ""
    except PathRefused:
        return str(path)


def _quoted(value: object) -> str:
    text = repr(value)
    return text if len(text) <= LONGEST_QUOTE else f"{text[:LONGEST_QUOTE]}… ({len(text)} characters)"


def _reason(error: Exception | None) -> str:
    if isinstance(error, ToolRefused):
        return error.reason
    return "" if error is None else "arguments"


def _explained(error: Exception) -> str:
    if not isinstance(error, ValidationError):
        return str(error)
    wrong = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'arguments'}: {e['msg']}" for e in error.errors()[:10])
    return f"the arguments are not valid: {wrong}"
