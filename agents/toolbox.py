"""Carrying out the tool calls of an agent: validated, journalled, on the log, and never twice."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from langchain_core.messages import ToolCall, ToolMessage
from pydantic import ValidationError

from tools.errors import StorageFailed, ToolRefused
from tools.events import EventLog, Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from langchain_core.tools import BaseTool

    from agents.models.journal import Journal
    from tools.runs.lineage import Position
    from tools.storage import Record
    from tools.workspace.view import WorkspaceView


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
    ) -> None:
        """Offer `tools`; those that write do so through `view`."""
        self.tools = {tool.name: tool for tool in tools}
        self._view = view
        self._journal = journal
        self._events = events
        self._place = place
        self._scope = scope

    async def run(self, call: ToolCall, turn: int, index: int) -> ToolMessage:
        """Answer one tool call; what the tool refuses becomes an answer that says why.

        Raises:
            Suspended: the disk refused, so the run stops.
        """
        known = self._journal.tool_answer(self._place, self._scope, turn, index)
        if known is None or known["name"] != call["name"]:
            known = await asyncio.to_thread(self._carry_out, call, turn, index)
        return ToolMessage(
            content=known["content"],
            name=call["name"],
            tool_call_id=call["id"] or "",
            status="error" if known["refused"] else "success",
        )

    def _carry_out(self, call: ToolCall, turn: int, index: int) -> Record:
        if self._view is not None:
            self._view.key = f"{self._place}/{self._scope}/{turn}/{index}"
        refused: Exception | None = None
        try:
            content = self._invoke(call)
        except (ToolRefused, ValidationError) as error:
            refused = error
            content = f"Error: {_explained(error)}"
        except StorageFailed as error:
            self._events.error(Kind.TOOL_EXECUTION_ERROR, error, scope=self._scope, turn=turn, call=dict(call))
            raise
        fields = {"scope": self._scope, "turn": turn, "name": call["name"], "arguments": call["args"]}
        if refused is None:
            self._events.emit(Kind.TOOL_CALL, **fields, answer=content)
        else:
            self._events.error(Kind.TOOL_EXECUTION_ERROR, refused, **fields, answer=content)
        answer = {"name": call["name"], "content": content, "refused": refused is not None}
        self._journal.keep_tool_answer(self._place, self._scope, turn, index, **answer)
        return answer

    def _invoke(self, call: ToolCall) -> str:
        tool = self.tools.get(call["name"])
        if tool is None:
            raise ToolRefused(f"there is no tool {call['name']!r}; the tools are: {', '.join(self.tools)}")
        return str(tool.invoke(call["args"]))


def _explained(error: Exception) -> str:
    if not isinstance(error, ValidationError):
        return str(error)
    wrong = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'arguments'}: {e['msg']}" for e in error.errors())
    return f"the arguments are not valid: {wrong}"
