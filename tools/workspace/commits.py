"""Commit objects from text that a model may have written: one author, one time, one clean message, trailers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dulwich.objects import Commit, ObjectID

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


def composed(
    tree: str, *, parents: Sequence[str], author: str, message: str, at: int, trailers: Mapping[str, str]
) -> Commit:
    """A commit whose id depends on nothing but the arguments; empty trailers are left out."""
    commit = Commit()
    commit.tree = ObjectID(tree.encode())
    commit.parents = [ObjectID(parent.encode()) for parent in parents]
    commit.author = commit.committer = _identity(author)
    commit.author_time = commit.commit_time = at
    commit.author_timezone = commit.commit_timezone = 0
    commit.encoding = None
    commit.message = _message(message, trailers)
    return commit


def _identity(author: str) -> bytes:
    name, _, address = _one_line(author).partition("<")
    plain = [part.replace("<", "").replace(">", "").strip() for part in (name, address)]
    return f"{plain[0] or 'millwright'} <{plain[1]}>".encode()


def _message(message: str, trailers: Mapping[str, str]) -> bytes:
    lines = [line.rstrip() for line in _clean(message).strip().split("\n")]
    named = [f"{name}: {_one_line(value)}" for name, value in trailers.items() if value]
    text = "\n".join(lines) or next(iter(named), "No message")
    return "\n".join([text, *(["", *named] if named else []), ""]).encode()


def _one_line(text: str) -> str:
    return " ".join(_clean(text).split())


def _clean(text: str) -> str:
    """Without control characters, which forge terminals and mails, and without lone surrogates."""
    plain = _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    return plain.encode(errors="replace").decode()
