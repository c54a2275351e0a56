"""A prompt whose front was cut is noticed from the counts, and an honest count never is."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage

from agents.models.honesty import Gauge, context_lost
from agents.models.journal import Request
from agents.models.windows import text_tokens

PROSE = "The stock list counts what came in and what went out of the store. " * 200
CODE = "def total(stock: dict[str, int]) -> int:\n    return sum(stock.values())\n\n\n" * 100
TEXTS = {
    "prose": PROSE,
    "code": CODE,
    "german": "Für größere Mengen gilt die übliche Prüfung. " * 200,
    "zh": "库存清单" * 900,
}


def asked(*texts: str) -> Request:
    said: list[BaseMessage] = [SystemMessage("You keep a stock list.")]
    return Request("s", 0, (*said, *map(HumanMessage, texts)), ("write_file",))


def counted(evaluated: int, estimated: int, window: int = 65536) -> AIMessage:
    usage = {"input_tokens": evaluated, "output_tokens": 9, "total_tokens": evaluated + 9}
    said: dict[str, Any] = {"prompt_tokens_estimated": estimated, "options": {"num_ctx": window}}
    return AIMessage("yes", usage_metadata=usage, response_metadata=said)


def judged(gauge: Gauge, request: Request, share: float, window: int = 65536) -> str:
    estimated = sum(text_tokens(m.text) for m in request.messages)
    return context_lost(gauge.measured(request, counted(int(share * estimated), estimated, window)))


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("share", [0.62, 0.75, 0.9, 1.0])
def test_a_count_that_an_honest_tokenizer_gives_is_no_alarm(text: str, share: float) -> None:
    gauge = Gauge()
    for length in (600, 2000, len(TEXTS[text])):
        assert judged(gauge, asked(TEXTS[text][:length]), share) == ""


def test_fewer_tokens_than_words_are_a_cut_prompt() -> None:
    assert judged(Gauge(), asked(PROSE), 0.5)
    assert judged(Gauge(), asked(CODE), 0.3)


def test_a_conversation_that_grows_and_is_counted_shorter_was_cut() -> None:
    gauge = Gauge()
    assert judged(gauge, asked(CODE), 0.75) == ""
    assert judged(gauge, asked(CODE, CODE[:900], CODE[:900]), 0.75) == ""
    assert "was cut off" in judged(gauge, asked(CODE, CODE[:900], CODE[:900], CODE[:900]), 0.55)


def test_a_server_that_does_not_count_what_it_still_knows_is_believed() -> None:
    gauge = Gauge()
    estimated = text_tokens(PROSE) + text_tokens(PROSE[:1500])
    assert judged(gauge, asked(PROSE), 0.75) == ""
    new = counted(int(0.75 * text_tokens(PROSE[:1500])), estimated)
    assert context_lost(gauge.measured(asked(PROSE, PROSE[:1500]), new)) == ""
    assert context_lost(gauge.measured(asked(PROSE), counted(1, text_tokens(PROSE)))) == ""


def test_a_prompt_that_just_fills_its_window_was_cut_to_fit() -> None:
    estimated = text_tokens(PROSE)
    full = counted(4095, estimated, window=4096)
    assert "evaluated 4095" in context_lost(Gauge().measured(asked(PROSE), full))
    assert context_lost(Gauge().measured(asked(PROSE), counted(10**6, estimated, window=4096))) == ""
