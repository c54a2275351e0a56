"""The command as a person uses it: real processes, real output, documented exit codes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from crew import Crew, assignment, writing
from servers.ollama import OllamaServer

MILLWRIGHT = str(Path(sys.executable).with_name("millwright"))
ADD = 'def add(a: int, b: int) -> int:\n    """Add two numbers."""\n    return a + b\n'
Start = Callable[..., OllamaServer]


def millwright(*words: str, cwd: Path | None = None, answer: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command and return what it printed."""
    return subprocess.run([MILLWRIGHT, *words], capture_output=True, text=True, cwd=cwd, input=answer, timeout=120)


def git(repository: Path, *words: str) -> str:
    """Run git in a repository and return its output."""
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.invalid"]
    done = subprocess.run(["git", *identity, *words], cwd=repository, capture_output=True, text=True, check=True)
    return done.stdout


@pytest.fixture
def server(ollama: Start) -> OllamaServer:
    """A crew that writes calc.py."""
    return ollama(Crew([assignment("A1", "calc.py")], {"A1": writing({"calc.py": ADD})}))


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A user's repository with one commit and one uncommitted change."""
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    (folder / "old.py").write_text("OLD = 1\n")
    git(folder, "add", "old.py")
    git(folder, "commit", "-q", "-m", "first")
    (folder / "old.py").write_text("OLD = 2  # not committed\n")
    return folder


def test_a_build_shows_its_progress_report_files_and_zip(server: OllamaServer) -> None:
    done = millwright("build", "Write a calculator.", "--base-url", server.url)
    assert done.returncode == 0, done.stderr
    for word in (
        "manager",
        "A1 write calc.py",
        "A1 read: no findings",
        "PASS 1 of 1",
        "# PASS",
        f"calc.py {len(ADD)} bytes",
    ):
        assert word in done.stdout
    archive = next(line.split()[-1] for line in done.stdout.splitlines() if line.strip().startswith("zip"))
    assert Path(archive).is_file()


def test_json_prints_one_result_and_nothing_else(server: OllamaServer) -> None:
    done = millwright("build", "Write a calculator.", "--base-url", server.url, "--json")
    result = json.loads(done.stdout)
    assert (result["status"], result["verdict"], result["exit_code"], done.returncode) == ("finished", "PASS", 0, 0)


def test_a_build_that_fails_exits_with_1_and_says_why(ollama: Start) -> None:
    wrong = writing({"calc.py": ADD})
    checks = [{"kind": "defines", "path": "calc.py", "value": "subtract"}]
    server = ollama(Crew([assignment("A1", "calc.py", checks=checks)], {"A1": wrong}, remediation=lambda _: []))
    done = millwright("build", "Write a calculator.", "--base-url", server.url)
    assert done.returncode == 1
    assert "calc.py does not define 'subtract'" in done.stdout


def test_a_plan_can_be_approved_in_a_second_command(server: OllamaServer) -> None:
    asked = json.loads(
        millwright("build", "Write one.", "--base-url", server.url, "--approve", "plan", "--json").stdout
    )
    assert (asked["status"], asked["exit_code"]) == ("waiting", 3)
    done = millwright("runs", "resume", asked["run"][:8], "--yes", "--json")
    assert json.loads(done.stdout)["verdict"] == "PASS"


def test_runs_are_listed_shown_exported_and_replayed(server: OllamaServer, tmp_path: Path) -> None:
    run = json.loads(millwright("build", "Write a calculator.", "--base-url", server.url, "--json").stdout)["run"]
    (row,) = json.loads(millwright("runs", "list", "--json").stdout)
    assert (row["id"], row["status"], row["verdict"], row["goal"]) == (
        run,
        "finished",
        "PASS",
        "Write a calculator.",
    )
    assert row["bytes"] > 0
    assert run[:8] in millwright("runs", "list").stdout
    shown = json.loads(millwright("runs", "show", run, "--json").stdout)
    assert shown["checkpoints"][0]["next"] == []
    assert millwright("runs", "export", run, "--to", str(tmp_path / "out.zip")).returncode == 0
    asked = len(server.chats)
    for source in (run, str(tmp_path / "out.zip")):
        again = millwright("runs", "replay", source, "--json")
        assert json.loads(again.stdout)["verdict"] == "PASS", again.stderr
    assert len(server.chats) == asked


def test_building_into_a_repository_adds_a_branch_and_touches_nothing_else(ollama: Start, repository: Path) -> None:
    edit = "from old import OLD\n\nNEW = OLD + 1\n"
    server = ollama(Crew([assignment("A1", "new.py")], {"A1": writing({"new.py": edit})}))
    before = git(repository, "status", "--porcelain"), git(repository, "rev-parse", "HEAD")
    done = millwright("build", "Add new.py.", "--base-url", server.url, "--into", str(repository), "--json")
    result = json.loads(done.stdout)
    assert (result["verdict"], result["branch"]) == ("PASS", f"millwright/{result['run'][:8]}")
    assert (git(repository, "status", "--porcelain"), git(repository, "rev-parse", "HEAD")) == before
    assert (repository / "old.py").read_text() == "OLD = 2  # not committed\n"
    assert git(repository, "show", f"{result['branch']}:new.py") == edit
    assert git(repository, "show", f"{result['branch']}:old.py") == "OLD = 1\n"
    assert "Assignment: A1" in git(repository, "log", "-1", "--format=%B", result["branch"])
    report = json.loads(Path(result["report"]).with_suffix(".json").read_text())
    assert any("uncommitted changes" in callback["message"] for callback in report["callbacks"])


def test_delivery_into_a_repository_can_be_refused(ollama: Start, repository: Path) -> None:
    server = ollama(Crew([assignment("A1", "new.py")], {"A1": writing({"new.py": "NEW = 1\n"})}))
    words = ["--base-url", server.url, "--into", str(repository), "--approve", "delivery", "--json"]
    asked = json.loads(millwright("build", "Add new.py.", *words).stdout)
    assert asked["question"]["into"] == str(repository)
    result = json.loads(millwright("runs", "resume", asked["run"], "--no", "--json").stdout)
    assert (result["verdict"], result["branch"]) == ("PASS", "")
    assert git(repository, "branch", "--format=%(refname:short)").split() == ["main"]
    assert list((Path(result["report"]).parent / "patches").glob("*.patch"))


def test_the_graph_is_printed_as_mermaid() -> None:
    done = millwright("graph", "build", "--mermaid")
    assert done.returncode == 0
    assert "check -. &nbsp;more work&nbsp; .-> develop;" in done.stdout


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; sys.argv = ['millwright', '--help']\n"
        "import millwright.cli as cli\n"
        "try:\n    cli.main()\nexcept SystemExit:\n    pass\n"
        "print([m for m in ('langgraph', 'langchain_core', 'chromadb', 'dulwich', 'PIL', 'httpx') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines()[-1] == "[]", done.stdout + done.stderr


@pytest.mark.parametrize("words", [["build"], ["runs", "list"], ["runs", "resume"], ["verify"], ["graph", "build"]])
def test_every_command_has_help(words: list[str]) -> None:
    done = millwright(*words, "--help")
    assert done.returncode == 0
    assert "Usage: millwright" in done.stdout


def test_the_readme_names_only_commands_and_options_that_exist(server: OllamaServer) -> None:
    """Every `millwright …` line of the README is accepted as far as its words go."""
    readme = (Path(__file__).parents[2] / "README.md").read_text()
    lines = [line.strip() for line in readme.splitlines() if line.startswith("    millwright ")]
    assert lines
    for line in lines:
        words = line.split("#")[0].split()[1:]
        command = words[:2] if words[0] in ("factory", "graph", "memory", "runs", "tools") else words[:1]
        text = millwright(*command, "--help").stdout
        options: list[Any] = [word for word in words if word.startswith("--")]
        assert [option for option in options if option not in text] == [], line


async def test_a_second_goal_for_a_repository_still_delivers_onto_its_commit(
    ollama: Start, repository: Path
) -> None:
    from graphs.build import BuildContext, builder
    from graphs.durable import durable
    from millwright.checkpoints import open_sqlite

    config: Any = {"configurable": {"thread_id": "twice"}}
    async with open_sqlite() as saver:
        graph = durable(builder().compile(checkpointer=saver))
        for name in ("new.py", "newer.py"):
            server = ollama(Crew([assignment("A1", name)], {"A1": writing({name: "X = 1\n"})}))
            goal: Any = {"goal": f"Add {name}.", "into": str(repository)}
            if name == "newer.py":
                git(repository, "branch", "-D", "millwright/twice")
            output = await graph.ainvoke(goal, config, context=BuildContext(base_url=server.url))
    files = git(repository, "ls-tree", "--name-only", output["branch"]).split()
    assert files == ["new.py", "newer.py", "old.py"]
    assert (
        git(repository, "merge-base", "main", output["branch"]).strip()
        == git(repository, "rev-parse", "main").strip()
    )


def test_running_without_a_sandbox_is_said_before_anything_runs(server: OllamaServer) -> None:
    done = millwright("build", "Write a calculator.", "--base-url", server.url, "--exec-sandbox", "off")
    assert done.returncode == 0
    first = done.stdout.splitlines()[0]
    assert "sandbox" in first
    assert "code that a model wrote runs with all your rights" in first
