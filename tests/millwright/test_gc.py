"""What goes when disk space is given back, and what never does."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from crew import Crew, assignment, writing
from servers.ollama import OllamaServer, Reply, call

from millwright import driving
from millwright.checkpoints import open_sqlite
from millwright.comparing import bisect, point, positions
from millwright.gc import collect, waste
from millwright.overview import described, overview
from millwright.proof import prove
from millwright.replaying import find_cassette, replay
from tools.errors import Fenced, RunUnknown, UsageError
from tools.runs.home import data_dir, run_dir, run_ids
from tools.sandbox.throwaway import LOCK, PREFIX
from tools.storage import canonical
from tools.workspace.snapshots import SnapshotStore
from tools.workspace.trees import EMPTY_TREE

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


async def test_a_suspended_run_that_is_gone_on_with_is_listed_as_running(ollama: Start) -> None:
    away = ollama(lambda _: Reply(status=503, error="server busy"))
    stopped = await driving.build("Write a module.", base_url=away.url, outage_seconds=0)
    assert [row["status"] for row in await overview()] == ["suspended"]
    async with open_sqlite() as driver:
        await driver.aclaim(stopped.run)
        assert [row["status"] for row in await overview()] == ["running"]


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
    pack = run_dir(run) / "objects.git" / "objects" / "pack" / "pack-abcdef.pack"
    pack.write_text("PACK")
    past = time.time() - 2 * 86_400
    for path in (trial, draft, half, tried, pack):
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
            ("leftover", pack, 4),
        }
        assert await collect(found) == 405
    assert [path.exists() for path in (over, used, trial, fresh, draft, half, pack)] == [
        False,
        True,
        False,
        True,
        False,
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

    assert gc("--older-than", "50", "--thin", "45") == "nothing would go\n"
    assert f"history {run}  (finished (PASS) 40 days ago; its last state stays)" in gc("--older-than", "50")
    told = gc()
    assert f"run {run}  (finished (PASS) 40 days ago)" in told
    assert "would be freed; add --apply to do it" in told
    assert json.loads(gc("--json"))["freed"] == 0
    assert run_ids() == [run]
    assert gc("--apply").splitlines()[-1].endswith(" freed")
    assert run_ids() == []


# The history of runs that stay


def mended() -> Crew:
    """A developer's file is written anew by another, so that its first version is history."""
    asks = Reply(tool_calls=[call("raise_callback", level="blocker", subject="one.py", message="N should be 2.")])
    mend = {"blockers": ["B1"], "retry_for": "A1", "title": "Mend", "task": "Mend it.", "paths": ["one.py"]}
    return Crew(
        [assignment("A1", "one.py")],
        {"A1": [asks, *writing({"one.py": "N = 1\n"})], "R100": writing({"one.py": "N = 2\n"})},
        remediation=lambda _: [{**mend, "role": "developer"}],
    )


async def objects_and_checkpoints(run: str) -> tuple[int, int]:
    with SnapshotStore(run_dir(run) / "objects.git") as store:
        return sum(store.objects.stored().values()), await checkpoint_bytes(run)


async def test_a_thinned_run_is_smaller_and_everything_but_its_earlier_points_is_there(ollama: Start) -> None:
    run = await built(ollama(mended()), age=10)
    before, disk = await objects_and_checkpoints(run), (await overview())[0]["bytes"]
    states = await driving.history(run)
    found = await waste(30)
    assert [(w.kind, w.name, w.why) for w in found] == [
        ("history", run, "finished (PASS) 10 days ago; its last state stays")
    ]
    assert await collect(found) == found[0].bytes
    after = await objects_and_checkpoints(run)
    assert sum(before) - sum(after) == found[0].bytes
    assert all(now < then for now, then in zip(after, before, strict=True))
    assert (await overview())[0]["bytes"] < disk
    assert await waste(30) == []
    shown = await described(run)
    assert shown["checkpoints"] == states[:1]
    assert shown["verdict"] == "PASS"
    for source in (run, str(run_dir(run) / f"{run}.zip")):
        assert (await asyncio.to_thread(prove, source)).verdict == "PASS"
    assert (await replay(await asyncio.to_thread(find_cassette, run))).verdict == "PASS"


async def test_a_thinned_run_is_resumed_and_forked_where_it_stands_and_says_why_not_elsewhere(
    ollama: Start,
) -> None:
    server = ollama(mended())
    run = await built(server, age=10)
    first = next(at for at, step in positions(run)[0].items() if step["tree"] not in (None, EMPTY_TREE))
    early = await driving.fork(run, checkpoint=first)
    await collect(await waste(30))
    asked = len(server.chats)
    assert (await driving.resume(run, base_url=server.url)).verdict == "PASS"
    last = await driving.fork(run)
    assert (await driving.resume(last, base_url=server.url)).verdict == "PASS"
    assert len(server.chats) == asked
    with pytest.raises(RunUnknown, match=f"has no checkpoint '{first}'"):
        await driving.fork(run, checkpoint=first)
    with pytest.raises(RunUnknown, match=f"at {first} went when `millwright gc` thinned its history"):
        await point(f"{run}@{first}")
    with pytest.raises(UsageError, match="was thinned"):
        await bisect(run, "python -c pass", sandbox="off")
    assert (await point(run)).tree == (await point(last)).tree
    assert (await driving.resume(early, base_url=server.url)).verdict == "PASS"
    assert len(server.chats) > asked


async def test_only_runs_that_are_over_and_free_are_thinned(ollama: Start) -> None:
    server = ollama(mended())
    young, old = await built(server, age=3), await built(server, age=10)
    waiting = await driving.build("Write two modules.", base_url=server.url, approve=["plan"])
    assert waiting.status == "waiting"
    found = await waste(30, thin=5)
    assert [w.name for w in found] == [old]
    assert [w.name for w in await waste(30, thin=0)] == [old, young]
    async with open_sqlite() as driver:
        await driver.aclaim(old)
        assert await waste(30, thin=5) == []
        assert await collect(found) == 0
    manifest = run_dir(old) / "run.json"
    manifest.write_bytes(canonical({**json.loads(manifest.read_bytes()), "status": "suspended"}))
    assert await collect(found) == 0
    assert len(await driving.history(old)) > 1


KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
from millwright.checkpoints import SqliteCheckpoints
from millwright.gc import collect, waste

moment, seen = int(sys.argv[1]), 0

def counted(real):
    def call(*args, **kwargs):
        global seen
        if seen == moment:
            os.kill(os.getpid(), signal.SIGKILL)
        seen += 1
        return real(*args, **kwargs)
    return call

async def main():
    found = await waste(30)
    SqliteCheckpoints.prune = counted(SqliteCheckpoints.prune)
    Path.unlink = counted(Path.unlink)
    await collect(found)

asyncio.run(main())
"""


@pytest.mark.parametrize("moment", [0, 1, 2])
async def test_a_killed_thinning_leaves_a_run_that_opens_and_is_finished_by_the_next(
    ollama: Start, moment: int
) -> None:
    run = await built(ollama(mended()), age=10)
    done = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", KILLED, str(moment)], capture_output=True, timeout=120
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert (await driving.resume(run)).verdict == "PASS"
    fork = await driving.fork(run)
    assert (run_dir(fork) / "workspace" / "one.py").read_text() == "N = 2\n"
    assert [w.kind for w in await waste(30)] == ["history"]
    await collect(await waste(30))
    assert await waste(30) == []
    assert len(await driving.history(run)) == 1
    assert (await asyncio.to_thread(prove, run)).verdict == "PASS"
