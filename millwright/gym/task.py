"""The small fixed task of the gym: its goal, its plan, and the files that are right."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

GOAL = (
    "Keep a stock list. stock.py adds to a stock and counts it, settings.json holds the currency and the limit, "
    "report.py prints a stock."
)

STOCK = '''\
"""A stock list."""

from __future__ import annotations

UNITS = {"kg": 1.0, 'lb': 0.45}  # "metric" first
SEPARATOR = "\\n\\t| "


def add(stock: dict[str, int], name: str, count: int = 1) -> dict[str, int]:
    """Return the stock with `count` more of `name`."""
    return {**stock, name: stock.get(name, 0) + count}


def total(stock: dict[str, int]) -> int:
    """Count everything in stock."""
    return sum(stock.values())
'''
SETTINGS = '{\n  "currency": "EUR",\n  "limit": 10,\n  "tags": ["new", "old"]\n}\n'
REPORT = '''\
"""Printing a stock."""

from __future__ import annotations

from stock import SEPARATOR, total


def lines(stock: dict[str, int]) -> str:
    """Return one line for each name, and the sum."""
    rows = [f"{name}: {count}" for name, count in sorted(stock.items())]
    return SEPARATOR.join([*rows, f"total: {total(stock)}"])
'''
TESTS = '''\
"""What a stock list must do."""

from stock import add, total


def test_adding_counts_what_was_there() -> None:
    assert add({"nail": 2}, "nail", 3) == {"nail": 5}


def test_the_total_is_the_sum_of_all() -> None:
    assert total({"nail": 2, "screw": 5}) == 7
'''

FILES = {"stock.py": STOCK, "settings.json": SETTINGS, "report.py": REPORT}
TESTED = {"stock.py": STOCK, "test_stock.py": TESTS}


def _assignment(id_: str, paths: list[str], **more: Any) -> dict[str, Any]:
    names = ", ".join(paths)
    told = {"title": f"Write {names}", "task": f"Write {names} as the goal says."}
    return {"id": id_, "role": "developer", **told, "paths": paths, "depends_on": [], **more}


def plan(*, tested: bool) -> dict[str, Any]:
    """The plan of a capable manager; with tests, one module and its tests."""
    defined = [{"kind": "defines", "path": "stock.py", "value": name} for name in ("add", "total")]
    if tested:
        found = [
            _assignment("A1", ["stock.py"], checks=defined),
            _assignment("A2", ["test_stock.py"], role="tester", depends_on=["A1"]),
        ]
    else:
        kept = {"kind": "contains", "path": "settings.json", "value": '"limit"'}
        told = {"kind": "defines", "path": "report.py", "value": "lines"}
        found = [
            _assignment("A1", ["stock.py", "settings.json"], checks=[*defined, kept]),
            _assignment("A2", ["report.py"], checks=[told], depends_on=["A1"]),
        ]
    return {"summary": "A stock list.", "assignments": found}


def goal(*, tested: bool) -> str:
    """What is asked for."""
    return "Keep a stock list in stock.py, with tests in test_stock.py." if tested else GOAL


def files(*, tested: bool) -> Mapping[str, str]:
    """The right text of every promised file."""
    return TESTED if tested else FILES


def wrong_files(found: Mapping[str, str], *, tested: bool) -> list[str]:
    """The promised paths that are missing or hold something else.

    The newline at the end of a file is free, and so is the layout of JSON.
    """
    return [path for path, right in files(tested=tested).items() if not _same(path, found.get(path), right)]


def _same(path: str, found: str | None, right: str) -> bool:
    if found is None or not path.endswith(".json"):
        return found is not None and found.rstrip("\n") == right.rstrip("\n")
    try:
        return bool(json.loads(found) == json.loads(right))
    except ValueError:
        return False
