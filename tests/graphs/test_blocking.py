"""Nothing in a build blocks the event loop, whatever happens in it: other runs of the same server go on."""

from __future__ import annotations

import subprocess
import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from blockbuster import BlockingError, blockbuster_ctx
from crew import Crew, assignment, writing
from langgraph.types import Command
from servers.ollama import OllamaServer, Reply, call
from toolmakers import TAKT, TAKT_TESTS, TAKT_WRONG, Toolmakers, takt_task

from graphs.build import BuildContext, builder
from graphs.durable import durable
from graphs.factory import FactoryContext
from graphs.factory import builder as factory
from millwright.checkpoints import open_sqlite

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Start = Callable[..., OllamaServer]
ADD = "def add(a, b):\n    return a + b\n"
TEST_ADD = "from calc import add\n\n\ndef test_add():\n    assert add(2, 3) == 5\n"


@pytest.fixture
def blocked(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Every blocking call that was made on an event loop, also one whose error somebody caught."""
    found: list[str] = []
    raised = BlockingError.__init__

    def noted(self: BlockingError, function: str) -> None:
        found.append(f"{function}\n{''.join(traceback.format_stack(limit=12)[:-2])}")
        raised(self, function)

    monkeypatch.setattr(BlockingError, "__init__", noted)
    with blockbuster_ctx() as watch:
        # LangChain looks a function's source up when it is streamed for the first time.
        watch.functions["os.stat"].can_block_in("langchain_core/runnables/utils.py", "get_function_nonlocals")
        yield found


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A git repository with one commit."""
    root = tmp_path / "repository"
    subprocess.run(["git", "init", "-q", root], check=True)
    (root / "README.md").write_text("# Tool\n")
    author = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    for words in (["add", "."], [*author, "commit", "-qm", "Begin"]):
        subprocess.run(["git", "-C", root, *words], check=True)
    return root


async def build(server: OllamaServer, *answers: Any, into: Path | None = None, **settings: Any) -> dict[str, Any]:
    """Drive a build with checkpoints, answering its questions in turn; return the state it ends in."""
    config: Any = {"configurable": {"thread_id": "t"}}
    context = BuildContext(base_url=server.url, outage_seconds=5, **settings)
    async with open_sqlite() as saver:
        graph = durable(builder().compile(checkpointer=saver))
        given = {"goal": "Write a calculator.", **({"into": str(into)} if into else {})}
        state = await graph.ainvoke(given, config, context=context)
        for answer in answers:
            assert "__interrupt__" in state
            state = await graph.ainvoke(Command(resume=answer), config, context=context)
        assert "__interrupt__" not in state
        assert [one async for one in graph.aget_state_history(config)]
        return state


def remediation(*paths: str, retry_for: str) -> Callable[[str], list[dict[str, Any]]]:
    """A manager that has these files mended by one developer."""
    return lambda _: [assignment("", *paths, retry_for=retry_for, blockers=["B1"]) | {"title": "Mend"}]


async def test_a_build_with_trouble_at_every_step_blocks_nothing(
    ollama: Start, repository: Path, blocked: list[str]
) -> None:
    first = iter([Reply(status=503, error="loading"), Reply("I would rather talk."), Reply("Again.")])
    developer = [
        Reply(
            tool_calls=[
                call("raise_callback", level="warning", subject="calc", message="It is simple."),
                call("read_file", path="missing.py"),
                call("write_file", path="../escape.py", content="x = 1\n"),
                call("write_file", path="calc.py", content=ADD.replace("+", "-")),
            ]
        ),
        writing({"calc.py": ADD})[1],
    ]
    crew = Crew(
        [assignment("A1", "calc.py"), assignment("A2", "test_calc.py", role="tester", after=["A1"])],
        {
            "A1": lambda request, turn: next(first, None) or developer[min(turn, 1)],
            "A2": writing({"test_calc.py": TEST_ADD}),
            "R100": writing({"calc.py": ADD}),
        },
        findings={"A1": [{"path": "calc.py", "severity": "blocker", "problem": "add subtracts", "line": 2}]},
        remediation=remediation("calc.py", retry_for="A1"),
    )
    refused, agreed = {"approve": False, "feedback": "Say more."}, {"approve": True}
    state = await build(
        ollama(crew), refused, agreed, agreed, into=repository, approve=["plan", "delivery"], max_rounds=2
    )
    assert blocked == []
    assert (state["verdict"], bool(state["branch"])) == ("PASS", True)


@pytest.mark.parametrize("test", [TEST_ADD, TEST_ADD.replace(" == 5", ""), "def test_nothing():\n    pass\n"])
async def test_a_thorough_verification_blocks_nothing(ollama: Start, blocked: list[str], test: str) -> None:
    crew = Crew(
        [assignment("A1", "calc.py"), assignment("A2", "test_calc.py", role="tester", after=["A1"])],
        {"A1": writing({"calc.py": ADD}), "A2": writing({"test_calc.py": test})},
    )
    state = await build(ollama(crew), max_rounds=0, verification="thorough")
    assert blocked == []
    assert state["verdict"] == ("PASS" if test == TEST_ADD else "FAIL")


@pytest.mark.parametrize("plan", [["No.", "Never.", "Not at all."], [assignment("A1", "a.py", after=["A1"])]])
async def test_a_build_without_a_plan_blocks_nothing(ollama: Start, blocked: list[str], plan: Any) -> None:
    state = await build(ollama(Crew(plan, {})))
    assert blocked == []
    assert state["verdict"] == "FAIL"


async def test_nothing_in_a_task_of_the_factory_blocks_the_loop(ollama: Start, blocked: list[str]) -> None:
    tests = [TAKT_TESTS.replace("450.0, 300, 1.5", "450.0, 300, 1.6"), TAKT_TESTS]
    server = ollama(Toolmakers({"takt_time": [TAKT_WRONG, TAKT]}, {"takt_time": tests}))
    inputs: Any = {"task": takt_task().model_dump(mode="json")}
    async with open_sqlite() as saver:
        graph = durable(factory().compile(checkpointer=saver))
        for thread, outcome in (("first", "admitted"), ("again", "reused")):
            config: Any = {"configurable": {"thread_id": thread}}
            output = await graph.ainvoke(inputs, config, context=FactoryContext(base_url=server.url))
            assert output["outcome"] == outcome
    assert blocked == []
