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
ENVIRONMENT = {"MILLWRIGHT_EMBEDDINGS": "lexical", "MILLWRIGHT_CHROMA": "off"}
MOMENTS = {
    "between a written file and the ledger": (r"write ledger.jsonl done", 1),
    "after the exam, before its step": (r"advance examine", 0),
    "before the admission is committed": (r"commit", 19),
    "between the admission and the files of the tool": (r"mkdir nodes/.new", 0),
    "between the files and the index": (r"replace tools/index.json", 0),
    "between the admission and its step": (r"advance admit", 0),
    "between the record of the task and its report": (r"replace report.json", 0),
}


@dataclass
class Shop:
    """A data directory in which one task is worked on, with the model's server in a process that nobody kills."""

    launcher: Launcher
    home: Path
    server: OllamaServer
    ended: list[Ended] = field(default_factory=list)

    def session(self, **options: Any) -> Ended:
        """One session of one task."""
        words = (*SESSION, "--base-url", self.server.url)
        self.ended.append(self.launcher.run(*words, home=self.home, **ENVIRONMENT, **options))
        assert not self.ended[-1].orphans
        return self.ended[-1]

    def runs(self) -> dict[Path, str]:
        """The runs that were begun, with their status."""
        found = self.home.glob("runs/[!.]*/run.json")
        return {path.parent: json.loads(path.read_bytes())["status"] for path in found}

    def finish(self) -> None:
        """Go on until the task is finished, as whoever starts the command again does."""
        for _ in range(3):
            if "finished" in self.runs().values():
                return
            assert self.session().code == 0, self.ended[-1].err
        raise AssertionError(f"not finished: {self.runs()}")

    def holds(self) -> None:
        """One task and one tool, the same in every place; no finished call was asked for again, nothing was left."""
        (run,) = [path for path, status in self.runs().items() if status == "finished"]
        library = Library(Database(self.home / "memory" / "memory.sqlite"))
        counts = library.counts()
        assert (counts["skills"], counts["active"], counts["tasks"], counts["workflows"]) == (1, 1, 1, 1)
        assert counts["vectors"] == 2  # the skill's and the workflow's
        (skill,) = library.skills()
        assert [path.name for path in (self.home / "nodes").iterdir()] == [skill.id]
        assert [tool["id"] for tool in json.loads((self.home / "tools" / "index.json").read_text())["tools"]] == [
            skill.id
        ]
        (task,) = library.tasks()
        assert (task.outcome, task.skill, task.run, skill.run) == ("admitted", skill.id, run.name, run.name)
        calls = [line for line, _ in read_lines(run / "cassette.jsonl") if line["kind"] == "call"]
        assert len(calls) == len({(c["branch"], c["step"], c["scope"], c["turn"]) for c in calls}) == 4
        asked = Counter(json.dumps(chat.body, sort_keys=True) for chat in self.server.chats)
        assert sum(asked.values()) - len(asked) <= 2  # what was in flight when the process died
        check_chain(run / "ledger.jsonl")
        library.database.close()
        assert unlocked(self.home)


@pytest.fixture
def shop(launcher: Launcher, tmp_path: Path) -> Iterator[Callable[[], Shop]]:
    """Make shops, whose servers are closed at the end of the test."""
    made: list[Shop] = []
    tasks = [draw("any", 0, number) for number in range(4)]

    def make() -> Shop:
        made.append(Shop(launcher, tmp_path / f"home{len(made)}", OllamaServer(solver(tasks)).start()))
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
def test_a_killed_trainer_goes_on_to_one_task_and_one_tool(shop: Callable[[], Shop], moment: str) -> None:
    pattern, nth = MOMENTS[moment]
    struck = shop()
    assert struck.session(**strike(pattern=pattern, nth=nth)).killed
    struck.finish()
    struck.holds()


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("part", range(8))
def test_killed_at_every_durable_operation_of_a_task(shop: Callable[[], Shop], part: int) -> None:
    number, survived = part, 0
    while True:
        struck = shop()
        killed = struck.session(**strike(number=number)).killed
        struck.finish()
        struck.holds()
        if not killed:
            break
        struck.server.close()
        number, survived = number + 8, survived + 1
    assert survived > 20
