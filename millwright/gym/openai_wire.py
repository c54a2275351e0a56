"""The JSON of OpenAI's chat completions, as many servers speak it: whole, or as a stream of server-sent events."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from millwright.gym.script import counts, pieces

if TYPE_CHECKING:
    from collections.abc import Iterator

    from millwright.gym.script import ChatRequest, Json, Model, Reply

CONTENT_TYPE = "text/event-stream"
DONE = "[DONE]"
_ERROR_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    404: "not_found_error",
    429: "rate_limit",
}


def listed(model: Model) -> Json:
    """A model in the list of models."""
    return {"id": model.name, "object": "model", "created": 1_750_000_000, "owned_by": "library"}


def error_body(message: str, status: int = 500) -> Json:
    """An error as a body, or as an event of a stream."""
    kind = _ERROR_TYPES.get(status, "api_error")
    return {"error": {"message": message, "type": kind, "param": None, "code": None}}


def framed(line: str) -> bytes:
    """One event of a stream."""
    return b"data: " + line.encode("utf-8", "backslashreplace") + b"\n\n"


def answer_lines(request: ChatRequest, reply: Reply, window: int, stream: bool) -> Iterator[str]:
    """The answer as JSON texts; one only when it is not streamed."""
    calls = [_tool_call(request.number, i, item) for i, item in enumerate(reply.tool_calls)]
    prompt, said = counts(request, reply, window)
    usage = {"prompt_tokens": prompt, "completion_tokens": said, "total_tokens": prompt + said}
    ending = "tool_calls" if calls and reply.done_reason == "stop" else reply.done_reason
    head = {"id": f"chatcmpl-{request.number}", "created": 1_750_000_000, "model": request.body["model"]}
    if not stream:
        message: Json = {"role": "assistant", "content": reply.content or None}
        message |= {"reasoning": reply.thinking} if reply.thinking else {}
        message |= {"tool_calls": calls} if calls else {}
        choice = {"index": 0, "message": message, "finish_reason": ending}
        yield _dumped({**head, "object": "chat.completion", "choices": [choice], "usage": usage})
        return
    head["object"] = "chat.completion.chunk"
    for delta in _deltas(reply, calls):
        yield _dumped({**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]})
    if reply.error is not None:
        yield _dumped(error_body(reply.error))
        return
    yield _dumped({**head, "choices": [{"index": 0, "delta": {}, "finish_reason": ending}]})
    if (request.body.get("stream_options") or {}).get("include_usage"):
        yield _dumped({**head, "choices": [], "usage": usage})
    yield DONE


def _deltas(reply: Reply, calls: list[Json]) -> Iterator[Json]:
    yield {"role": "assistant", "content": ""}
    if reply.thinking:
        yield {"reasoning": reply.thinking}
    for text in pieces(reply.content, reply.chunks):
        yield {"content": text}
    for index, item in enumerate(calls):
        first, *rest = pieces(item["function"]["arguments"], reply.chunks) or [""]
        yield {"tool_calls": [{**item, "index": index, "function": {**item["function"], "arguments": first}}]}
        for text in rest:
            yield {"tool_calls": [{"index": index, "function": {"arguments": text}}]}


def _tool_call(number: int, index: int, item: Any) -> Json:
    """A call in the shape of the wire, where arguments are a text that should hold JSON."""
    given = item if isinstance(item, dict) else {"arguments": item}
    function = given.get("function", given)
    arguments = function.get("arguments")
    text = arguments if isinstance(arguments, str) else json.dumps(arguments)
    called = {"name": function.get("name", ""), "arguments": text}
    return {"id": given.get("id", f"call_{number}_{index}"), "type": "function", "function": called}


def _dumped(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False)
