"""A chat model of a user's own, for servers that speak OpenAI's chat completions: 100 lines, no client library."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, convert_to_openai_messages
from langchain_core.output_parsers.openai_tools import make_invalid_tool_call, parse_tool_call
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.utils.function_calling import convert_to_openai_tool

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
    from langchain_core.runnables import Runnable


class APIStatusError(Exception):
    """The server answered with an error, in the shape that OpenAI's client gives it."""

    def __init__(self, status_code: int, body: Any) -> None:
        super().__init__(f"Error code: {status_code} - {body}")
        self.status_code = status_code
        self.body = body


class OwnChat(BaseChatModel):
    """Asks `/v1/chat/completions`, streamed or not."""

    address: str
    streamed: bool = False

    @property
    def _llm_type(self) -> str:
        return "own"

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> Runnable[Any, AIMessage]:
        return self.bind(tools=[convert_to_openai_tool(tool) for tool in tools], **kwargs)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        raise NotImplementedError("it is only asked from an event loop")

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        body = {"model": "own", "messages": convert_to_openai_messages(messages), "stream": self.streamed, **kwargs}
        async with httpx.AsyncClient(timeout=60, trust_env=False, verify=False) as client:
            url = f"{self.address}/v1/chat/completions"
            async with client.stream("POST", url, content=json.dumps(body)) as response:
                if response.is_error:
                    raise _refused(response.status_code, await response.aread())
                if self.streamed:
                    choice, usage = await _joined(response.aiter_lines())
                else:
                    found = json.loads(await response.aread())
                    choice, usage = found["choices"][0], found.get("usage")
        return ChatResult(generations=[ChatGeneration(message=_message(choice, usage))])


def whole(address: str) -> BaseChatModel:
    """A chat model that takes its answers whole."""
    return OwnChat(address=address)


def streamed(address: str) -> BaseChatModel:
    """A chat model that streams its answers."""
    return OwnChat(address=address, streamed=True)


def _refused(status: int, content: bytes) -> APIStatusError:
    try:
        return APIStatusError(status, json.loads(content))
    except ValueError:
        return APIStatusError(status, content.decode(errors="replace"))


async def _joined(lines: AsyncIterator[str]) -> tuple[dict[str, Any], Any]:
    """The whole answer of a stream."""
    message: dict[str, Any] = {"content": ""}
    calls: dict[int, dict[str, Any]] = {}
    ending = usage = None
    async for line in lines:
        data = line.removeprefix("data:").strip()
        if not data or data == "[DONE]":
            continue
        part = json.loads(data)
        if "error" in part:
            raise APIStatusError(500, part)
        usage = part.get("usage") or usage
        for choice in part["choices"]:
            ending = choice["finish_reason"] or ending
            message["content"] += choice["delta"].get("content") or ""
            for call in choice["delta"].get("tool_calls") or []:
                known = calls.setdefault(call["index"], {**call, "function": {**call["function"], "arguments": ""}})
                known["function"]["arguments"] += call["function"]["arguments"]
    if ending is None:
        raise httpx.RemoteProtocolError("the stream ended in the middle of the answer")
    return {"message": {**message, "tool_calls": list(calls.values())}, "finish_reason": ending}, usage


def _message(choice: dict[str, Any], usage: Any) -> AIMessage:
    said = choice["message"]
    good, bad = [], []
    for call in said.get("tool_calls") or []:
        try:
            good.append(parse_tool_call(call, return_id=True))
        except Exception as error:
            bad.append(make_invalid_tool_call(call, str(error)))
    counted = usage and {
        "input_tokens": usage["prompt_tokens"],
        "output_tokens": usage["completion_tokens"],
        "total_tokens": usage["total_tokens"],
    }
    return AIMessage(
        said.get("content") or "",
        tool_calls=good,
        invalid_tool_calls=bad,
        usage_metadata=counted,
        response_metadata={"finish_reason": choice["finish_reason"]},
    )
