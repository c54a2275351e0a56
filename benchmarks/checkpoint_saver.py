"""What durability costs and saves: our saver beside LangGraph's own, over the same graphs, in one run.

`python benchmarks/checkpoint_saver.py [STEPS]` prints steps per second and bytes for 100, 200 and STEPS steps with
a 1 KB item a step (kept as references, as our graphs do, and as a growing list), steps repeated after a kill with
LangGraph's default and with ours, and the size of the file over many pruned runs.
"""

from __future__ import annotations

import asyncio
import operator
import os
import random
import signal
import sys
import tempfile
import time
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.graph import END, START, StateGraph
from typing_extensions import TypedDict

from graphs.durable import durable
from millwright.checkpoints import open_sqlite

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

KILLS = 6
RUNS = 200


class References(TypedDict):
    step: int
    latest: str


class Growing(TypedDict):
    step: int
    latest: Annotated[list[str], operator.add]


@asynccontextmanager
async def stock(path: Path) -> AsyncIterator[AsyncSqliteSaver]:
    async with AsyncSqliteSaver.from_conn_string(str(path)) as saver:
        yield saver


def counting(schema: type, steps: int, log: int | None = None) -> Any:
    def count(state: Any) -> Any:
        if log is not None:
            os.write(log, f"{state['step']}\n".encode())
        item = random.randbytes(512).hex()
        return {"step": state["step"] + 1, "latest": [item] if schema is Growing else item}

    builder = StateGraph(schema)
    builder.add_node("count", count)
    builder.add_edge(START, "count")
    builder.add_conditional_edges("count", lambda state: END if state["step"] >= steps else "count", ["count", END])
    return builder.compile()


async def run(opener: Any, graph: Any, path: Path, schema: type) -> float:
    config = {"configurable": {"thread_id": "t"}, "recursion_limit": 100_000}
    empty: Any = [] if schema is Growing else ""
    async with opener(path) as saver:
        found = await saver.aget_tuple(config)
        began = time.perf_counter()
        await graph.copy({"checkpointer": saver}).ainvoke(None if found else {"step": 0, "latest": empty}, config)
        return time.perf_counter() - began


def as_it_is(graph: Any) -> Any:
    return graph


SAVERS: list[tuple[str, Any, Callable[[Any], Any]]] = [
    ("langgraph, async", stock, as_it_is),
    ("millwright, sync", open_sqlite, durable),
]


def size(path: Path) -> int:
    return sum(part.stat().st_size for part in path.parent.glob(f"{path.name}*"))


def growth(steps: int) -> None:
    print("| saver | state | steps | steps/s | KB in all | KB a step |\n|---|---|---|---|---|---|")
    for name, opener, wrap in (
        ("langgraph, async", stock, lambda graph: graph),
        ("millwright, sync", open_sqlite, durable),
    ):
        for schema in (References, Growing):
            for count in (100, 200, steps):
                with tempfile.TemporaryDirectory() as place:
                    path = Path(place) / "x.sqlite"
                    seconds = asyncio.run(run(opener, wrap(counting(schema, count)), path, schema))
                    kilobytes = size(path) / 1024
                print(
                    f"| {name} | {schema.__name__.lower()} | {count} | {count / seconds:.0f} "
                    f"| {kilobytes:.0f} | {kilobytes / count:.1f} |"
                )


def killed(opener: Any, wrap: Any, steps: int) -> list[int]:
    repeated = []
    for _ in range(KILLS):
        with tempfile.TemporaryDirectory() as place:
            path, log = Path(place) / "x.sqlite", os.open(Path(place) / "log", os.O_CREAT | os.O_APPEND | os.O_RDWR)
            graph = wrap(counting(References, steps, log))
            moment = random.randrange(steps // 4, steps)
            child = os.fork()
            if child == 0:
                asyncio.run(run(opener, graph, path, References))
                os._exit(0)
            while os.fstat(log).st_size < sum(len(f"{step}\n") for step in range(moment)):
                time.sleep(0.001)
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            asyncio.run(run(opener, graph, path, References))
            repeated.append((Path(place) / "log").read_text().count("\n") - steps)
            os.close(log)
    return repeated


async def pruned() -> list[float]:
    with tempfile.TemporaryDirectory() as place:
        path, sizes = Path(place) / "x.sqlite", []
        async with open_sqlite(path) as saver:
            graph = durable(counting(References, 20)).copy({"checkpointer": saver})
            for number in range(RUNS):
                config = {"configurable": {"thread_id": f"run {number}"}}
                await graph.ainvoke({"step": 0, "latest": ""}, config)
                await saver.aprune([f"run {number}"])
                if (number + 1) % (RUNS // 4) == 0:
                    await saver.acompact()
                    sizes.append(size(path) / 1024 / (number + 1))
        return sizes


def main() -> None:
    steps = int(sys.argv[1]) if len(sys.argv) > 1 else 400
    growth(steps)
    print(f"\nsteps of {steps} repeated after a kill, {KILLS} kills each:")
    print(f"  langgraph's default: {killed(stock, as_it_is, steps)}")
    print(f"  durable:             {killed(open_sqlite, durable, steps)}")
    fractions = ", ".join(f"{kilobytes:.1f}" for kilobytes in asyncio.run(pruned()))
    print(f"\nKB of file a run after each quarter of {RUNS} pruned runs of 20 steps: {fractions}")


if __name__ == "__main__":
    main()
