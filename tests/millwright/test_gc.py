"""What goes when disk space is given back, and what never does."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from crew import Crew, assignment, writing
from servers.ollama import OllamaServer, Reply

from millwright import driving
from millwright.checkpoints import open_sqlite
from millwright.gc import collect, waste
from tools.errors import Fenced, RunUnknown
from tools.runs.home import data_dir, run_dir, run_ids
from tools.sandbox.throwaway import LOCK, PREFIX
from tools.storage import canonical

MILLWRIGHT = str(Path(sys.executable).with_name("millwright"))
Start = Callable[..., OllamaServer]


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A temporary directory of this test's own: others leave things in the machine's."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


def crew() -> Crew:
    return Crew([assignment("A1", "one.py")], {"A1": writing({"one.py": "N = 1\n"})})


async def built(server: OllamaServer, run: str | None = None, age: float = 0) -> str:
    """A finished run that nothing was done with for `age` days."""
    made = await driving.build("Write a module.", base_url=server.url, verification="quick", run=run)
    manifest = run_dir(made.run) / "run.json"
    then = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(time.time() - age * 86_400))
    manifest.write_bytes(canonical({**json.loads(manifest.read_bytes()), "changed": then}))
    return made.run


async def checkpoint_bytes(run: str) -> int:
    async with open_sqlite() as saver:
        return await saver.abytes_of(run)


async def test_old_finished_runs_go_with_their_checkpoints_and_young_ones_stay(ollama: Start) -> None:
    server = ollama(crew())
    old, young = await built(server, age=40), await built(server, age=3)
    found = await waste(30)
    assert [(w.kind, w.name, w.why) for w in found] == [("run", old, "finished (PASS) 40 days ago")]
    assert found[0].bytes > await checkpoint_bytes(old) > 0
    assert set(run_ids()) == {old, young}
    assert await collect(found) == found[0].bytes
    assert run_ids() == [young]
    assert (await checkpoint_bytes(old), (await checkpoint_bytes(young)) > 0) == (0, True)
    assert await waste(30) == []


async def test_what_can_be_resumed_goes_only_by_name(ollama: Start) -> None:
    away = ollama(lambda _: Reply(status=503, error="server busy"))
    stopped = await driving.build("Write a module.", base_url=away.url, outage_seconds=0)
    assert stopped.status == "suspended"
    assert await waste(0) == []
    found = await waste(0, [stopped.run[:8]])
    assert [(w.name, w.why) for w in found] == [(stopped.run, "it was named")]
    await collect(found)
    assert run_ids() == []
    with pytest.raises(RunUnknown):
        await waste(0, [stopped.run])


async def test_a_run_that_is_driven_stays_even_by_name(ollama: Start) -> None:
    run = await built(ollama(crew()), age=40)
    found = await waste(30)
    async with open_sqlite() as driver:
        await driver.aclaim(run)
        assert await waste(30) == []
        with pytest.raises(Fenced, match="driven by process"):
            await waste(30, [run])
        assert await collect(found) == 0
    assert run_ids() == [run]


async def test_checkpoints_without_a_run_go(ollama: Start) -> None:
    run = await built(ollama(crew()))
    run_dir(run).rename(data_dir().parent / "elsewhere")
    assert [(w.kind, w.name) for w in await waste(0)] == [("checkpoints", run)]
    await collect(await waste(0))
    assert await checkpoint_bytes(run) == 0


async def test_what_killed_processes_left_goes_and_what_lives_stays(ollama: Start, temporary: Path) -> None:
    run = await built(ollama(crew()))
    over, used = (temporary / f"{PREFIX}{name}" for name in ("over", "used"))
    trial, fresh = temporary / "millwright-trial-old", temporary / "millwright-trial-new"
    tried = run_dir(run) / ".trial.abcdefgh"
    draft, half = data_dir() / "runs" / ".draft.abcdefgh", run_dir(run) / ".run.json.abcdefgh"
    for folder in (over, used, trial, fresh, draft, tried):
        folder.mkdir()
        (folder / LOCK).write_text("x" * 100)
    half.write_text("{")
    past = time.time() - 2 * 86_400
    for path in (trial, draft, half, tried):
        os.utime(path, (past, past))
    with (used / LOCK).open("r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        found = await waste(30)
        assert {(w.kind, Path(w.name), w.bytes) for w in found} == {
            ("sandbox copy", over, 100),
            ("leftover", trial, 100),
            ("leftover", draft, 100),
            ("leftover", tried, 100),
            ("leftover", half, 1),
        }
        assert await collect(found) == 401
    assert [path.exists() for path in (over, used, trial, fresh, draft, half)] == [
        False,
        True,
        False,
        True,
        False,
        False,
    ]
    assert (run_dir(run) / "run.json").exists()


async def test_a_run_that_was_killed_before_it_began_goes_unless_someone_is_at_work_in_it(ollama: Start) -> None:
    server = ollama(crew())
    for name in ("killed", "working", "foreign", "full"):
        (run_dir(name) / "workspace").mkdir(parents=True)
    (run_dir("killed") / ".run.json.abcdefgh").write_text("{")
    (run_dir("full") / "workspace" / "mine").write_text("mine")
    async with open_sqlite() as over:
        for name in ("killed", "full"):
            await over.aclaim(name)
    async with open_sqlite() as driver:
        await driver.aclaim("working")
        assert [(Path(w.name).name, w.why) for w in await waste(0)] == [("killed", "it was killed before it began")]
        run = await built(server)
    assert {path.name for path in (data_dir() / "runs").iterdir()} == {run, "working", "foreign", "full"}
    assert [Path(w.name).name for w in await waste(0) if w.kind == "leftover"] == ["working"]


async def test_a_collection_that_is_killed_is_finished_by_the_next(ollama: Start) -> None:
    """Put aside is as good as gone; its checkpoints are found without a run."""
    run = await built(ollama(crew()), age=40)
    run_dir(run).rename(data_dir() / "runs" / ".gone.abcdefgh")
    found = await waste(0)
    assert {w.kind for w in found} == {"checkpoints", "leftover"}
    await collect(found)
    assert list((data_dir() / "runs").iterdir()) == []
    assert await waste(0) == []


def test_the_command_says_what_would_go_and_does_it_only_with_apply(ollama: Start) -> None:
    run = asyncio.run(built(ollama(crew()), age=40))

    def gc(*words: str) -> str:
        done = subprocess.run([MILLWRIGHT, "gc", *words], capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert gc("--older-than", "50") == "nothing would go\n"
    told = gc()
    assert f"run {run}  (finished (PASS) 40 days ago)" in told
    assert "would be freed; add --apply to do it" in told
    assert json.loads(gc("--json"))["freed"] == 0
    assert run_ids() == [run]
    assert gc("--apply").splitlines()[-1].endswith(" freed")
    assert run_ids() == []
