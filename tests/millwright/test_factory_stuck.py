"""A task that nothing can go on with costs the sessions after it a line, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from servers.ollama import OllamaServer, Reply
from toolmakers import TAKT, TAKT_TESTS, Toolmakers, takt_task

from graphs.factory import drawing
from millwright import factory
from millwright.factory import Order, Trainer, unfinished
from tools.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from millwright.factory_summary import Done, Summary

MAKERS = Toolmakers({"takt_time": [TAKT]}, {"takt_time": [TAKT_TESTS]})


async def session(server: Any, tasks: int) -> tuple[Summary, list[Done], list[str]]:
    """Run a session in this process; return its summary, its tasks and what was said."""
    done: list[Done] = []
    said: list[str] = []
    order = Order(max_tasks=tasks, settings={"base_url": server.url})
    return await Trainer(order, done.append, said.append).run(), done, said


async def test_a_task_that_cannot_be_gone_on_with_is_told_and_others_are_begun(
    ollama: Callable[..., OllamaServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drawing, "drawn", lambda *_: takt_task())
    await session(ollama(lambda _: Reply(status=401, error="who are you?")), 1)
    (left,) = unfinished()
    monkeypatch.setattr(factory, "resume_with", refused)
    for wanted in ("admitted", "reused"):
        summary, done, said = await session(ollama(MAKERS), 2)
        assert [task.outcome for task in done] == [wanted]
        assert (summary.suspended, summary.broken) == (1, False)
        assert said[0].startswith(f"task {left} cannot go on: ")
        assert said[0].endswith(f"`millwright gc {left} --apply` removes it")


async def refused(*_: Any, **__: Any) -> NoReturn:
    """What going on with a task comes to of which something is gone."""
    raise UsageError("it needs what is no longer there")
