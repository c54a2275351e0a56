"""The calls of pynguin's tests, whose text is read and never run."""

from __future__ import annotations

import pytest

from tools.skills.pynguin.reading import calls_in

TESTS = """
import pytest
import sys
import main
main_ = sys.modules['main']

def test_0():
    var_0 = main_.masked(text='0291', shown=0)
    assert var_0 == '****'

def test_1():
    var_0 = -1565
    with pytest.raises(ValueError):
        main_.masked(text='K+)', shown=var_0)

@pytest.mark.xfail(strict=True)
def test_2():
    var_0 = 'a'
    var_1 = [var_0, 'b']
    var_2 = {var_0: var_1}
    main_.masked(var_2, 1)
    main_.masked(text=var_0, shown=1.0)
    main_.masked(text=var_0, shown=1)
    main_.masked(text=var_0, shown=True)

def test_3():
    var_0 = main_.masked(text='0291', shown=0)
    main_.masked(text=var_0, shown=2)
    main_.masked(text=str(3), shown=2)
    main_.other(text='x', shown=2)
"""


def test_the_arguments_of_every_call_are_read_with_what_names_stand_for_each_once() -> None:
    assert [repr(one) for one in calls_in(TESTS, "masked", ["text", "shown"])] == [
        "{'text': '0291', 'shown': 0}",
        "{'text': 'K+)', 'shown': -1565}",
        "{'text': {'a': ['a', 'b']}, 'shown': 1}",
        "{'text': 'a', 'shown': 1.0}",
        "{'text': 'a', 'shown': 1}",
        "{'text': 'a', 'shown': True}",
    ]


def test_text_that_is_no_program_is_told() -> None:
    with pytest.raises(SyntaxError):
        calls_in("def test_0(:", "masked", ["text"])
