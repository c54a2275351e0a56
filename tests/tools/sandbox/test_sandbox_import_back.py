"""What comes back from a run: regular files that a workspace may hold, and nothing by way of a trick."""

from __future__ import annotations

import os
import stat
import tempfile
from typing import TYPE_CHECKING

import pytest

from tools.errors import FileMissing, PathRefused
from tools.sandbox import Sandbox, python_argv
from tools.sandbox.identity import own_identity
from tools.sandbox.throwaway import throwaway

if TYPE_CHECKING:
    from pathlib import Path


def files(workspace: Path) -> dict[str, str]:
    found = (path for path in workspace.rglob("*") if path.is_file())
    return {str(path.relative_to(workspace)): path.read_text() for path in found}


def shell(sandbox: Sandbox, workspace: Path, script: str, **options):
    return sandbox.run(["sh", "-c", script], workspace=workspace, **options)


def test_nothing_comes_back_by_default(sandbox: Sandbox, workspace: Path) -> None:
    (workspace / "a").write_text("before")
    ran = shell(sandbox, workspace, "cat a; echo changed > a; echo new > b; rm -f a")
    assert (ran.stdout, ran.changed) == ("before", ())
    assert files(workspace) == {"a": "before"}


def test_new_and_changed_files_come_back_and_nothing_is_deleted(sandbox: Sandbox, workspace: Path) -> None:
    for name in ("same", "changed", "removed"):
        (workspace / name).write_text("before")
    script = (
        "echo after > changed; rm removed; mkdir -p deep/er; echo '#!/bin/sh' > deep/er/run; chmod +x deep/er/run"
    )
    if sandbox.level == "B" and os.geteuid() != 0:
        script = script.replace("chmod +x deep/er/run", "true")
    ran = shell(sandbox, workspace, script, keep_changes=True)
    assert ran.changed == ("changed", "deep/er/run")
    assert files(workspace) == {
        "same": "before",
        "changed": "after\n",
        "removed": "before",
        "deep/er/run": "#!/bin/sh\n",
    }


def test_a_program_stays_a_program(sandbox: Sandbox, workspace: Path) -> None:
    (workspace / "tool").write_text("#!/bin/sh\necho it runs\n")
    (workspace / "tool").chmod(0o755)
    ran = shell(sandbox, workspace, "./tool; echo '# more' >> tool", keep_changes=True)
    assert ran.stdout == "it runs\n"
    assert (workspace / "tool").stat().st_mode & stat.S_IXUSR


def test_a_planted_link_is_not_followed(sandbox: Sandbox, workspace: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("the secret")
    (workspace / "notes").write_text("mine")
    (workspace / "folder").mkdir()
    (workspace / "folder" / "file").write_text("mine")
    script = (
        f"rm notes; ln -s {secret} notes; ln -s {secret} new; rm -r folder; ln -s {tmp_path} folder; mkfifo pipe"
    )
    ran = shell(sandbox, workspace, script, keep_changes=True)
    assert ran.changed == ()
    assert ran.refused == ("folder: symlink", "new: symlink", "notes: symlink", "pipe: not_regular")
    assert files(workspace) == {"notes": "mine", "folder/file": "mine"}
    assert secret.read_text() == "the secret"


def test_a_link_in_the_workspace_does_not_go_in(sandbox: Sandbox, workspace: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("the secret")
    (workspace / "link").symlink_to(tmp_path / "secret")
    (workspace / ".env").write_text("KEY=secret")
    (workspace / "plain").write_text("x")
    assert shell(sandbox, workspace, "ls -A").stdout == "plain\n"


def test_protected_files_never_come_back(sandbox: Sandbox, workspace: Path) -> None:
    script = """
    for f in .git/hooks/pre-commit .vscode/tasks.json .envrc .env .mcp.json .claude/settings.json sitecustomize.py \
        a.pth .GIT/config .gitmodules src/__pycache__/m.cpython-311.pyc; do
        mkdir -p $(dirname $f); echo planted > $f
    done; echo fine > src/m.py
    """
    ran = shell(sandbox, workspace, script, keep_changes=True)
    assert ran.changed == ("src/m.py",)
    assert files(workspace) == {"src/m.py": "fine\n"}
    assert {line.partition(":")[2] for line in ran.refused} == {" protected"}
    assert ".git: protected" in ran.refused


def test_a_file_that_someone_changed_meanwhile_is_left_alone(workspace: Path) -> None:
    for name in ("ours", "theirs", "gone"):
        (workspace / name).write_text("before")
    with throwaway(workspace, own_identity()) as copy:
        for name in ("ours", "theirs", "gone", "both"):
            (copy.workspace / name).write_text("by the program")
        (workspace / "theirs").write_text("by someone")
        (workspace / "both").write_text("by someone")
        (workspace / "gone").unlink()
        changed, refused = copy.return_changes(workspace)
    assert changed == ("ours",)
    assert [line.partition(":")[0] for line in refused] == ["both", "gone", "theirs"]
    assert files(workspace) == {"ours": "by the program", "theirs": "by someone", "both": "by someone"}


def test_a_hard_link_comes_back_as_nothing(sandbox: Sandbox, workspace: Path) -> None:
    (workspace / "a").write_text("x")
    ran = shell(sandbox, workspace, "ln a b && echo more >> b", keep_changes=True)
    assert ran.changed == ()
    assert files(workspace) == {"a": "x"}


def test_a_directory_that_cannot_be_read_is_removed_all_the_same(
    sandbox: Sandbox, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = workspace.parent / "temporary"
    temporary.mkdir(mode=0o711)
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    code = "import os; os.makedirs('a/b'); open('a/b/c', 'w').close(); os.fchmod(os.open('a', os.O_RDONLY), 0)"
    assert sandbox.run(python_argv("-c", code), workspace=workspace).exit_code == 0
    assert list(temporary.iterdir()) == []


TAMPER = """
import os, pathlib
def attempt(what):
    try:
        what()
    except OSError as error:
        return
    print("passed", what.__name__)
def overwrite(): pathlib.Path("pkg/tests/test_a.py").write_text("def test(): pass")
def remove(): os.unlink("pkg/tests/test_a.py")
def add(): pathlib.Path("pkg/tests/conftest.py").write_text("x = 1")
def rename(): os.rename("pkg/tests", "pkg/old")
def rename_above(): os.rename("pkg", "old")
def replace_file(): os.rename("code.py", "judge.py")
for what in (overwrite, remove, add, replace_file, rename, rename_above):
    attempt(what)
pathlib.Path("new.py").write_text("new = 1")
"""


def test_tests_are_bound_read_only(sandbox: Sandbox, workspace: Path) -> None:
    (workspace / "pkg" / "tests").mkdir(parents=True)
    for path in ("pkg/tests/test_a.py", "code.py", "judge.py"):
        (workspace / path).write_text("original = 1")
    before = files(workspace)
    ran = sandbox.run(
        python_argv("-c", TAMPER), workspace=workspace, read_only=["pkg/tests", "judge.py"], keep_changes=True
    )
    if "read_only" in sandbox.held:
        assert (ran.stdout, ran.tampered, ran.ok) == ("", (), True), ran.stderr
        assert ran.changed == ("new.py",)
        assert files(workspace) == before | {"new.py": "new = 1"}
    else:
        assert "read_only" in ran.missing
        assert "pkg/tests/test_a.py" in ran.tampered
        assert ran.exit_code == 0
        assert not ran.ok
    assert files(workspace)["pkg/tests/test_a.py"] == "original = 1"


def test_a_read_only_path_must_be_in_the_workspace(sandbox: Sandbox, workspace: Path) -> None:
    with pytest.raises(FileMissing, match="tests"):
        shell(sandbox, workspace, "true", read_only=["tests"])
    with pytest.raises(PathRefused):
        shell(sandbox, workspace, "true", read_only=["../files"])
