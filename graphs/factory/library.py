"""The way to the library, which a replay does without."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.memory.memory import open_memory

if TYPE_CHECKING:
    from graphs.factory.schemas import FactoryContext
    from graphs.session import Session
    from tools.memory.memory import Memory


def library_of(session: Session[FactoryContext]) -> Memory | None:
    """The library of the data directory; None when the run is not to remember. Blocks."""
    return open_memory() if session.context.remember else None


def key_of(session: Session[FactoryContext], what: str) -> str:
    """A key under which something is kept once, however often a step of this run is done again."""
    return f"{session.run.id}:{session.place}/{what}"
