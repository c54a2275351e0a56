"""Work that nobody waits for: one thread, which lives as long as there is something to do."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Background:
    """Does `work` again whenever it was asked to, never twice at once."""

    def __init__(self, work: Callable[[], object], name: str) -> None:
        """Start nothing yet."""
        self._work, self._name = work, name
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._pid = 0
        self._again = False
        self._closed = threading.Event()
        self.failure = ""
        """Why the last time ended before its end; empty if it did not."""

    @property
    def closing(self) -> bool:
        """Whether the work is asked to come to an end; what has several steps looks here between them."""
        return self._closed.is_set()

    def pause(self, seconds: float) -> bool:
        """Wait so long within the work, for more to come; tell whether the work may go on."""
        return not self._closed.wait(seconds)

    def ask(self) -> None:
        """Let the work be done soon, once, however often it is asked for meanwhile."""
        with self._lock:
            self._again = True
            if self.closing or (self._thread is not None and self._pid == os.getpid()):
                return
            self._thread, self._pid = threading.Thread(target=self._run, name=self._name, daemon=True), os.getpid()
            self._thread.start()

    def wait(self, seconds: float | None = None) -> None:
        """Wait until nothing is left to do."""
        thread = self._thread
        if thread is not None and self._pid == os.getpid() and thread is not threading.current_thread():
            thread.join(seconds)

    def close(self) -> None:
        """Let the step that is being done end, and do no other."""
        self._closed.set()
        self.wait()

    def _run(self) -> None:
        while True:
            with self._lock:
                if not self._again or self.closing:
                    self._thread = None
                    return
                self._again = False
            try:
                self._work()
                self.failure = ""
            except Exception as error:  # noqa: BLE001 - nobody waits for this thread; the doctor shows what it met
                self.failure = f"{type(error).__name__}: {error}"
