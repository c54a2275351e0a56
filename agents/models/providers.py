"""A chat model by its name: `ollama:qwen2.5-coder:7b`, `openai:…`, `anthropic:…`; a bare name is Ollama's."""

from __future__ import annotations

import asyncio
import importlib
import os
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import httpx
from langchain_core.language_models import BaseChatModel
from ollama import ResponseError
from pydantic import ValidationError

from agents.models.facts import facts_from_show
from agents.models.failures import classify
from agents.models.kinds import FailureKind
from agents.models.ollama import OllamaChat
from agents.models.ollama_http import OllamaHTTP, client_options
from tools.errors import ModelUnavailable, ModelUnknown, UsageError
from tools.ollama_address import server_url, shown_url

if TYPE_CHECKING:
    from collections.abc import Mapping

# No server is a matter of one second; one that took the connection may be busy loading a model.
CONNECT_SECONDS = 0.9
CONNECT_TRIES = 3
"""A machine under load may be late to take a connection; one that refuses it is believed at once."""

ANSWER_SECONDS = 5.0
Chat = TypeVar("Chat", bound=BaseChatModel)


@dataclass(frozen=True)
class _Package:
    """Where another provider's chat model is."""

    module: str
    name: str
    extra: str
    key: str
    address: str
    """The field of the class that holds the server's address."""


_PACKAGES = {
    "openai": _Package("langchain_openai", "ChatOpenAI", "openai", "OPENAI_API_KEY", "openai_api_base"),
    "anthropic": _Package(
        "langchain_anthropic", "ChatAnthropic", "anthropic", "ANTHROPIC_API_KEY", "anthropic_api_url"
    ),
}
PROVIDERS = ("ollama", *_PACKAGES)


async def open_model(
    name: str, *, base_url: str | None = None, options: Mapping[str, Any] | None = None
) -> BaseChatModel:
    """The chat model of that name, ready to be called; `options` are fields of its class.

    Raises:
        ModelUnknown: no such provider, or the server has no such model.
        ModelUnavailable: no Ollama server answers.
        UsageError: the provider's package or key is missing, or an option does not exist.
    """
    provider, model = split_name(name)
    chosen = dict(options or {})
    if provider == "ollama":
        return await _open_ollama(model, server_url(base_url), chosen)
    return await asyncio.to_thread(_open_package, provider, model, base_url, chosen)


def split_name(name: str) -> tuple[str, str]:
    """The provider and the model in a name.

    Raises:
        ModelUnknown: the name is empty, or its provider is not one of `PROVIDERS`.
    """
    first, colon, rest = name.strip().partition(":")
    if first in PROVIDERS and rest:
        return first, rest
    # One colon is the tag of an Ollama model; more, and the first part can only be a provider.
    if not first or first in PROVIDERS or rest.count(":") > 0:
        raise ModelUnknown(f"{name!r} names no model; write PROVIDER:MODEL, where PROVIDER is {_known()}")
    return "ollama", first + colon + rest


async def check_reachable(base_url: str | None = None) -> str:
    """The version of the Ollama server.

    Raises:
        ModelUnavailable: none answers; known within a second where nothing listens.
    """
    url = server_url(base_url)
    return await _version(await asyncio.to_thread(OllamaHTTP, url), url)


async def server_answers(model: object) -> bool:
    """Whether a model's server is there at all, however long it takes over a call; one at no known address is."""
    if isinstance(model, OllamaChat):
        return await model.answers()
    urls = (getattr(model, package.address, None) for package in _PACKAGES.values())
    url = next((url for url in urls if url), None)
    return url is None or await _responds(str(url))


async def _responds(url: str) -> bool:
    """Whether anything comes back over HTTP, were it a refusal."""
    options = await asyncio.to_thread(client_options, url)
    try:
        async with httpx.AsyncClient(**options, timeout=ANSWER_SECONDS) as client, client.stream("GET", ""):
            return True
    except httpx.HTTPError:
        return False


async def _version(http: OllamaHTTP, url: str) -> str:
    try:
        async with asyncio.timeout(CONNECT_TRIES * CONNECT_SECONDS + ANSWER_SECONDS):
            answer = await _asked(http)
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        raise ModelUnavailable(
            f"no Ollama server answers at {shown_url(url)} ({type(error).__name__}); start one with `ollama serve` "
            "and pull a model with `ollama pull qwen2.5-coder:7b`, or try `make demo`, which needs no model",
            kind=FailureKind.UNREACHABLE,
        ) from error
    except ResponseError as error:
        raise classify(error).error() from error
    return str(answer.get("version"))


async def _asked(http: OllamaHTTP) -> dict[str, Any]:
    ask = partial(http.ask, "GET", "/api/version", seconds=ANSWER_SECONDS, connect=CONNECT_SECONDS)
    for _ in range(CONNECT_TRIES - 1):
        with suppress(httpx.ConnectTimeout):
            return await ask()
    return await ask()


async def _open_ollama(model: str, url: str, options: dict[str, Any]) -> OllamaChat:
    http = await asyncio.to_thread(OllamaHTTP, url)
    await _version(http, url)
    try:
        listed = await http.ask("GET", "/api/tags", seconds=ANSWER_SECONDS)
        names = [str(entry.get("model") or entry.get("name")) for entry in listed.get("models") or ()]
        known = facts_from_show(
            await http.ask("POST", "/api/show", {"model": _found(model, names, url)}, seconds=30.0)
        )
    except (httpx.HTTPError, ResponseError) as error:
        raise classify(error).error() from error
    if known.can("completion") is False:
        raise UsageError(f"{model!r} cannot chat, it is an embedding model; choose another: {', '.join(names)}")
    return await asyncio.to_thread(_made, OllamaChat, options, model=model, base_url=url, known=known)


def _found(model: str, names: list[str], url: str) -> str:
    if model in names or f"{model}:latest" in names:
        return model
    has = f"it has {', '.join(map(repr, names))}" if names else "it has none yet"
    raise ModelUnknown(
        f"the Ollama server at {shown_url(url)} has no model {model!r}; {has}; get it with `ollama pull {model}`, "
        f"or name another provider ({_known()})"
    )


def _open_package(provider: str, model: str, base_url: str | None, options: dict[str, Any]) -> BaseChatModel:
    package = _PACKAGES[provider]
    try:
        chat: type[BaseChatModel] = getattr(importlib.import_module(package.module), package.name)
    except ImportError as error:
        raise UsageError(
            f"{provider}:{model} needs a package that is not installed; pip install 'millwright[{package.extra}]'"
        ) from error
    if base_url is None and not os.environ.get(package.key):
        raise UsageError(f"{provider}:{model} needs a key; set {package.key}")
    # Without these counts no budget of tokens would hold; OpenAI's client leaves them out at other addresses.
    chosen = {"stream_usage": True, **options} if "stream_usage" in chat.model_fields else options
    if base_url is None:
        return _made(chat, chosen, model=model)
    # A server of one's own often wants no key, and the client will not be made without one.
    key = {} if os.environ.get(package.key) else {"api_key": "none"}
    return _made(chat, {**key, **chosen}, model=model, base_url=base_url)


def _made(chat: type[Chat], options: Mapping[str, Any], **fields: Any) -> Chat:
    # A misspelt option would be dropped by the class without a word.
    names = {name for field, info in chat.model_fields.items() for name in (field, info.alias) if name}
    if wrong := sorted(set(options) - (names - set(fields))):
        raise UsageError(f"{chat.__name__} takes no option {', '.join(map(repr, wrong))}; see its fields")
    try:
        return chat(**fields, **options)
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise UsageError(f"{chat.__name__} cannot be made with these options: {problems}") from error


def _known() -> str:
    return ", ".join(PROVIDERS[:-1]) + f" or {PROVIDERS[-1]}"
