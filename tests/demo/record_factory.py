"""Record the factory's demo: a real session of five tasks, with tests/demo/factory_answers.py in the place of the model.

PYTHONPATH=tests .venv/bin/python tests/demo/record_factory.py
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from pathlib import Path

from demo.factory_answers import MAKERS, TASKS
from servers.ollama import Model, OllamaServer

TARGET = Path(__file__).parents[2] / "millwright" / "cassettes" / "factory"


async def record(target: Path) -> list[str]:
    """Make the tasks one after the other and keep their cassettes; return what came of each."""
    from millwright import driving
    from tools.runs.home import run_dir

    target.mkdir(parents=True, exist_ok=True)
    for old in target.glob("*.jsonl"):
        old.unlink()
    outcomes = []
    with OllamaServer(MAKERS, models=[Model("authored")]) as server:
        for number, task in enumerate(TASKS, 1):
            inputs = {"task": task.model_dump(mode="json")}
            result = await driving.start("factory", inputs, model="ollama:authored", base_url=server.url)
            name = f"{number}-{task.entry.replace('_', '-')}.jsonl"
            (target / name).write_bytes((run_dir(result.run) / "cassette.jsonl").read_bytes())
            outcomes.append(f"{result.details['outcome']} {result.details['skill']}".strip())
    return outcomes


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as home:
        os.environ |= {"MILLWRIGHT_HOME": home, "MILLWRIGHT_EMBEDDINGS": "lexical"}
        print(asyncio.run(record(TARGET)), TARGET)
