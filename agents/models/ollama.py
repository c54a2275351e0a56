"""ChatOllama made safe for agents: exact arguments, a window that fits, an end to every call, typed failures."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Any, ClassVar, Self

import httpx
from langchain_core.messages import AIMessageChunk, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_ollama import ChatOllama
from ollama import Options, ResponseError
from pydantic import Field, PrivateAttr, model_validator

from agents.models.facts import ModelFacts, facts_from_show
from agents.models.failures import classify
from agents.models.history import sendable
from agents.models.ollama_http import Json, OllamaHTTP
from agents.models.ollama_reply import ReplyReader, whole
from agents.models.sampling import sampling_for
from agents.models.windows import ANSWER_ROOM, answer_room, prompt_tokens, text_tokens, window
from tools.ollama_address import server_url

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence

    from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
    from langchain_core.messages import BaseMessage

_FACTS_SECONDS = 30.0
_PROBE_SECONDS = 5.0
_OPTIONS = frozenset(Options.model_fields)
_BODY = ("model", "messages", "tools", "format", "stream", "think", "keep_alive", "logprobs", "top_logprobs")
_FAILURES = (httpx.HTTPError, httpx.InvalidURL, ResponseError, RecursionError)


class OllamaChat(ChatOllama):
    """A chat model on an Ollama server.

    String arguments of tool calls stay byte-exact; arguments that are no object land in `invalid_tool_calls`.
    `num_ctx` fits each prompt unless it is set. Ollama's options (`temperature`, `num_predict` …) may also be given
    with a call, as in `model.bind(temperature=0)`. The `response_metadata` of an answer has the `options` that were
    sent and `prompt_tokens_estimated`, to be compared with `prompt_eval_count`.

    Raises from every call:
        ModelFault: the model answered and the answer is of no use; `kind` is a `FailureKind`.
        ModelUnavailable: the server does not answer, or refuses.
    """

    takes_answer_schema: ClassVar[bool] = True
    """A JSON schema given as `format` binds the answer."""

    seconds: float = Field(default=600.0, gt=0)
    """Limit on the time of one call, the loading of the model included."""

    reasoning: bool | str | None = False
    """Whether the model thinks before it answers; left out where the model cannot."""

    keep_alive: int | str | None = "30m"
    """How long the model stays loaded after a call."""

    known: ModelFacts | None = None
    """What the server says about the model; asked before the first call if it is not given."""

    _http: OllamaHTTP = PrivateAttr()
    _window: int = PrivateAttr(default=0)

    @model_validator(mode="after")
    def _set_clients(self) -> Self:
        # In the place of the parent's two clients, which keep connections beyond the life of their event loop.
        self._http = OllamaHTTP(server_url(self.base_url), (self.client_kwargs or {}).get("headers"))
        return self

    async def facts(self) -> ModelFacts:
        """What the server says about the model; asked once."""
        if self.known is None:
            try:
                shown = await self._http.ask("POST", "/api/show", {"model": self.model}, seconds=_FACTS_SECONDS)
            except ResponseError:
                return ModelFacts()  # the call that follows says what is wrong
            self.known = facts_from_show(shown)
        return self.known

    async def answers(self) -> bool:
        """Whether the server is there at all, however long it takes over a call."""
        try:
            await self._http.ask("GET", "/api/version", seconds=_PROBE_SECONDS)
        except ResponseError:
            return True
        except httpx.HTTPError:
            return False
        return True

    def facts_now(self) -> ModelFacts:
        """The same as `facts`, for callers without an event loop."""
        if self.known is None:
            try:
                shown = self._http.ask_now("POST", "/api/show", {"model": self.model}, seconds=_FACTS_SECONDS)
            except ResponseError:
                return ModelFacts()
            self.known = facts_from_show(shown)
        return self.known

    def estimate(self, messages: Sequence[BaseMessage], tools: Sequence[Json] = ()) -> int:
        """An estimate from above of the tokens of a prompt."""
        return prompt_tokens(self._convert_messages_to_ollama_messages(list(messages)), tools)

    def get_num_tokens(self, text: str) -> int:
        """An estimate from above of the tokens of a text."""
        return text_tokens(text)

    def _convert_messages_to_ollama_messages(self, messages: list[BaseMessage]) -> Any:
        kept = sendable(messages)
        found: Any = super()._convert_messages_to_ollama_messages(kept)
        for message, sent in zip(kept, found, strict=True):
            if isinstance(message, ToolMessage) and message.name:
                sent["tool_name"] = message.name
            if not sent["images"]:
                del sent["images"]
        return found

    def _request(
        self, messages: list[BaseMessage], stop: list[str] | None, facts: ModelFacts, kwargs: Json
    ) -> tuple[Json, ReplyReader]:
        """The body of a call, and the reader of its answer."""
        chosen = {name: kwargs.pop(name) for name in _OPTIONS & kwargs.keys()}
        params = self._chat_params(messages, stop, **kwargs)
        estimated = prompt_tokens(params["messages"], params.get("tools") or ())
        options = self._options({**params["options"], **chosen}, facts, estimated)
        if facts.can("thinking") is False:
            params["think"] = None
        body = {name: params[name] for name in _BODY if params.get(name) is not None}
        # Without `truncate` the server drops the oldest messages of a prompt that is too long, and says nothing.
        body |= {"options": options, "truncate": False}
        return body, ReplyReader({"options": options, "prompt_tokens_estimated": estimated})

    def _options(self, given: Json, facts: ModelFacts, estimated: int) -> Json:
        family = {name: value for name, value in sampling_for(self.model).items() if name not in facts.parameters}
        options = {**family, **{name: value for name, value in given.items() if value is not None}}
        wanted = max(options.get("num_predict", 0), 0) or ANSWER_ROOM
        if "num_ctx" not in options:
            # A window only grows: a smaller one would make the server load the model again.
            self._window = max(self._window, window(estimated, wanted, facts.context_length))
            options["num_ctx"] = self._window
        options["num_ctx"] = min(options["num_ctx"], facts.context_length or options["num_ctx"])
        options["num_predict"] = answer_room(options["num_ctx"], estimated, wanted)
        return options

    def _iterate_over_stream(
        self, messages: list[BaseMessage], stop: list[str] | None = None, **kwargs: Any
    ) -> Iterator[ChatGenerationChunk]:
        try:
            body, reader = self._request(messages, stop, self.facts_now(), kwargs)
            for part in self._http.stream_now("/api/chat", body, self.seconds):
                yield ChatGenerationChunk(message=reader.chunk(part))
        except _FAILURES as error:
            raise classify(error).error() from error
        reader.finish()

    async def _aiterate_over_stream(
        self, messages: list[BaseMessage], stop: list[str] | None = None, **kwargs: Any
    ) -> AsyncIterator[ChatGenerationChunk]:
        try:
            body, reader = self._request(messages, stop, await self.facts(), kwargs)
            # Closed at once when the reply is given up, so that the server stops generating.
            async with aclosing(self._http.stream("/api/chat", body, self.seconds)) as parts:
                async for part in parts:
                    yield ChatGenerationChunk(message=reader.chunk(part))
        except _FAILURES as error:
            raise classify(error).error() from error
        reader.finish()

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return _result(list(self._stream(messages, stop, run_manager, **kwargs)))

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return _result([chunk async for chunk in self._astream(messages, stop, run_manager, **kwargs)])


def _result(chunks: Sequence[ChatGenerationChunk]) -> ChatResult:
    message = whole([chunk.message for chunk in chunks if isinstance(chunk.message, AIMessageChunk)])
    return ChatResult(generations=[ChatGeneration(message=message)])
