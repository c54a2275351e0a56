"""Bad input on the command line: one sentence on standard error, the documented exit code, nothing left behind."""

from __future__ import annotations

import os
import socket
import subprocess
from typing import TYPE_CHECKING

import pytest
from crew import Crew, assignment, writing
from faults.clients import Ended, Launcher
from servers.ollama import Reply

from tools.events import read_events

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from servers.ollama import OllamaServer

    Start = Callable[..., OllamaServer]
    Command = Callable[..., Ended]

GOAL = "Write one module."
USAGE, SUSPENDED, FAILED = 2, 3, 1


@pytest.fixture(scope="module")
def launcher() -> Iterator[Launcher]:
    """Millwright, imported once."""
    started = Launcher()
    yield started
    started.close()


@pytest.fixture
def millwright(launcher: Launcher, home: Path) -> Command:
    """Run the command on this test's data directory."""
    return lambda *words, **options: launcher.run(*words, **{"home": home, **options})


def one() -> Crew:
    return Crew([assignment("A1", "one.py")], {"A1": writing({"one.py": "N = 1\n"})})


def says(ended: Ended, code: int, *words: str) -> None:
    """Assert that a command ended with this code and one sentence that holds these words."""
    assert ended.code == code, (ended.out, ended.err)
    assert ended.out == ""
    assert ended.err.startswith("millwright: ")
    assert ended.err.count("\n") == 1
    assert [word for word in words if word not in ended.err] == []


def left(home: Path) -> list[str]:
    """Whatever there is in the data directory beside an empty database."""
    runs = home / "runs"
    return sorted(path.name for path in runs.iterdir()) if runs.exists() else []


@pytest.mark.parametrize("goal", ["", "  \n ", "?!", "42", "x" * 100_001, "\udcff\udcfe\udcfd a goal of bytes"])
def test_a_goal_that_cannot_be_built(millwright: Command, ollama: Start, home: Path, goal: str) -> None:
    server = ollama(one())
    says(millwright("build", goal, "--base-url", server.url), USAGE, "goal")
    assert server.chats == []
    assert left(home) == []


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ("ollama:nobody-has-this", ["nobody-has-this", "ollama pull"]),
        ("acme:gpt", ["acme", "ollama"]),
        ("ollama:", ["model"]),
        ("", ["model"]),
    ],
)
def test_a_model_that_is_not_there(
    millwright: Command, ollama: Start, home: Path, model: str, words: list[str]
) -> None:
    server = ollama(one())
    ended = millwright("build", GOAL, "--base-url", server.url, "--model", model, OPENAI_API_KEY="")
    says(ended, USAGE, *words)
    assert server.chats == []
    assert left(home) == []


def test_a_hosted_model_without_its_key(millwright: Command, home: Path) -> None:
    says(millwright("build", GOAL, "--model", "openai:gpt-5", OPENAI_API_KEY=""), USAGE, "OPENAI_API_KEY")
    assert left(home) == []


def test_a_server_that_nobody_runs_is_said_at_once(millwright: Command, home: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    ended = millwright("build", GOAL, "--base-url", url)
    assert (ended.code, ended.err) == (SUSPENDED, "")
    assert f"no Ollama server answers at {url}" in ended.out
    assert "ollama serve" in ended.out
    assert "make demo" in ended.out
    (run,) = left(home)
    events = [event["event"] for event in read_events(home / "runs" / run / "events.jsonl")]
    assert "MODEL_FAILURE" not in events, "it was asked again"


def test_a_plan_that_never_becomes_valid_is_a_failed_build_that_says_why(
    millwright: Command, ollama: Start
) -> None:
    circle = [assignment("A1", "a.py", after=["A2"]), assignment("A2", "b.py", after=["A1"])]
    ended = millwright("build", GOAL, "--base-url", ollama(Crew(circle, {})).url, "--json")
    assert (ended.code, ended.err) == (FAILED, "")
    assert "depend on each other in a circle: A1, A2" in ended.result["reasons"][0]


def test_a_file_where_the_data_directory_should_be(millwright: Command, tmp_path: Path) -> None:
    place = tmp_path / "file"
    place.write_text("mine")
    for words in (("build", GOAL), ("runs", "list"), ("runs", "resume", "abcd")):
        says(millwright(*words, home=place), SUSPENDED, str(place), "MILLWRIGHT_HOME")
    assert place.read_text() == "mine"


def test_a_data_directory_that_may_not_be_written(millwright: Command, tmp_path: Path) -> None:
    place = tmp_path / "disk"
    place.mkdir()
    if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", place]).returncode:
        pytest.skip("what root may not write is a read-only file system, and only root may mount one")
    try:
        says(millwright("build", GOAL, home=place / "home"), SUSPENDED, str(place), "read-only")
    finally:
        subprocess.run(["umount", place], check=True)


@pytest.mark.parametrize("words", [("resume",), ("show",), ("fork",), ("export",)])
@pytest.mark.parametrize("name", ["abcd-no-such-run", "x", "", "../../etc"])
def test_a_run_that_nobody_knows(millwright: Command, home: Path, words: tuple[str, ...], name: str) -> None:
    says(millwright("runs", *words, name), USAGE, "no run", "millwright runs list")
    assert left(home) == []


def test_a_recording_that_does_not_fit(millwright: Command, tmp_path: Path, home: Path) -> None:
    other = tmp_path / "other.jsonl"
    other.write_text('{"kind": "cassette", "format": 99, "version": "9.9", "goal": "g"}\n')
    says(millwright("runs", "replay", str(other)), FAILED, "format 99", "record the build again")
    other.write_bytes(b"\x00\x01 no recording\n")
    says(millwright("runs", "replay", str(other)), FAILED, "is not a cassette")
    says(millwright("runs", "replay", str(tmp_path / "none.jsonl")), FAILED, "neither a cassette file")
    says(millwright("build", GOAL, "--model", f"cassette:{tmp_path / 'none.jsonl'}"), FAILED, "no cassette at")
    (tmp_path / "not.zip").write_text("no zip")
    says(millwright("runs", "replay", str(tmp_path / "not.zip")), USAGE, "is no zip")
    assert left(home) == []


def test_a_database_that_is_none(millwright: Command, home: Path) -> None:
    home.mkdir()
    (home / "checkpoints.sqlite").write_bytes(b"This is no database, and it is mine.\n" * 100)
    for words in (("build", GOAL), ("runs", "list")):
        says(millwright(*words), SUSPENDED, "checkpoints.sqlite", "not a database", "move the file aside")
    assert (home / "checkpoints.sqlite").read_bytes().startswith(b"This is no database")
    assert left(home) == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--max-calls", "0"], "--max-calls"),
        (["--max-calls", "many"], "--max-calls"),
        (["--max-seconds", "-1"], "--max-seconds"),
        (["--parallel", "0"], "--parallel"),
        (["--parallel", "1000"], "--parallel"),
        (["--approve", "everything"], "--approve"),
        (["--verification", "never"], "--verification"),
        (["--exec-sandbox", "perhaps"], "sandbox"),
        (["--nonsense"], "--nonsense"),
        (["a second goal"], "unexpected"),
    ],
)
def test_an_option_that_does_not_exist_or_a_value_that_may_not_be(
    millwright: Command, home: Path, words: list[str], said: str
) -> None:
    ended = millwright("build", GOAL, *words)
    assert (ended.code, ended.out) == (USAGE, "")
    assert said in ended.err
    assert "Traceback" not in ended.err
    assert left(home) == []


@pytest.mark.parametrize("kind", ["missing", "empty", "file"])
def test_a_place_to_build_into_that_is_no_repository(
    millwright: Command, ollama: Start, home: Path, tmp_path: Path, kind: str
) -> None:
    place = tmp_path / "place"
    if kind == "empty":
        place.mkdir()
    elif kind == "file":
        place.write_text("mine")
    server = ollama(one())
    says(millwright("build", GOAL, "--into", str(place), "--base-url", server.url), USAGE, str(place), "git")
    assert server.chats == []
    assert left(home) == []


def test_answers_that_exclude_each_other(millwright: Command) -> None:
    says(millwright("runs", "resume", "abcd", "--yes", "--no"), USAGE, "exclude each other")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--domain", "cooking"], "manufacturing"),
        (["--exec-sandbox", "perhaps"], "--exec-sandbox"),
        (["--parallel", "1000"], "--parallel"),
        (["--log", "/no/such/folder/x.log"], "/no/such/folder/x.log"),
        (["--log", "."], "directory"),
    ],
)
def test_a_session_of_the_factory_that_cannot_be_is_refused_before_any_model_is_asked(
    millwright: Command, home: Path, words: list[str], said: str
) -> None:
    nobody = "http://127.0.0.1:9"
    says(millwright("factory", "run", "--max-tasks", "1", "--base-url", nobody, *words), USAGE, said)
    assert left(home) == []


def test_a_log_that_is_a_device_is_written_and_never_read_back(
    millwright: Command, ollama: Start, home: Path
) -> None:
    words = ("--max-tasks", "1", "--log", "/dev/full", "--prompt", "a unit\n" * 100)
    ended = millwright("factory", "run", "--base-url", ollama([Reply("nothing that fits")] * 9).url, *words)
    assert ended.code == SUSPENDED
    assert ended.err.startswith("millwright: cannot write '/dev/full': the disk is full")
    assert "Traceback" not in ended.out + ended.err


def test_a_line_of_progress_is_one_line_however_long_the_prompt_is(millwright: Command, ollama: Start) -> None:
    words = ("--max-tasks", "1", "--prompt", "a unit\n" * 1000)
    ended = millwright("factory", "run", "--base-url", ollama([Reply("nothing that fits")] * 9).url, *words)
    first, why, more = ended.out.splitlines()[:3]
    assert "…" in first
    assert len(first) < 300
    assert "no task was invented" in why
    assert more.startswith("      millwright runs show ")
