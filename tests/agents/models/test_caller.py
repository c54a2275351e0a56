"""What every provider's replies go through on their way to a role: judged, counted, journalled, told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.outputs import ChatGeneration, ChatResult

from agents.models import caller as calling
from agents.models.budget import Budget
from agents.models.caller import Caller, Patience
from agents.models.journal import Journal, Request, body
from tools.errors import ModelFault, ModelUnavailable
from tools.events import read_events
from tools.runs.lineage import Position
from tools.runs.run import create_run

if TYPE_CHECKING:
    from tools.runs.run import Run

PLACE = Position(0, 0)
ASKED = [HumanMessage("Write it.")]


class Spoken(BaseChatModel):
    """A chat model of some other provider that says what it is given, one message after the other."""

    messages: list[AIMessage]
    said: int = 0

    @property
    def _llm_type(self) -> str:
        return "spoken"

    def _generate(
        self, messages: list[Any], stop: Any = None, run_manager: Any = None, **kwargs: Any
    ) -> ChatResult:
        self.said += 1
        return ChatResult(generations=[ChatGeneration(message=self.messages[self.said - 1])])


def usage(tokens: int) -> dict[str, int]:
    return {"input_tokens": 100, "output_tokens": tokens, "total_tokens": 100 + tokens}


def caller(run: Run, *messages: AIMessage) -> tuple[Caller, Journal, Budget, Spoken]:
    journal = Journal(run.root / "cassette.jsonl", run.lineage)
    model, budget = Spoken(messages=list(messages)), Budget()
    return Caller(model, "spoken", journal, budget, run.events, 4, Patience()), journal, budget, model


@pytest.fixture
def run() -> Run:
    return create_run("called", goal="x")


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        (AIMessage("", usage_metadata=usage(0)), "empty"),
        (AIMessage("", usage_metadata=usage(900)), "discarded"),
        (AIMessage("half", usage_metadata=usage(900), response_metadata={"finish_reason": "length"}), "cut"),
        (AIMessage("half", usage_metadata=usage(900), response_metadata={"stop_reason": "max_tokens"}), "cut"),
        (AIMessage("no", usage_metadata=usage(9), response_metadata={"stop_reason": "refusal"}), "refused"),
        (AIMessage("<think>hm</think>", usage_metadata=usage(9)), "discarded"),
    ],
)
async def test_a_reply_of_no_use_is_a_fault_that_is_paid_for_and_kept(
    run: Run, message: AIMessage, kind: str
) -> None:
    asked, journal, budget, model = caller(run, message)
    for _ in range(2):
        with pytest.raises(ModelFault) as caught:
            await asked.at(PLACE)("develop/A1#0", 0, ASKED)
        assert caught.value.kind == kind
    assert model.said == 1
    assert budget.tokens == message.usage_metadata["total_tokens"]
    (kept,) = journal.calls()
    assert kept["fault"]["kind"] == kind
    assert kept["response"] is not None
    assert [e["source"] for e in read_events(run.root / "events.jsonl")] == ["model", "journal"]


async def test_thinking_does_not_reach_the_role(run: Run) -> None:
    asked, *_ = caller(run, AIMessage("<think>hm</think>\n\nYes.", usage_metadata=usage(9)))
    assert (await asked.at(PLACE)("s", 0, ASKED)).text == "Yes."


async def test_a_call_that_cannot_be_read_comes_back_from_the_journal_as_it_was(run: Run) -> None:
    bad = {"name": "write_file", "args": '["a"]', "id": "7", "error": "not an object", "type": "invalid_tool_call"}
    message = AIMessage("", invalid_tool_calls=[bad], usage_metadata=usage(9))
    asked, _, _, model = caller(run, message)
    first = await asked.at(PLACE)("s", 0, ASKED)
    second = await asked.at(PLACE)("s", 0, ASKED)
    assert model.said == 1
    assert body(first) == body(second)
    assert second.invalid_tool_calls[0]["args"] == '["a"]'
    assert body(AIMessage("")) != body(first)


def test_a_temperature_is_part_of_a_request_and_its_absence_is_not() -> None:
    plain = Request("s", 0, tuple(ASKED))
    assert plain.digest() == Request("s", 0, tuple(ASKED), temperature=None).digest()
    assert len({plain.digest(), *(Request("s", 0, tuple(ASKED), temperature=t).digest() for t in (0.0, 0.8))}) == 3


async def test_a_choice_is_made_once_and_is_durable(run: Run) -> None:
    asked, journal, _, _ = caller(run)
    assert await asked.choose(PLACE, "develop/A1#0", lambda _: {"rung": "fenced"}) == {"rung": "fenced"}
    journal.close()
    again, *_ = caller(run)
    assert await again.choose(PLACE, "develop/A1#0", lambda _: {"rung": "native"}) == {"rung": "fenced"}


class Absent(Spoken):
    """A model whose server is away for these calls, in this way."""

    gone: dict[int, str]

    def _generate(self, *words: Any, **more: Any) -> ChatResult:
        if (kind := self.gone.get(self.said)) is not None:
            self.said += 1
            raise ModelUnavailable(f"call {self.said} was refused", kind=kind)
        return super()._generate(*words, **more)


async def test_an_outage_is_one_event_however_often_it_is_asked_again(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calling, "FIRST_PAUSE", 0.001)
    gone = {
        0: "unreachable",
        1: "unreachable",
        2: "unreachable",
        3: "overloaded",
        4: "overloaded",
        6: "unreachable",
    }
    model = Absent(messages=[AIMessage("yes", usage_metadata=usage(9))] * 8, gone=gone)
    journal = Journal(run.root / "cassette.jsonl", run.lineage)
    asked = Caller(model, "absent", journal, Budget(), run.events, 4, Patience())
    for turn in range(2):
        assert (await asked.at(PLACE)("plan", turn, ASKED)).content == "yes"
    told = [e["reason"] for e in read_events(run.root / "events.jsonl") if e["event"] == "MODEL_FAILURE"]
    assert told == ["unreachable", "overloaded", "unreachable"]
