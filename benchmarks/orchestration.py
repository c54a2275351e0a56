"""What orchestration costs: a build of N assignments against a plain loop that makes the same model calls.

    PYTHONPATH=tests:. .venv/bin/python benchmarks/orchestration.py [N ...]

Both sides talk to the same instant scripted model in a process of its own. The plain loop keeps no checkpoint, no
ledger and no journal: it is the floor. Ratios are what to read; seconds are those of this machine.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import re
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx
from crew import Crew, assignment, assignment_of, writing
from servers.ollama import ChatRequest, OllamaProcess, Reply

BODY = "".join(f"VALUE_{n} = {n}\n" for n in range(150))
WAVE = 10


def planned(count: int) -> list[dict[str, Any]]:
    """A plan of `count` assignments, ten in a wave, each wave after the one before it."""
    return [
        assignment(f"A{n}", f"part_{n}.py", after=[f"A{n - WAVE}"] if n >= WAVE else []) for n in range(count)
    ]  # fmt: skip


def answers(request: ChatRequest) -> Reply:
    """The instant model: the number of assignments stands in the goal."""
    if "You turn a goal into" in request.system:
        count = int(re.findall(r"(\d+) modules", request.last)[0])
        return Reply(json.dumps({"summary": "Parts.", "assignments": planned(count)}))
    name = assignment_of(request)
    return Crew([], {name: writing({f"part_{name[1:]}.py": BODY})})(request)


def plain(count: int, url: str) -> None:
    """The same calls and the same files, one after another, with nothing kept."""
    with tempfile.TemporaryDirectory() as folder, httpx.Client(base_url=url) as client:

        def ask(messages: list[dict[str, str]], tools: list[str]) -> dict[str, Any]:
            offered = [{"type": "function", "function": {"name": name, "parameters": {}}} for name in tools]
            body = {"model": "qwen2.5-coder:7b", "messages": messages, "tools": offered, "stream": False}
            reply: dict[str, Any] = client.post("/api/chat", json=body, timeout=60).json()["message"]
            return reply

        system = {"role": "system", "content": "You turn a goal into a plan."}
        plan = json.loads(ask([system, {"role": "user", "content": f"Write {count} modules."}], [])["content"])
        for task in plan["assignments"]:
            messages = [
                {"role": "system", "content": "finish"},
                {"role": "user", "content": f"Your assignment {task['id']}:"},
            ]
            first = ask(messages, ["write_file", "finish"])
            content = first["tool_calls"][0]["function"]["arguments"]["content"]
            path = Path(folder) / task["paths"][0]
            path.write_text(content)
            assert hashlib.sha256(path.read_bytes()).digest() == hashlib.sha256(content.encode()).digest()
            ask([*messages, {"role": "assistant", "content": ""}, {"role": "tool", "content": "ok"}], ["finish"])
            audit = [
                {"role": "system", "content": "submit_review"},
                {"role": "user", "content": f"The assignment {task['id']}:"},
            ]
            ask(audit, ["submit_review"])


async def build(count: int, url: str) -> int:
    """A whole build with checkpoints, ledger, journal and snapshots; return the bytes of its checkpoints."""
    from millwright import driving
    from millwright.checkpoints import open_sqlite

    result = await driving.build(f"Write {count} modules.", base_url=url, verification="quick")
    assert result.verdict == "PASS", result.reasons
    async with open_sqlite() as saver:
        return await saver.abytes_of(result.run)


def measured(work: Any) -> tuple[float, float, Any]:
    """Wall seconds, CPU seconds and the answer of a function."""
    before, began = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    found = work()
    after = resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.perf_counter() - began, cpu, found


def main(counts: list[int]) -> None:
    """Print a row per number of assignments."""
    print(
        "assignments | plain s | build s | build/plain wall | build/plain CPU | CPU ms each | checkpoint bytes | each"
    )
    with OllamaProcess(f"{__file__}:answers") as server, tempfile.TemporaryDirectory() as home:
        os.environ["MILLWRIGHT_HOME"] = home
        asyncio.run(build(1, server.url))  # imports and first-use costs are not orchestration
        for count in counts:
            wall, cpu, _ = measured(lambda count=count: plain(count, server.url))
            built, spent, size = measured(lambda count=count: asyncio.run(build(count, server.url)))
            print(
                f"{count:>11} | {wall:>7.2f} | {built:>7.2f} | {built / wall:>16.1f} | {spent / cpu:>15.1f} |"
                f" {1000 * spent / count:>11.0f} | {size:>16} | {size // count:>5}"
            )


if __name__ == "__main__":
    main([int(word) for word in sys.argv[1:]] or [1, 10, 50, 200])
