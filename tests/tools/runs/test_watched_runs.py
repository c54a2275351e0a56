"""Under a server that starts anew at every Python file below its working directory, runs live outside of that."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from typing import TYPE_CHECKING

import pytest

from tools.runs.home import data_dir, find_run, run_dir, run_ids
from tools.runs.run import clone_run, create_run

if TYPE_CHECKING:
    from pathlib import Path


def below_a_watcher(run_id: str) -> Path:
    """Where a process that a watching one started puts a run."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(run_dir, run_id).result()


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with the data directory inside, and the state directory beside it."""
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.delenv("MILLWRIGHT_HOME")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("LANGSMITH_LANGGRAPH_API_VARIANT", "local_dev")
    return folder


def test_a_run_of_a_watching_server_is_outside_and_found_by_everybody(project: Path, tmp_path: Path) -> None:
    place = below_a_watcher("run-1")
    assert place.is_relative_to(tmp_path / "state")
    assert run_dir("run-1") == project / ".millwright" / "runs" / "run-1"
    place.mkdir(parents=True)
    (place / "run.json").write_text("{}")
    assert (run_dir("run-1"), run_ids(), find_run("run-")) == (place, ["run-1"], "run-1")


def test_a_run_that_is_inside_stays_there(project: Path) -> None:
    create_run("run-1", goal="x").close()
    assert below_a_watcher("run-1") == data_dir() / "runs" / "run-1"


def test_a_data_directory_elsewhere_is_not_watched(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MILLWRIGHT_HOME", str(tmp_path / "home"))
    assert below_a_watcher("run-1") == tmp_path / "home" / "runs" / "run-1"


def test_a_run_from_outside_is_copied_to_the_inside(project: Path) -> None:
    place = below_a_watcher("run-1")
    place.mkdir(parents=True)
    create_run("run-1", goal="x").close()
    clone_run("run-1", "run-2", None).close()
    assert [run_dir(name).parent for name in ("run-1", "run-2")] == [place.parent, data_dir() / "runs"]
