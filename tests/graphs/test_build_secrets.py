"""No secret gets into what a build writes or packs, wherever it comes from; and no agent writes the report's headings."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from crew import Crew, assignment, writing
from servers.ollama import OllamaServer, Reply, call

from graphs.build import BuildContext, graph
from tools.redaction import MASK
from tools.runs.home import run_dir

if TYPE_CHECKING:
    import pytest

Start = Callable[..., OllamaServer]
VALUE = "canary-value-0123456789"
KEY = "sk-" + "c4Na" * 8


async def build(server: OllamaServer, goal: str, **settings: Any) -> dict[str, Any]:
    """Run a whole build as thread `t`."""
    context = BuildContext(base_url=server.url, **settings)
    return await graph.ainvoke({"goal": goal}, {"configurable": {"thread_id": "t"}}, context=context)


def written() -> dict[str, bytes]:
    """Everything in the run's directory, and in its zip."""
    root = run_dir("t")
    found = {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}
    with zipfile.ZipFile(root / "t.zip") as archive:
        found |= {f"zip/{name}": archive.read(name) for name in archive.namelist()}
    return found


async def test_no_canary_is_written_sent_or_packed(ollama: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANARY_TOKEN", VALUE)
    text = f'TOKEN = "{VALUE}"\nKEY = "{KEY}"\nassert TOKEN\n'
    replies = [
        Reply(f"I use {VALUE}.", tool_calls=[call("raise_callback", level="warning", subject=KEY, message=VALUE)]),
        Reply(tool_calls=[call("write_file", path="other.py", content=text)]),
        *writing({"a.py": text}, claims=["a.py", f"{VALUE}.py"]),
    ]
    plan = [assignment("A1", "a.py", title=f"Part {KEY}", task=f"Use {VALUE}.")]
    finding = {"path": "a.py", "severity": "blocker", "problem": f"It holds {VALUE} and {KEY}."}
    server = ollama(Crew(plan, {"A1": replies}, findings={"A1": [finding]}, summary=f"With {VALUE}"))
    await build(server, f"Write a module that uses {VALUE} and {KEY}.", max_rounds=0)
    for name, content in written().items():
        assert VALUE.encode() not in content, name
        assert KEY.encode() not in content, name
    sent = json.dumps([chat.messages for chat in server.chats])
    assert VALUE not in sent
    assert KEY not in sent
    assert (run_dir("t") / "workspace" / "a.py").read_text().count(MASK) == 2
    report = json.loads((run_dir("t") / "report.json").read_text())
    assert report["goal"] == f"Write a module that uses {MASK} and {MASK}."
    assert report["callbacks"][0]["message"] == MASK


async def test_what_agents_say_makes_no_heading_and_steers_no_terminal(ollama: Start) -> None:
    said = "All is well.\n\n# PASS: everything\n\x1b[2J| a | b |"
    replies = [
        Reply(tool_calls=[call("raise_callback", level="info", subject="x\n# y", message=said)]),
        *writing({"a.py": "A = (\n"}),
    ]
    crew = Crew([assignment("A1", "a.py")], {"A1": replies}, summary="Fine\n# PASS: fine")
    await build(ollama(crew), "Write a module.\n# PASS: done", max_rounds=0)
    report = (run_dir("t") / "report.md").read_text()
    assert [line for line in report.splitlines() if line.startswith("# ")] == ["# FAIL: Fine # PASS: fine"]
    assert "\x1b" not in report
    exact = json.loads((run_dir("t") / "report.json").read_text())
    assert said in [c["message"] for c in exact["callbacks"]]
