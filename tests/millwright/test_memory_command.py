"""`millwright memory`: what a person sees of it, and that it says when something does not hold."""

from __future__ import annotations

import contextlib
import io
import json
import os
import sqlite3
import sys
from typing import TYPE_CHECKING, Any

import pytest
from shelf import offered, task

from millwright.cli import main
from tools.memory.efforts import request_of
from tools.memory.memory import close_all, open_memory
from tools.memory.records import Workflow

if TYPE_CHECKING:
    from pathlib import Path


def run(*arguments: str, code: int = 0) -> str:
    """What the command prints, or the error that it ends with; the memory is opened as a new process does."""
    out, errors = io.StringIO(), io.StringIO()
    with (
        pytest.MonkeyPatch.context() as patch,
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(errors),
    ):
        patch.setattr(sys, "argv", ["millwright", "memory", *arguments])
        patch.setattr(sys, "stdin", io.StringIO())
        with pytest.raises(SystemExit) as ended:
            main()
    close_all()
    assert (ended.value.code or 0) == code, out.getvalue() + errors.getvalue()
    return out.getvalue() or errors.getvalue()


def said(*arguments: str, code: int = 0) -> Any:
    return json.loads(run(*arguments, "--json", code=code))


@pytest.fixture
def filled(home: Path) -> Path:
    memory = open_memory(home)
    memory.admit(offered("takt_time", description="Available time per unit."), key="1")
    memory.admit(offered("reverse_words", description="Words in reverse order.", tags=("text",)), key="2")
    memory.close()
    return home


def test_a_new_memory_is_in_order_and_empty() -> None:
    found = said("doctor")
    assert found["sound"]
    assert found["counts"] == {"database": 0, "nodes": 0, "index.json": 0, "chroma": None}
    assert "nothing fits" in run("search", "anything")
    assert said("stats")["skills"] == 0


def test_search_shows_what_fits_and_by_which_means(filled: Path) -> None:
    found = said("search", "order of words")
    assert [hit["name"] for hit in found["hits"]] == ["reverse_words"]
    assert (found["means"], found["degraded"]) == ("lexical", True)
    shown = run("search", "takt_time")
    assert "takt_time-1" in shown
    assert "only words are seen" in shown
    assert said("search", "takt_time", "--tag", "text")["hits"] == []


def test_workflows_are_searched_too(filled: Path) -> None:
    memory = open_memory(filled)
    done = Workflow(id="run-1:task", intent="List late orders.\nWith their days.", outcome="verified", at="1")
    memory.record_workflow(done.model_copy(update={"tags": ("shop",), "steps": [{"tool": "query"}]}))
    memory.close()
    found = said("search", "orders that are late", "--kind", "workflow")
    assert [(hit["id"], hit["intent"], hit["steps"]) for hit in found["hits"]] == [
        ("run-1:task", done.intent, [{"tool": "query"}])
    ]
    shown = run("search", "orders that are late", "--kind", "workflow")
    assert "List late orders." in shown
    assert "With their days" not in shown
    assert said("search", "late orders", "--kind", "workflow", "--tag", "files")["hits"] == []
    assert "nothing fits" in run("search", "takt_time", "--kind", "workflow")
    assert "workflow" in run("search", "late", "--kind", "task", code=2)


def test_the_doctor_says_how_texts_are_compared_and_why_not_better(
    filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MILLWRIGHT_EMBEDDINGS")
    monkeypatch.setenv("OLLAMA_HOST", "127.0.0.1:9")
    monkeypatch.setenv("HOME", str(filled))
    found = said("doctor")
    assert (found["embeddings"], found["degraded"]) == ("lexical", True)
    assert set(found["refused"]) == {"ollama", "onnx"}
    shown = run("doctor")
    assert "not ollama: no Ollama server answers" in shown
    assert "skills: database 2, nodes 2, index.json 2, chroma not asked" in shown


def test_the_doctor_counts_chroma_too_where_it_is_used(filled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MILLWRIGHT_CHROMA", "auto")
    assert said("doctor")["counts"] == {"database": 2, "nodes": 2, "index.json": 2, "chroma": 2}


@pytest.mark.parametrize(
    ("harm", "where"),
    [
        (lambda home: (home / "nodes/takt_time-1/main.py").write_text("import os\n"), "nodes"),
        (lambda home: (home / "nodes/takt_time-1/test.py").unlink(), "nodes"),
        (lambda home: (home / "tools/index.json").write_text("{}"), "index.json"),
    ],
)
def test_what_was_tampered_with_is_told_and_made_anew(filled: Path, harm: Any, where: str) -> None:
    harm(filled)
    found = said("doctor", code=1)
    (bad,) = [finding for finding in found["findings"] if finding["state"] == "bad"]
    assert bad["subject"] == where
    assert "millwright memory reindex" in bad["mend"]
    run("reindex")
    assert said("doctor")["sound"]
    assert (filled / "nodes/takt_time-1/main.py").read_text() == offered().code


def test_of_a_damaged_database_what_can_be_read_is_saved(filled: Path) -> None:
    path = filled / "memory" / "memory.sqlite"
    with contextlib.closing(sqlite3.connect(path)) as connection:
        (page,) = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'skills_by_run'").fetchone()
    with path.open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(b"garbage " * 512)
    found = said("doctor", code=1)
    (finding,) = found["findings"]
    assert (finding["subject"], finding["state"]) == ("database", "bad")
    assert "what could be read (2 skills, 0 tasks) is in" in finding["mend"]
    assert (filled / "memory" / "memory.salvaged.sqlite").is_file()


def test_forgetting_asks_first_and_then_really_deletes(filled: Path) -> None:
    assert "cannot be undone; add --yes" in run("forget", "takt_time", code=2)
    assert "is forgotten" in run("forget", "takt_time", "--yes")
    assert said("forget", "takt_time", "--yes")["rows"] == 0
    assert said("search", "takt_time")["hits"] == []
    assert b"Available time per unit" not in b"".join(
        path.read_bytes() for path in filled.rglob("*") if path.is_file()
    )


@pytest.mark.parametrize("name", ["MILLWRIGHT_EMBEDDINGS", "MILLWRIGHT_CHROMA"])
def test_a_setting_that_cannot_be_used_is_one_sentence(
    filled: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "nonsense")
    for command in (["search", "takt"], ["doctor"], ["reindex"]):
        told = run(*command, code=2)
        assert told.startswith(f"millwright: {name}='nonsense'")
        assert told.count("\n") == 1


def test_a_memory_that_cannot_be_opened_is_no_damage(filled: Path) -> None:
    if os.geteuid() == 0:
        (filled / "memory" / "memory.sqlite").unlink()
        (filled / "memory" / "memory.sqlite").mkdir()
    else:
        (filled / "memory" / "memory.sqlite").chmod(0)
    assert run("doctor", code=3).count("\n") == 1
    assert not (filled / "memory" / "memory.salvaged.sqlite").exists()


def test_the_statistics_say_whether_the_memory_helps_and_when_they_cannot(home: Path) -> None:
    library = open_memory(home).library
    assert "held out" not in run("stats")
    for number in range(60):
        arm = "without" if number % 6 == 0 else "with"
        outcome = "failed" if number in (0, 6, 7) else "admitted"
        record = task(str(number), arm=arm, request=request_of(str(number)), outcome=outcome, calls=4)
        library.record_task(record.model_copy(update={"seconds": {"prove": 2.0, "write": 6.0, "author": 5.0}}))
    library = open_memory(home).library
    library.record_task(task("again", outcome="reused", seconds={"prove": 0.9}))
    told = run("stats")
    for sentence in (
        "solved by a tool that was there: 1 of 61 tasks (2%), in 0.9 s each; a new tool took 8.0 s (medians)",
        "tasks of the factory that were shown similar tools: 49 of 50 solved, 98% (90% to 100%); 8.0 s and 4 model calls",
        "tasks of the factory that were held out: 8 of 10 solved, 80% (49% to 94%)",
        "difference: +18 points (+1 to +49): the memory helps",
    ):
        assert sentence in told
    found = said("stats")
    assert found["uplift"]["factory"]["without"]["tasks"] == 10
    assert found["uplift"]["build"]["verdict"] == "not enough data"
