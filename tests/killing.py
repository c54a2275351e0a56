"""A process that is killed between two lines of our code."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType


def killed_at(line: int, work: Callable[[], object], *files: str) -> bool:
    """Do `work` in a child that is killed before the given line (from 1) that runs in `files`; whether it was.

    `files` are ends of source paths.
    """
    child = os.fork()
    if child == 0:
        try:
            sys.settrace(_Fuse(line, files))
            work()
        except BaseException:
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert not os.WIFEXITED(status) or os.WEXITSTATUS(status) == 0, "the work itself failed"
    return os.WIFSIGNALED(status)


def every(step: int, attempt: Callable[[int], bool]) -> Iterator[int]:
    """Each `step`-th line for which `attempt(line)` says that it struck, and at last the one that it outlived."""
    line = 1
    while attempt(line):
        yield line
        line += step
    yield line


class _Fuse:
    def __init__(self, line: int, files: tuple[str, ...]) -> None:
        self.left = line
        self.files = files

    def __call__(self, frame: FrameType, event: str, argument: Any) -> Any:
        if not frame.f_code.co_filename.endswith(self.files):
            return None
        if event == "line":
            self.left -= 1
            if self.left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
        return self
