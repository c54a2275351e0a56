"""What is built while clients are struck, and what has to hold afterwards."""

from __future__ import annotations

import json
import shutil
import sqlite3
import tempfile
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crew import Crew, assignment, writing
from servers.ollama import OllamaServer

from millwright.checkpoints.driver import Driver
from tools.storage import read_lines
from tools.workspace.ledger import check_chain, sha256
from tools.workspace.names import TEMPORARY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from faults.clients import Ended, Launcher
    from faults.points import Strike

GOAL = "Write a small library of numbers."
_ADD = 'def add(a: int, b: int) -> int:\n    """Add two numbers."""\n    return a + b\n'
_TEST = "from n1 import add\n\n\ndef test_add() -> None:\n    assert add(2, 3) == 5\n"
TRIES = 4
IN_FLIGHT = 4  # calls at once, unless a build is told otherwise


def small() -> Crew:
    """Two developers side by side, a tester after them, and a claim that has to be remediated."""
    plan = [
        assignment("A1", "n1.py"),
        assignment("A2", "n2.py"),
        assignment("A3", "test_n1.py", role="tester", after=["A1", "A2"]),
    ]
    scripts = {
        "A1": writing({"n1.py": _ADD}),
        "A2": writing({"n2.py": "N = 2\n"}, claims=["n2.py", "notes.md"]),
        "A3": writing({"test_n1.py": _TEST}),
        "R100": writing({"notes.md": "# Notes\n"}),
    }
    mend = {"blockers": ["B1"], "retry_for": "A2", "title": "Mend", "task": "Write it.", "paths": ["notes.md"]}
    return Crew(plan, scripts, remediation=lambda _: [{**mend, "role": "developer"}])


def large(count: int = 20) -> Crew:
    """That many developers in waves of four, each with a file of its own."""
    names = [f"A{n}" for n in range(1, count + 1)]
    plan = [
        assignment(name, f"part/n{n}.py", after=names[(n // 4 - 1) * 4 : n // 4 * 4] if n >= 4 else [])
        for n, name in enumerate(names)
    ]
    return Crew(plan, {name: writing({f"part/n{n}.py": f"N = {n}\n" * 50}) for n, name in enumerate(names)})


@dataclass
class Outcome:
    """What a build came to, without what differs from run to run."""

    verdict: str
    files: dict[str, bytes]
    report: dict[str, Any]
    patches: list[str]
    calls: int


@dataclass
class Figures:
    """What one trial cost.

    A call that was not in the journal at a kill is asked again; one that was finished, and so in the journal, would
    be repeated.
    """

    point: str = ""
    clients: int = 0
    kills: int = 0
    calls: int = 0
    calls_asked_again: int = 0
    calls_repeated: int = 0
    writes_repeated: int = 0
    bytes_lost: int = 0


@dataclass
class Scene:
    """One build on a data directory of its own, with the model's server in a process that nobody kills."""

    launcher: Launcher
    root: Path
    crew: Any
    options: tuple[str, ...] = ()
    env: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.home = self.root / "home"
        self.root.mkdir(parents=True, exist_ok=True)
        # A name that is short enough for the sockets of the sandbox's self-test.
        self.temp = Path(tempfile.mkdtemp(prefix="faults-"))
        self.server = OllamaServer(self.crew).start()

    def close(self) -> None:
        self.server.close()
        shutil.rmtree(self.temp)

    def build(self, **strike: Any) -> Ended:
        return self.launcher.run(*self.build_words, **self.where, **strike)

    def resume(self, *words: str, **strike: Any) -> Ended:
        return self.launcher.run("runs", "resume", self.run, *words, "--json", **self.where, **strike)

    def go_on(self, **strike: Any) -> Ended:
        """Resume the run, or begin it when the client did not live long enough to begin."""
        return self.resume(**strike) if self.begun else self.build(**strike)

    @property
    def build_words(self) -> tuple[str, ...]:
        return "build", GOAL, "--base-url", self.server.url, *self.options, "--json"

    @property
    def where(self) -> dict[str, Any]:
        return {"home": self.home, "TMPDIR": str(self.temp), **self.env}

    @property
    def runs(self) -> list[str]:
        """The ids of the runs that are no forks."""
        manifests = {
            path.parent.name: json.loads(path.read_bytes()) for path in self.home.glob("runs/[!.]*/run.json")
        }
        return [name for name, manifest in manifests.items() if "forked_from" not in manifest]

    @property
    def begun(self) -> bool:
        return bool(self.runs)

    @property
    def run(self) -> str:
        (found,) = self.runs
        return found

    @property
    def directory(self) -> Path:
        return self.home / "runs" / self.run

    def lines(self, log: str) -> list[dict[str, Any]]:
        return [record for record, _ in read_lines(self.directory / log)] if self.begun else []

    def calls_kept(self) -> int:
        """Model calls that are finished as the journal knows it."""
        return sum(line["kind"] == "call" for line in self.lines("cassette.jsonl"))

    def files(self) -> dict[str, bytes]:
        root = self.directory / "workspace"
        return {str(p.relative_to(root)): p.read_bytes() for p in sorted(root.rglob("*")) if p.is_file()}

    def bytes_missing(self) -> int:
        """Bytes of finished writes that are not on the disk."""
        done: dict[str, dict[str, Any]] = {}
        pending = set()
        for line in self.lines("ledger.jsonl"):
            if line.get("state") == "done":
                done[line["path"]] = line
                pending.discard(line["path"])
            elif line.get("state") == "intent":
                pending.add(line["path"])
        files = {path: sha256(content) for path, content in self.files().items()} if done else {}
        return sum(x["size"] for p, x in done.items() if p not in pending and files.get(p) != x["after"])

    def outcome(self) -> Outcome:
        report = json.loads((self.directory / "report.json").read_bytes())
        for name in ("run", "finished", "ledger_head", "sandbox"):
            report.pop(name)
        for spent in (*report["spending"].values(), *report["models"].values()):
            spent.pop("seconds")
        patches = sorted(path.name for path in (self.directory / "patches").glob("*.patch"))
        return Outcome(report["verdict"], self.files(), report, patches, self.calls_kept())


def disturbed(scene: Scene, strikes: list[dict[str, Any]]) -> tuple[Ended, Figures]:
    """Build under strikes, one client after the other; then resume until the run ends, and count what it cost."""
    figures = Figures()
    ended: Ended | None = None
    for strike in [*strikes, *[{}] * TRIES]:
        ended = scene.go_on(**strike)
        figures.clients += 1
        assert not ended.orphans, f"processes were left behind: {ended.orphans}"
        if not ended.killed and not strike:
            break
        if ended.killed:
            figures.point = ended.points[-1].partition(" ")[2] if ended.points else "before the first"
            figures.bytes_lost += scene.bytes_missing()
            figures.kills += 1
    assert ended is not None
    _count(scene, figures, scene.server.chats)
    return ended, figures


@dataclass(frozen=True)
class Kept:
    """What a killed client would have left at one point: the data directory, and how many calls it had made."""

    point: str
    home: Path
    chats: int


def stopped(scene: Scene, first: int, every: int) -> list[Kept]:
    """Build while the client is stopped at every so many points, and its disk copied: what a kill there leaves."""
    from faults.points import Strike

    strike = Strike("SIGSTOP", number=first, every=every)
    client = scene.launcher.start(*scene.build_words, **scene.where, strike=strike)
    found = []
    for number, _ in enumerate(client.stops()):
        copy = scene.root / f"kept{number}"
        shutil.copytree(scene.home, copy, symlinks=True)
        point = (client.folder / "points").read_text().splitlines()[-1].partition(" ")[2]
        found.append(Kept(point, copy, len(scene.server.chats)))
    assert client.ended().code == 0
    return found


def taken_up(scene: Scene, kept: Kept) -> tuple[Ended, Figures]:
    """Let a new client go on from what was left at a point, in the same place, and count what it cost."""
    shutil.rmtree(scene.home)
    kept.home.rename(scene.home)
    figures = Figures(kept.point, clients=2, kills=1, bytes_lost=scene.bytes_missing())
    before = len(scene.server.chats)
    ended = scene.go_on()
    assert not ended.orphans, f"processes were left behind: {ended.orphans}"
    _count(scene, figures, [*scene.server.chats[: kept.chats], *scene.server.chats[before:]])
    return ended, figures


def _count(scene: Scene, figures: Figures, chats: Sequence[Any]) -> None:
    seen = Counter(json.dumps(chat.body, sort_keys=True) for chat in chats)
    figures.calls = len(chats)
    figures.calls_asked_again = sum(seen.values()) - len(seen)
    calls = [line for line in scene.lines("cassette.jsonl") if line["kind"] == "call"]
    places = {(call["branch"], call["step"], call["scope"], call["turn"]) for call in calls}
    figures.calls_repeated = len(calls) - len(places)
    keys = Counter(line["key"] for line in scene.lines("ledger.jsonl") if line.get("state") == "done")
    figures.writes_repeated = sum(keys.values()) - len(keys)


def holds(scene: Scene, ended: Ended, figures: Figures, whole: Outcome) -> None:
    """Assert that a disturbed build came to what the undisturbed one did, and left nothing behind."""
    assert ended.code == 0, ended.out
    assert ended.result["status"] == "finished"
    outcome = scene.outcome()
    assert (outcome.verdict, outcome.files, outcome.patches) == (whole.verdict, whole.files, whole.patches)
    assert outcome.report == whole.report
    assert outcome.calls == whole.calls
    assert (figures.calls_repeated, figures.writes_repeated, figures.bytes_lost) == (0, 0, 0)
    assert figures.calls_asked_again <= figures.kills * IN_FLIGHT
    check_chain(scene.directory / "ledger.jsonl")
    assert not [name for name in outcome.files if TEMPORARY in name]
    assert not list(scene.directory.glob(".*"))
    assert [path.name for path in scene.temp.iterdir()] == []
    assert [path.name for path in (scene.home / "runs").iterdir()] == [scene.run]
    assert unlocked(scene.home)


def holds_files(scene: Scene, whole: Outcome) -> None:
    """Assert that a build ended with the deliverables and the verdict of the undisturbed one."""
    outcome = scene.outcome()
    assert (outcome.verdict, outcome.files) == (whole.verdict, whole.files)
    check_chain(scene.directory / "ledger.jsonl")
    assert unlocked(scene.home)


def unlocked(home: Path) -> bool:
    """Tell whether the database is whole and no run of it has a living driver."""
    with closing(sqlite3.connect(home / "checkpoints.sqlite")) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        rows = database.execute("SELECT token, machine, pid, started, released FROM drivers").fetchall()
    return not any(driver.alive and not driver.released for driver in (Driver(*row) for row in rows))


def fresh(launcher: Launcher, crew: Any, *options: str, **env: str) -> Scene:
    """A scene in a new temporary directory."""
    return Scene(launcher, Path(tempfile.mkdtemp(prefix="millwright-scene-")), crew, options, env)


def strike(**how: Any) -> dict[str, Strike]:
    """A strike as an option of a client."""
    from faults.points import Strike

    return {"strike": Strike(**how)}
