"""When two answers are the same."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.skills.calling import Answer
from tools.skills.comparing import same, same_values

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=12,
)


@given(JSON)
def test_a_value_is_the_same_as_itself_after_a_journey_through_json(value: Any) -> None:
    assert same_values(value, value)
    assert same_values(value, json.loads(json.dumps(value)))


@given(JSON, JSON)
def test_sameness_does_not_depend_on_the_side(a: Any, b: Any) -> None:
    assert same_values(a, b) is same_values(b, a)


@pytest.mark.parametrize(
    ("a", "b", "equal"),
    [
        (1, 1.0, True),
        (True, 1, False),
        (False, 0.0, False),
        (0.1 + 0.2, 0.3, True),
        (1.0, 1.0 + 1e-8, False),
        (0.0, 1e-15, True),
        (10**30, 10**30 + 1, False),
        (10**400, 1.0, False),
        (math.nan, math.nan, True),
        (math.inf, math.inf, True),
        (math.inf, -math.inf, False),
        (None, 0, False),
        ("1", 1, False),
        ([1, 2], [1, 2, 3], False),
        ([1, [2.0]], (1, (2,)), True),
        ({"a": 1}, {"a": 1.0}, True),
        ({"a": 1}, {"b": 1}, False),
        ([1, 2], [2, 1], False),
    ],
)
def test_numbers_have_a_tolerance_and_kinds_have_none(a: Any, b: Any, equal: bool) -> None:
    assert same_values(a, b) is equal


@pytest.mark.parametrize(
    ("a", "b", "equal"),
    [
        (Answer("returned", 1), Answer("returned", 1.0, seconds=3), True),
        (Answer("raised", error="ValueError: no"), Answer("raised", error="ValueError: other words"), True),
        (Answer("raised", error="ValueError: no"), Answer("raised", error="KeyError: no"), False),
        (Answer("raised", error="ValueError"), Answer("returned"), False),
        (Answer("stopped", error="late"), Answer("stopped", error="late"), False),
        (Answer("not_json"), Answer("not_json"), False),
    ],
)
def test_exceptions_are_the_same_by_type_and_no_answer_is_the_same_as_nothing(
    a: Answer, b: Answer, equal: bool
) -> None:
    assert same(a, b) is equal
