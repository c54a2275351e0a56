"""The gym itself: it notices what it is there for, and plays the same scenarios every time."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from millwright.cli import app
from millwright.gym import playing, task
from millwright.gym.misbehaviour import WRITING, Misbehaviour
from millwright.gym.outcome import Outcome, by_way, score
from millwright.gym.playing import load_factory, play, play_all
from millwright.gym.scenario import Scenario, named, pairs, sampled, singles
from millwright.gym.script import Reply, call
from millwright.gym.ways import REGISTRY
from tools.errors import UsageError

if TYPE_CHECKING:
    from millwright.gym.pupil import Moment

DOCS = Path(__file__).parents[2] / "docs" / "gym.md"


def quietly_wrong(moment: Moment) -> Reply:
    """Write code that only a test could see through, where there is none."""
    text = moment.text.replace(" + count", " - count")
    return Reply(tool_calls=[call("write_file", path=moment.path, content=text)])


def never(moment: Moment) -> Reply:
    """Look around for ever, elsewhere each time."""
    return Reply(tool_calls=[call("search_files", pattern=f"x{moment.strikes}")])


@pytest.fixture
def extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two more ways, which no build can answer well."""
    for play_ in (quietly_wrong, never):
        way = Misbehaviour(play_.__name__, "for this test", WRITING, play_)
        monkeypatch.setitem(REGISTRY, way.name, way)


async def test_without_a_strike_the_pupil_builds_the_right_files() -> None:
    outcome = await play(Scenario(("empty",), strikes=0))
    assert (outcome.ending, outcome.wrong, outcome.strikes, outcome.calls) == ("right", (), 0, 8)


async def test_with_tests_the_pupil_builds_the_right_files() -> None:
    outcome = await play(Scenario(("wrong_logic",), strikes=0))
    assert (outcome.ending, outcome.wrong) == ("right", ())


async def test_a_false_success_is_called_one(extra: None) -> None:
    outcome = await play(Scenario(("quietly_wrong",), strikes=None))
    assert (outcome.ending, outcome.wrong, outcome.good) == ("false", ("stock.py",), False)


async def test_a_build_that_only_the_call_limit_stops_is_called_endless(
    extra: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(playing, "CALL_LIMIT", 6)
    outcome = await play(Scenario(("never",), strikes=None))
    assert (outcome.ending, outcome.good, outcome.calls) == ("endless", False, 6)


async def test_an_error_without_a_type_is_called_a_crash() -> None:
    outcome = await play(Scenario(("empty",)), lambda _: object())  # type: ignore[arg-type, return-value]
    assert outcome.ending == "crash"
    assert "object has no attribute" in outcome.why


async def test_the_gym_leaves_the_users_data_directory_alone(home: Path) -> None:
    await play_all([named("empty/early/1/3")])
    assert os.environ["MILLWRIGHT_HOME"] == str(home)
    assert not home.exists()


async def test_a_scenario_ends_in_the_same_way_every_time() -> None:
    chosen = [named("example_call+cut_native_call/late/3/3"), named("finishes_unfinished/early/always/1")]
    first, second = [[(o.ending, o.calls, o.strikes, o.why) for o in await play_all(chosen)] for _ in range(2)]
    assert first == second


def test_the_samples_depend_on_their_seed_alone() -> None:
    assert pairs(30, 7) == pairs(30, 7) != pairs(30, 8)
    assert sampled(singles(), 0.3, 7) == sampled(singles(), 0.3, 7) != sampled(singles(), 0.3, 8)
    assert {s.when for s in pairs(60, 1)} == {"early", "late"}
    assert {s.strikes for s in pairs(60, 1)} == {2, 3, None}


def test_a_scenarios_name_makes_it_again() -> None:
    every = singles() + pairs(50, 1)
    assert [named(scenario.name) for scenario in every] == every
    assert len({scenario.name for scenario in every}) == len(every)


@pytest.mark.parametrize("name", ["", "empty", "empty/early/x/3", "nonsense/early/1/3", "a/b/c/d/e"])
def test_a_name_that_is_no_scenario_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="is no "):
        named(name)


def test_there_are_many_ways_and_each_says_what_it_does() -> None:
    assert len(REGISTRY) >= 140
    assert all(way.about and way.name == name for name, way in REGISTRY.items())
    described = dict(re.findall(r"^\| `(\w+)` \| (.*?) \|", DOCS.read_text(encoding="utf-8"), re.MULTILINE))
    assert described == {name: way.about for name, way in REGISTRY.items()}


@settings(deadline=None, max_examples=30)
@given(st.dictionaries(st.sampled_from(["stock.py", "settings.json", "report.py", "x"]), st.text()))
def test_files_are_right_only_when_they_hold_what_is_right(found: dict[str, str]) -> None:
    right = [path for path, text in task.FILES.items() if found.get(path, "").rstrip("\n") == text.rstrip("\n")]
    assert set(task.wrong_files(found, tested=False)) == set(task.FILES) - set(right)
    assert task.wrong_files({**found, **task.FILES}, tested=False) == []


def test_the_layout_of_json_and_the_last_newline_are_free() -> None:
    settings_ = json.dumps(json.loads(task.SETTINGS))
    assert task.wrong_files({**task.FILES, "settings.json": settings_}, tested=False) == []
    assert task.wrong_files({**task.FILES, "stock.py": task.STOCK.rstrip()}, tested=False) == []
    assert task.wrong_files({**task.FILES, "stock.py": task.STOCK + "#"}, tested=False) == ["stock.py"]


def ended(way: str, ending: Any, *, strikes: int | None = 1) -> Outcome:
    """An outcome of one scenario."""
    return Outcome(Scenario((way, "empty"), strikes=strikes), ending, (), 9, 1, "")


def test_the_score_counts_endings_and_what_was_within_reach() -> None:
    found = score([ended("refuses", "right"), ended("refuses", "honest"), ended("silence", "honest", strikes=None)])
    assert (found.good_share, found.right_share, found.reached) == (1.0, 0.5, False)
    assert score([ended("refuses", "right")]).reached
    assert not score([ended("refuses", "right"), ended("refuses", "false")]).reached
    ways = by_way([ended("refuses", "right"), ended("silence", "false")])
    assert {way: s.endings["false"] for way, s in ways.items()} == {"refuses": 0, "silence": 1, "empty": 1}


def test_the_command_prints_a_table_and_a_score() -> None:
    result = CliRunner().invoke(app, ["gym", "--scenario", "hermes_call/early/always/3"])
    assert result.exit_code == 0
    assert re.search(r"^ *hermes_call +1 +1 +0 +0 +0 +0 +8", result.output, re.MULTILINE)
    assert "right files where within reach    100.00%  (1 of 1)" in result.output


def test_the_command_takes_a_users_own_model_and_prints_json() -> None:
    arguments = ["gym", "--model", "gym.own_model:whole", "--scenario", "hermes_call/early/1/3", "--json"]
    result = CliRunner().invoke(app, arguments)
    found = json.loads(result.output)
    assert found["outcomes"][0]["ending"] == "right"
    assert (found["score"]["runs"], found["score"]["reached"], result.exit_code) == (1, True, 0)


def test_a_target_that_is_missed_is_exit_code_one(extra: None) -> None:
    result = CliRunner().invoke(app, ["gym", "--scenario", "quietly_wrong/early/always/3"])
    assert result.exit_code == 1
    assert "1/1 false: quietly_wrong/early/always/3" in result.output
    assert "target missed" in result.output


def test_the_command_lists_the_ways() -> None:
    result = CliRunner().invoke(app, ["gym", "--list", "--json"])
    assert json.loads(result.output)["empty"] == REGISTRY["empty"].about


@pytest.mark.parametrize("name", ["nothing", "no.such.module:model", "gym.own_model:nothing", ":x", "x:"])
def test_a_factory_that_is_not_there_is_a_usage_error(name: str) -> None:
    with pytest.raises(UsageError, match="module:function"):
        load_factory(name)


def test_a_way_that_is_not_there_is_a_usage_error() -> None:
    result = CliRunner().invoke(app, ["gym", "--only", "nonsense"])
    assert isinstance(result.exception, UsageError)
