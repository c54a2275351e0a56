"""Numbers of a stream are given out once, in order, without a gap, whoever is killed."""

from __future__ import annotations

import multiprocessing
import re

import pytest

from tools.errors import StorageFailed
from tools.runs import counters
from tools.runs.counters import settle_number, take_number
from tools.runs.home import data_dir


def test_each_stream_counts_from_zero() -> None:
    assert [take_number("a", "x"), take_number("a", "y"), take_number("b", "x")] == [0, 1, 0]


def test_a_holder_that_was_killed_before_it_wrote_its_number_down_gets_it_again() -> None:
    assert (take_number("a", "x"), take_number("a", "y"), take_number("a", "x")) == (0, 1, 0)
    settle_number("a", "x")
    assert (take_number("a", "y"), take_number("a", "x")) == (1, 2)


def test_what_is_settled_takes_no_room() -> None:
    sizes = set()
    for holder in "pqrstuvwx":
        take_number("a", holder)
        settle_number("a", holder)
        sizes.add((data_dir() / counters.FILE).stat().st_size)
    assert len(sizes) == 1
    settle_number("nobody's", "x")


def take_some(holder: str) -> list[int]:
    return [take_number("a", f"{holder}/{turn}") for turn in range(20)]


def test_processes_that_take_at_once_take_each_number_once() -> None:
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        taken = [number for numbers in pool.map(take_some, "xyz") for number in numbers]
    assert sorted(taken) == list(range(60))


@pytest.mark.parametrize("text", ["{", "[]", '{"a": 3}', '{"a": {"next": "many", "taken": {}}}'])
def test_a_damaged_file_is_named_with_the_way_out(text: str) -> None:
    path = data_dir() / counters.FILE
    path.write_text(text)
    with pytest.raises(StorageFailed, match=f"{re.escape(str(path))}.*delete the file"):
        take_number("a", "x")
    assert path.read_text() == text
