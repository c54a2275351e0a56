"""The recorded session of the factory that comes with the package: five tasks, replayed through the real machinery."""

from __future__ import annotations

import asyncio
import os
import shutil
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
from millwright.factory import told
from millwright.factory_summary import Summary
from tools.memory.memory import open_memory
from tools.runs.home import data_dir
from tools.storage import storage_failed

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
    """
    summary, began = Summary(), time.monotonic()
    with _fresh_home(await asyncio.to_thread(data_dir)) as home:
        say("a recorded session of five tasks: only the model's answers come from the recording")
        for path in cassettes():
            begun = time.monotonic()
            player = await asyncio.to_thread(CassettePlayer, path)
            settings: dict[str, Any] = {**player.header["settings"], "model": f"cassette:{path}", "base_url": None}
            result = await start(FACTORY, player.header["inputs"], run=str(uuid.uuid4()), **settings)
            tell(await told(summary, result, time.monotonic() - begun))
        await asyncio.to_thread(lambda: open_memory().close())
    summary.seconds = time.monotonic() - began
    summary.home = str(home)
    return summary


@contextmanager
def _fresh_home(parent: Path) -> Iterator[Path]:
    """A data directory of its own, searched by words alone so that nothing is asked for; it takes the last one's place.

    It is made beside that place: a session that is broken off leaves the last one as it was.
    """
    before = {name: os.environ.get(name) for name in ("MILLWRIGHT_HOME", "MILLWRIGHT_EMBEDDINGS")}
    try:
        folder = Path(tempfile.mkdtemp(prefix=f".{KEPT}.", dir=parent))
    except OSError as error:
        raise storage_failed(error, parent) from error
    os.environ |= {"MILLWRIGHT_HOME": str(folder), "MILLWRIGHT_EMBEDDINGS": "lexical"}
    try:
        yield parent / KEPT
        _keep(folder, parent / KEPT)
    finally:
        _put_back(before)
        shutil.rmtree(folder, ignore_errors=True)


def _keep(folder: Path, kept: Path) -> None:
    shutil.rmtree(kept, ignore_errors=True)
    try:
        folder.rename(kept)
    except OSError as error:
        raise storage_failed(error, kept) from error


def _put_back(before: Mapping[str, str | None]) -> None:
    for name, value in before.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
