"""`millwright tools`: what a person does with the tools that the factory made."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import shelved
from faults.clients import Ended, Launcher

from millwright.cli.tools import serve
from tools.errors import UsageError
from tools.memory.memory import open_memory
from tools.memory.records import Example, SkillState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Command = Callable[..., Ended]

USAGE, FAILED = 2, 1
GIVEN = '{"available_minutes": 480, "demand": 100}'
PAIR = '''
def least_and_most(numbers: list[float]) -> tuple[float, float]:
    """The least and the greatest of some numbers."""
    return min(numbers), max(numbers)
'''


@pytest.fixture(scope="module")
def launcher() -> Iterator[Launcher]:
    """Millwright, imported once."""
    started = Launcher()
    yield started
    started.close()


@pytest.fixture
def tools(launcher: Launcher, home: Path) -> Command:
    """Run `millwright tools …` on this test's data directory."""
    return lambda *words: launcher.run(
        "tools", *words, home=home, MILLWRIGHT_EMBEDDINGS="lexical", MILLWRIGHT_CHROMA="off"
    )


@pytest.fixture
def two() -> None:
    """A function that is active and was proved, and a workflow that is a candidate."""
    memory = open_memory()
    example = Example(arguments={"available_minutes": 480, "demand": 100}, result=4.8)
    memory.admit(shelved.takt(examples=(example,), source="Rother and Harris, 2001", task="T1"), key="1")
    more = {"requires": ("takt_time-1",), "proved": False, "tags": ("line",)}
    memory.admit(shelved.new_skill(shelved.LINES, shelved.LINES_TESTS, **more), key="2")
    memory.close()


def test_before_the_factory_has_run_there_is_nothing_and_that_is_said(tools: Command) -> None:
    listed = tools("list")
    assert (listed.code, "millwright factory run" in listed.out) == (0, True)
    assert tools("list", "--json").result == []


@pytest.mark.usefixtures("two")
def test_tools_are_listed_by_state_and_tag(tools: Command) -> None:
    rows = tools("list", "--json").result
    assert [(row["name"], row["state"], row["tests"], row["mutation_score"]) for row in rows] == [
        ("stations", "candidate", 1, 0.9),
        ("takt_time", "active", 2, 0.9),
    ]
    assert [row["name"] for row in tools("list", "--json", "--tag", "line").result] == ["stations"]
    assert [row["name"] for row in tools("list", "--json", "--state", "active").result] == ["takt_time"]
    assert "takt_time  1        active     2      0.90      0/0       0      manufacturing" in tools("list").out


@pytest.mark.usefixtures("two")
def test_a_tool_is_shown_with_its_code_tests_evidence_and_history(tools: Command) -> None:
    tools("approve", "stations", "--why", "I looked at it")
    shown = tools("show", "stations").out
    for part in (
        "work_minutes / takt_time",
        "def test_stations",
        '"work_minutes"',
        "candidate -> active: I looked",
    ):
        assert part in shown
    assert "takt_time(available_minutes=480, demand=100)  # 4.8" in tools("show", "takt_time").out
    assert tools("show", "takt_time-1", "--json").result["source"] == "Rother and Harris, 2001"


@pytest.mark.usefixtures("two")
def test_a_tool_is_found_by_what_it_does(tools: Command) -> None:
    found = tools("search", "minutes available for each unit that is demanded", "--json").result
    assert found["hits"][0]["name"] == "takt_time"
    assert found["degraded"]
    assert "words are seen, meanings are not" in tools("search", "takt").out
    assert "nothing fits" in tools("search", "poetry").out


@pytest.mark.usefixtures("two")
def test_a_tool_runs_and_its_use_is_recorded(tools: Command) -> None:
    ran = tools("run", "takt_time", "--args", GIVEN)
    assert (ran.code, ran.out) == (0, "4.8\n")
    assert (
        tools("run", "stations", "--args", '{"available_minutes":480,"demand":100,"work_minutes":9.6}').out
        == "2.0\n"
    )
    raised = tools("run", "takt_time", "--args", '{"available_minutes": 480, "demand": 0}')
    assert (raised.code, raised.out) == (FAILED, "")
    assert raised.err == "millwright: takt_time raised: ValueError: demand must be positive, got 0\n"
    assert tools("run", "takt_time", "--args", GIVEN, "--json").result["result"] == 4.8
    assert shelved.library().skill("takt_time").uses == 3


@pytest.mark.usefixtures("two")
def test_a_result_that_json_has_no_word_for_is_an_error(tools: Command) -> None:
    endless = '{"available_minutes": Infinity, "demand": 100}'
    ran = tools("run", "takt_time", "--args", endless)
    assert (ran.code, ran.out) == (FAILED, "")
    assert ran.err == ("millwright: takt_time not json: the result holds a number that JSON has no word for: inf\n")
    told = tools("run", "takt_time", "--args", endless, "--json").result
    assert (told["outcome"], told["result"]) == ("not_json", None)


BAD = {
    "unknown tool": (("run", "takt_tim"), "did you mean takt_time"),
    "arguments that are no JSON": (("run", "takt_time", "--args", "{demand: 3}"), "no JSON"),
    "arguments that are no object": (("run", "takt_time", "--args", "[1]"), "no JSON object"),
    "argument of the wrong type": (("run", "takt_time", "--args", '{"available_minutes": "all", "demand": 1}'), "a number"),
    "argument that is missing": (("run", "takt_time"), "'available_minutes' is missing"),
    "argument that it does not take": (
        ("run", "takt_time", "--args", '{"available_minutes": 1, "demand": 1, "x": 1}'), "there is no 'x'",
    ),
    "unknown state": (("list", "--state", "good"), "the states are candidate, active"),
    "approved already": (("approve", "takt_time"), "takt_time-1 is active already"),
    "unknown confinement": (("run", "takt_time", "--args", GIVEN, "--exec-sandbox", "maybe"), "give require or off"),
    "folder that is not empty": (("export", "takt_time", "--to", "."), "is not an empty folder"),
    "short token": (("serve", "--http", "0"), "MILLWRIGHT_TOKEN has 3 characters"),
}  # fmt: skip


@pytest.mark.usefixtures("two")
def test_bad_input_is_one_sentence_and_exit_code_2(launcher: Launcher, home: Path, tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "file").touch()
    for what, (words, part) in BAD.items():
        ended = launcher.run("tools", *words, home=home, cwd=tmp_path / "here", MILLWRIGHT_TOKEN="abc")
        assert (what, ended.code, ended.out) == (what, USAGE, "")
        assert ended.err.startswith("millwright: "), what
        assert ended.err.count("\n") == 1, what
        assert part in ended.err, what


@pytest.mark.usefixtures("two")
def test_an_exported_tool_stands_alone_and_its_tests_pass_there(tools: Command, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    exported = tools("export", "stations", "--to", str(folder))
    assert (exported.code, exported.out.splitlines()[-1]) == (0, "its tests pass there")
    assert (folder / "main.py").read_text() == shelved.LINES
    assert (folder / "skills" / "takt_time.py").read_text() == shelved.TAKT
    assert "9 of 10 changes" in (folder / "README.md").read_text()
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"], cwd=folder, check=False
    )
    assert ended.returncode == 0
    assert tools("export", "takt_time", "--to", str(folder)).code == USAGE
    assert (folder / "main.py").read_text() == shelved.LINES
    assert tools("export", "takt_time", "--to", str(folder), "--force").code == 0
    assert (folder / "main.py").read_text() == shelved.TAKT


@pytest.mark.usefixtures("two")
def test_a_recheck_suspends_what_fails_and_says_why(tools: Command) -> None:
    wrong = shelved.new_skill(
        PAIR, "from main import least_and_most\n\n\ndef test_it():\n    assert least_and_most([1, 2])[0] == 2\n"
    )
    open_memory().admit(wrong, key="3")
    checked = tools("recheck")
    assert checked.code == FAILED
    assert "least_and_most-1 FAILS (active, now suspended): test.py::test_it" in checked.out
    assert "takt_time-1 passes (active)" in checked.out
    assert shelved.library().skill("least_and_most-1").state is SkillState.SUSPENDED
    assert tools("recheck", "takt_time", "--json").result[0]["passed"]


@pytest.mark.usefixtures("two")
def test_a_person_approves_a_candidate_retires_a_tool_and_takes_that_back(tools: Command, home: Path) -> None:
    assert tools("approve", "stations").out == "stations-1 is active\n"
    assert _entries(home)["stations-1"]["state"] == "active"
    assert tools("retire", "stations", "--why", "not wanted", "--json").result["state"] == "retired"
    assert _entries(home)["stations-1"]["why"] == "not wanted"
    assert [row["name"] for row in tools("list", "--json").result] == ["takt_time"]
    assert tools("retire", "stations-1").code == USAGE
    assert tools("approve", "stations-1").out == "stations-1 is active\n"


@pytest.mark.usefixtures("two")
def test_what_is_shown_again_and_again_and_never_used_is_retired_on_request(tools: Command, home: Path) -> None:
    library = open_memory().library
    library.change_state("stations-1", SkillState.RETIRED, "out of the way", key="p")
    for number in range(20):
        library.expose(["takt_time-1"], f"r{number}", "recall", key=str(number))
    assert tools("retire", "--unused", "21").out.startswith("0 retired")
    ended = tools("retire", "--unused", "20")
    assert ended.out.startswith("takt_time-1 is retired: 20 runs were shown it")
    assert _entries(home)["takt_time-1"]["state"] == "retired"
    assert tools("retire").code == tools("retire", "takt_time-1", "--unused", "3").code == USAGE


@pytest.mark.usefixtures("two")
def test_calls_that_failed_are_shown_with_their_arguments_and_without_secrets(
    tools: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = 'def spell(word: str) -> int:\n    """Letters of a word."""\n    return {"a": 1, "b": "two"}[word]\n'
    open_memory().admit(shelved.new_skill(code), key="3")
    key = "sk-" + "a1B2" * 10
    assert tools("run", "spell", "--args", '{"word": "a"}').out == "1\n"
    unfit = tools("run", "spell", "--args", '{"word": "b"}')
    assert (unfit.code, unfit.out) == (FAILED, "")
    assert unfit.err == "millwright: spell unfit: its answer is 'two', and must be a whole number\n"
    assert tools("run", "spell", "--args", json.dumps({"word": key})).code == FAILED
    failures = tools("show", "spell", "--json").result["failures"]
    assert [(one["outcome"], one["arguments"]) for one in failures] == [
        ("raised", {"word": "[redacted]"}),
        ("unfit", {"word": "b"}),
    ]
    shown = tools("show", "spell").out
    assert """unfit for {"word": "b"}: its answer is 'two'""" in shown
    assert key not in shown
    (row,) = [row for row in tools("list", "--json").result if row["name"] == "spell"]
    assert (row["uses"], row["trials"]) == (3, 0)


@pytest.mark.usefixtures("two")
def test_tools_that_say_nearly_the_same_are_named(tools: Command) -> None:
    assert tools("similar").out == "no two tools are that alike\n"
    code = shelved.TAKT.replace("def takt_time", "def pace").replace("/ demand", "/ (demand + 0)")
    open_memory().admit(shelved.new_skill(code, tags=("manufacturing",)), key="3")
    (pair,) = tools("similar", "--least", "0.7", "--json").result
    assert ({pair["first"], pair["second"]}, pair["same_signature"]) == ({"pace-1", "takt_time-1"}, True)
    assert "1 pairs; compare them" in tools("similar", "--least", "0.7").out


def test_without_the_protocol_library_serving_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] in ("mcp", "mcp_types")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delitem(sys.modules, "millwright.mcp_server", raising=False)
    monkeypatch.setitem(sys.modules, "mcp", None)
    monkeypatch.setitem(sys.modules, "mcp_types", None)
    with pytest.raises(UsageError, match=r"pip install 'millwright\[mcp\]'"):
        serve()


def _entries(home: Path) -> dict[str, dict[str, str]]:
    return {entry["id"]: entry for entry in json.loads((home / "tools" / "index.json").read_text())["tools"]}
