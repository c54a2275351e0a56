"""A process that drives a thread: `drive.py FILE THREAD STEPS KIND`, KIND "sync" or "async".

It goes on from the thread's last checkpoint, appends each executed step to FILE.THREAD.log, tells it on standard
output, and asks for durability "async". It ends with code 3 when it is fenced. For several threads, divided by
commas, it forks one process each, with KIND "both" of either kind in turn, and ends with the largest code.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from langgraph.graph import END, START, StateGraph
from typing_extensions import TypedDict

from graphs.durable import durable
from millwright.checkpoints import open_sqlite, open_sqlite_sync
from tools.errors import Fenced


class State(TypedDict):
    step: int


def counting(steps, note):
    def count(state):
        note(state["step"])
        return {"step": state["step"] + 1}

    builder = StateGraph(State)
    builder.add_node("count", count)
    builder.add_edge(START, "count")
    builder.add_conditional_edges("count", lambda state: END if state["step"] >= steps else "count", ["count", END])
    return durable(builder.compile())


async def drive_async(graph, path, config, asked):
    async with open_sqlite(path) as saver:
        start = None if await saver.ahas_state(config["configurable"]["thread_id"]) else {"step": 0}
        await graph.copy({"checkpointer": saver}).ainvoke(start, config, durability=asked)


def drive_sync(graph, path, config, asked):
    with open_sqlite_sync(path) as saver:
        start = None if saver.has_state(config["configurable"]["thread_id"]) else {"step": 0}
        graph.copy({"checkpointer": saver}).invoke(start, config, durability=asked)


def drive(path, thread_id, steps, kind):
    log = os.open(f"{path}.{thread_id}.log", os.O_CREAT | os.O_APPEND | os.O_WRONLY)

    def note(step):
        os.write(log, f"{step}\n".encode())
        print(step, flush=True)

    config = {"configurable": {"thread_id": thread_id}, "recursion_limit": 10_000}
    graph = counting(int(steps), note)
    try:
        if kind == "async":
            asyncio.run(drive_async(graph, Path(path), config, "async"))
        else:
            drive_sync(graph, Path(path), config, "async")
    except Fenced as error:
        print(error, flush=True)
        return 3
    return 0


def fork(path, thread_id, steps, kind):
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            code = drive(path, thread_id, steps, kind)
        finally:
            os._exit(code)
    return pid


def main(path, thread_ids, steps, kind):
    first, *others = thread_ids.split(",")
    kinds = ["async", "sync"] if kind == "both" else [kind]
    children = [fork(path, thread_id, steps, kinds[n % len(kinds)]) for n, thread_id in enumerate(others)]
    code = drive(path, first, steps, kinds[-1])
    return max([code, *(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children)])


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
