"""The recorded session of the factory that comes with the package: five tasks, replayed through the real machinery."""

from __future__ import annotations

import asyncio
import os
import shutil
import time
import uuid
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agents.models.cassette import CassettePlayer
from millwright.catalogue import FACTORY
from millwright.driving import start
from millwright.factory import told
from millwright.factory_summary import Summary
from tools.memory.locks import locked
from tools.memory.memory import open_memory
from tools.runs.home import data_dir

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from millwright.factory_summary import Done

KEPT = "factory-demo"
"""What the last session left, in the data directory: a data directory of its own."""


def cassettes() -> list[Path]:
    """The recorded tasks, in their order."""
    return sorted(Path(str(files("millwright") / "cassettes" / "factory")).glob("*.jsonl"))


async def play(tell: Callable[[Done], None], say: Callable[[str], None]) -> Summary:
    """Replay the session in a library of its own, which stays for who wants to look; return what it came to.

    Raises:
        CassetteDivergence: this machine does not come to what was recorded.
        StorageFailed: the disk refused.
    """
    home = await asyncio.to_thread(data_dir) / KEPT
    summary, began = Summary(home=str(home)), time.monotonic()
    with _fresh_home(home):
        say("a recorded session of five tasks: only the model's answers come from the recording")
        for path in cassettes():
            begun = time.monotonic()
            player = await asyncio.to_thread(CassettePlayer, path)
            settings: dict[str, Any] = {**player.header["settings"], "model": f"cassette:{path}", "base_url": None}
            result = await start(FACTORY, player.header["inputs"], run=str(uuid.uuid4()), **settings)
            tell(await told(summary, result, time.monotonic() - begun))
    summary.seconds = time.monotonic() - began
    return summary


@contextmanager
def _fresh_home(home: Path) -> Iterator[None]:
    """A data directory of its own in the place of the last session's, searched by words alone so that nothing is asked for.

    Two sessions take turns.
    """
    before = {name: os.environ.get(name) for name in ("MILLWRIGHT_HOME", "MILLWRIGHT_EMBEDDINGS")}
    with locked(home.with_suffix(".lock")):
        shutil.rmtree(home, ignore_errors=True)
        os.environ |= {"MILLWRIGHT_HOME": str(home), "MILLWRIGHT_EMBEDDINGS": "lexical"}
        try:
            yield
            open_memory().close()
        finally:
            _put_back(before)


def _put_back(before: Mapping[str, str | None]) -> None:
    for name, value in before.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
