"""Where runs live, and how one is named."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.errors import RunUnknown, StorageFailed
from tools.runs.home import data_dir, find_run, run_dir, run_ids

if TYPE_CHECKING:
    from pathlib import Path


def made(*ids: str) -> None:
    for run_id in ids:
        run_dir(run_id).mkdir(parents=True)
        (run_dir(run_id) / "run.json").write_text("{}")


def test_the_data_directory_is_private_and_ignored_by_git(home: Path) -> None:
    assert data_dir() == home
    assert home.stat().st_mode & 0o777 == 0o700
    assert (home / ".gitignore").read_text() == "*\n"
    (home / ".gitignore").unlink()
    (home / "mine").touch()
    data_dir()
    assert not (home / ".gitignore").exists()


def test_without_a_setting_it_is_in_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MILLWRIGHT_HOME")
    assert data_dir() == tmp_path / ".millwright"


def test_a_data_directory_that_cannot_be_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("MILLWRIGHT_HOME", str(tmp_path / "file"))
    with pytest.raises(StorageFailed, match="cannot write"):
        data_dir()


@settings(deadline=None, max_examples=60)
@given(
    run_id=st.text(max_size=6) | st.sampled_from(["..", "a/b", "a" * 129, "é", "²", "a.b", ".a", "a\x00", "-a_1"])
)
def test_a_run_id_is_one_name_below_the_runs(run_id: str) -> None:
    try:
        root = run_dir(run_id)
    except RunUnknown as error:
        assert repr(run_id[:128]) in str(error)  # noqa: PT017 - either way is right
        return
    assert root.parent == data_dir() / "runs"
    assert root.name == run_id
    assert run_id.isascii()
    assert not root.exists()


def test_a_run_is_found_by_its_id_or_a_beginning_that_no_other_has() -> None:
    made("abcdef", "abcdxy", "abc", "zz-9")
    assert find_run("abc") == "abc"
    assert find_run("abcde") == "abcdef"
    assert find_run("zz-9") == "zz-9"
    with pytest.raises(RunUnknown, match="2 runs start with 'abcd'"):
        find_run("abcd")
    for unknown in ("zz", "nothing", ""):
        with pytest.raises(RunUnknown, match="no run starts with"):
            find_run(unknown)


def test_a_copy_that_was_not_finished_is_no_run() -> None:
    made("whole")
    draft = data_dir() / "runs" / ".copy.x7"
    draft.mkdir()
    (draft / "run.json").write_text("{}")
    assert run_ids() == ["whole"]
