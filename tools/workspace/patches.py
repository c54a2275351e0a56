"""One commit as a mail that `git am` turns back into the same files, whatever bytes they hold.

The format is that of `git format-patch --full-index --binary --no-renames`. Text goes as a unified diff; what mail
would change on its way (NUL, carriage returns) goes as a `GIT binary patch`, whole.
"""

from __future__ import annotations

import base64
import difflib
import re
import stat
import zlib
from datetime import UTC, datetime
from email.header import Header
from email.utils import format_datetime, formataddr
from typing import TYPE_CHECKING, Literal

from dulwich.objects import S_ISGITLINK, Blob, Commit

from tools.workspace.trees import EMPTY_TREE, Entry, Trees

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tools.workspace.objects import Objects

_NO_ID = "0" * 40
_CONTEXT = 3
_ALIGNED_PAIRS = 4_000_000
_SUBJECT_IN_NAME = 52
_ROW = 52
_LENGTHS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
# Such lines in a message end it, start the diff, or set another author when git-mailinfo(1) reads them.
_MAIL_SYNTAX = re.compile(
    rb"^(?=---|diff -|Index: |>?From |\[PATCH\]|(From|Subject|Date):)", re.MULTILINE | re.IGNORECASE
)
_ESCAPED = {7: "\\a", 8: "\\b", 9: "\\t", 10: "\\n", 11: "\\v", 12: "\\f", 13: "\\r", 34: '\\"', 92: "\\\\"}


def named_patch(objects: Objects, trees: Trees, commit_id: str, number: int, count: int) -> tuple[str, bytes]:
    """File name and mail of a commit against its first parent; `number` of `count` goes into both."""
    commit = objects.get(commit_id, Commit)
    before = objects.get(commit.parents[0].decode(), Commit).tree.decode() if commit.parents else EMPTY_TREE
    subject, _, body = commit.message.decode(errors="replace").partition("\n")
    diffs = [part for change in trees.changes(before, commit.tree.decode()) for part in _change(objects, *change)]
    head = _head(commit, commit_id, f"[PATCH {number}/{count}] {subject}")
    mail = [
        *head,
        b"",
        _MAIL_SYNTAX.sub(b" ", body.strip("\n").encode()),
        b"---",
        b"",
        *diffs,
        b"-- ",
        b"millwright",
        b"",
    ]
    slug = re.sub(r"[^A-Za-z0-9._]+", "-", subject).replace("..", ".").strip(".-")[:_SUBJECT_IN_NAME].strip(".-")
    return f"{number:04}-{slug or 'commit'}.patch", b"\n".join(mail)


def _head(commit: Commit, commit_id: str, subject: str) -> list[bytes]:
    name, _, address = commit.author.decode(errors="replace").partition(" <")
    date = format_datetime(datetime.fromtimestamp(commit.author_time, UTC))
    fields = {
        "From": formataddr((name, address.rstrip(">"))),
        "Date": date,
        "Subject": _header(subject),
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=UTF-8",
        "Content-Transfer-Encoding": "8bit",
    }
    lines = [f"{field}: {value}".encode() for field, value in fields.items()]
    return [f"From {commit_id} Mon Sep 17 00:00:00 2001".encode(), *lines]


def _header(text: str) -> str:
    return text if text.isascii() else Header(text, "utf-8", maxlinelen=70).encode()


def _change(objects: Objects, path: str, was: Entry | None, now: Entry | None) -> Iterator[bytes]:
    """The lines of one path's diff; another kind of thing is a removal and an addition."""
    if was and now and stat.S_IFMT(was.mode) != stat.S_IFMT(now.mode):
        yield from _change(objects, path, was, None)
        yield from _change(objects, path, None, now)
        return
    left, right = _quoted(f"a/{path}"), _quoted(f"b/{path}")
    yield f"diff --git {left} {right}".encode()
    yield from (line.encode() for line in _modes(was, now))
    if was and now and was.id == now.id:
        return
    mode = f" {was.mode:06o}" if was and now and was.mode == now.mode else ""
    yield f"index {was.id if was else _NO_ID}..{now.id if now else _NO_ID}{mode}".encode()
    old, new = _content(objects, was), _content(objects, now)
    if _survives_mail(old) and _survives_mail(new):
        yield from _text_diff(old, new, left if was else "/dev/null", right if now else "/dev/null")
    else:
        yield b"GIT binary patch"
        yield from (*_literal(new), b"", *_literal(old), b"")


def _modes(was: Entry | None, now: Entry | None) -> list[str]:
    if was is None and now is not None:
        return [f"new file mode {now.mode:06o}"]
    if now is None and was is not None:
        return [f"deleted file mode {was.mode:06o}"]
    assert was is not None
    assert now is not None
    return [f"old mode {was.mode:06o}", f"new mode {now.mode:06o}"] if was.mode != now.mode else []


def _content(objects: Objects, entry: Entry | None) -> bytes:
    if entry is None:
        return b""
    if S_ISGITLINK(entry.mode):
        return f"Subproject commit {entry.id}\n".encode()
    return objects.get(entry.id, Blob).data


def _survives_mail(content: bytes) -> bool:
    return b"\0" not in content and b"\r" not in content


def _text_diff(old: bytes, new: bytes, left: str, right: str) -> Iterator[bytes]:
    if old == new:
        return
    before, after = _lines(old), _lines(new)
    # GNU patch and git take what follows a tab as a time stamp, so a name with a space ends in one.
    yield f"--- {left}".encode() + (b"\t" if " " in left else b"")
    yield f"+++ {right}".encode() + (b"\t" if " " in right else b"")
    for group in _Aligned(before, after).get_grouped_opcodes(_CONTEXT):
        first, last = group[0], group[-1]
        yield f"@@ -{_range(first[1], last[2])} +{_range(first[3], last[4])} @@".encode()
        for tag, i1, i2, j1, j2 in group:
            if tag == "equal":
                yield from _marked(b" ", before[i1:i2])
            else:
                yield from _marked(b"-", before[i1:i2])
                yield from _marked(b"+", after[j1:j2])


class _Aligned(difflib.SequenceMatcher[bytes]):
    """Aligns only what lies between the common beginning and end, and replaces that whole when it is large."""

    def __init__(self, old: Sequence[bytes], new: Sequence[bytes]) -> None:
        """Align two lists of lines."""
        super().__init__(None, old, new)
        self._old, self._new = old, new

    def get_opcodes(self) -> list[tuple[Literal["replace", "delete", "insert", "equal"], int, int, int, int]]:
        """As in difflib, where the work grows with the product of the two lengths and sometimes faster."""
        old, new = self._old, self._new
        shorter = min(len(old), len(new))
        head = next((n for n in range(shorter) if old[n] != new[n]), shorter)
        tail = next((n for n in range(shorter - head) if old[-1 - n] != new[-1 - n]), shorter - head)
        old_end, new_end = len(old) - tail, len(new) - tail
        middle = self._middle(old[head:old_end], new[head:new_end])
        shifted = [(tag, i1 + head, i2 + head, j1 + head, j2 + head) for tag, i1, i2, j1, j2 in middle]
        return [
            ("equal", 0, head, 0, head),
            *shifted,
            ("equal", old_end, len(old), new_end, len(new)),
        ]

    @staticmethod
    def _middle(
        old: Sequence[bytes], new: Sequence[bytes]
    ) -> list[tuple[Literal["replace", "delete", "insert", "equal"], int, int, int, int]]:
        if len(old) * len(new) > _ALIGNED_PAIRS:
            return [("replace", 0, len(old), 0, len(new))]
        return difflib.SequenceMatcher(None, old, new).get_opcodes()


def _range(start: int, stop: int) -> str:
    """A hunk's range as unified diffs count: from line 1, or the line before an empty range."""
    length = stop - start
    if length == 1:
        return str(start + 1)
    return f"{start + 1 if length else start},{length}"


def _marked(mark: bytes, lines: Sequence[bytes]) -> Iterator[bytes]:
    for line in lines:
        yield mark + line.removesuffix(b"\n")
        if not line.endswith(b"\n"):
            yield b"\\ No newline at end of file"


def _lines(content: bytes) -> list[bytes]:
    *whole, rest = content.split(b"\n")
    return [line + b"\n" for line in whole] + ([rest] if rest else [])


def _literal(content: bytes) -> Iterator[bytes]:
    """The content deflated, in rows of a length letter and base 85, as `git diff --binary` writes it."""
    yield f"literal {len(content)}".encode()
    packed = zlib.compress(content)
    for start in range(0, len(packed), _ROW):
        row = packed[start : start + _ROW]
        yield _LENGTHS[len(row) - 1].encode() + base64.b85encode(row, pad=True)


def _quoted(path: str) -> str:
    """The path as git prints it: quoted like a C string when it holds more than plain ASCII."""
    raw = path.encode(errors="surrogateescape")
    if raw.isascii() and path.isprintable() and '"' not in path and "\\" not in path:
        return path
    return '"' + "".join(_ESCAPED.get(b, chr(b) if 32 <= b < 127 else f"\\{b:03o}") for b in raw) + '"'
