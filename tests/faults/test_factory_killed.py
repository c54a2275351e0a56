"""A trainer that is killed at any durable operation of a task goes on to the same end: one task, one tool, everywhere."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from faults.scenes import strike, unlocked
from servers.ollama import OllamaServer
from toolmakers import solver

from tools.memory.database import Database
from tools.memory.library import Library
from tools.storage import read_lines
from tools.tasks import draw
from tools.workspace.ledger import check_chain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from faults.clients import Ended, Launcher

SESSION = ("factory", "run", "--max-tasks", "1", "--json")
LEXICAL = {"MILLWRIGHT_EMBEDDINGS": "lexical"}
WITHOUT_CHROMA = {**LEXICAL, "MILLWRIGHT_CHROMA": "off"}
# Chroma is fed at once, and not after a pause for which such a short session does not live.
WITH_CHROMA = {**LEXICAL, "MILLWRIGHT_CHROMA": "auto", "FAULTS_BEFORE_CHROMA": "0"}
MOMENTS = {
    "between a written file and the ledger": (r"write ledger.jsonl done", 1),
    "after the exam, before its step": (r"advance examine", 0),
    "before the admission is committed": (r"commit memory/memory.sqlite", 1),
    "between the admission and the files of the tool": (r"mkdir nodes/.new", 0),
    "between the files and the index": (r"replace tools/index.json", 0),
    "between the admission and its step": (r"advance admit", 0),
    "between the record of the task and its report": (r"replace report.json", 0),
}
UNTOLD = {
    "before its last step": (r"advance settle", 0, 0),
    "before its last checkpoint": (r"STEP settle", 0, 0),
    "before it is crossed off": (r"unlink untold/", 0, 1),
}


@dataclass
class Shop:
    """A data directory in which one task is worked on, with the model's server in a process that nobody kills."""

    launcher: Launcher
    home: Path
    server: OllamaServer
    env: dict[str, str] = field(default_factory=lambda: WITHOUT_CHROMA)
    ended: list[Ended] = field(default_factory=list)

    def session(self, **options: Any) -> Ended:
        """One session of one task."""
        words = (*SESSION, "--base-url", self.server.url, "--log", str(self.log))
        self.ended.append(self.launcher.run(*words, home=self.home, **self.env, **options))
        assert not self.ended[-1].orphans
        return self.ended[-1]

    @property
    def log(self) -> Path:
        return self.home.with_suffix(".jsonl")

    def told(self) -> list[str]:
        """The tasks that the log tells of."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return [line["run"] for line in map(json.loads, lines) if line["kind"] == "task"]

    def untold(self) -> list[str]:
        """The tasks that a session is still to tell of."""
        return [path.name for path in self.home.glob("untold/*")]

    def runs(self) -> dict[Path, str]:
        """The runs that were begun, with their status."""
        found = self.home.glob("runs/[!.]*/run.json")
        return {path.parent: json.loads(path.read_bytes())["status"] for path in found}

    def finish(self) -> None:
        """Go on until a task is finished and told, as whoever starts the command again does."""
        for _ in range(3):
            if "finished" in self.runs().values() and not self.untold():
                return
            assert self.session().code == 0, self.ended[-1].err
        raise AssertionError(f"not finished: {self.runs()}")

    def holds(self) -> None:
        """One task and one tool, the same in every place; no finished call was asked for again, nothing was left."""
        (run,) = [path for path, status in self.runs().items() if status == "finished"]
        assert self.told() == [run.name]
        self.agree(run.name)
        calls = [line for line, _ in read_lines(run / "cassette.jsonl") if line["kind"] == "call"]
        assert len(calls) == len({(c["branch"], c["step"], c["scope"], c["turn"]) for c in calls}) == 4
        asked = Counter(json.dumps(chat.body, sort_keys=True) for chat in self.server.chats)
        assert sum(asked.values()) - len(asked) <= 2  # what was in flight when the process died
        check_chain(run / "ledger.jsonl")
        assert unlocked(self.home)

    def agree(self, run: str) -> None:
        """Every place holds the one tool of the run."""
        doctor = self.launcher.run("memory", "doctor", "--json", home=self.home, **self.env)
        assert doctor.code == 0, doctor.out
        there = {place: count for place, count in doctor.result["counts"].items() if count is not None}
        assert set(there.values()) == {1}, there
        assert ("chroma" in there) == (self.env is WITH_CHROMA)
        library = Library(Database(self.home / "memory" / "memory.sqlite"))
        counts = library.counts()
        assert (counts["skills"], counts["active"], counts["tasks"], counts["workflows"]) == (1, 1, 1, 1)
        assert counts["vectors"] == 2  # the skill's and the workflow's
        (skill,), (task,) = library.skills(), library.tasks()
        library.database.close()
        assert [path.name for path in (self.home / "nodes").iterdir()] == [skill.id]
        tools = json.loads((self.home / "tools" / "index.json").read_text())["tools"]
        assert [tool["id"] for tool in tools] == [skill.id]
        assert (task.outcome, task.skill, task.run, skill.run) == ("admitted", skill.id, run, run)


@pytest.fixture
def shop(launcher: Launcher, tmp_path: Path) -> Iterator[Callable[..., Shop]]:
    """Make shops, whose servers are closed at the end of the test."""
    made: list[Shop] = []
    tasks = [draw("any", 0, number) for number in range(4)]

    def make(env: dict[str, str] = WITHOUT_CHROMA) -> Shop:
        made.append(Shop(launcher, tmp_path / f"home{len(made)}", OllamaServer(solver(tasks)).start(), env))
        return made[-1]

    yield make
    for one in made:
        one.server.close()


SOME = (
    "before the admission is committed",
    "between the files and the index",
    "between the admission and its step",
)


@pytest.mark.parametrize("moment", [m if m in SOME else pytest.param(m, marks=pytest.mark.soak) for m in MOMENTS])
def test_a_killed_trainer_goes_on_to_one_task_and_one_tool(shop: Callable[..., Shop], moment: str) -> None:
    pattern, nth = MOMENTS[moment]
    struck = shop()
    assert struck.session(**strike(pattern=pattern, nth=nth)).killed
    struck.finish()
    struck.holds()


@pytest.mark.parametrize(
    "moment", [pytest.param(m, marks=pytest.mark.soak) if m == "before its last step" else m for m in UNTOLD]
)
def test_a_task_that_ended_before_it_was_told_is_told_once_by_the_next_session(
    shop: Callable[..., Shop], moment: str
) -> None:
    pattern, nth, told = UNTOLD[moment]
    struck = shop()
    assert struck.session(**strike(pattern=pattern, nth=nth)).killed
    ((run, status),) = struck.runs().items()
    assert status == "finished"
    assert (struck.told(), struck.untold()) == ([run.name] * told, [run.name])
    next_one = struck.session()
    assert (next_one.result["total"], next_one.result["successful"]) == (1, 1)
    struck.holds()
    assert struck.launcher.run("verify", run.name, home=struck.home, **struck.env).code == 0


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("part", range(8))
@pytest.mark.parametrize("env", [WITHOUT_CHROMA, WITH_CHROMA], ids=["without Chroma", "with Chroma"])
def test_killed_at_every_durable_operation_of_a_task(
    shop: Callable[..., Shop], env: dict[str, str], part: int
) -> None:
    number, survived = part, 0
    while True:
        struck = shop(env)
        killed = struck.session(**strike(number=number)).killed
        struck.finish()
        struck.holds()
        if not killed:
            break
        struck.server.close()
        number, survived = number + 8, survived + 1
    assert survived > 20
