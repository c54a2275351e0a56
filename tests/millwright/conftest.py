"""A build that was delivered, made once for every test that looks at one."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from crew import Crew, assignment, writing
from servers.ollama import OllamaServer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ADD = 'def add(a: int, b: int) -> int:\n    """Add two numbers."""\n    return a + b\n'
WRONG = ADD.replace("a + b", "a - b")
TEST_ADD = "from calc import add\n\n\ndef test_add() -> None:\n    assert add(2, 3) == 5\n"


@dataclass(frozen=True)
class Delivered:
    """A finished run: its data directory, its id, its zip."""

    home: Path
    run: str
    zip: Path

    @property
    def folder(self) -> Path:
        """The run's directory."""
        return self.home / "runs" / self.run


def calculator() -> Crew:
    """A crew that gets the sum wrong at first, so that a test fails and is answered."""
    checks = [
        {"kind": "command", "value": "python -c 'import calc'"},
        {"kind": "defines", "path": "calc.py", "value": "add"},
    ]
    mend = {
        "blockers": ["B1"],
        "retry_for": "A1",
        "title": "Mend the sum",
        "task": "Mend it.",
        "paths": ["calc.py"],
    }
    return Crew(
        [
            assignment("A1", "calc.py", checks=checks),
            assignment("A2", "test_calc.py", role="tester", after=["A1"]),
            assignment("A3", "notes.md"),
        ],
        {
            "A1": writing({"calc.py": WRONG}),
            "A2": writing({"test_calc.py": TEST_ADD}),
            "A3": writing({"notes.md": "# Notes\r\n"}),
            "R100": writing({"calc.py": ADD}),
        },
        remediation=lambda _: [{**mend, "role": "developer"}],
    )


def delivered_by(crew: Crew, home: Path, run: str, **inputs: Any) -> Delivered:
    """Build with a crew, in a data directory of its own."""
    from graphs.build import BuildContext, graph

    with pytest.MonkeyPatch.context() as patched, OllamaServer(crew) as server:
        patched.setenv("MILLWRIGHT_HOME", str(home))
        context = BuildContext(base_url=server.url, **inputs.pop("settings", {}))
        config = {"configurable": {"thread_id": run}}
        asyncio.run(graph.ainvoke({"goal": "Write a calculator.", **inputs}, config, context=context))  # type: ignore[arg-type]
    return Delivered(home, run, home / "runs" / run / f"{run}.zip")


@pytest.fixture
def build() -> Callable[..., Delivered]:
    """Build with a crew: `build(crew, home, run, into=…, settings={…})`."""
    return delivered_by


@pytest.fixture(scope="session")
def delivered(tmp_path_factory: pytest.TempPathFactory) -> Delivered:
    """A build that passed after one remediation; not to be changed."""
    return delivered_by(calculator(), tmp_path_factory.mktemp("delivered"), "calculator")


@pytest.fixture(scope="session")
def failed(tmp_path_factory: pytest.TempPathFactory) -> Delivered:
    """A build that says itself that it did not pass: nobody mended the sum. Not to be changed."""
    home = tmp_path_factory.mktemp("failed")
    return delivered_by(calculator(), home, "subtractor", settings={"max_rounds": 0})


@pytest.fixture(scope="session")
def thorough(tmp_path_factory: pytest.TempPathFactory) -> Delivered:
    """A build that passed a thorough verification; not to be changed."""
    home = tmp_path_factory.mktemp("thorough")
    return delivered_by(calculator(), home, "thorough", settings={"verification": "thorough"})
