"""How words are cut out of texts, and that stems are those of SQLite's own tokenizer."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.memory.embeddings.stemming import stem
from tools.memory.embeddings.synonyms import synonyms
from tools.memory.embeddings.words import identifiers, stems, words

ENDINGS = (
    "", "s", "es", "ies", "ed", "ing", "er", "ational", "ation", "ization", "iveness", "fulness", "ousli", "ical",
    "ness", "ement", "ment", "ion", "ible", "able", "ly", "logy", "logies", "ll", "eed", "y", "e",
)  # fmt: skip


def stems_of_sqlite(found: list[str]) -> list[str]:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE VIRTUAL TABLE texts USING fts5 (text, tokenize = 'porter ascii')")
        connection.execute("CREATE VIRTUAL TABLE terms USING fts5vocab (texts, instance)")
        connection.executemany("INSERT INTO texts VALUES (?)", [(word,) for word in found])
        return [row[0] for row in connection.execute("SELECT term FROM terms ORDER BY doc")]


@given(
    st.lists(
        st.builds(
            str.__add__, st.text("abcdefghijklmnopqrstuvwxyz", min_size=3, max_size=9), st.sampled_from(ENDINGS)
        ),
        min_size=1,
        max_size=40,
    )
)
def test_a_stem_is_what_the_tokenizer_of_the_database_makes_of_the_word(found: list[str]) -> None:
    assert [stem(word) for word in found] == stems_of_sqlite(found)


def test_forms_of_one_word_have_one_stem() -> None:
    assert {stem(word) for word in ("calculate", "calculates", "calculated", "calculating", "calculation")} == {
        "calcul"
    }
    assert stem("hopping") == stem("hop") != stem("hoping")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("takt_time", ["takt", "time"]),
        ("parseHTTPDate", ["parse", "http", "date"]),
        ("x-bar chart, 3 sigma", ["x", "bar", "chart", "3", "sigma"]),
        ("Größe und Länge", ["größe", "und", "länge"]),
        ('"; DROP TABLE skills; --', ["drop", "table", "skills"]),
        ("", []),
    ],
)
def test_names_are_taken_apart_into_words(text: str, found: list[str]) -> None:
    assert words(text) == found


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("takt_time", "takt_time"),
        ("Takt time", "takt_time"),
        ("taktTime", "takt_time"),
        ("takt-time", "takt_time"),
        ("please call takt_time on this", "takt_time"),
        ("please call TaktTime on this", "takt_time"),
        ("takt_time-2", "takt_time-2"),
        ("OEE", "oee"),
    ],
)
def test_a_name_is_recognised_in_every_spelling(text: str, name: str) -> None:
    assert name in identifiers(text)


def test_a_sentence_names_nothing() -> None:
    assert [
        name for name in identifiers("How long does a customer wait for each single piece?") if " " not in name
    ] == []


def test_stop_words_go_unless_there_is_nothing_else() -> None:
    assert stems("the mean of the values") == ["mean", "valu"]
    assert stems("to be or not to be") == ["not"]
    assert stems("how is it") == ["how", "is", "it"]


def test_synonyms_have_a_group_in_common_and_a_word_may_have_several() -> None:
    assert synonyms()[stem("mean")] == synonyms()[stem("averages")] == (stem("average"),)
    assert set(synonyms()[stem("faults")]) > set(synonyms()[stem("errors")])
    orders = set(synonyms()[stem("order")])
    assert orders > set(synonyms()[stem("sorted")])
    assert orders > set(synonyms()[stem("purchase")])
