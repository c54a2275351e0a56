"""LangGraph's public conformance suite for checkpointers, over both fenced savers."""

from __future__ import annotations

import pytest
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.conformance import checkpointer_test, validate
from langgraph.checkpoint.conformance.capabilities import Capability

from millwright.checkpoints import open_sqlite, open_sqlite_sync


class Asynchronous(BaseCheckpointSaver[str]):
    """The suite speaks to a-methods only: each calls the synchronous saver's method of the same name."""

    def __init__(self, saver):
        super().__init__(serde=saver.serde)
        self.saver = saver

    async def aput(self, *args):
        return self.saver.put(*args)

    async def aput_writes(self, *args, **kwargs):
        self.saver.put_writes(*args, **kwargs)

    async def aget_tuple(self, config):
        return self.saver.get_tuple(config)

    async def alist(self, config, **kwargs):
        for found in self.saver.list(config, **kwargs):
            yield found

    async def adelete_thread(self, thread_id):
        self.saver.delete_thread(thread_id)

    async def adelete_for_runs(self, run_ids):
        self.saver.delete_for_runs(run_ids)

    async def acopy_thread(self, source, target):
        self.saver.copy_thread(source, target)

    async def aprune(self, thread_ids, *, strategy="keep_latest"):
        self.saver.prune(thread_ids, strategy=strategy)


@pytest.mark.parametrize("face", ["asynchronous", "synchronous"])
async def test_every_capability_of_the_conformance_suite_passes(tmp_path, face):
    @checkpointer_test(name=face)
    async def fresh():
        path = tmp_path / str(len(list(tmp_path.iterdir()))) / "checkpoints.sqlite"
        if face == "asynchronous":
            async with open_sqlite(path) as saver:
                yield saver
        else:
            with open_sqlite_sync(path) as saver:
                yield Asynchronous(saver)

    report = await validate(fresh)

    assert [failure for result in report.results.values() for failure in result.failures] == []
    assert {name for name, result in report.results.items() if result.passed} == {c.value for c in Capability}
    assert report.conformance_level() == "FULL"
    assert sum(result.tests_passed for result in report.results.values()) >= 80
