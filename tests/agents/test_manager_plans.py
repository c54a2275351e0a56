"""Plans and remediations are validated by code; each rule, broken once, says what to change."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from agents.contracts import Assignment, Blocker, BlockerKind, Plan
from agents.manager import Remediations, in_waves, plan_problems, remediation_problems

GOAL = "Write a calculator."


def part(id: str, *paths: str, role: str = "developer", after: tuple[str, ...] = (), **more: Any) -> dict[str, Any]:
    """One assignment as a manager answers it."""
    named = {
        "id": id,
        "role": role,
        "title": "T",
        "task": "Do it.",
        "paths": list(paths),
        "depends_on": list(after),
    }
    return {**named, **more}


def plan(*parts: dict[str, Any]) -> Plan:
    return Plan.model_validate({"summary": "S", "assignments": list(parts)})


def check(kind: str, value: str, path: str = "") -> dict[str, Any]:
    return {"checks": [{"kind": kind, "path": path, "value": value}]}


GOOD = plan(
    part("A1", "pkg/calc.py", "pkg/__init__.py", **check("defines", "Calc.add", "pkg/calc.py")),
    part("A2", "tests/test_calc.py", "tests/conftest.py", role="tester", after=("A1",)),
    part("A3", "README.md", **check("contains", "pkg", "README.md")),
    part("A4", "cli.py", after=("A1",), **check("command", "python -m cli --help")),
)


def test_a_good_plan_has_no_problem() -> None:
    assert (
        plan_problems(GOOD, "Write pkg/calc.py and README.md for Node.js users; see setup.cfg.", ["setup.cfg"])
        == []
    )


@pytest.mark.parametrize(
    ("parts", "says"),
    [
        ([part("A1", "a.py"), part("A1", "b.py")], "two assignments have the id 'A1'"),
        ([part("A1", "a.py"), part("A2", "./a.py")], "'a.py' is owned by both A1 and A2"),
        ([part("A1", "a.py", "a.py")], "'a.py' is owned by both A1 and A1"),
        (
            [part("A1", "pkg"), part("A2", "pkg/a.py")],
            "'pkg/a.py' is a file in one assignment and a folder in another",
        ),
        (
            [part("A1", "../a.py")],
            "A1: the path '../a.py' holds '..', which leads out of its directory; name the file directly",
        ),
        ([part("A1", "a.py", after=("A9",))], "A1 depends on 'A9', which is no assignment"),
        ([part("A1", "test_a.py")], "'test_a.py' is a test file, so its assignment A1 needs the role tester"),
        (
            [part("A1", "a.py", "sub/conftest.py")],
            "'sub/conftest.py' decides how tests run, so its assignment A1 needs the role tester",
        ),
        (
            [part("A1", "a.py", role="tester")],
            "'a.py' is not a test file, so its assignment A1 needs the role developer",
        ),
        (
            [part("A1", "a.py", after=("A2",)), part("A2", "b.py", after=("A1",)), part("A3", "c.py")],
            "these assignments depend on each other in a circle: A1, A2",
        ),
        ([part("A1", "a.py", after=("A1",))], "these assignments depend on each other in a circle: A1"),
        (
            [part(f"A{n}", f"n{n}.py", after=(f"A{n - 1}",) if n else ()) for n in range(99)],
            "the plan is a chain of 99 assignments; at most 98 may follow each other",
        ),
        ([part("A1", "docs")], "'docs' is a folder of the workspace, so it cannot be a file"),
        ([part("A1", "old.py/a.py")], "'old.py/a.py' needs the folder 'old.py', which is a file of the workspace"),
        ([part("A1", "a.py", **check("defines", " ", "a.py"))], "A1: the check defines ' ' has no value"),
        (
            [part("A1", "a.py", **check("defines", "add(a, b)", "a.py"))],
            "A1: the check defines 'add(a, b)' is not a name; give the bare name of the function or class, such as 'add'",
        ),
        (
            [part("A1", "a.md", **check("defines", "add", "a.md"))],
            "A1: the check defines 'add' is about 'a.md', which is not Python; use the check contains",
        ),
        (
            [part("A1", "a.py", **check("contains", "x", "b.py"))],
            "A1: the check contains 'x' is about 'b.py', which no assignment owns",
        ),
        (
            [part("A1", "a.py", **check("contains", "x", "../b.py"))],
            (
                "A1: the check contains 'x': the path '../b.py' holds '..', which leads out of its directory; "
                "name the file directly"
            ),
        ),
    ],
)
def test_a_broken_rule_is_told_in_one_sentence(parts: list[dict[str, Any]], says: str) -> None:
    assert plan_problems(plan(*parts), GOAL, ["old.py", "docs/guide.md"]) == [says]


@pytest.mark.parametrize(
    ("goal", "missing"),
    [
        ("Write main.py.", ["main.py"]),
        ("Write `src/app/main.py` and docs/guide.md!", ["src/app/main.py", "docs/guide.md"]),
        ("Use old.py and a.py", []),
        ("Serve https://example.com/data.json to Vue.js and Node.js", []),
        ("Read /etc/app/config.yaml", []),
        ("Write index.js twice: index.js", ["index.js"]),
    ],
)
def test_every_file_that_the_goal_names_is_owned(goal: str, missing: list[str]) -> None:
    told = plan_problems(plan(part("A1", "a.py")), goal, ["old.py"])
    assert told == [f"the goal names {path!r}, and no assignment owns it" for path in missing]


def test_every_problem_is_told_at_once() -> None:
    told = plan_problems(plan(part("A1", "/a.py"), part("A1", "test_b.py", after=("A7",))), "Write c.py", [])
    assert len(told) == 5


@pytest.mark.parametrize(
    "change",
    [
        {"id": "1A"},
        {"id": "A" * 33},
        {"paths": []},
        {"title": " "},
        {"task": ""},
        {"role": "boss"},
        {"checks": [{"kind": "smells", "value": "x"}]},
    ],
)
def test_what_is_no_assignment_is_refused_by_its_form(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        plan({**part("A1", "a.py"), **change})


def test_waves_follow_what_depends_on_what() -> None:
    waved = in_waves(
        plan(part("A3", "c.py", after=("A2",)), part("A1", "./a.py"), part("A2", "b.py", after=("A1",)))
    )
    assert [(a.id, a.sequence, a.paths) for a in waved.assignments] == [
        ("A1", 1, ["a.py"]),
        ("A2", 2, ["b.py"]),
        ("A3", 3, ["c.py"]),
    ]


@settings(deadline=None, max_examples=40)
@given(links=st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=14))
def test_an_assignment_comes_after_all_that_it_depends_on(links: list[tuple[int, int]]) -> None:
    after = {n: tuple(sorted({f"A{b}" for a, b in links if a == n and b < a})) for n in range(8)}
    found = plan(*(part(f"A{n}", f"n{n}.py", after=after[n]) for n in range(8)))
    assert plan_problems(found, GOAL, []) == []
    waves = {a.id: a.sequence for a in in_waves(found).assignments}
    for n, names in after.items():
        assert waves[f"A{n}"] == 1 + max((waves[name] for name in names), default=0)


# Remediations

BLOCKERS = [
    Blocker(id=f"B{n}", kind=BlockerKind.TEST_FAILURE, assignment="A1", message="m", sender="verifier")
    for n in (1, 2)
]
OWNERS = {"a.py": "A1", "test_a.py": "A2"}


def mend(*blockers: str, retry_for: str = "A1", **more: Any) -> dict[str, Any]:
    return {
        "blockers": list(blockers),
        "retry_for": retry_for,
        "title": "T",
        "task": "Mend.",
        "paths": ["a.py"],
        **more,
    }


def mends(*parts: dict[str, Any]) -> Remediations:
    return Remediations.model_validate({"assignments": list(parts)})


def test_a_good_remediation_has_no_problem() -> None:
    found = mends(mend("B1"), mend("B2", retry_for="A2", role="tester", paths=["test_a.py"]))
    assert remediation_problems(found, BLOCKERS, OWNERS) == []
    assert remediation_problems(mends(mend("B1", "B2")), BLOCKERS, OWNERS) == []


@pytest.mark.parametrize(
    ("parts", "says"),
    [
        ([mend("B1", "B2", "B3")], "'B3' is not one of the blockers B1, B2"),
        ([mend("B1")], "blocker B2 is answered by 0 assignments, not by one"),
        ([mend("B1", "B2"), mend("B2", paths=["b.py"])], "blocker B2 is answered by 2 assignments, not by one"),
        ([mend("B1", "B2", retry_for="A7")], "retry_for 'A7' is not one of the assignments A1, A2"),
        ([mend("B1"), mend("B2")], "'a.py' is owned by both R1 and R2"),
        (
            [mend("B1", "B2", paths=["test_a.py"])],
            "'test_a.py' is a test file, so its assignment R1 needs the role tester",
        ),
        ([mend("B1", "B2", paths=[".git/config"])], None),
    ],
)
def test_a_broken_rule_of_a_remediation_is_told(parts: list[dict[str, Any]], says: str | None) -> None:
    (told,) = remediation_problems(mends(*parts), BLOCKERS, OWNERS)
    assert told == says if says else told.startswith("R1: the path '.git/config' is a protected name")


@pytest.mark.parametrize("change", [{"title": "  "}, {"task": "\n"}, {"paths": []}, {"blockers": []}])
def test_a_remediation_that_could_be_no_assignment_is_refused_by_its_form(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        mends({**mend("B1"), **change})
    assert Assignment(id="R100", title="T", task="t", paths=["a.py"]).retry_for is None
