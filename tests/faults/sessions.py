"""Sessions of the factory that follow each other on one data directory, and what has to hold of all of them together."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tools.memory.database import Database
from tools.memory.library import Library
from tools.memory.records import SkillState
from tools.storage import read_lines
from tools.workspace.ledger import check_chain

if TYPE_CHECKING:
    from pathlib import Path

    from faults.clients import Ended, Launcher
    from servers.ollama import OllamaServer

ENVIRONMENT = {
    "MILLWRIGHT_EMBEDDINGS": "lexical",
    "MILLWRIGHT_CHROMA": "auto",
    "FAULTS_BEFORE_CHROMA": "0",
}


@dataclass
class Night:
    """A data directory on which sessions follow each other."""

    launcher: Launcher
    home: Path
    server: OllamaServer

    def __post_init__(self) -> None:
        self.log = self.home.with_suffix(".jsonl")

    def run(self, *words: str, **options: Any) -> Ended:
        ended = self.launcher.run(*words, home=self.home, **ENVIRONMENT, **options)
        assert not ended.orphans, f"processes were left behind: {ended.orphans}"
        return ended

    def session(self, most: int, *, workers: int = 1, **options: Any) -> Ended:
        words = ("--max-tasks", str(most), "--workers", str(workers), "--log", str(self.log), "--json")
        return self.run("factory", "run", "--base-url", self.server.url, *words, **options)

    def manifests(self) -> dict[str, dict[str, Any]]:
        return {path.parent.name: json.loads(path.read_bytes()) for path in self.home.glob("runs/[!.]*/run.json")}

    def left(self) -> set[str]:
        """The tasks that were begun and are not finished and told."""
        begun = {run for run, manifest in self.manifests().items() if manifest["status"] != "finished"}
        return begun | {path.name for path in self.home.glob("untold/*")}

    def told(self) -> list[dict[str, Any]]:
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return [line for line in map(json.loads, lines) if line["kind"] == "task"]


def places_agree(night: Night) -> None:
    """Database, index, files and Chroma hold the same tools."""
    doctor = night.run("memory", "doctor", "--json")
    assert doctor.code == 0, doctor.out
    assert len(set(doctor.result["counts"].values())) == 1, doctor.result["counts"]


def nothing_lost_and_nothing_twice(night: Night) -> None:
    manifests, told = night.manifests(), night.told()
    assert Counter(line["run"] for line in told) == dict.fromkeys(manifests, 1)
    assert sorted(manifest["drawn"]["number"] for manifest in manifests.values()) == list(range(len(manifests)))
    with_library(night, told)
    for run in manifests:
        calls = [
            line for line, _ in read_lines(night.home / "runs" / run / "cassette.jsonl") if line["kind"] == "call"
        ]
        assert len(calls) == len({(c["branch"], c["step"], c["scope"], c["turn"]) for c in calls})
        check_chain(night.home / "runs" / run / "ledger.jsonl")


def with_library(night: Night, told: list[dict[str, Any]]) -> None:
    """What the library remembers is what was told."""
    library = Library(Database(night.home / "memory" / "memory.sqlite"))
    tasks = library.tasks(limit=10_000)
    skills = library.skills(states=list(SkillState), every_version=True)
    library.database.close()
    assert Counter(task.run for task in tasks) == Counter(line["run"] for line in told)
    outcomes = {task.run: (task.outcome, task.skill or "") for task in tasks}
    assert outcomes == {line["run"]: (line["outcome"], line["skill"]) for line in told}
    admitted = [line["skill"] for line in told if line["outcome"] == "admitted"]
    assert sorted(skill.id for skill in skills) == sorted(admitted)
    assert {skill.id: skill.run for skill in skills} == {
        line["skill"]: line["run"] for line in told if line["outcome"] == "admitted"
    }
