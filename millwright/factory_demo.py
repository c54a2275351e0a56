"""The recorded session of the factory that comes with the package: five tasks, replayed through the real machinery."""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
import uuid
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agents.models.cassette import CassettePlayer
from millwright.catalogue import FACTORY
from millwright.driving import start
from millwright.factory import library_size
from millwright.factory_summary import Summary
from tools.memory.memory import open_memory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from millwright.factory_summary import Done


def cassettes() -> list[Path]:
    """The recorded tasks, in their order."""
    return sorted(Path(str(files("millwright") / "cassettes" / "factory")).glob("*.jsonl"))


async def play(tell: Callable[[Done], None], say: Callable[[str], None]) -> Summary:
    """Replay the session in a library of its own, which goes away again; return what it came to.

    Raises:
        CassetteDivergence: this machine does not come to what was recorded.
    """
    summary, began = Summary(), time.monotonic()
    with _fresh_home():
        say("a recorded session of five tasks: only the model's answers come from the recording")
        for path in cassettes():
            begun = time.monotonic()
            player = await asyncio.to_thread(CassettePlayer, path)
            settings: dict[str, Any] = {**player.header["settings"], "model": f"cassette:{path}", "base_url": None}
            result = await start(FACTORY, player.header["inputs"], run=str(uuid.uuid4()), **settings)
            tell(summary.finished(result, time.monotonic() - begun, await asyncio.to_thread(library_size)))
        await asyncio.to_thread(lambda: open_memory().close())
    summary.seconds = time.monotonic() - began
    return summary


@contextmanager
def _fresh_home() -> Iterator[None]:
    """A data directory that lasts as long as the session does, found by words alone, so that nothing is asked for."""
    before = {name: os.environ.get(name) for name in ("MILLWRIGHT_HOME", "MILLWRIGHT_EMBEDDINGS")}
    with tempfile.TemporaryDirectory(prefix="millwright-factory-", ignore_cleanup_errors=True) as folder:
        os.environ |= {"MILLWRIGHT_HOME": folder, "MILLWRIGHT_EMBEDDINGS": "lexical"}
        try:
            yield
        finally:
            _put_back(before)


def _put_back(before: Mapping[str, str | None]) -> None:
    for name, value in before.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
