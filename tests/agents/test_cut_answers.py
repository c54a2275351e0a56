"""An answer that was cut or broken is no answer, whatever stands inside it."""

from __future__ import annotations

import pytest

from agents.answers import read
from agents.auditor import Recheck


@pytest.mark.parametrize(
    "text",
    [
        '{"previous": {"resolved": true}, "resolved": fal',
        '{"previous": {"resolved": true}, "now": ',
        '```json\n{"old": {"resolved": true}, "resolv\n```',
        '{"a": [{"resolved": true}',
    ],
)
def test_nothing_is_taken_out_of_a_cut_answer(text: str) -> None:
    found, wrong = read(text, Recheck)
    assert found is None
    assert wrong == ["the answer holds no JSON object"]


@pytest.mark.parametrize(
    "text",
    [
        '{"resolved": true}',
        'Here it is: {"resolved": true, "reason": "fixed"} as asked.',
        'In set notation {x | x > 1}, so:\n```json\n{"resolved": true}\n```',
        'It is {not json} but {"resolved": true}.',
    ],
)
def test_a_whole_answer_is_found_in_prose(text: str) -> None:
    found, wrong = read(text, Recheck)
    assert found is not None
    assert (found.resolved, wrong) == (True, [])
