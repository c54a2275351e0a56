"""Two runs side by side, and where a command began to fail."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from crew import Crew, assignment, writing
from hypothesis import given, settings
from hypothesis import strategies as st
from servers.ollama import OllamaServer

from millwright import driving
from millwright.comparing import bisect, difference, point, points, search
from tools.errors import RunUnknown, UsageError
from tools.runs.home import run_dir

MILLWRIGHT = str(Path(sys.executable).with_name("millwright"))
NAMES = ("one", "two", "three", "four", "five")
Start = Callable[..., OllamaServer]


def chain(broken: str = "", **texts: str) -> Crew:
    """Five modules, one wave each; from `broken` on the program does not start."""
    plan = [
        assignment(f"A{n}", f"{name}.py", after=[f"A{n - 1}"] if n else []) for n, name in enumerate(NAMES)
    ]  # fmt: skip
    written = {
        name: texts.get(name, "raise SystemExit(3)\n" if name == broken else f"N = {n}\n")
        for n, name in enumerate(NAMES)
    }
    return Crew(plan, {f"A{n}": writing({f"{name}.py": written[name]}) for n, name in enumerate(NAMES)})


async def built(server: OllamaServer) -> str:
    result = await driving.build("Write five modules.", base_url=server.url, verification="quick")
    assert result.verdict == "PASS", result.reasons
    return result.run


def millwright(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([MILLWRIGHT, *words], capture_output=True, text=True, timeout=120)


async def test_the_files_of_two_runs_are_compared(ollama: Start) -> None:
    one = await built(ollama(chain()))
    two = await built(ollama(chain(two="N = 20\n", five="N = 4")))
    assert difference(await point(one), await point(one)) == ""
    assert difference(await point(one), await point(two)) == (
        "--- a/five.py\n+++ b/five.py\n@@ -1 +1 @@\n-N = 4\n+N = 4\n\\ No newline at end of file\n"
        "--- a/two.py\n+++ b/two.py\n@@ -1 +1 @@\n-N = 1\n+N = 20\n"
    )
    assert (millwright("runs", "diff", one, one).returncode, millwright("runs", "diff", one, two).returncode) == (
        0,
        1,
    )


async def test_checkpoints_are_named_by_position_and_by_id(ollama: Start) -> None:
    run = await built(ollama(chain()))
    states = await driving.history(run)
    (checkpoint,) = [s["checkpoint"] for s in states if s["position"] == "0.3"][:1]
    early = await point(f"{run}@0.3")
    assert (early, early.node) == (await point(f"{run[:8]}@{checkpoint}"), "check")
    added = difference(early, await point(run))
    assert [line for line in added.splitlines() if line.startswith("+++")] == [
        f"+++ b/{name}.py" for name in sorted(NAMES[1:])
    ]
    assert added.count("--- /dev/null") == 4
    assert difference(await point(f"{run}@0.0"), early) == "--- /dev/null\n+++ b/one.py\n@@ -0,0 +1 @@\n+N = 0\n"
    with pytest.raises(RunUnknown, match=r"has no '7\.7'"):
        await point(f"{run}@7.7")
    done = millwright("runs", "diff", f"{run}@7.7", run)
    assert (done.returncode, "has no '7.7'" in done.stderr) == (2, True)


async def test_bisect_finds_the_first_checkpoint_where_a_command_fails(ollama: Start) -> None:
    run = await built(ollama(chain("four")))
    script = "import glob, importlib; [importlib.import_module(p[:-3]) for p in sorted(glob.glob('*.py'))]"
    command = f'python -c "{script}"'
    assert [p.position for p in points(run)] == ["0.3", "0.4", "0.5", "0.6", "0.7"]
    found = await bisect(run, command)
    assert (str(found.bad), str(found.good)) == (f"{run}@0.6", f"{run}@0.5")
    assert found.failure is not None
    assert found.failure.exit_code == 3
    assert (found.tried, found.points) == (3, 5)
    done = millwright("runs", "bisect", run, "--check", command)
    assert done.returncode == 0, done.stderr
    assert f"fails from {run}@0.6 on, which check left behind (3 of 5 different states were tried)" in done.stdout
    assert "+raise SystemExit(3)" in difference(found.good, found.bad)


async def test_bisect_says_when_there_is_nothing_to_find(ollama: Start) -> None:
    run = await built(ollama(chain()))
    done = millwright("runs", "bisect", run, "--check", "python -c 'import one'", "--json")
    assert (done.returncode, json.loads(done.stdout)["bad"]) == (1, None)
    nowhere = await bisect(run, "python -c 'import six'")
    assert (nowhere.good, nowhere.bad, nowhere.tried) == (None, points(run)[0], 5)
    with pytest.raises(UsageError, match="not a command line"):
        await bisect(run, "python 'one")


async def test_reading_a_run_changes_nothing_in_it(ollama: Start) -> None:
    run = await built(ollama(chain()))
    root = run_dir(run)
    before = {p: p.stat().st_mtime_ns for p in root.rglob("*")}
    await bisect(run, "python -c 'import five'")
    difference(await point(f"{run}@0.3"), await point(run))
    assert {p: p.stat().st_mtime_ns for p in root.rglob("*")} == before


async def test_a_fork_is_compared_with_its_origin(ollama: Start) -> None:
    server = ollama(chain())
    run = await built(server)
    forked = await driving.fork(run, checkpoint="0.5")
    assert difference(await point(f"{run}@0.5"), await point(forked)) == ""
    assert difference(await point(forked), await point(run)).count("+++ b/") == 2


@settings(deadline=None, max_examples=50)
@given(st.lists(st.booleans(), min_size=1, max_size=40))
async def test_the_search_ends_at_neighbours_and_never_tries_one_twice(outcomes: list[bool]) -> None:
    tried: list[int] = []

    async def passes(index: int) -> bool:
        tried.append(index)
        return outcomes[index]

    known: dict[int, Any] = {}

    async def once(index: int) -> bool:
        if index not in known:
            known[index] = await passes(index)
        return bool(known[index])

    good, bad = await search(len(outcomes), once)
    if bad is None:
        assert outcomes[-1]
    elif good is None:
        assert not any(outcomes)
    else:
        assert (bad, outcomes[good], outcomes[bad]) == (good + 1, True, False)
    if sorted(outcomes, reverse=True) == outcomes and outcomes[0]:
        assert len(tried) <= 2 * len(outcomes).bit_length() + 1
