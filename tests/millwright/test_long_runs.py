"""A long run costs per assignment what a short one does."""

from __future__ import annotations

import asyncio
import json
import re
import time
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from crew import Crew, assignment, assignment_of, writing
from servers.ollama import ChatRequest, OllamaProcess, Reply

from agents import developer
from agents.contracts import Assignment
from millwright import driving
from millwright.checkpoints import open_sqlite
from tools.runs.home import run_dir

if TYPE_CHECKING:
    from collections.abc import Iterator

WAVE = 10
BODY = "".join(f"VALUE_{n} = {n}\n" for n in range(30))
LOGS = ("register.jsonl", "cassette.jsonl", "ledger.jsonl", "events.jsonl", "lineage.jsonl")


def answers(request: ChatRequest) -> Reply:
    """A crew whose plan has as many assignments as the goal says, ten in a wave."""
    if "You turn a goal into" in request.system:
        count = int(re.findall(r"(\d+) modules", request.last)[0])
        return Reply(json.dumps({"summary": "Parts.", "assignments": [planned(n) for n in range(count)]}))
    name = assignment_of(request)
    return Crew([], {name: writing({f"part_{name[1:]}.py": BODY})})(request)


def planned(number: int) -> dict[str, Any]:
    """One assignment; each hundred is a chain of ten waves."""
    chained = number % 100 >= WAVE
    return assignment(f"A{number}", f"part_{number}.py", after=[f"A{number - WAVE}"] if chained else [])


class Cost(NamedTuple):
    """What one assignment cost on average."""

    checkpoint_bytes: float
    log_bytes: dict[str, float]
    seconds: float


@pytest.fixture
def server() -> Iterator[OllamaProcess]:
    with OllamaProcess(f"{__file__}:answers") as process:
        yield process


def cost(count: int, url: str) -> Cost:
    """Build with `count` assignments and tell what each cost."""
    began = time.process_time()
    result = asyncio.run(driving.build(f"Write {count} modules.", base_url=url, verification="quick"))
    seconds = time.process_time() - began
    assert result.verdict == "PASS", result.reasons
    root = run_dir(result.run)
    return Cost(
        asyncio.run(checkpoint_bytes(result.run)) / count,
        {name: (root / name).stat().st_size / count for name in LOGS},
        seconds / count,
    )


async def checkpoint_bytes(run: str) -> int:
    """The bytes of a run's checkpoints and writes."""
    async with open_sqlite() as saver:
        return await saver.abytes_of(run)


def test_checkpoint_bytes_per_assignment_stay_flat_from_10_to_200(server: OllamaProcess) -> None:
    few, some, many = (cost(count, server.url).checkpoint_bytes for count in (10, 50, 200))
    assert some <= few
    assert many <= few
    assert many <= 1.2 * some


@pytest.mark.soak
def test_a_thousand_assignments_cost_ten_times_what_a_hundred_do(server: OllamaProcess) -> None:
    """In bytes of every log and in processor time; a warm start comes first, for imports are no orchestration."""
    cost(1, server.url)
    hundred, thousand = cost(100, server.url), cost(1000, server.url)
    print(hundred, thousand, sep="\n")
    assert thousand.checkpoint_bytes <= hundred.checkpoint_bytes
    for name in LOGS:
        assert thousand.log_bytes[name] <= 1.25 * hundred.log_bytes[name], name
    assert thousand.seconds <= 2 * hundred.seconds


def test_of_very_many_files_a_developer_is_told_those_beside_its_own() -> None:
    listing = {f"{folder}/part_{n}.py": n for folder in ("a", "b") for n in range(80)}
    part = Assignment(id="A1", title="Part", task="Write it.", paths=["b/new.py"])
    told = str(developer.briefing(part, goal="Parts.", listing=listing, shown={})[1].content)
    assert [told.count(f"- {folder}/part_") for folder in ("a", "b")] == [20, 80]
    assert "- and 60 more files" in told
    few = dict(list(listing.items())[:100])
    told = str(developer.briefing(part, goal="Parts.", listing=few, shown={})[1].content)
    assert [told.count(f"- {folder}/part_") for folder in ("a", "b")] == [80, 20]
    assert "more files" not in told
