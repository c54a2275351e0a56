"""A program with its behaviour taken out: what stays, and what does not."""

from __future__ import annotations

from typing import Any

from tools.verification.stubs import hollowed

SOURCE = '''
"""A module."""
from __future__ import annotations
from typing import Generic, TypeVar

T = TypeVar("T")
LIMIT: int = 10
NAMES = {"a": 1}


class Box(Generic[T]):
    """A box."""

    size = 3
    label: str

    def open(self) -> int:
        return self.size


def total(*counts: int) -> int:
    return sum(counts)
'''


def executed(source: str) -> dict[str, Any]:
    """The names of a module."""
    names: dict[str, Any] = {}
    exec(source, names)
    return names


def test_a_hollowed_module_keeps_its_names_and_nothing_behind_them() -> None:
    names = executed(hollowed(SOURCE))
    assert (names["LIMIT"], names["NAMES"], names["Box"].size) == (None, None, None)
    for call in (names["total"], names["Box"]().open):
        try:
            call()
        except NotImplementedError:
            continue
        raise AssertionError("it still does something")


def test_what_a_module_needs_to_be_imported_stays() -> None:
    names = executed(hollowed(SOURCE))
    assert names["T"].__name__ == "T"
    assert names["Box"].__annotations__ == {"label": "str"}


def test_an_empty_module_stays_empty() -> None:
    assert hollowed("").strip() == ""
