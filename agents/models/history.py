"""A conversation made fit to be sent again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage

from agents.models.thinking import strip_thinking

if TYPE_CHECKING:
    from collections.abc import Sequence


def sendable(messages: Sequence[BaseMessage]) -> list[BaseMessage]:
    """The messages without old thinking, and with every tool result next to a call that it answers.

    A call that could not be read has no place in the protocol: it goes back as text, its result as the user's.
    """
    called: set[str | None] = set()
    found: list[BaseMessage] = []
    for message in messages:
        if isinstance(message, AIMessage):
            called |= {call["id"] for call in message.tool_calls}
            found.append(_answer(message))
        elif isinstance(message, ToolMessage) and message.tool_call_id not in called:
            found.append(HumanMessage(message.content))
        else:
            found.append(message)
    return found


def _answer(message: AIMessage) -> AIMessage:
    kept = {key: value for key, value in message.additional_kwargs.items() if key != "reasoning_content"}
    update: dict[str, object] = {"additional_kwargs": kept}
    if isinstance(message.content, str):
        unread = [f"{call['name']} {call['args']}" for call in message.invalid_tool_calls]
        update["content"] = "\n".join([*filter(None, [strip_thinking(message.content)]), *unread])
    return message.model_copy(update=update)
