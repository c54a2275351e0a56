"""The library: admitted once, found every way, and trusted as far as its uses go."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest
from pydantic import ValidationError
from shelf import library_in, offered, task, used

from tools.errors import SkillUnknown, StorageFailed, UsageError
from tools.memory.records import Example, SkillState, Workflow

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tools.memory.library import Library

EVERY = tuple(SkillState)


@pytest.fixture
def library(home: Path) -> Iterator[Library]:
    """An empty library in this test's data directory."""
    library = library_in(home)
    yield library
    library.database.close()


def test_the_same_key_again_gives_the_same_skill(library: Library) -> None:
    first = library.admit(offered(), key="1")
    assert (first.id, first.version, first.state) == ("takt_time-1", 1, SkillState.ACTIVE)
    assert library.admit(offered(), key="1") == first
    assert library.admit(offered(code="changed = 1\n", ast_hash="other"), key="1") == first
    assert library.counts()["skills"] == 1


def test_another_key_for_other_code_gives_the_next_version_without_evidence(library: Library) -> None:
    first = library.admit(offered(), key="1")
    library.record_use(used(first.id, "r", verified=True))
    second = library.admit(offered(ast_hash="other"), key="2")
    assert (second.id, second.uses, second.successes) == ("takt_time-2", 0, 0)
    assert library.skill("takt_time") == second
    assert library.skill("takt_time-1").uses == 1


def test_what_no_oracle_proved_is_a_candidate_and_an_active_version_answers_before_it(library: Library) -> None:
    candidate = library.admit(offered(proved=False), key="1")
    assert candidate.state is SkillState.CANDIDATE
    assert library.skill("takt_time") == candidate
    active = library.admit(offered(ast_hash="b"), key="2")
    newer = library.admit(offered(ast_hash="c", proved=False), key="3")
    assert newer.state is SkillState.CANDIDATE
    assert library.skill("takt_time") == active


def test_code_that_is_known_is_no_new_version_whatever_its_name(library: Library) -> None:
    first = library.admit(offered(), key="1")
    again = library.admit(offered("cycle_time", ast_hash=first.ast_hash, run="another"), key="2")
    assert again == first
    assert library.counts()["skills"] == 1
    assert library.duplicate_of(first.ast_hash) == first


def test_suspended_code_does_not_come_back_under_another_key(library: Library) -> None:
    first = library.admit(offered(), key="1")
    library.change_state(first.id, SkillState.SUSPENDED, "regressed", key="s")
    assert library.admit(offered(), key="2").state is SkillState.SUSPENDED
    library.change_state(first.id, SkillState.RETIRED, "not wanted", key="r")
    assert library.duplicate_of(first.ast_hash) is None
    assert library.admit(offered(), key="3").id == "takt_time-2"


def test_equal_code_that_requires_something_else_is_another_skill(library: Library) -> None:
    one, two = library.admit(offered("one"), key="1"), library.admit(offered("two"), key="2")
    first = library.admit(offered("sum_up", tool_type="workflow", requires=(one.id,)), key="3")
    second = library.admit(offered("sum_up", tool_type="workflow", requires=(two.id,)), key="4")
    assert (first.id, second.id) == ("sum_up-1", "sum_up-2")


def test_a_required_skill_must_be_there(library: Library) -> None:
    with pytest.raises(UsageError, match=r"'sum_up' requires 'gone-1'.*admit that first"):
        library.admit(offered("sum_up", tool_type="workflow", requires=("gone-1",)), key="1")
    assert library.counts()["skills"] == 0


def test_an_unknown_name_is_told_with_names_like_it(library: Library) -> None:
    library.admit(offered(), key="1")
    with pytest.raises(SkillUnknown, match=r"'takt_tme'.*did you mean takt_time\?"):
        library.skill("takt_tme")
    with pytest.raises(SkillUnknown, match="millwright tools list"):
        library.skill("something_else")


def test_a_name_whose_versions_are_all_out_of_use_says_which_id_to_name(library: Library) -> None:
    skill = library.admit(offered(), key="1")
    library.change_state(skill.id, SkillState.SUSPENDED, "its tests fail", key="s")
    with pytest.raises(SkillUnknown, match="'takt_time-1' is suspended"):
        library.skill("takt_time")
    assert library.skill("takt_time-1").state is SkillState.SUSPENDED


def test_an_alias_answers_until_a_skill_has_the_name(library: Library) -> None:
    first, other = library.admit(offered(), key="1"), library.admit(offered("pace"), key="2")
    library.alias("tempo", first.id, "same results", key="a")
    library.alias("tempo", other.id, "same results", key="a")
    assert library.skill("tempo") == first
    library.alias("tempo", other.id, "same results", key="b")
    assert library.skill("tempo") == other
    assert library.aliases() == {"tempo": other.id}
    own = library.admit(offered("tempo"), key="3")
    assert library.skill("tempo") == own
    with pytest.raises(SkillUnknown):
        library.alias("x", "nothing-1", "", key="c")


def test_tags_are_all_wanted_and_their_case_does_not_matter(library: Library) -> None:
    takt = library.admit(offered(tags=("Manufacturing", " time ")), key="1")
    scrap = library.admit(offered("scrap_rate", tags=("manufacturing",)), key="2")
    assert library.find_by_tags(["manufacturing"]) == [scrap, takt]
    assert library.find_by_tags(["TIME", "manufacturing"]) == [takt]
    assert library.find_by_tags(["time", "scrap"]) == []
    assert library.find_by_tags(["time"], states=(SkillState.RETIRED,)) == []


def test_one_of_several_tags_is_enough_where_that_is_asked_for(library: Library) -> None:
    takt = library.admit(offered(tags=("time", "line")), key="1")
    scrap = library.admit(offered("scrap_rate", tags=("scrap",)), key="2")
    library.admit(offered("slug", tags=("text",)), key="3")
    assert library.find_by_tags(["Scrap", "time", "line", "unknown"], any_tag=True) == [scrap, takt]
    assert library.find_by_tags(["unknown"], any_tag=True) == []
    assert library.find_by_tags([]) == library.find_by_tags([], any_tag=True) == []
    library.admit(offered(tags=("demand",), ast_hash="2"), key="4")
    assert library.find_by_tags(["time", "scrap"], any_tag=True) == [scrap]


def test_a_list_has_the_newest_version_of_a_name_or_every_one(library: Library) -> None:
    first, second = (library.admit(offered(ast_hash=h), key=h) for h in "ab")
    assert library.skills() == [second]
    assert library.skills(every_version=True) == [first, second]
    library.change_state(second.id, SkillState.SUSPENDED, "", key="s")
    assert library.skills() == [first]
    assert [skill.id for skill in library.skills(states=EVERY)] == [second.id]


def test_a_signature_is_the_same_whatever_its_descriptions_say(library: Library) -> None:
    skill = library.admit(offered(), key="1")
    told = {"type": "object", "title": "Arguments", "required": ["minutes", "demand"], "properties": {}}
    told["properties"] = {"demand": {"type": "number", "description": "units"}, "minutes": {"type": "number"}}
    assert library.with_signature(told, {"type": "number", "title": "Takt"}) == [skill]
    assert library.with_signature({**told, "required": ["minutes"]}, {"type": "number"}) == []
    assert library.with_signature(told, {"type": "integer"}) == []


def test_parameters_may_be_called_title_or_description(library: Library) -> None:
    def schema(name: str) -> dict[str, object]:
        return {"type": "object", "properties": {name: {"type": "string"}}}

    skill = library.admit(offered(parameters=schema("title")), key="1")
    assert library.with_signature(schema("title"), skill.returns) == [skill]
    assert library.with_signature(schema("description"), skill.returns) == []


def test_everything_comes_back_as_it_was_admitted(library: Library) -> None:
    example = Example(arguments={"minutes": math.inf, "demand": [1, {"a": None}]}, result=math.nan)
    new = offered(
        description="Größe — «takt»\n\tin two lines",
        examples=(example,),
        plan={"steps": ["a", {"b": 1.5}]},
        source="ISO 22400-2",
        task="manufacturing/1",
    )
    skill = library.admit(new, key="1")
    assert skill.examples[0].arguments == example.arguments
    assert math.isnan(skill.examples[0].result)
    assert (skill.description, skill.plan, skill.source, skill.task) == (
        new.description,
        new.plan,
        new.source,
        new.task,
    )
    assert list(skill.parameters["properties"]) == ["minutes", "demand"]
    assert library.skill(skill.id).sha256 == skill.sha256
    assert skill.interface["id"] == "takt_time-1"


def test_the_hash_is_of_code_tests_and_interface(library: Library) -> None:
    hashes = {
        library.admit(offered(**{name: value}, ast_hash=value), key=value).sha256
        for name, value in (("code", "a = 1"), ("tests", "b = 1"), ("description", "c"), ("run", "d"))
    }
    assert len(hashes) == 4


@pytest.mark.parametrize(
    ("old", "new"), [("minutes / demand", "minutes * demand"), ('"entry"', '"exit"'), ("{", "[")]
)
def test_code_that_is_not_what_was_admitted_is_not_given_out(library: Library, old: str, new: str) -> None:
    skill = library.admit(offered(), key="1")
    with library.database.transaction() as cursor:
        cursor.execute("UPDATE skills SET body = replace(body, ?, ?)", (old, new))
    with pytest.raises(StorageFailed, match=f"'{skill.id}'.*not what was written.*forget {skill.id}"):
        library.skill("takt_time")
    assert library.forget(skill.id) > 0


def test_secrets_are_stored_nowhere(library: Library, monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    monkeypatch.setenv("SHOP_API_KEY", "value-of-the-key")
    key = "sk-" + "a1B2" * 10
    skill = library.admit(
        offered(code=f"KEY = {key!r}\n", description="uses value-of-the-key", tags=("value-of-the-key",)), key="1"
    )
    library.record_use(used(skill.id, "r", detail=f"refused {key}"))
    library.record_task(task("t", reason=f"Traceback: {key}", code=f"{key}"))
    library.record_workflow(
        Workflow(id="w", intent=f"call it with {key}", steps=[{"args": ["value-of-the-key"]}], at="now")
    )
    library.change_state(skill.id, SkillState.RETIRED, f"leaks {key}", key="s")
    library.alias("other", skill.id, f"{key}", key="a")
    library.database.close()
    stored = b"".join(path.read_bytes() for path in home.rglob("*") if path.is_file())
    assert b"[redacted]" in stored
    assert key.encode() not in stored
    assert b"value-of-the-key" not in stored


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"name": "TaktTime"}, "lower snake case"),
        ({"name": "../evil"}, "lower snake case"),
        ({"name": "class"}, "lower snake case"),
        ({"name": "x" * 65}, "64 characters"),
        ({"entry": "a.b"}, "no function name"),
        ({"code": "a\0b"}, "NUL"),
        ({"code": "a = '\ud800'"}, "unicode|surrogates"),
        ({"requires": ("a-1",)}, "only a workflow"),
        ({"tool_type": "workflow"}, "only a workflow"),
    ],
)
def test_what_is_no_skill_is_refused(wrong: dict[str, object], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        offered(**wrong)


def test_texts_that_are_no_unicode_are_kept_as_far_as_they_are(library: Library) -> None:
    library.record_task(task("t", reason="half \udcff a pair"))
    assert library.tasks()[0].reason == "half \udcff a pair"
    skill = library.admit(offered(description="half \udcff a pair", family="\udcff"), key="1")
    library.change_state(skill.id, SkillState.RETIRED, "\udcff", key="s")
    assert library.history(skill.id)[0].why == "?"


def test_a_use_counts_once_and_a_forgotten_skill_has_none(library: Library) -> None:
    skill = library.admit(offered(), key="1")
    for _ in range(2):
        library.record_use(used(skill.id, "r"))
    library.record_use(used("gone-1", "r"))
    assert library.skill(skill.id).uses == library.counts()["uses"] == 1


def test_four_verified_runs_make_a_candidate_active(library: Library) -> None:
    skill = library.admit(offered(proved=False), key="1")
    for number in range(4):
        assert library.skill(skill.id).state is SkillState.CANDIDATE
        library.record_use(used(skill.id, f"r{number}"))
        changed = library.settle(f"r{number}", verified=True)
    assert library.skill(skill.id).state is SkillState.ACTIVE
    assert library.skill(skill.id).successes == 4
    assert [(c.before, c.after) for c in changed] == [(SkillState.CANDIDATE, SkillState.ACTIVE)]
    assert library.history(skill.id) == changed
    assert library.settle("r3", verified=True) == []


def test_many_calls_in_one_run_are_one_trial(library: Library) -> None:
    skill = library.admit(offered(proved=False), key="1")
    for number in range(40):
        library.record_use(used(skill.id, "r", key=str(number)))
    library.settle("r", verified=True)
    assert library.skill(skill.id).state is SkillState.CANDIDATE
    assert library.skill(skill.id).successes == 40


def test_a_run_that_is_judged_anew_counts_as_it_was_judged_last(library: Library) -> None:
    skill = library.admit(offered(proved=False), key="1")
    for number in range(3):
        library.record_use(used(skill.id, f"r{number}"))
        library.settle(f"r{number}", verified=True)
    library.settle("r1", verified=False)
    assert library.skill(skill.id).successes == 2
    library.record_use(used(skill.id, "r3"))
    assert library.settle("r3", verified=True) == []
    assert len(library.settle("r1", verified=True)) == 1


def test_a_call_that_raised_says_nothing_and_one_that_was_stopped_counts_against(library: Library) -> None:
    raising, slow = (
        library.admit(offered("raising", proved=False), key="1"),
        library.admit(offered("slow"), key="2"),
    )
    for number in range(4):
        library.record_use(used(raising.id, f"r{number}", "raised"))
        library.record_use(used(slow.id, f"r{number}", "stopped"))
        library.settle(f"r{number}", verified=True)
    assert library.skill(raising.id).state is SkillState.CANDIDATE
    assert library.skill(slow.id).state is SkillState.SUSPENDED


def test_a_skill_that_does_worse_than_its_family_is_suspended(library: Library) -> None:
    good, bad = library.admit(offered("good"), key="1"), library.admit(offered("bad"), key="2")
    for number in range(20):
        library.record_use(used(good.id, f"g{number}", verified=True))
    changed = []
    for number in range(10):
        library.record_use(used(bad.id, f"b{number}"))
        changed += library.settle(f"b{number}", verified=False)
    assert [change.skill for change in changed] == [bad.id]
    assert "others of its kind 20 of 20" in changed[0].why
    assert library.skill(bad.id).state is SkillState.SUSPENDED
    assert library.skill(good.id).state is SkillState.ACTIVE


def test_a_skill_that_was_approved_again_is_suspended_by_its_next_failure_and_by_no_success(
    library: Library,
) -> None:
    good, bad = library.admit(offered("good"), key="1"), library.admit(offered("bad"), key="2")
    for number in range(20):
        library.record_use(used(good.id, f"g{number}", verified=True))
    for number in range(10):
        library.record_use(used(bad.id, f"b{number}", verified=False))
    assert library.skill(bad.id).state is SkillState.SUSPENDED
    library.change_state(bad.id, SkillState.ACTIVE, "mended", key="person/1")
    library.record_use(used(bad.id, "b10", verified=True))
    assert library.skill(bad.id).state is SkillState.ACTIVE
    library.record_use(used(bad.id, "b11", verified=False))
    assert library.skill(bad.id).state is SkillState.SUSPENDED


def test_calls_that_nobody_judges_are_uses_and_no_evidence(library: Library) -> None:
    skill = library.admit(offered(proved=False), key="1")
    for number, outcome in enumerate(["returned"] * 9 + ["raised", "stopped", "unfit"]):
        library.record_use(used(skill.id, "", outcome, key=str(number), detail=outcome))
    found = library.skill(skill.id)
    assert (found.uses, found.trials, found.won, found.state) == (12, 0, 0, SkillState.CANDIDATE)
    assert [use.detail for _, use in library.failures(skill.id)] == ["unfit", "stopped", "raised"]
    library.record_use(used(skill.id, "r", verified=True))
    found = library.skill(skill.id)
    assert (found.uses, found.trials, found.won) == (13, 1, 1)


def test_where_every_run_fails_no_skill_of_a_family_is_blamed(library: Library) -> None:
    skills = [library.admit(offered(name), key=name) for name in ("a", "b", "c")]
    for number in range(30):
        for skill in skills[: 1 + number % 3]:
            library.record_use(used(skill.id, f"r{number}"))
        library.settle(f"r{number}", verified=number % 4 == 0)
    states = [library.skill(skill.id).state for skill in skills]
    assert states.count(SkillState.ACTIVE) >= 2


def test_a_key_changes_a_state_once(library: Library) -> None:
    skill = library.admit(offered(), key="1")
    for _ in range(2):
        library.change_state(skill.id, SkillState.SUSPENDED, "tests fail", key="s")
    library.change_state(skill.id, SkillState.ACTIVE, "tests pass", key="b")
    library.change_state(skill.id, SkillState.SUSPENDED, "tests fail", key="s")
    assert library.skill(skill.id).state is SkillState.ACTIVE
    assert [change.why for change in library.history(skill.id)] == ["tests fail", "tests pass"]


def test_tasks_are_kept_in_full_newest_first(library: Library) -> None:
    old = task("1", reason="line\n" * 5000, seconds={"write": 1.5}, at="2026-01-01T00:00:00Z")
    new = task("2", outcome="failed", at="2026-01-02T00:00:00Z")
    for record in (old, new, task("1", reason="another")):
        library.record_task(record)
    assert library.tasks() == [new, old]
    assert library.tasks(outcome="failed") == [new]
    assert library.tasks(limit=1) == [new]


def test_a_workflow_is_replaced_by_its_later_record(library: Library) -> None:
    first = Workflow(id="w", intent="count words", outcome="unknown", tags=("text",), at="1")
    library.record_workflow(first, vector=("f", b"1234"))
    second = first.model_copy(update={"outcome": "verified", "intent": "count lines"})
    library.record_workflow(second)
    assert library.workflows() == [second]
    found = library.database.read("SELECT owner FROM words WHERE words MATCH 'lines'")
    assert [row[0] for row in found] == ["workflow:w"]
    assert library.database.read("SELECT owner FROM words WHERE words MATCH 'words'") == []
    assert library.counts()["vectors"] == 0  # the one of the text before would be found for it


def test_exposures_are_counted_once(library: Library) -> None:
    skill = library.admit(offered(), key="1")
    for _ in range(2):
        library.expose([skill.id], "run", "developer/A1", key="e")
    assert library.counts()["exposures"] == 1


def test_words_are_found_by_stem_name_and_parameter(library: Library) -> None:
    library.admit(offered(description="Counts the units produced."), key="1")
    for word in ("unit", "takt", "demand", "producing", "manufacturing"):
        assert len(library.database.read("SELECT 1 FROM words WHERE words MATCH ?", (word,))) == 1, word
