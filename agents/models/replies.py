"""Judging a reply: an answer that can be used, or which fault it has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agents.models.failures import failure
from agents.models.kinds import FailureKind
from tools.errors import ModelFault

if TYPE_CHECKING:
    from langchain_core.messages import AIMessage

# Ollama says done_reason, OpenAI finish_reason, Anthropic stop_reason.
_REASONS = ("done_reason", "finish_reason", "stop_reason")
_ENDINGS = {
    "length": FailureKind.CUT,
    "max_tokens": FailureKind.CUT,
    "model_context_window_exceeded": FailureKind.CUT,
    "content_filter": FailureKind.REFUSED,
    "refusal": FailureKind.REFUSED,
}
# The end of the text, and perhaps a newline: fewer tokens than this are an empty answer and not a dropped one.
_SILENCE = 3


def fault_of(message: AIMessage) -> FailureKind | None:
    """The fault of a finished reply, of any provider; None if it says or calls something and was not cut."""
    for name in _REASONS:
        if (ending := _ENDINGS.get(str(message.response_metadata.get(name)))) is not None:
            return ending
    if message.text.strip() or message.tool_calls or message.invalid_tool_calls:
        return None
    if message.response_metadata.get("done_reason") == "load":
        return FailureKind.LOAD
    if message.additional_kwargs.get("reasoning_content"):
        return FailureKind.REASONING_ONLY
    tokens = message.usage_metadata["output_tokens"] if message.usage_metadata else 0
    return FailureKind.DISCARDED if tokens >= _SILENCE else FailureKind.EMPTY


def check(message: AIMessage) -> None:
    """Raise what is wrong with a finished reply; a ModelFault carries the reply.

    Raises:
        ModelFault: the reply is cut, empty, only reasoning, dropped or refused.
        ModelUnavailable: the server only loaded the model.
    """
    if (kind := fault_of(message)) is None:
        return
    usage = message.usage_metadata
    error = failure(kind, f"{usage['output_tokens']} tokens" if usage else "").error()
    if isinstance(error, ModelFault):
        error.reply = message
    raise error
