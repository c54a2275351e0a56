"""What is remembered of each model: how often each rung of the protocol ladder worked, and what the probes found."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

from agents.models.approach import Experience
from tools.errors import StorageFailed
from tools.runs.home import data_dir

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

_TABLES = """
create table if not exists attempts (model text, rung text, attempt text, won integer, primary key (model, attempt));
create table if not exists probes (model text primary key, found text, at text);
"""
_FORGET_OLD = """
delete from attempts where model = :model and rung = :rung and rowid <= (
    select rowid from attempts where model = :model and rung = :rung order by rowid desc limit 1 offset :kept)
"""
BUSY_SECONDS = 30.0

LAST = 500
"""So many attempts of a model on each rung are remembered: a factory makes some without end, and a model may change."""


class Profiles:
    """One small SQLite file, shared by all runs of a data directory."""

    def __init__(self, path: Path) -> None:
        """Use the file at `path`; it is made when something is first remembered."""
        self.path = path

    def experience(self, model: str) -> Experience:
        """What is known of a model; nothing, when it was never used.

        Raises:
            StorageFailed: the file cannot be read.
        """
        if not self.path.exists():
            return Experience()
        with self._open() as database:
            rows = database.execute(
                "select rung, sum(won), sum(1 - won) from attempts where model = ? group by rung", (model,)
            ).fetchall()
            found = database.execute("select found from probes where model = ?", (model,)).fetchone()
        probes: dict[str, Any] = json.loads(found[0]) if found else {}
        return Experience(
            window=probes.get("window"),
            won={rung: won for rung, won, _ in rows},
            lost={rung: lost for rung, _, lost in rows},
            probes=probes,
        )

    def remember(self, model: str, attempts: Iterable[tuple[str, str, bool]]) -> None:
        """Count attempts, as (rung, name, won), once each: a name stands for one attempt of one run.

        Only the last `LAST` of each rung count.
        """
        rows = [(model, rung, name, int(won)) for rung, name, won in attempts]
        if rows:
            with self._open() as database:
                database.executemany("insert or replace into attempts values (?, ?, ?, ?)", rows)
                for rung in {row[1] for row in rows}:
                    database.execute(_FORGET_OLD, {"model": model, "rung": rung, "kept": LAST})

    def keep_probes(self, model: str, found: Mapping[str, Any], at: str) -> None:
        """Keep what `millwright doctor` found out, in the place of what it found before."""
        with self._open() as database:
            database.execute("insert or replace into probes values (?, ?, ?)", (model, json.dumps(found), at))

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(sqlite3.connect(self.path, timeout=BUSY_SECONDS)) as database, database:
                database.executescript(_TABLES)
                yield database
        except sqlite3.Error as error:
            raise StorageFailed(
                f"the models' profiles in {str(self.path)!r} cannot be used: {error}; delete the file, it is made anew"
            ) from error


def profiles() -> Profiles:
    """The profiles of this data directory."""
    return Profiles(data_dir() / "profiles.sqlite")
