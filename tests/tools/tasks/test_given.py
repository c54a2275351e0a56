"""A task of a person's own: two fields are enough, and what nobody could work with is refused with the reason."""

from __future__ import annotations

from typing import Any

import pytest

from tools.errors import UsageError
from tools.tasks import domains, draw
from tools.tasks.given import given

TAKT = {
    "signature": "def takt_time(minutes: float, demand: int = 1) -> float",
    "statement": "Return minutes divided by demand.",
}


def test_a_signature_and_a_statement_are_enough() -> None:
    task = given(TAKT)
    assert (task.id, task.entry, task.title, task.domain) == ("takt_time", "takt_time", "Takt time", "given")
    assert given({**TAKT, "title": "Pace"}).title == "Pace"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"signature": ""}, "signature cannot be used: '' is no signature"),
        ({"signature": "takt(minutes)"}, "write `def name"),
        ({"signature": "def takt(minutes: Path) -> float"}, "Path"),
        ({"statement": None}, "statement: "),
        ({"statement": " "}, "the statement is empty"),
        ({"entry": "pace"}, "its entry is 'pace', and its signature defines 'takt_time'"),
        ({"examples": [{"arguments": {"hours": 8.0, "minutes": 1.0}, "result": 1}]}, "the argument 'hours'"),
        ({"examples": [{"arguments": {}, "result": 1}]}, "lacks the parameter 'minutes'"),
        ({"examples": [{"result": 1}]}, "examples.0.arguments: "),
    ],
)
def test_a_task_that_nobody_could_work_on_is_refused(changes: dict[str, Any], why: str) -> None:
    with pytest.raises(UsageError) as caught:
        given({**TAKT, **changes})
    assert why in str(caught.value)


def test_a_task_that_is_no_object_is_refused() -> None:
    with pytest.raises(UsageError, match="the task is 'takt time'; give an object"):
        given("takt time")


def test_a_drawn_task_is_taken_as_it_is() -> None:
    for domain in domains():
        for number in range(20):
            task = draw(domain, 1, number)
            assert given(task.model_dump(mode="json")) == task
