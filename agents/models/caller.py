"""The one way from a role to its model: journal first, then the budget, then the model, everything on the log."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, cast
from weakref import WeakKeyDictionary

from langchain_core.messages import AIMessage

from agents.models.approach import Experience
from agents.models.failures import FailureKind, classify, failure, status
from agents.models.honesty import Gauge
from agents.models.journal import Journal, Request
from agents.models.offers import offer
from agents.models.ollama import OllamaChat
from agents.models.profiles import profiles
from agents.models.providers import server_answers
from agents.models.replies import check
from agents.models.streaming import SAYING_WHY, gathered
from agents.models.thinking import strip_thinking
from agents.models.windows import ANSWER_ROOM
from tools.errors import CassetteDivergence, ModelFault, ModelUnavailable
from tools.events import EventLog, Kind
from tools.redaction import redacted

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import BaseMessage
    from langchain_core.tools import BaseTool

    from agents.models.budget import Budget
    from agents.models.cassette import CassettePlayer
    from tools.runs.lineage import Position
    from tools.storage import Record

SAMPLING = ("temperature", "num_ctx", "num_predict", "seed")
REFUSED = 400  # the status of a request that is not taken as it is
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
        temperature: float | None = None,
        longer: bool = False,
    ) -> AIMessage:
        """Return the model's answer, or raise ModelFault, ModelUnavailable or BudgetExhausted.

        A `longer` answer has twice the usual room, where the room is ours to set.
        """


@dataclass(frozen=True)
class _Form:
    """How a request is put to the model, beside its messages."""

    tools: Sequence[BaseTool]
    schema: dict[str, Any] | None
    seconds: float | None
    longer: bool


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
        self._gauge = Gauge()
        self._warms = True  # until its provider refuses to be given a temperature
        self._away = ""  # how its server was away when it was last asked; empty when it answered

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
            temperature: float | None = None,
            longer: bool = False,
        ) -> AIMessage:
            names = tuple(tool.name for tool in tools)
            request = Request(scope, turn, tuple(_without_secrets(messages)), names, _title(schema), temperature)
            return await self._ask(place, request, _Form(tools, schema, seconds, longer))

        return ask

    async def choose(self, place: Position, scope: str, pick: Callable[[Experience], Record]) -> Record:
        """What was chosen for a scope at this point: the journal's word, else the recording's, else picked now.

        What `pick` goes by (what this machine remembers of the model) stays out of a replay.
        """
        known = await asyncio.to_thread(self._journal.choice, place, scope)
        if known is None:
            known = await asyncio.to_thread(self._pick, place, scope, pick)
            await asyncio.to_thread(self._journal.keep_choice, place, scope, known)
        return known

    async def remember(self, place: Position, scope: str, pick: Callable[[], Record | None]) -> Record | None:
        """The same for what only this machine knows, such as its library: a replay takes what was recorded, or None."""
        known = await asyncio.to_thread(self._journal.choice, place, scope)
        if known is not None:
            return known
        find = partial(self._recorded_choice, place, scope) if self._replays else pick
        found = await asyncio.to_thread(find)
        if found is not None:
            await asyncio.to_thread(self._journal.keep_choice, place, scope, found)
        return found

    async def make(self, place: Position, scope: str, make: Callable[[], Awaitable[Record]]) -> Record:
        """The same for what takes long to make: it is made once, and a replay makes only what was never recorded."""
        known = await asyncio.to_thread(self._journal.choice, place, scope)
        if known is None:
            recorded = await asyncio.to_thread(self._recorded_choice, place, scope) if self._replays else None
            known = await make() if recorded is None else recorded
            await asyncio.to_thread(self._journal.keep_choice, place, scope, known)
        return known

    async def is_last(self, place: Position, scope: str, turn: int) -> bool:
        """Whether the run's budget has one call left for this turn, which is then told to wind up."""
        name = f"{scope}@{turn}"
        if await asyncio.to_thread(self._journal.choice, place, name) is not None:
            return True
        if self._journal.asked(place, scope, turn):
            return False
        last = self._recorded_choice(place, name) is not None if self._replays else self._budget.calls_left() == 1
        if last:
            await asyncio.to_thread(self._journal.keep_choice, place, name, {"last": True})
        return last

    @property
    def _replays(self) -> bool:
        return not hasattr(self._model, "ainvoke")

    def _pick(self, place: Position, scope: str, pick: Callable[[Experience], Record]) -> Record:
        if self._replays:
            return self._recorded_choice(place, scope) or pick(Experience())
        experience = profiles().experience(self._name)
        facts = getattr(self._model, "known", None)
        if facts is not None:
            windows = [size for size in (facts.context_length, experience.window) if size]
            update = {"can_call": facts.can("tools"), "window": min(windows, default=None)}
            experience = experience.model_copy(update=update)
        return pick(experience)

    def _recorded_choice(self, place: Position, scope: str) -> Record | None:
        return cast("CassettePlayer", self._model).choice(scope, self._journal.earlier_choices(place, scope))

    async def _ask(self, place: Position, request: Request, form: _Form) -> AIMessage:
        known = await asyncio.to_thread(self._journal.recall, place, request)
        if known is not None:
            await self._tell(request, known.record, "journal")
            return _opened(known.message, known.fault, known.record.get("seconds", 0.0))
        self._budget.check()
        async with self._gate():
            began = time.monotonic()
            message, fault, facts = await self._fetch(place, request, form)
            facts = {"seconds": round(time.monotonic() - began, 3), "model": self._name, **facts}
            usage = dict(message.usage_metadata) if message and message.usage_metadata else {}
            measured = {"prompt": self._gauge.measured(request, message), "sampling": _sampling(request, message)}
            facts = {**measured, **facts, "usage": usage}
            if message is not None:
                said = {"prompt": facts["prompt"], "seconds": facts["seconds"]}
                message.response_metadata = {**message.response_metadata, **said}
            # Kept before the gate opens: a kill never finds more answers unkept than calls may be in flight.
            await asyncio.to_thread(self._journal.keep, place, request, message=message, fault=fault, **facts)
        self._budget.count(usage, facts["seconds"])
        await self._tell(request, {**facts, "fault": fault}, "model")
        return _opened(message, fault, facts["seconds"])

    async def _fetch(
        self, place: Position, request: Request, form: _Form
    ) -> tuple[AIMessage | None, Record | None, Record]:
        """One answer or fault, with the facts that belong in the journal."""
        if self._replays:
            found = cast("CassettePlayer", self._model).answer(
                request, self._journal.earlier(place, request.scope, request.turn)
            )
            kept: Record = {
                name: found.record[name]
                for name in ("seconds", "model", "prompt", "sampling")
                if name in found.record
            }
            return found.message, found.fault, kept
        limit = min(self._patience.call, form.seconds if form.seconds is not None else self._patience.call)
        try:
            async with asyncio.timeout(limit):
                return await self._with_patience(request, form), None, {}
        except TimeoutError:
            late = f"no answer within {limit:.1f} seconds"
            if not await server_answers(self._model):
                raise await self._noted(request, failure(FailureKind.TIMEOUT, late).error()) from None
            return None, {"kind": "time_limit", "message": late}, {}
        except ModelFault as error:
            # The reply is of no use, and it was paid for.
            reply = _without_secrets([error.reply])[0] if isinstance(error.reply, AIMessage) else None
            assert reply is None or isinstance(reply, AIMessage)
            return reply, {"kind": error.kind, "message": str(error)}, {}

    async def _with_patience(self, request: Request, form: _Form) -> AIMessage:
        """Ask again while the server is away, for as long as the patience for outages lasts."""
        gives_up = time.monotonic() + self._patience.outage
        pause = FIRST_PAUSE
        while True:
            try:
                message = await self._invoke(request, form)
            except ModelUnavailable as error:
                await self._noted(request, error)
                if not error.retryable or time.monotonic() + pause > gives_up:
                    raise
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE)
            else:
                self._away = ""
                return message

    async def _noted(self, request: Request, error: ModelFault | ModelUnavailable) -> ModelFault | ModelUnavailable:
        """The same error, told on the log once for each way of being away: a server may be away all night."""
        if error.kind != self._away:
            self._away = error.kind
            await self._events.aerror(
                Kind.MODEL_FAILURE, error, scope=request.scope, turn=request.turn, reason=error.kind
            )
        return error

    async def _invoke(self, request: Request, form: _Form) -> AIMessage:
        try:
            message = await self._said(request, form)
            if isinstance(message.content, str):
                message.content = strip_thinking(message.content)
            check(message)
        except (ModelFault, ModelUnavailable, CassetteDivergence, asyncio.CancelledError):
            raise
        except Exception as error:  # a provider's library may raise anything; the taxonomy sorts it
            raise classify(error).error() from error
        return _without_secrets([message])[0]  # type: ignore[return-value]  # the same kind of message comes back

    async def _said(self, request: Request, form: _Form) -> AIMessage:
        """What the model says, streamed where its provider can, so that endless repetition is given up."""
        model = cast("BaseChatModel", self._model)
        runnable: Any = model.bind_tools([offer(tool) for tool in form.tools]) if form.tools else model
        messages, options = list(request.messages), self._options(request, form)
        if isinstance(model, OllamaChat):
            message = await runnable.bind(**options).ainvoke(messages)
            assert isinstance(message, AIMessage)
            return message
        says_why = model._llm_type in SAYING_WHY  # noqa: SLF001 - LangChain's own name for a kind of model
        try:
            return await gathered(runnable.bind(**options), messages, says_why=says_why)
        except Exception as error:  # whatever a provider's library raises for a temperature that it does not take
            if "temperature" not in options or "temperature" not in str(error) or status(error) != REFUSED:
                raise
            self._warms = False
            return await gathered(runnable, messages, says_why=says_why)

    def _options(self, request: Request, form: _Form) -> dict[str, Any]:
        """What is set for this call alone, as far as the model's class takes it."""
        chosen: dict[str, Any] = {}
        if (
            request.temperature is not None
            and self._warms
            and "temperature" in getattr(type(self._model), "model_fields", ())
        ):
            chosen["temperature"] = request.temperature
        if isinstance(self._model, OllamaChat):
            if form.schema is not None:
                chosen["format"] = form.schema
            if form.longer:
                chosen["num_predict"] = 2 * max(self._model.num_predict or 0, ANSWER_ROOM)
        return chosen

    def _gate(self) -> asyncio.Semaphore:
        loop = asyncio.get_running_loop()
        return self._gates.setdefault(loop, asyncio.Semaphore(self._in_flight))

    async def _tell(self, request: Request, facts: Record, source: str) -> None:
        await self._events.aemit(
            Kind.MODEL_CALL,
            scope=request.scope,
            turn=request.turn,
            source=source,
            model=facts.get("model"),
            seconds=facts.get("seconds"),
            usage=facts.get("usage"),
            prompt=facts.get("prompt"),
            sampling=facts.get("sampling"),
            fault=facts.get("fault"),
        )


def _opened(message: AIMessage | None, fault: Record | None, seconds: float) -> AIMessage:
    if fault is not None or message is None:
        fault = fault or {}
        raise ModelFault(str(fault.get("message")), kind=str(fault.get("kind")), reply=message, seconds=seconds)
    return message


def _sampling(request: Request, message: AIMessage | None) -> Record:
    """With which options the answer was sampled, as far as they are known: those of Ollama's that matter."""
    sent = (message.response_metadata.get("options") if message else None) or {"temperature": request.temperature}
    return {name: sent[name] for name in SAMPLING if sent.get(name) is not None}


def _without_secrets(messages: Sequence[BaseMessage]) -> list[BaseMessage]:
    cleaned = []
    for message in messages:
        update: dict[str, Any] = {"content": redacted(message.content)}
        if isinstance(message, AIMessage):
            update["tool_calls"] = redacted(message.tool_calls)
            update["invalid_tool_calls"] = redacted(message.invalid_tool_calls)
        cleaned.append(message.model_copy(update=update))
    return cleaned


def _title(schema: dict[str, Any] | None) -> str:
    return "" if schema is None else str(schema.get("title", "answer"))
