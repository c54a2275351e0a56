"""The one way from a role to its model: journal first, then the budget, then the model, everything on the log."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol
from weakref import WeakKeyDictionary

from langchain_core.messages import AIMessage

from agents.models.failures import classify
from agents.models.journal import Journal, Request
from agents.models.ollama import OllamaChat
from tools.errors import CassetteDivergence, ModelFault, ModelUnavailable
from tools.events import EventLog, Kind
from tools.redaction import redacted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import BaseMessage
    from langchain_core.tools import BaseTool

    from agents.models.budget import Budget
    from agents.models.cassette import CassettePlayer
    from tools.runs.lineage import Position
    from tools.storage import Record

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0


class Ask(Protocol):
    """How a role asks its model; bound to one point of one run."""

    async def __call__(
        self,
        scope: str,
        turn: int,
        messages: Sequence[BaseMessage],
        *,
        tools: Sequence[BaseTool] = (),
        schema: dict[str, Any] | None = None,
        seconds: float | None = None,
    ) -> AIMessage:
        """Return the model's answer, or raise ModelFault, ModelUnavailable or BudgetExhausted."""


@dataclass(frozen=True)
class Patience:
    """How long a call may take, and how long to wait for a server that does not answer. Seconds."""

    call: float = 600.0
    outage: float = 30.0


class Caller:
    """Asks one run's model."""

    def __init__(
        self,
        model: BaseChatModel | CassettePlayer,
        name: str,
        journal: Journal,
        budget: Budget,
        events: EventLog,
        in_flight: int,
        patience: Patience,
    ) -> None:
        """Ask `model`, known as `name`, with at most `in_flight` calls at a time in one event loop."""
        self._model = model
        self._name = name
        self._journal = journal
        self._budget = budget
        self._events = events
        self._in_flight = in_flight
        self._gates: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()
        self._patience = patience

    def at(self, place: Position) -> Ask:
        """This caller, bound to the point of the run that its journal entries belong to."""

        async def ask(
            scope: str,
            turn: int,
            messages: Sequence[BaseMessage],
            *,
            tools: Sequence[BaseTool] = (),
            schema: dict[str, Any] | None = None,
            seconds: float | None = None,
        ) -> AIMessage:
            request = Request(
                scope, turn, tuple(_without_secrets(messages)), tuple(t.name for t in tools), _title(schema)
            )
            return await self._ask(place, request, tools, schema, seconds)

        return ask

    async def _ask(
        self,
        place: Position,
        request: Request,
        tools: Sequence[BaseTool],
        schema: dict[str, Any] | None,
        seconds: float | None,
    ) -> AIMessage:
        known = await asyncio.to_thread(self._journal.recall, place, request)
        if known is not None:
            self._tell(request, known.record, "journal")
            return _opened(known.message, known.fault)
        self._budget.check()
        async with self._gate():
            began = time.monotonic()
            message, fault, facts = await self._fetch(place, request, tools, schema, seconds)
            facts = {"seconds": round(time.monotonic() - began, 3), "model": self._name, **facts}
        usage = dict(message.usage_metadata) if message and message.usage_metadata else {}
        facts["usage"] = usage
        await asyncio.to_thread(self._journal.keep, place, request, message=message, fault=fault, **facts)
        self._budget.count(usage, facts["seconds"])
        self._tell(request, {**facts, "fault": fault}, "model")
        return _opened(message, fault)

    async def _fetch(
        self,
        place: Position,
        request: Request,
        tools: Sequence[BaseTool],
        schema: dict[str, Any] | None,
        seconds: float | None,
    ) -> tuple[AIMessage | None, Record | None, Record]:
        """One answer or fault, with the facts that belong in the journal."""
        if not hasattr(self._model, "ainvoke"):
            found = self._model.answer(request, self._journal.earlier(place, request.scope, request.turn))
            kept: Record = {name: found.record[name] for name in ("seconds", "model") if name in found.record}
            return found.message, found.fault, kept
        limit = min(self._patience.call, seconds if seconds is not None else self._patience.call)
        try:
            async with asyncio.timeout(limit):
                return await self._with_patience(request, tools, schema), None, {}
        except TimeoutError:
            return None, {"kind": "time_limit", "message": f"no answer within {limit:g} seconds"}, {}
        except ModelFault as error:
            return None, {"kind": error.kind, "message": str(error)}, {}

    async def _with_patience(
        self, request: Request, tools: Sequence[BaseTool], schema: dict[str, Any] | None
    ) -> AIMessage:
        """Ask again while the server is away, for as long as the patience for outages lasts."""
        gives_up = time.monotonic() + self._patience.outage
        pause = FIRST_PAUSE
        while True:
            try:
                return await self._invoke(request, tools, schema)
            except ModelUnavailable as error:
                self._events.error(
                    Kind.MODEL_FAILURE, error, scope=request.scope, turn=request.turn, reason=error.kind
                )
                if not error.retryable or time.monotonic() + pause > gives_up:
                    raise
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE)

    async def _invoke(
        self, request: Request, tools: Sequence[BaseTool], schema: dict[str, Any] | None
    ) -> AIMessage:
        runnable: Any = self._model
        if tools:
            runnable = runnable.bind_tools(list(tools))
        if schema is not None and isinstance(self._model, OllamaChat):
            runnable = runnable.bind(format=schema)
        try:
            message = await runnable.ainvoke(list(request.messages))
        except (ModelFault, ModelUnavailable, CassetteDivergence, asyncio.CancelledError):
            raise
        except Exception as error:
            raise classify(error).error() from error
        assert isinstance(message, AIMessage)
        return _without_secrets([message])[0]  # type: ignore[return-value]  # the same kind of message comes back

    def _gate(self) -> asyncio.Semaphore:
        loop = asyncio.get_running_loop()
        return self._gates.setdefault(loop, asyncio.Semaphore(self._in_flight))

    def _tell(self, request: Request, facts: Record, source: str) -> None:
        self._events.emit(
            Kind.MODEL_CALL,
            scope=request.scope,
            turn=request.turn,
            source=source,
            model=facts.get("model"),
            seconds=facts.get("seconds"),
            usage=facts.get("usage"),
            fault=facts.get("fault"),
        )


def _opened(message: AIMessage | None, fault: Record | None) -> AIMessage:
    if message is None:
        fault = fault or {}
        raise ModelFault(str(fault.get("message")), kind=str(fault.get("kind")))
    return message


def _without_secrets(messages: Sequence[BaseMessage]) -> list[BaseMessage]:
    cleaned = []
    for message in messages:
        update: dict[str, Any] = {"content": redacted(message.content)}
        if isinstance(message, AIMessage):
            update["tool_calls"] = redacted(message.tool_calls)
        cleaned.append(message.model_copy(update=update))
    return cleaned


def _title(schema: dict[str, Any] | None) -> str:
    return "" if schema is None else str(schema.get("title", "answer"))
