"""Two programs are the same when only names, comments and layout differ, or when they answer the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from crafts import TAKT

from tools.skills.duplicates import ast_hash, same_outputs
from tools.skills.program import Program

if TYPE_CHECKING:
    from tools.skills.running import Runner

BASE = '''
"""A module."""
import math


def mean(values: list[float], digits: int) -> float:
    """The mean."""
    total: float = 0.0
    for value in values:
        total += value
    return rounded(total / len(values), digits)


def rounded(x, places):
    return math.floor(x * 10**places + 0.5) / 10**places


if __name__ == "__main__":
    print(mean([1.0], 2))
'''
ALIKE = {
    "another name": (BASE.replace("def mean", "def average").replace("print(mean", "print(average"), "average"),
    "other locals": (BASE.replace("total", "s").replace("value in", "v in").replace("+= value", "+= v"), "mean"),
    "another helper": (BASE.replace("rounded", "_half_up").replace("places", "n"), "mean"),
    "no docstrings": (BASE.replace('    """The mean."""\n', "").replace('"""A module."""', ""), "mean"),
    "no annotations": (BASE.replace(": list[float]", "").replace(": float = 0.0", " = 0.0"), "mean"),
    "comments and layout": (BASE.replace("total += value", "total += (value)  # add"), "mean"),
    "no script": (BASE.split("\n\nif __name__")[0], "mean"),
    "future annotations": (BASE.replace("import math", "from __future__ import annotations\nimport math"), "mean"),
}
OTHER = {
    "another parameter": BASE.replace("digits", "decimals"),
    "another operator": BASE.replace("total += value", "total -= value"),
    "another number": BASE.replace("0.5", "0.4"),
    "another function": BASE.replace("math.floor", "math.ceil"),
    "another default": BASE.replace("digits: int", "digits: int = 2"),
    "another order": BASE.replace("rounded(total / len(values), digits)", "rounded(digits, total / len(values))"),
    "a message": BASE.replace(
        "    total: float = 0.0\n", "    total: float = 0.0\n    if not values:\n        raise ValueError('a')\n"
    ),
}


@pytest.mark.parametrize("what", ALIKE)
def test_names_and_words_do_not_matter(what: str) -> None:
    code, entry = ALIKE[what]
    assert code != BASE
    assert ast_hash(code, entry) == ast_hash(BASE, "mean")


@pytest.mark.parametrize("what", OTHER)
def test_behaviour_matters(what: str) -> None:
    assert OTHER[what] != BASE
    assert ast_hash(OTHER[what], "mean") != ast_hash(BASE, "mean")


def test_hashes_of_all_versions_are_pairwise_different() -> None:
    assert len({ast_hash(code, "mean") for code in OTHER.values()}) == len(OTHER)


async def test_programs_are_compared_by_their_answers(run: Runner) -> None:
    mine, other = Program("takt_time", TAKT.code), Program("takt_time", TAKT.task.reference)
    wrong = Program("takt_time", TAKT.broken("integer division"))
    calls = list(TAKT.inputs)
    assert await same_outputs(run, mine, other, calls)
    assert not await same_outputs(run, mine, wrong, calls)
    assert not await same_outputs(run, mine, mine, []), "nothing was shown"
