"""Any key, while something runs: the terminal gives keys at once, and is always put back as it was."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Keys:
    """The keyboard of the terminal that the command runs in, if it runs in one."""

    def __init__(self) -> None:
        """Look whether there is a terminal; nothing is changed yet."""
        self._before: list[Any] | None = None
        self._descriptor = sys.stdin.fileno() if sys.stdin is not None and sys.stdin.isatty() else None

    @contextmanager
    def watched(self, pressed: Callable[[], None]) -> Iterator[None]:
        """Call `pressed` at the first key, from the running loop; without a terminal there is none to press."""
        if self._descriptor is None or not _in_foreground(self._descriptor):
            yield
            return
        import termios
        import tty

        loop = asyncio.get_running_loop()
        self._before = termios.tcgetattr(self._descriptor)
        tty.setcbreak(self._descriptor)  # Ctrl+C stays what it is
        loop.add_reader(self._descriptor, self._read, pressed)
        try:
            yield
        finally:
            loop.remove_reader(self._descriptor)
            self.restore()

    def restore(self) -> None:
        """Put the terminal back; also called by whoever ends the process at once."""
        if self._before is not None and self._descriptor is not None:
            import termios

            termios.tcsetattr(self._descriptor, termios.TCSADRAIN, self._before)
            self._before = None

    def _read(self, pressed: Callable[[], None]) -> None:
        assert self._descriptor is not None
        if os.read(self._descriptor, 1024):
            pressed()
        else:  # the terminal is gone
            asyncio.get_running_loop().remove_reader(self._descriptor)


def _in_foreground(descriptor: int) -> bool:
    """Whether the terminal belongs to this process; one in the background is stopped when it changes it."""
    try:
        return os.tcgetpgrp(descriptor) == os.getpgrp()
    except OSError:
        return False
