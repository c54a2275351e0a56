"""Whoever cancels work in a thread waits for its end."""

from __future__ import annotations

import asyncio
import threading

import pytest

from tools.threads import in_thread


async def test_work_in_a_thread_gives_its_result_or_its_error() -> None:
    assert await in_thread(divmod, 7, 2) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        await in_thread(divmod, 7, 0)


@pytest.mark.parametrize("fails", [False, True])
async def test_cancelling_waits_for_the_end_whoever_cancels_again(fails: bool) -> None:
    begun, may_end, done = asyncio.Event(), threading.Event(), []
    loop = asyncio.get_running_loop()

    def work() -> None:
        loop.call_soon_threadsafe(begun.set)
        assert may_end.wait(60)
        done.append(True)
        if fails:
            raise ValueError("nobody asks any more")

    running = asyncio.create_task(in_thread(work))
    await begun.wait()
    for _ in range(3):
        running.cancel()
        await asyncio.sleep(0.01)
        assert not running.done()
    may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert done == [True]
