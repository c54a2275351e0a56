"""Ollama's answer, part by part, as LangChain's chunks: what the model wrote stays as it was written."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from langchain_core.messages import AIMessage, AIMessageChunk, ToolCallChunk, message_chunk_to_message
from langchain_core.messages.ai import UsageMetadata

from agents.models.failures import failure
from agents.models.kinds import FailureKind
from agents.models.ollama_http import strict_json
from agents.models.repetition import RepetitionWatch
from agents.models.replies import check
from agents.models.thinking import ThinkFilter, strip_thinking
from tools.errors import ModelFault

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Part = dict[str, Any]


class ReplyReader:
    """Reads one answer."""

    def __init__(self, facts: Mapping[str, Any]) -> None:
        """`facts` of the request join the metadata of the answer."""
        self._facts = facts
        self._think = ThinkFilter()
        self._chunks: list[AIMessageChunk] = []
        self._done = False
        self._watch = RepetitionWatch()

    def chunk(self, part: Part) -> AIMessageChunk:
        """The next part of the answer.

        Raises:
            ModelFault: the model repeats itself; what came so far is its reply.
        """
        self._done = part.get("done") is True
        found = part.get("message")
        said = found if isinstance(found, dict) else {}
        content, thinking = self._think.feed(_text(said.get("content")))
        if self._done:
            content, thinking = (a + b for a, b in zip((content, thinking), self._think.end(), strict=True))
        thinking = _text(said.get("thinking")) + thinking
        chunk = AIMessageChunk(
            content=content,
            additional_kwargs={"reasoning_content": thinking} if thinking else {},
            tool_call_chunks=tool_calls(said.get("tool_calls")),
            response_metadata={**_metadata(part), **self._facts} if self._done else {},
            usage_metadata=_usage(part) if self._done else None,
        )
        self._chunks.append(chunk)
        if (piece := self._watch.feed(content + thinking)) and not self._done:
            self._give_up(piece)
        return chunk

    def _give_up(self, piece: str) -> None:
        error = failure(FailureKind.REPETITION, f"{piece[:80]!r} again and again").error()
        assert isinstance(error, ModelFault)
        error.reply = whole(self._chunks)
        # The counts come with the last part; until then a part is a token.
        said = len(self._chunks)
        error.reply.usage_metadata = UsageMetadata(input_tokens=0, output_tokens=said, total_tokens=said)
        raise error

    def finish(self) -> None:
        """Judge the answer, now that the stream is over.

        Raises:
            ModelFault, ModelUnavailable: it is of no use, or it did not come to its end.
        """
        if not self._done:
            raise failure(FailureKind.TRANSIENT, "the stream ended in the middle of the answer").error()
        check(whole(self._chunks))


def whole(chunks: Sequence[AIMessageChunk]) -> AIMessage:
    """The message that the chunks make."""
    first, *rest = chunks
    message = message_chunk_to_message(first + rest if rest else first)
    assert isinstance(message, AIMessage)
    if isinstance(message.content, str):
        message.content = strip_thinking(message.content)
    return message


def tool_calls(found: Any) -> list[ToolCallChunk]:
    """The calls of a part, in whatever shape a server gives them.

    Arguments that are a JSON object, or a string that holds one, make a call. Any other value is kept as JSON text,
    and LangChain files the call under `invalid_tool_calls`: nothing is guessed.
    """
    items = found if isinstance(found, list) else [found] if found else []
    return [_tool_call(item) for item in items]


def _tool_call(item: Any) -> ToolCallChunk:
    call = item if isinstance(item, dict) else {"arguments": item}
    function = call["function"] if isinstance(call.get("function"), dict) else call
    name, arguments = function.get("name"), function.get("arguments", function.get("parameters"))
    return ToolCallChunk(
        name=name if isinstance(name, str) else "",
        args=json.dumps(_opened(arguments)),
        id=_text(call.get("id")) or f"call_{uuid4().hex}",
        index=None,
        type="tool_call_chunk",
    )


def _opened(arguments: Any) -> Any:
    """The object inside a string, if there is one; the strings inside the object are left alone."""
    if not isinstance(arguments, str):
        return arguments
    try:
        inner = strict_json(arguments)
    except (ValueError, RecursionError):
        return arguments
    return inner if isinstance(inner, dict) else arguments


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _metadata(part: Part) -> Part:
    kept = {key: value for key, value in part.items() if key != "message"}
    return {**kept, "model_name": part.get("model"), "model_provider": "ollama"}


def _usage(part: Part) -> UsageMetadata:
    # A count of zero is left out by the server.
    asked, said = part.get("prompt_eval_count") or 0, part.get("eval_count") or 0
    return UsageMetadata(input_tokens=asked, output_tokens=said, total_tokens=asked + said)
