"""The ladder: what the user names, Ollama, a sentence model that is here already, and at last hashed words.

`MILLWRIGHT_EMBEDDINGS` names a rung: `ollama:NAME`, `onnx`, `onnx:FOLDER` or `lexical`. Nothing is downloaded.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tools.errors import MillwrightError, ModelUnavailable, UsageError
from tools.memory.embeddings.lexical import Lexical

if TYPE_CHECKING:
    from collections.abc import Callable

    from tools.memory.embeddings.embedder import Embedder

SETTING = "MILLWRIGHT_EMBEDDINGS"


@dataclass(frozen=True)
class Refused:
    """A rung that was not taken, and why."""

    rung: str
    why: str


@dataclass(frozen=True)
class Choice:
    """The rung that was taken, and the better ones that were not."""

    embedder: Embedder
    refused: tuple[Refused, ...] = ()


def choose_embedder(setting: str | None = None) -> Embedder:
    """The best embedder of this machine, or the one that `setting` or `MILLWRIGHT_EMBEDDINGS` names.

    Raises:
        UsageError: the setting names none, or one that this machine does not have.
    """
    return choose(setting).embedder


def choose(setting: str | None = None) -> Choice:
    """The same, with the reasons; a named server that does not answer is one, and the next rung is taken.

    Raises:
        UsageError: as for `choose_embedder`.
    """
    named = setting if setting is not None else os.environ.get(SETTING, "").strip()
    if not named:
        return _first([("ollama", lambda: _ollama(None)), ("onnx", lambda: _onnx(None))])
    kind, colon, rest = named.partition(":")
    if colon and not rest:
        kind = ""
    if named == "lexical":
        return Choice(Lexical())
    if kind == "onnx":
        return Choice(_onnx(Path(rest).expanduser() if rest else None))
    if kind == "ollama":
        try:
            return Choice(_ollama(rest or None))
        except ModelUnavailable as error:
            lower = _first([("onnx", lambda: _onnx(None))])
            return Choice(lower.embedder, (Refused(named, str(error)), *lower.refused))
    raise UsageError(
        f"{SETTING}={named!r} names no embedder; write ollama:NAME, onnx, onnx:FOLDER or lexical, or unset it"
    )


def reopened(fingerprint: str) -> Embedder | None:
    """The embedder that made the vectors of this fingerprint, if this machine still has exactly that one."""
    setting = fingerprint.partition("@")[0]
    try:
        found = choose(setting).embedder
    except MillwrightError:
        return None
    return found if found.fingerprint == fingerprint else None


def _first(rungs: list[tuple[str, Callable[[], Embedder]]]) -> Choice:
    refused: list[Refused] = []
    for name, opened in rungs:
        try:
            return Choice(opened(), tuple(refused))
        except MillwrightError as error:
            refused.append(Refused(name, str(error)))
    return Choice(Lexical(), tuple(refused))


def _ollama(model: str | None) -> Embedder:
    from tools.memory.embeddings.ollama import open_ollama

    return open_ollama(model)


def _onnx(folder: Path | None) -> Embedder:
    from tools.memory.embeddings.onnx import Onnx

    return Onnx(folder)
