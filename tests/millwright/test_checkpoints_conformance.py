"""LangGraph's public conformance suite for checkpointers, over the fenced saver."""

from __future__ import annotations

from langgraph.checkpoint.conformance import checkpointer_test, validate
from langgraph.checkpoint.conformance.capabilities import Capability

from millwright.checkpoints import open_sqlite


async def test_every_capability_of_the_conformance_suite_passes(tmp_path, capsys):
    @checkpointer_test(name="SqliteCheckpoints")
    async def fresh():
        number = len(list(tmp_path.iterdir()))
        async with open_sqlite(tmp_path / str(number) / "checkpoints.sqlite") as saver:
            yield saver

    report = await validate(fresh)
    with capsys.disabled():
        report.print_report()

    failures = [failure for result in report.results.values() for failure in result.failures]
    assert failures == []
    assert {name for name, result in report.results.items() if result.passed} == {c.value for c in Capability}
    assert report.conformance_level() == "FULL"
