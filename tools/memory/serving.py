"""Which embedder's vectors are searched: the chosen one's, or while those are being made, the ones before."""

from __future__ import annotations

import os
import threading
import time
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING

from tools.errors import ModelUnavailable
from tools.memory.reembedding import drop, embed_some, missing, spaces

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tools.memory.embeddings.choosing import Choice
    from tools.memory.embeddings.embedder import Embedder
    from tools.memory.library import Library
    from tools.memory.spaces import Space

# A rung above may have come back: a model server that was started since.
CHOOSE_AGAIN_SECONDS = 300.0


class Serving:
    """The embedder of a memory, and its vectors. Safe to share between threads."""

    def __init__(self, library: Library, folder: Path, lacking: Callable[[], None]) -> None:
        """Choose nothing yet; `folder` is Chroma's, `lacking` is called where vectors have to be made."""
        self._library, self._folder, self._lacking = library, folder, lacking
        self._lock = threading.RLock()
        self._choice: Choice | None = None
        self._chosen_at = 0.0
        self._space: Space | None = None

    @property
    def choice(self) -> Choice:
        """The embedder that was chosen when it was first needed, and why no better one was.

        Raises:
            UsageError: `MILLWRIGHT_EMBEDDINGS` names none that can be had.
        """
        from tools.memory.embeddings.choosing import choose

        with self._lock:
            stale = self._chosen_at + CHOOSE_AGAIN_SECONDS < time.monotonic()
            if self._choice is None or (stale and self._choice.refused):
                self._choice, self._chosen_at = choose(), time.monotonic()
            return self._choice

    @cached_property
    def chroma(self) -> str:
        """How Chroma is to be used: auto, off or a server's URL."""
        from tools.memory.chroma import SETTING

        return os.environ.get(SETTING, "").strip() or "auto"

    def space(self) -> Space:
        """The vectors that are searched now."""
        wanted = self.choice.embedder
        with self._lock:
            space = self._space
            if space is not None and space.embedder.fingerprint == wanted.fingerprint:
                return space
            if space is None or not missing(self._library, wanted.fingerprint):
                space = self._opened(self._fullest(wanted))
            return space

    def vector(self, text: str) -> tuple[str, bytes] | None:
        """Fingerprint and vector of a text; None while the embedder is away: it is made when that is back."""
        embedder = self.choice.embedder
        try:
            return embedder.fingerprint, embedder.embed([text])[0].tobytes()
        except ModelUnavailable:
            return None

    def embed_rest(self, ending: Callable[[], bool]) -> None:
        """Embed what has no vector yet, until `ending`; an embedder that is away is asked again another time."""
        with suppress(ModelUnavailable):
            while not ending() and embed_some(self._library, self.choice.embedder):
                pass

    def renew(self) -> int:
        """Embed all that lacks a vector, drop the spaces before and make the index anew; return how many it were.

        Raises:
            ModelUnavailable: the embedder does not answer; what was there is kept.
        """
        embedder, count = self.choice.embedder, 0
        while embedded := embed_some(self._library, embedder):
            count += embedded
        for fingerprint in spaces(self._library):
            if fingerprint != embedder.fingerprint:
                drop(self._library, fingerprint)
        with self._lock:
            self._opened(embedder).chroma.rebuild()
        return count

    def close(self) -> None:
        """Give the vector index back."""
        with self._lock:
            if self._space is not None:
                self._space.chroma.close()

    def _fullest(self, wanted: Embedder) -> Embedder:
        """The wanted embedder, unless one that this machine still has made more of the vectors."""
        from tools.memory.embeddings.choosing import reopened

        if not missing(self._library, wanted.fingerprint):
            return wanted
        self._lacking()
        there = spaces(self._library)
        fuller = sorted((f for f in there if there[f] > there.get(wanted.fingerprint, 0)), key=lambda f: -there[f])
        return next((found for f in fuller if (found := reopened(f)) is not None), wanted)

    def _opened(self, embedder: Embedder) -> Space:
        from tools.memory.spaces import Space

        before = self._space
        if before is not None and before.embedder.fingerprint == embedder.fingerprint:
            return before
        if before is not None:
            before.chroma.close()
        self._space = Space(self._library.database, embedder, self._folder, self.chroma)
        return self._space
