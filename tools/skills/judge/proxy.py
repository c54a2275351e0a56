"""The program under test as its tests see it: a module that passes every call on to it, as JSON."""

from __future__ import annotations

import json
from types import ModuleType

import pytest

from tools.skills.judge import serving
from tools.skills.judge.asking import told

TYPE_CHECKING = False  # `typing` takes longer to import than a program to start
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from tools.skills.judge.asking import Running

MOST_RECORDED = 60


class Proxy(ModuleType):
    """The module `main` as the tests see it: the entry function, which asks the program that is on trial."""

    def __init__(self, entry: str, parameters: list[str]) -> None:
        """Offer one function."""
        super().__init__("main", "The program under test.")
        self.running: Running | None = None
        self.asked: list[dict[str, Any]] = []
        self.all_recorded = True
        self.calls = 0
        self._parameters = parameters
        function = self._passing_on
        setattr(self, entry, lambda *args, **kwargs: function(args, kwargs))
        getattr(self, entry).__name__ = getattr(self, entry).__qualname__ = entry

    def _passing_on(self, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
        if self.running is None:
            raise RuntimeError("the program was called while the tests were being read: call it inside a test")
        self.calls += 1
        try:
            args, kwargs = [_listed(value) for value in args], {name: _listed(v) for name, v in kwargs.items()}
        except serving.NotJson as error:
            raise TypeError(f"the program is called with JSON, and {error}") from None
        self._record(args, kwargs)
        answer = self.running.ask(args, kwargs)
        if answer["kind"] == "returned":
            return serving.unpacked(answer["value"])
        if answer["kind"] == "raised":
            raise serving.error_of(answer["error"], answer["message"])
        pytest.fail(told(answer), pytrace=False)

    def _record(self, args: Sequence[Any], kwargs: dict[str, Any]) -> None:
        named = {**dict(zip(self._parameters, args, strict=False)), **kwargs}
        if named in self.asked:
            return
        if len(self.asked) < MOST_RECORDED and len(args) <= len(self._parameters):
            self.asked.append(named)
        else:
            self.all_recorded = False


def _listed(value: Any) -> Any:
    """A value as JSON hands it to the program: tuples are lists.

    Raises:
        NotJson: it has no such form.
    """
    serving.packed(value)
    return json.loads(json.dumps(value))
