"""Finding owners by the words of a text (FTS5) and skills by their names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.memory.embeddings.words import STOP_WORDS, identifiers, words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tools.memory.database import Database

# A word of the name tells more about what a skill does than one of its description.
_NAME_WEIGHT, _TEXT_WEIGHT = 2.0, 1.0
# A whole page as a query is asked for by its first words.
_MOST_WORDS = 48
_SHORTEST_NAME = 3


def expression(text: str) -> str:
    """An FTS5 query for any of the words of any text: quoted, so that nothing in it is an operator; may be empty.

    The syntax: https://www.sqlite.org/fts5.html#full_text_query_syntax.
    """
    found = list(dict.fromkeys(words(text)))
    telling = [word for word in found if word not in STOP_WORDS] or found
    return " OR ".join(f'"{word}"' for word in telling[:_MOST_WORDS])


def by_words(database: Database, text: str, limit: int, kind: str = "skill") -> dict[str, float]:
    """The owners that hold words of the text, each with its BM25: above 0, more is better."""
    query = expression(text)
    if not query:
        return {}
    weights = (0.0, _NAME_WEIGHT, _TEXT_WEIGHT)
    rows = database.read(_BY_WORDS, (*weights, query, f"{kind}:", f"{kind};", limit))
    return {row[0]: max(0.0, -row[1]) for row in rows}


def by_name(database: Database, text: str) -> dict[str, bool]:
    """The ids of the skills that the text names by name, alias or id: whether it is all that the text says."""
    names = [name for name in identifiers(text) if len(name) >= _SHORTEST_NAME]
    if not names:
        return {}
    marks = ",".join("?" * len(names))
    rows = database.read(_BY_NAME.format(marks=marks), names * 3)
    whole = {"_".join(words(text)), text.strip()}
    return {row[0]: row[1] in whole for row in rows}


def ids(owners: Sequence[str]) -> list[str]:
    """The ids of owners."""
    return [owner.partition(":")[2] for owner in owners]


# The owners' own table is read for the kind, since the column of the index costs a row of text for every match; CROSS
# keeps SQLite from beginning with it (https://www.sqlite.org/optoverview.html#manual_control_of_query_plans_using_cross_join).
_BY_WORDS = """
    SELECT owners.owner, bm25(words, ?, ?, ?) AS score FROM words CROSS JOIN owners ON owners.id = words.rowid
    WHERE words MATCH ? AND owners.owner >= ? AND owners.owner < ? ORDER BY score LIMIT ?
"""
_BY_NAME = """
    SELECT id, name FROM skills WHERE name IN ({marks})
    UNION SELECT id, id FROM skills WHERE id IN ({marks})
    UNION SELECT skill, name FROM aliases WHERE name IN ({marks})
"""
