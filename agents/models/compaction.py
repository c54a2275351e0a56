"""A conversation that nears the model's window is shortened in tiers, always the same way for the same messages.

First reminders go, then old tool results, then what old calls carried, and at the worst the same of the last exchange.
The opening and the skeleton of calls stay: a sliding window would lose the goal.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage

from agents.models.windows import ANSWER_ROOM, HEADROOM, text_tokens

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

KEPT = 4
"""So many of the newest messages are shortened last."""

_SHORT = 200
_GONE = "(an old result, left out to save room; ask again if you need it)"


def room_for(window: int | None) -> int | None:
    """The tokens that a prompt may have in a window, with room for the answer; None when the window is not known."""
    return None if window is None else max(int((window - min(ANSWER_ROOM, window // 3)) / HEADROOM), 512)


def prompt_size(messages: Sequence[BaseMessage]) -> int:
    """An estimate from above of the tokens of a conversation."""
    return sum(8 + text_tokens(message.text) + _calls_size(message) for message in messages)


def compacted(messages: Sequence[BaseMessage], opening: int, room: int | None) -> list[BaseMessage]:
    """The conversation within `room` tokens as far as the tiers reach; the first `opening` messages stay as they are."""
    found = list(messages)
    for tier in (_without_reminders, _without_results, _without_contents):
        if room is None or prompt_size(found) <= room:
            return found
        found = tier(found, opening, KEPT)
    for tier in (_without_results, _without_contents):
        if room is None or prompt_size(found) <= room:
            return found
        found = tier(found, opening, 0)
    return found


def _calls_size(message: BaseMessage) -> int:
    if not isinstance(message, AIMessage) or not message.tool_calls:
        return 0
    return text_tokens(json.dumps([call["args"] for call in message.tool_calls], ensure_ascii=False))


def _without_reminders(messages: list[BaseMessage], opening: int, kept: int) -> list[BaseMessage]:
    """Talk without a call, and the reminders that answered it."""
    return _each(messages, opening, kept, lambda m: None if _is_talk(m) else m)


def _is_talk(message: BaseMessage) -> bool:
    return isinstance(message, HumanMessage) or (isinstance(message, AIMessage) and not _called(message))


def _called(message: AIMessage) -> bool:
    return bool(message.tool_calls or message.invalid_tool_calls or "```" in message.text)


def _without_results(messages: list[BaseMessage], opening: int, kept: int) -> list[BaseMessage]:
    def shorter(message: BaseMessage) -> BaseMessage:
        long = isinstance(message, ToolMessage) and len(message.text) > _SHORT
        return message.model_copy(update={"content": _GONE}) if long else message

    return _each(messages, opening, kept, shorter)


def _without_contents(messages: list[BaseMessage], opening: int, kept: int) -> list[BaseMessage]:
    def shorter(message: BaseMessage) -> BaseMessage:
        if not isinstance(message, AIMessage):
            return message
        calls = [{**call, "args": {k: _brief(v) for k, v in call["args"].items()}} for call in message.tool_calls]
        return message.model_copy(update={"tool_calls": calls, "content": _brief(message.text)})

    return _each(messages, opening, kept, shorter)


def _brief(value: Any) -> Any:
    long = isinstance(value, str) and len(value) > _SHORT
    return f"({len(value)} characters, left out to save room)" if long else value


def _each(
    messages: list[BaseMessage], opening: int, kept: int, change: Callable[[BaseMessage], BaseMessage | None]
) -> list[BaseMessage]:
    end = max(opening, len(messages) - kept)
    changed = [change(message) for message in messages[opening:end]]
    return [*messages[:opening], *(m for m in changed if m is not None), *messages[end:]]
