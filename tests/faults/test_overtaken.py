"""Two processes and one run: the second is refused, and one that slept through a takeover changes nothing."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest
from faults.scenes import holds_files, small, strike

from tools.workspace.ledger import check_chain

if TYPE_CHECKING:
    from collections.abc import Callable

    from faults.clients import Launcher
    from faults.scenes import Outcome, Scene

QUICK = ("--verification", "quick")
SLEEPS = {
    "before a checkpoint": (r"STEP plan", 0),
    "before the journal": (r"write cassette.jsonl call", 2),
    "inside a write": (r"replace workspace/n1.py", 0),
    "before a finding": (r"write register.jsonl check", 0),
    "before the report": (r"replace report.json", 0),
}


@pytest.mark.parametrize("moment", SLEEPS)
def test_a_run_is_taken_over_from_a_process_that_sleeps_and_it_changes_nothing_when_it_wakes(
    launcher: Launcher, whole: Callable[..., Outcome], scene: Callable[..., Scene], moment: str
) -> None:
    pattern, nth = SLEEPS[moment]
    build = scene(small(), *QUICK)
    sleeper = launcher.start(
        *build.build_words, **build.where, **strike(signal="SIGSTOP", pattern=pattern, nth=nth)
    )
    sleeper.until_stopped()
    taken = build.resume("--take-over")
    assert taken.code == 0, taken.out
    log = (build.directory / "ledger.jsonl").read_bytes()
    sleeper.send(signal.SIGCONT)
    ended = sleeper.ended()
    assert ended.code == 3
    assert one_sentence(ended.err)
    assert "take" in ended.err or "another process" in ended.err
    assert (build.directory / "ledger.jsonl").read_bytes() == log
    check_chain(build.directory / "ledger.jsonl")
    holds_files(build, whole(small, *QUICK))
    (row,) = launcher.run("runs", "list", "--json", **build.where).result
    assert (row["status"], row["verdict"]) == ("finished", "PASS")


@pytest.mark.parametrize("words", [(), ("--discard-changes",), ("--keep-changes",)])
def test_a_second_process_on_a_run_is_refused_in_one_sentence_and_touches_nothing(
    launcher: Launcher, whole: Callable[..., Outcome], scene: Callable[..., Scene], words: tuple[str, ...]
) -> None:
    build = scene(small(), *QUICK)
    first = launcher.start(
        *build.build_words, **build.where, **strike(signal="SIGSTOP", pattern=r"replace workspace/n1.py")
    )
    first.until_stopped()
    before = {path: path.read_bytes() for path in build.directory.rglob("*") if path.is_file()}
    second = build.resume(*words)
    assert second.code == 3
    assert one_sentence(second.err)
    assert f"driven by process {first.pid}" in second.err
    assert {path: path.read_bytes() for path in build.directory.rglob("*") if path.is_file()} == before
    (row,) = launcher.run("runs", "list", "--json", **build.where).result
    assert row["status"] == "running"
    first.send(signal.SIGCONT)
    assert first.ended().code == 0
    holds_files(build, whole(small, *QUICK))


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
@pytest.mark.parametrize(
    "pattern",
    [
        r"replace run.json",
        r"STEP plan",
        r"write cassette.jsonl call",
        r"replace workspace/n1.py",
        r"advance verify",
    ],
)
def test_an_interrupted_build_suspends_says_how_to_go_on_and_does(
    launcher: Launcher, whole: Callable[..., Outcome], scene: Callable[..., Scene], name: str, pattern: str
) -> None:
    build = scene(small(), *QUICK)
    words = [word for word in build.build_words if word != "--json"]
    ended = launcher.run(*words, **build.where, **strike(signal=name, pattern=pattern))
    assert (ended.code, ended.err, ended.orphans) == (3, "", [])
    assert f"go on with: millwright runs resume {build.run}" in ended.out
    (row,) = launcher.run("runs", "list", "--json", **build.where).result
    assert (row["status"], row["why"]) == ("suspended", "it was interrupted")
    assert build.resume().code == 0
    holds_files(build, whole(small, *QUICK))


def one_sentence(text: str) -> bool:
    """Whether this is one line of ours."""
    return text.startswith("millwright: ") and text.count("\n") == 1
