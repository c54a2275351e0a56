"""Record the demo's cassette: a whole real build, with tests/demo/answers.py in the place of the model.

PYTHONPATH=tests .venv/bin/python tests/demo/record.py
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from pathlib import Path

from demo.answers import CREW, GOAL
from servers.ollama import Model, OllamaServer

TARGET = Path(__file__).parents[2] / "millwright" / "cassettes" / "demo.jsonl"


async def record(target: Path) -> str:
    """Run the build and keep its cassette; return the verdict."""
    from millwright import driving
    from tools.runs.home import run_dir

    with OllamaServer(CREW, models=[Model("authored")]) as server:
        result = await driving.build(GOAL, model="ollama:authored", base_url=server.url)
    target.write_bytes((run_dir(result.run) / "cassette.jsonl").read_bytes())
    return result.verdict


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as home:
        os.environ["MILLWRIGHT_HOME"] = home
        print(asyncio.run(record(TARGET)), TARGET)
