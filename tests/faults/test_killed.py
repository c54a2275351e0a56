"""A client that is killed at a named point, resumed, and compared with one that nobody disturbed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from faults.scenes import disturbed, holds, small, strike

if TYPE_CHECKING:
    from collections.abc import Callable

    from faults.clients import Launcher
    from faults.scenes import Outcome, Scene

# Name of the moment: how often the point is passed over, the point, and whether its write is torn.
POINTS = {
    "before the run has a manifest": (0, r"replace run.json", False),
    "after the manifest, before the first step": (0, r"mkdir objects.git", False),
    "between a step's findings and the step": (0, r"advance plan", False),
    "between the step and its checkpoint": (0, r"STEP plan", False),
    "inside the line that confirms a step": (1, r"write lineage.jsonl confirm", True),
    "between a model's answer and the journal": (2, r"write cassette.jsonl call", False),
    "inside the journal's line": (2, r"write cassette.jsonl call", True),
    "inside the ledger's intent": (0, r"write ledger.jsonl intent", True),
    "inside a write, before the rename": (0, r"replace workspace/n1.py", False),
    "inside a write, between rename and done": (0, r"write ledger.jsonl done", False),
    "inside the ledger's done": (1, r"write ledger.jsonl done", True),
    "inside a parallel superstep": (0, r"write register.jsonl develop/A2#0", False),
    "inside a snapshot": (3, r"replace objects.git", False),
    "between remediation and its checkpoint": (0, r"write events.jsonl PLAN.*|advance remediate", False),
    "after a test run, before its record": (1, r"write events.jsonl COMMAND", False),
    "in a test run, while its copy is made": (0, r"replace \.trial\..*/n2.py", False),
    "before the report": (0, r"replace report.md", False),
    "inside the zip": (0, r"replace [\w-]*\.zip", False),
    "after the zip, before the end": (0, r"advance deliver", False),
}


QUICK = ("--verification", "quick")


@pytest.mark.parametrize("moment", POINTS)
def test_a_killed_build_goes_on_to_the_same_end(
    whole: Callable[..., Outcome], scene: Callable[..., Scene], moment: str
) -> None:
    nth, pattern, torn = POINTS[moment]
    # What runs nothing is enough wherever the kill does not come while something runs.
    options = () if "test run" in moment else QUICK
    build = scene(small(), *options)
    ended, figures = disturbed(build, [strike(pattern=pattern, nth=nth, torn=torn)])
    assert figures.clients == 2
    holds(build, ended, figures, whole(small, *options))


def test_a_build_that_is_killed_six_times_loses_nothing(
    whole: Callable[..., Outcome], scene: Callable[..., Scene]
) -> None:
    build = scene(small(), *QUICK)
    ended, figures = disturbed(build, [strike(number=number) for number in (90, 80, 70, 60, 50, 40)])
    assert figures.clients == 7
    holds(build, ended, figures, whole(small, *QUICK))


@pytest.mark.parametrize(
    ("pattern", "nth", "status"),
    [
        ("replace run.json", 1, "interrupted"),
        ("replace workspace/n1.py", 0, "interrupted"),
        ("DELIVERED", 0, "finished"),
    ],
)
def test_the_list_says_what_became_of_a_killed_run(
    launcher: Launcher, scene: Callable[..., Scene], pattern: str, nth: int, status: str
) -> None:
    build = scene(small(), *QUICK)
    assert build.build(**strike(pattern=pattern, nth=nth)).killed
    (row,) = launcher.run("runs", "list", "--json", **build.where).result
    assert (row["id"], row["status"]) == (build.run, status)


def test_a_fork_that_is_killed_leaves_its_source_alone_and_can_be_made_again(
    launcher: Launcher, whole: Callable[..., Outcome], scene: Callable[..., Scene]
) -> None:
    build = scene(small(), *QUICK)
    build.build()
    words = ("runs", "fork", build.run, "--at", "0.3", "--json")
    killed = [
        launcher.run(*words, **build.where, **strike(pattern=pattern)).killed
        for pattern in (
            r"write objects.git|mkdir objects.git/objects",
            r"replace run.json",
            r"replace workspace",
            r"write lineage.* fork",
        )
    ]
    assert killed == [True] * 4
    assert build.outcome().files == whole(small, *QUICK).files
    made = launcher.run(*words, **build.where)
    assert made.code == 0
    again = launcher.run("runs", "resume", made.result["run"], "--json", **build.where)
    assert (again.code, again.result["verdict"]) == (0, "PASS")
    forked = build.home / "runs" / made.result["run"] / "workspace"
    assert {path.name: path.read_bytes() for path in forked.iterdir()} == build.outcome().files


def test_a_build_that_was_killed_and_resumed_proves_itself(launcher: Launcher, scene: Callable[..., Scene]) -> None:
    """Killed between a write and its record, inside the journal's line, and while the report was written."""
    build = scene(small())
    points = [r"write ledger.jsonl done", r"write cassette.jsonl call", r"replace report.json"]
    ended, figures = disturbed(build, [strike(pattern=pattern, torn=True) for pattern in points])
    assert (ended.code, figures.kills) == (0, 3)
    proved = launcher.run("verify", build.run, "--json", **build.where)
    assert (proved.code, proved.result["holds"], proved.result["verdict"]) == (0, True, "PASS"), proved.out
