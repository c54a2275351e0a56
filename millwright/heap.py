"""One heap for all threads, for processes that live long."""

from __future__ import annotations

import contextlib
import ctypes
import os

M_ARENA_MAX = -8  # mallopt(3)


def share_heap() -> None:
    """Let all threads that begin from now on share one heap of glibc's, unless `MALLOC_ARENA_MAX` says how many.

    By default each thread has its own and keeps the room of the largest task it ever met, times a dozen threads. Of
    these Python lets one run at a time, so none waits for the heap. Where there is no glibc, nothing happens.
    """
    if "MALLOC_ARENA_MAX" not in os.environ:
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).mallopt(M_ARENA_MAX, 1)
