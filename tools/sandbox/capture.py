"""Output of a process, kept within bounds while it is read."""

from __future__ import annotations

import hashlib


class Capture:
    """One stream: the first and the last bytes are kept, all are counted and hashed, one word is taken out."""

    def __init__(self, limit: int, *, without: bytes = b"") -> None:
        """Keep `limit` bytes; remove every `without` (a copy's path, so that output is the same everywhere)."""
        self.total = 0
        self._half = max(limit // 2, 1)
        self._head = bytearray()
        self._tail = bytearray()
        self._digest = hashlib.sha256()
        self._without = without
        self._pending = b""

    def feed(self, data: bytes) -> None:
        """Take the next bytes in."""
        if not self._without:
            self._keep(data)
            return
        *before, data = (self._pending + data).split(self._without)
        # What stood on both sides of the word never becomes the word itself, as in one pass over the whole stream.
        self._keep(b"".join(before))
        held_back = _beginning_of(self._without, data)
        self._pending = data[len(data) - held_back :]
        self._keep(data[: len(data) - held_back])

    def close(self) -> None:
        """Take in what was held back as the possible beginning of the word."""
        self._keep(self._pending)
        self._pending = b""

    @property
    def cut(self) -> int:
        """How many bytes in the middle were not kept."""
        return self.total - len(self._head) - len(self._tail)

    @property
    def digest(self) -> bytes:
        """The SHA-256 of the whole stream, cut or not."""
        return self._digest.digest()

    def text(self) -> str:
        """What was kept, with one line in the place of what was cut; bytes that are not UTF-8 are replaced."""
        if not self.cut:
            return (self._head + self._tail).decode(errors="replace")
        head, tail = self._head.decode(errors="replace"), self._tail.decode(errors="replace")
        return f"{head}\n[... {self.cut} bytes of output cut ...]\n{tail}"

    def _keep(self, data: bytes) -> None:
        self.total += len(data)
        self._digest.update(data)
        room = self._half - len(self._head)
        self._head += data[:room]
        self._tail += data[room:]
        del self._tail[: max(len(self._tail) - self._half, 0)]


def _beginning_of(word: bytes, data: bytes) -> int:
    """The length of the longest end of `data` with which `word` begins."""
    return next((size for size in range(min(len(word) - 1, len(data)), 0, -1) if data.endswith(word[:size])), 0)
