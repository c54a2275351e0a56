"""Threads of a long session share one heap of the C library."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest

THREADS = """
import ctypes, threading
from millwright.heap import share_heap

share_heap()
gate = threading.Barrier(5)

def work():
    gate.wait()
    kept = [bytes(5_000) for _ in range(100)]
    gate.wait()

threads = [threading.Thread(target=work) for _ in range(4)]
for thread in threads:
    thread.start()
gate.wait()
gate.wait()
for thread in threads:
    thread.join()
libc = ctypes.CDLL(None)
libc.malloc_info(0, ctypes.c_void_p.in_dll(libc, "stdout"))
libc.fflush(None)
"""


def heaps(**environment: str) -> int:
    """How many heaps malloc_info(3) tells of in a process whose threads have allocated."""
    given = {name: value for name, value in os.environ.items() if name != "MALLOC_ARENA_MAX"}
    done = subprocess.run(
        [sys.executable, "-c", THREADS], env={**given, **environment}, capture_output=True, text=True, check=True
    )
    return done.stdout.count("<heap ")


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="it is glibc that has a heap for each thread")
def test_threads_share_a_heap_unless_the_environment_says_how_many() -> None:
    assert heaps() == 1
    assert heaps(MALLOC_ARENA_MAX="3") == 3
