"""Any provider's answer, streamed and put together: repetition is given up, and broken arguments stay broken."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.messages.tool import invalid_tool_call, tool_call

from agents.models.failures import failure
from agents.models.kinds import FailureKind
from agents.models.repetition import RepetitionWatch
from tools.errors import ModelFault

if TYPE_CHECKING:
    from collections.abc import Sequence

    from langchain_core.messages import BaseMessage, InvalidToolCall, ToolCall
    from langchain_core.runnables import Runnable


ENDINGS = frozenset({"finish_reason", "stop_reason"})
SAYING_WHY = frozenset({"openai-chat", "anthropic-chat"})
"""The kinds of chat model, as LangChain names them, whose answers always end with a reason."""


async def gathered(model: Runnable[Any, Any], messages: Sequence[BaseMessage], *, says_why: bool) -> AIMessage:
    """The model's answer as one message; a model that cannot stream gives it whole.

    One that always `says_why` it stopped was broken off when it does not.

    Raises:
        ModelFault: the model repeats itself; what came so far is its reply.
        ModelUnavailable: the answer was broken off.
    """
    watch, parts = RepetitionWatch(), []
    stream = model.astream(list(messages))
    try:
        async for part in stream:
            parts.append(part)
            if isinstance(part, AIMessageChunk) and (piece := watch.feed(_written(part))):
                error = failure(FailureKind.REPETITION, f"{piece[:80]!r} again and again").error()
                assert isinstance(error, ModelFault)
                error.reply = whole(parts)
                raise error
    except ValueError as error:
        if parts:
            raise
        # LangChain's word for a stream without a single part.
        raise failure(FailureKind.TRANSIENT, str(error)).error() from error
    finally:
        # Closed at once, so that the server stops generating.
        if (close := getattr(stream, "aclose", None)) is not None:
            await close()
    message = whole(parts)
    if says_why and not ENDINGS & {name for name, said in message.response_metadata.items() if said}:
        raise failure(FailureKind.TRANSIENT, "the stream ended in the middle of the answer").error()
    return message


def whole(parts: Sequence[BaseMessage]) -> AIMessage:
    """The message that the parts make.

    LangChain mends the JSON of arguments that came in pieces, and a cut call then looks like a whole one. Here what is
    no JSON object is a call that cannot be read.
    """
    if not parts:
        return AIMessage("")
    if not isinstance(parts[0], AIMessageChunk):
        assert isinstance(parts[-1], AIMessage)
        return parts[-1]
    chunks = [part for part in parts if isinstance(part, AIMessageChunk)]
    merged = chunks[0] + chunks[1:] if len(chunks) > 1 else chunks[0]
    assert isinstance(merged, AIMessageChunk)
    calls: list[ToolCall] = []
    broken: list[InvalidToolCall] = []
    for chunk in merged.tool_call_chunks:
        name, text, number = chunk["name"], chunk["args"] or "", chunk["id"]
        arguments = _object(text or "{}")
        if arguments is None or not name:
            broken.append(invalid_tool_call(name=name, args=text, id=number, error="not a JSON object"))
        else:
            calls.append(tool_call(name=name, args=arguments, id=number))
    return AIMessage(
        merged.text,
        tool_calls=calls,
        invalid_tool_calls=broken,
        usage_metadata=merged.usage_metadata,
        response_metadata=merged.response_metadata,
        additional_kwargs={k: v for k, v in merged.additional_kwargs.items() if k != "tool_calls"},
    )


def _written(part: AIMessageChunk) -> str:
    """The text of a part and of the arguments in it."""
    return part.text + "".join(chunk["args"] or "" for chunk in part.tool_call_chunks)


def _object(text: str) -> dict[str, Any] | None:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
