"""`millwright doctor`: what a model can do is found out by asking, shown, kept, and used by the next build."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable

import pytest
from servers.ollama import ChatRequest, Model, OllamaServer, Reply, call
from typer.testing import CliRunner

from agents.models import probes as questions
from agents.models.approach import first_approach
from agents.models.probes import Probe, probes
from agents.models.profiles import profiles
from millwright.cli import app
from millwright.doctor import advice, examine

Start = Callable[..., OllamaServer]
MENDED = questions.THREE.replace("return 4", "return 3")


def asked(request: ChatRequest) -> Probe:
    return next(probe for probe in probes() if probe.text == request.last)


def fenced(**files: str) -> str:
    return "".join(f"{name.replace('__', '.')}\n```\n{text.rstrip()}\n```\n\n" for name, text in files.items())


def capable(request: ChatRequest) -> Reply:
    """A model that can do everything."""
    probe = asked(request)
    if probe.group == "file":
        return Reply(fenced(values__py=probe.text.partition("values.py:\n")[2]))
    if probe.group == "context":
        return Reply(questions.SENTINEL)
    booked = {"guests": 3, "outside": True, "names": ["Ann", "Bob", "Cy"], "price": 12.5}
    return {
        "answers": Reply("Ready."),
        "follows": Reply("red\ngreen\nblue"),
        "json_answer": Reply('{"kind": "apple", "count": 4}'),
        "native_call": Reply(tool_calls=[call("read_file", path="notes.txt")]),
        "native_choice": Reply(tool_calls=[call("read_file", path="a/b.txt")]),
        "native_two_calls": Reply(tool_calls=[call("read_file", path="x.txt"), call("read_file", path="y.txt")]),
        "native_types": Reply(tool_calls=[call("book_table", **booked)]),
        "native_code": Reply(tool_calls=[call("write_file", path="greet.py", content=questions.PYTHON)]),
        "native_json": Reply(tool_calls=[call("write_file", path="config.json", content=questions.CONFIG)]),
        "fenced_file": Reply(fenced(greet__py=questions.PYTHON)),
        "fenced_json": Reply(fenced(config__json=questions.CONFIG)),
        "fenced_two": Reply(fenced(a__py="A = 1", b__py="B = 2")),
        "whole_edit": Reply(fenced(count__py=MENDED)),
        "search_replace": Reply("count.py\n<<<<<<< SEARCH\n    return 4\n=======\n    return 3\n>>>>>>> REPLACE\n"),
    }[probe.name]


def weak(request: ChatRequest) -> Reply:
    """A model that writes calls as text, cannot copy a long file, and forgets the front of a long prompt."""
    probe = asked(request)
    if probe.tools:
        return Reply('{"name": "read_file", "arguments": {"path": "notes.txt"}}')
    if (probe.group == "file" and probe.size > 40) or (probe.group == "context" and probe.size > 3000):
        return Reply("I cannot say.")
    return capable(request)


async def test_a_capable_model_passes_every_probe(ollama: Start) -> None:
    server = ollama(capable, models=[Model("strong", context_length=131072)])
    result = await examine("ollama:strong", base_url=server.url)
    assert [p["name"] for p in result["probes"] if not p["passed"]] == []
    assert len(result["probes"]) == len(probes())
    assert result["profile"]["window"] is None
    approach = first_approach(profiles().experience("ollama:strong"))
    assert (approach.rung, approach.earned_edits) == ("native", True)


async def test_a_weak_model_is_asked_for_text_and_its_window_is_what_it_really_reads(ollama: Start) -> None:
    server = ollama(weak, models=[Model("weak", context_length=131072)])
    result = await examine("ollama:weak", base_url=server.url)
    profile = result["profile"]
    assert (profile["native_call"], profile["fenced_file"]) == (False, True)
    assert (profile["largest_file"], profile["window"]) == (40, 3000)
    assert len(server.chats) < len(probes())
    assert first_approach(profiles().experience("ollama:weak")).rung == "edits"
    assert "It is asked for files as text, not for tool calls." in advice(profile)


async def test_a_model_that_answers_nothing_passes_nothing(ollama: Start) -> None:
    server = ollama(lambda _: Reply(""))
    result = await examine("ollama:qwen2.5-coder:7b", base_url=server.url)
    assert not any(probe["passed"] for probe in result["probes"])
    assert {probe["detail"].partition(";")[0] for probe in result["probes"]} == {"the model answered nothing"}
    assert result["profile"]["largest_file"] == 0


@pytest.mark.parametrize("probe", probes(), ids=lambda probe: probe.name)
@pytest.mark.parametrize("text", ["", "Sure! I can help with that.", "```\nx\n```"])
def test_no_probe_is_passed_by_an_answer_that_does_nothing(probe: Probe, text: str) -> None:
    from langchain_core.messages import AIMessage

    assert not probe.judge(AIMessage(text))


def test_the_command_prints_the_sandbox_a_table_and_advice(ollama: Start) -> None:
    server = ollama(weak, models=[Model("weak")])
    shown = CliRunner().invoke(app, ["doctor", "ollama:weak", "--base-url", server.url])
    assert shown.exit_code == 0
    assert re.search(r"sandbox: ", shown.output)
    assert re.search(
        r"^(good  pynguin: pynguin 0\.|none  pynguin: pynguin is not installed)", shown.output, re.MULTILINE
    )
    assert re.search(r"^yes +writes a file as text", shown.output, re.MULTILINE)
    assert re.search(r"^no +calls a tool", shown.output, re.MULTILINE)
    assert "Files up to 40 lines are safe." in shown.output


def test_an_interpreter_without_pynguin_is_told(ollama: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MILLWRIGHT_PYNGUIN", sys.executable)
    server = ollama(weak, models=[Model("weak")])
    shown = CliRunner().invoke(app, ["doctor", "ollama:weak", "--base-url", server.url, "--json"])
    author = json.loads(shown.output)["pynguin"]
    assert (author["state"], "has no pynguin" in author["what"]) == ("none", True)


def test_the_command_prints_one_machine_readable_result(ollama: Start) -> None:
    server = ollama(capable, models=[Model("strong")])
    shown = CliRunner().invoke(app, ["doctor", "ollama:strong", "--base-url", server.url, "--json"])
    found = json.loads(shown.output)
    assert found["profile"]["search_replace"] is True
    assert found["sandbox"][0]["subject"] == "sandbox"
