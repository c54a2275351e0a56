"""Finding by words and by names: any text is a safe query, and a name is found however it is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shelf import library_in, offered

from tools.memory.searching import by_name, by_words, expression

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tools.memory.library import Library


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    library = library_in(tmp_path_factory.mktemp("searching"))
    library.admit(offered("takt_time", description="Available time per unit of demand."), key="1")
    library.admit(offered("mean_of_ranges", description="Average spread of samples.", ast_hash="b"), key="2")
    library.alias("beat", "takt_time-1", "the same outputs", key="3")
    yield library
    library.database.close()


@given(
    text=st.one_of(
        st.text(),
        st.lists(
            st.sampled_from(["AND", "OR", "NOT", "NEAR(", '"', "*", "^", ":", "(", ")", "takt", "-", "{", "name:"])
        ).map(" ".join),
    )
)
def test_any_text_is_a_safe_query(library: Library, text: str) -> None:
    by_words(library.database, text, 10)
    by_name(library.database, text)


def test_operators_of_the_query_language_are_only_words(library: Library) -> None:
    assert expression('takt AND name:"time*"') == '"takt" OR "name" OR "time"'
    assert set(by_words(library.database, "NOT takt", 5)) == {"skill:takt_time-1"}


def test_words_are_found_in_any_form_and_score_above_zero(library: Library) -> None:
    found = by_words(library.database, "averages of the spreading sample", 5)
    assert list(found) == ["skill:mean_of_ranges-1"]
    assert found["skill:mean_of_ranges-1"] > 0
    assert by_words(library.database, "???", 5) == {}


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("takt_time", True),
        ("TaktTime", True),
        ("takt-time", True),
        (" Takt time ", True),
        ("takt_time-1", True),
        ("beat", True),
        ("is takt_time good for this?", False),
    ],
)
def test_a_skill_is_found_by_its_name_alias_and_id(library: Library, text: str, whole: bool) -> None:
    assert by_name(library.database, text) == {"takt_time-1": whole}


def test_a_sentence_that_has_the_words_of_a_name_does_not_name_it(library: Library) -> None:
    assert by_name(library.database, "How much time is the takt of the line in our new hall?") == {}
