"""Asking a model the probes, and what their answers say about how to work with it."""

from __future__ import annotations

import asyncio
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from langchain_core.messages import AIMessage

from agents.models.failures import classify
from agents.models.honesty import context_lost
from agents.models.ollama import OllamaChat
from agents.models.probes import Probe, probes
from agents.models.replies import check
from tools.errors import ModelFault, ModelUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from langchain_core.language_models import BaseChatModel

ANSWER_TOKENS = 6000


@dataclass(frozen=True)
class Found:
    """How one probe went."""

    name: str
    what: str
    passed: bool
    detail: str = ""
    seconds: float = 0.0
    tokens: int = 0

    def record(self) -> dict[str, Any]:
        """The fields."""
        return asdict(self)


async def examine_model(
    model: BaseChatModel, *, seconds: float, told: Callable[[Found], None] = lambda _: None
) -> list[Found]:
    """Ask every probe, each within `seconds`; a ladder of growing ones ends with the first that fails.

    Raises:
        ModelUnavailable: the model's server went away.
    """
    found: list[Found] = []
    failed: set[str] = set()
    limit = await _window(model)
    for probe in probes():
        if probe.group in failed or (probe.group == "context" and limit is not None and 2 * probe.size > limit):
            continue
        result = await _ask(model, probe, seconds)
        if not result.passed and probe.group:
            failed.add(probe.group)
        found.append(result)
        told(result)
    return found


def profile_of(found: Iterable[Found]) -> dict[str, Any]:
    """What is kept of the probes: each answer, the longest file that is safe, the window that is really read."""
    results = {result.name: result.passed for result in found}
    context = _ladder(results, "context_")
    cut = any(name.startswith("context_") and not passed for name, passed in results.items())
    return {
        **results,
        "largest_file": _ladder(results, "file_"),
        "context": context,
        "window": context if cut else None,
    }


def _ladder(results: dict[str, bool], prefix: str) -> int:
    sizes = [int(name.removeprefix(prefix)) for name, ok in results.items() if ok and name.startswith(prefix)]
    return max(sizes, default=0)


async def _window(model: BaseChatModel) -> int | None:
    return (await model.facts()).context_length if isinstance(model, OllamaChat) else None


async def _ask(model: BaseChatModel, probe: Probe, seconds: float) -> Found:
    runnable: Any = model.bind_tools(list(probe.tools)) if probe.tools else model
    if isinstance(model, OllamaChat):
        chosen = {"num_predict": ANSWER_TOKENS, "temperature": 0.0, "format": probe.schema}
        runnable = runnable.bind(**{name: value for name, value in chosen.items() if value is not None})
    began = time.monotonic()
    try:
        async with asyncio.timeout(seconds):
            message = await _answer(runnable, probe)
    except TimeoutError:
        return Found(probe.name, probe.what, False, f"no answer within {seconds:g} seconds", seconds)
    except ModelFault as fault:
        return Found(probe.name, probe.what, False, str(fault), round(time.monotonic() - began, 1))
    usage = message.usage_metadata
    lost = context_lost(
        {
            "estimated": message.response_metadata.get("prompt_tokens_estimated"),
            "evaluated": usage["input_tokens"] if usage else None,
        }
    )
    passed = not lost and probe.judge(message)
    detail = lost or ("" if passed else _shown(message))
    tokens = usage["total_tokens"] if usage else 0
    return Found(probe.name, probe.what, passed, detail, round(time.monotonic() - began, 1), tokens)


async def _answer(runnable: Any, probe: Probe) -> AIMessage:
    try:
        message = await runnable.ainvoke(list(probe.messages))
        assert isinstance(message, AIMessage)
        check(message)
    except (ModelFault, ModelUnavailable, asyncio.CancelledError):
        raise
    except Exception as error:  # a provider's library may raise anything; the taxonomy sorts it
        raise classify(error).error() from error
    return message


def _shown(message: AIMessage) -> str:
    calls = [f"{call['name']}({call['args']})" for call in (*message.tool_calls, *message.invalid_tool_calls)]
    text = " ".join(" ".join([message.text, *calls]).split())
    return f"answered {text[:120]!r}" + (f"… ({len(text)} characters)" if len(text) > 120 else "")
