"""Replaying a recorded run without a model, and comparing what it ends with."""

from __future__ import annotations

import asyncio
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agents.models.cassette import CassettePlayer
from millwright.catalogue import FACTORY
from millwright.driving import Result, build, resume, start
from tools.errors import CassetteDivergence, CassetteError, RunUnknown
from tools.runs.home import data_dir, find_run, run_dir
from tools.runs.run import open_run
from tools.storage import write_atomic
from tools.workspace.archive import read_zip
from tools.workspace.ledger import sha256

if TYPE_CHECKING:
    from collections.abc import Callable

    from tools.storage import Record

    Listener = Callable[[Record], None] | None

CASSETTE = "cassette.jsonl"


def demo_cassette() -> Path:
    """The recorded build that comes with the package."""
    return Path(str(files("millwright") / "cassettes" / "demo.jsonl"))


async def replay(cassette: Path, *, listener: Listener = None) -> Result:
    """Run what was recorded again and compare its deliverables byte by byte.

    Raises:
        CassetteError, CassetteVersion: it cannot be read.
        CassetteDivergence: naming the first call that differs, or the first file.
    """
    player = await asyncio.to_thread(lambda: CassettePlayer(cassette.absolute()))
    if player.header.get("graph") == FACTORY:
        result = await _made_again(player, listener)
    else:
        result = await _built_again(player, listener)
    if result.status == "finished":
        await asyncio.to_thread(_compare, result, player.end)
    return result


async def _built_again(player: CassettePlayer, listener: Listener) -> Result:
    # What a replay rebuilds is compared, not delivered a second time.
    approve = ["delivery"] if player.header.get("into") else []
    settings = {**_settings(player), "approve": approve}
    result = await build(player.header["goal"], into=player.header.get("into"), listener=listener, **settings)
    if result.status == "waiting":
        result = await resume(result.run, answer={"approve": False}, listener=listener)
    return result


async def _made_again(player: CassettePlayer, listener: Listener) -> Result:
    # What the recorded run found in the library is recorded as well; a replay adds nothing to it.
    settings = {**_settings(player), "remember": False}
    return await start(FACTORY, player.header["inputs"], listener=listener, **settings)


def _settings(player: CassettePlayer) -> dict[str, Any]:
    return {**player.header.get("settings", {}), "model": f"cassette:{player.path}", "base_url": None}


def find_cassette(name: str) -> Path:
    """The cassette that a person named: a run, a zip, or a cassette file.

    Raises:
        CassetteError: it is none of them.
    """
    path = Path(name)
    if path.suffix == ".zip" and path.is_file():
        return _unpacked(path)
    if path.is_file():
        return path
    try:
        return run_dir(find_run(name)) / CASSETTE
    except RunUnknown as error:
        raise CassetteError(f"{name!r} is neither a cassette file, nor a zip, nor a run: {error}") from error


def _unpacked(path: Path) -> Path:
    with read_zip(path) as archive:
        if CASSETTE not in archive.names:
            raise CassetteError(f"{str(path)!r} holds no {CASSETTE}")
        content = archive.read(CASSETTE)
    # Kept by its hash, for a replay that is suspended reads it again when it goes on.
    target = data_dir() / "cassettes" / f"{sha256(content)[:32]}.jsonl"
    write_atomic(target, content)
    return target


def _compare(result: Result, end: dict[str, Any]) -> None:
    if not end:
        return
    run = open_run(result.run)
    for path, recorded in end["deliverables"].items():
        info = run.files.info(path)
        found = None if info is None else info.sha256
        if found != recorded:
            raise CassetteDivergence(
                f"the replay ends with another {path}: recorded sha256 {recorded}, now {found}"
            )
    if result.verdict != end["verdict"]:
        raise CassetteDivergence(f"the replay ends with {result.verdict}, the recording with {end['verdict']}")
