"""Developers work in threads, and each parses what it writes."""

from __future__ import annotations

import ast
import contextlib
import gc
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from tools.verification.parsing import definitions, syntax_problem
from tools.verification.stubs import stubbed

if TYPE_CHECKING:
    from collections.abc import Iterator

SOURCE = "".join(f"def f{n}(a, b):\n    return [a + b * (a - {n}) for _ in range(a)]\n\n\n" for n in range(60))


class Circle:
    """Garbage whose end lets another thread run."""

    def __init__(self) -> None:
        self.me = self

    def __del__(self) -> None:
        sum(range(50))


@pytest.fixture
def hurried() -> Iterator[None]:
    """Threads that change often, and a collector that runs often."""
    interval, thresholds = sys.getswitchinterval(), gc.get_threshold()
    sys.setswitchinterval(1e-6)
    gc.set_threshold(50)
    yield
    sys.setswitchinterval(interval)
    gc.set_threshold(*thresholds)


@pytest.mark.usefixtures("hurried")
def test_many_threads_parse_at_once() -> None:
    def work(_: int) -> tuple[int, str | None, bool]:
        for _ in range(20):
            Circle()
        return len(definitions(SOURCE)), syntax_problem("a.py", SOURCE), "NotImplementedError" in stubbed(SOURCE)

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(work, range(60))) == [(60, None, True)] * 60


@pytest.mark.usefixtures("hurried")
def test_trees_that_others_build_meanwhile_disturb_nothing() -> None:
    """Others, such as whoever formats a traceback, take no lock of ours."""
    ended = threading.Event()

    def others() -> None:
        while not ended.is_set():
            Circle()
            with contextlib.suppress(SystemError):  # older Pythons cannot do without a lock
                ast.parse("total = [a + b for a, b in {'c': (1, 2)}.values()]")

    def ours(_: int) -> int:
        for _ in range(20):
            Circle()
        return len(definitions(SOURCE))

    with ThreadPoolExecutor(3) as pool:
        other = pool.submit(others)
        try:
            assert list(pool.map(ours, range(60))) == [60] * 60
        finally:
            ended.set()
    other.result()
    assert gc.isenabled()
