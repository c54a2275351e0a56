"""Pairs of tools that say nearly the same are named, and nothing more is done about them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from shelf import NUMBER, offered

from tools.memory.memory import open_memory
from tools.memory.records import SkillState
from tools.memory.similar import similar

if TYPE_CHECKING:
    from pathlib import Path

    from tools.memory.memory import Memory


@pytest.fixture
def memory(home: Path) -> Memory:
    """Three skills, two of which are described alike."""
    memory = open_memory(home)
    alike = "The minutes of work that are available for each unit which the customers demand in one shift."
    memory.admit(offered("takt_time", description=alike), key="1")
    memory.admit(offered("time_takt", description=alike, parameters={"type": "object", "properties": {}}), key="2")
    memory.admit(offered("scrap", description="Share of parts thrown away.", tags=("quality",)), key="3")
    return memory


def test_two_that_say_the_same_are_a_pair_with_their_cosine_and_whether_their_signature_is_equal(
    memory: Memory,
) -> None:
    (pair,) = similar(memory)
    assert {pair.first.id, pair.second.id} == {"takt_time-1", "time_takt-1"}
    assert 0.9 <= pair.cosine <= 1.001
    assert not pair.same_signature
    assert len(similar(memory, least=-1)) == 3


def test_only_what_is_in_use_is_compared_and_each_name_once(memory: Memory) -> None:
    memory.admit(offered("scrap", ast_hash="x", returns=NUMBER, description="Share of parts thrown away."), key="4")
    assert len(similar(memory)) == 1
    memory.library.change_state("time_takt-1", SkillState.RETIRED, "twice there", key="p")
    assert similar(memory) == []


def test_an_empty_library_has_no_pairs(home: Path) -> None:
    assert similar(open_memory(home)) == []
