from __future__ import annotations

import hashlib
import os
import subprocess
import sys

import pytest

from tools.errors import StorageFailed, UsageError
from tools.workspace.confined import ConfinedDir
from tools.workspace.repository import Repository
from tools.workspace.snapshots import SnapshotStore

AUTHOR = "developer <developer@millwright.invalid>"
GIT = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "PATH": os.environ["PATH"],
    "HOME": "/nonexistent",
    **{f"GIT_{who}_{what}": "someone" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
}


def git(work, *arguments):
    done = subprocess.run(["git", *arguments], cwd=work, env=GIT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture(autouse=True)
def _no_user_configuration(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))


@pytest.fixture
def work(tmp_path):
    """A repository with two commits, an executable, a link, a secret and an ignored file."""
    work = tmp_path / "project"
    work.mkdir()
    git(work, "init", "-q", "-b", "main")
    (work / "README.md").write_text("old\n")
    git(work, "add", "-A")
    git(work, "commit", "-q", "-m", "first")
    (work / "src").mkdir()
    (work / "src" / "app.py").write_text("print(1)\n")
    (work / "run.sh").write_text("#!/bin/sh\n")
    (work / "run.sh").chmod(0o755)
    (work / "link").symlink_to("README.md")
    (work / ".env").write_text("TOKEN=1\n")
    (work / ".gitignore").write_text("*.log\nbuild/\n")
    git(work, "add", "-A")
    git(work, "commit", "-q", "-m", "second")
    (work / "build").mkdir()
    (work / "build" / "out").write_text("x")
    (work / "a.log").write_text("x")
    return work


@pytest.fixture
def store(tmp_path):
    with SnapshotStore(tmp_path / "store") as store:
        yield store


def everything(root):
    """Every byte below a directory, links unread, with mode and time of change."""
    found = {}
    for path in sorted(root.rglob("*")):
        status = path.lstat()
        content = b"" if path.is_dir() and not path.is_symlink() else os.fsencode(
            os.readlink(path)
        ) if path.is_symlink() else path.read_bytes()  # fmt: skip
        times = 0 if path.is_dir() else status.st_mtime_ns
        found[str(path.relative_to(root))] = (status.st_mode, times, hashlib.sha256(content).hexdigest())
    return found


def built(store, repository, tmp_path, steps=2):
    """Import HEAD, change files in a workspace beside it, and return the last commit."""
    commit, tree = repository.import_head(store)
    root = tmp_path / "workspace"
    root.mkdir(exist_ok=True)
    with ConfinedDir(root, durable=False) as files:
        store.restore(tree, files)
        for step in range(steps):
            files.write("src/app.py", b"print(%d)\n" % (step + 10))
            files.write(f"src/new{step}.py", b"")
            tree = store.take(files, base=tree)
            commit = store.commit(
                tree, parents=[commit], author=AUTHOR, assignment=f"A{step}", message=f"Step {step}", at=step
            )
    return commit


# Reading


def test_head_is_imported_and_given_to_a_workspace(work, store, tmp_path):
    with Repository.open(work) as repository:
        assert (repository.head_commit, repository.head_branch) == (git(work, "rev-parse", "HEAD"), "main")
        commit, tree = repository.import_head(store)
        assert repository.import_head(store) == (commit, tree)
    assert (commit, tree) == (git(work, "rev-parse", "HEAD"), git(work, "rev-parse", "HEAD^{tree}"))
    assert store.adopted == {commit}
    git(store.path, "fsck", "--strict", commit)
    assert git(store.path, "log", "--format=%s", commit) == "second"
    (tmp_path / "workspace").mkdir()
    with ConfinedDir(tmp_path / "workspace") as files:
        assert store.restore(tree, files) == [".gitignore", "README.md", "run.sh", "src/app.py"]
        assert files.info("run.sh").executable
        assert store.take(files, base=tree) == tree


@pytest.mark.parametrize("form", ["packed", "linked", "detached", "cloned", "shallow", "shared"])
def test_every_form_of_a_repository_is_read(work, store, tmp_path, form):
    head = git(work, "rev-parse", "HEAD")
    top, branch = work, "main"
    if form == "packed":
        git(work, "gc", "-q", "--aggressive", "--prune=now")
        assert (work / ".git" / "packed-refs").exists()
    elif form == "linked":
        top, branch = tmp_path / "linked", "other"
        git(work, "worktree", "add", "-q", "-b", branch, str(top))
    elif form == "detached":
        git(work, "checkout", "-q", "--detach")
        branch = None
    else:
        top = tmp_path / "copy"
        how = {"cloned": [], "shallow": ["--depth=1"], "shared": ["--shared"]}[form]
        git(tmp_path, "clone", "-q", *how, f"file://{work}" if form == "shallow" else str(work), str(top))
    before = everything(top)
    with Repository.open(top) as repository:
        assert (repository.head_commit, repository.head_branch, repository.dirty) == (head, branch, False)
        commit = built(store, repository, tmp_path)
        assert everything(top) == before
        assert repository.deliver_branch(store, commit, "millwright/r1") == "millwright/r1"
    assert git(top, "rev-parse", "millwright/r1") == commit
    assert git(top, "status", "--porcelain") == ""
    git(top, "fsck", "--strict")


# Uncommitted changes


def with_its_time(path, text):
    before = path.stat().st_mtime_ns
    path.write_text(text)
    os.utime(path, ns=(before, before))


CHANGES = {
    "changed": lambda work: (work / "README.md").write_text("new\n"),
    "same size and time": lambda work: with_its_time(work / "README.md", "new\n"),
    "deleted": lambda work: (work / "README.md").unlink(),
    "mode": lambda work: (work / "README.md").chmod(0o755),
    "staged": lambda work: ((work / "README.md").write_text("new\n"), git(work, "add", "README.md")),
    "unstaged again": lambda work: git(work, "rm", "-q", "--cached", "README.md"),
    "untracked": lambda work: (work / "src" / "new.py").write_text(""),
    "link elsewhere": lambda work: ((work / "link").unlink(), (work / "link").symlink_to("run.sh")),
    "link for file": lambda work: ((work / "run.sh").unlink(), (work / "run.sh").symlink_to("README.md")),
    "nested repository": lambda work: git(work, "init", "-q", "nested"),
    "broken index": lambda work: (work / ".git" / "index").write_bytes(b"DIRC garbage"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_uncommitted_changes_are_seen(work, change):
    with Repository.open(work) as repository:
        assert not repository.dirty
        change(work)
        assert repository.dirty


def test_a_touched_or_ignored_file_is_no_change(work):
    os.utime(work / "README.md")
    (work / "build" / "more").write_text("x")
    (work / "empty").mkdir()
    with Repository.open(work) as repository:
        assert not repository.dirty


def test_line_ends_of_a_checkout_are_no_change(work):
    git(work, "config", "core.autocrlf", "true")
    (work / "README.md").write_bytes(b"old\r\n")
    with Repository.open(work) as repository:
        assert not repository.dirty


def test_nothing_that_the_repository_configures_is_run(work, store, tmp_path):
    trap = tmp_path / "trap"
    trap.write_text(f"#!/bin/sh\necho ran >> {tmp_path}/ran\ncat\n")
    trap.chmod(0o755)
    (work / ".gitattributes").write_text("* filter=trap diff=trap\n")
    git(work, "add", "-A")
    git(work, "commit", "-q", "-m", "third")
    for name in ("filter.trap.clean", "filter.trap.smudge", "filter.trap.process", "diff.trap.textconv",
                 "core.fsmonitor", "core.sshCommand", "core.pager", "core.editor"):  # fmt: skip
        git(work, "config", name, str(trap))
    for hook in ("post-commit", "reference-transaction", "post-checkout", "pre-commit", "update"):
        (work / ".git" / "hooks").mkdir(exist_ok=True)
        (work / ".git" / "hooks" / hook).symlink_to(trap)
    os.utime(work / "README.md")
    with Repository.open(work) as repository:
        assert not repository.dirty
        repository.deliver_branch(store, built(store, repository, tmp_path), "millwright/r1")
    assert not (tmp_path / "ran").exists()


# Delivery


def test_a_branch_is_added_and_nothing_else_is_touched(work, store, tmp_path):
    before = everything(work)
    with Repository.open(work) as repository:
        commit = built(store, repository, tmp_path)
        repository.deliver_branch(store, commit, "millwright/r1")
        after = everything(work)
        repository.deliver_branch(store, commit, "millwright/r1")
        assert everything(work) == after
    new = {path for path in after.keys() - before.keys() if not path.startswith(".git/objects/")}
    assert new == {".git/refs/heads/millwright", ".git/refs/heads/millwright/r1"}
    assert {path: after[path] for path in before} == before
    assert git(work, "log", "--format=%an %s", "main..millwright/r1").split("\n") == [
        "developer Step 1",
        "developer Step 0",
    ]
    assert git(work, "diff", "--stat=80", "main", "millwright/r1").endswith(
        "3 files changed, 1 insertion(+), 1 deletion(-)"
    )
    assert git(work, "show", "millwright/r1:link") == "README.md"
    git(work, "fsck", "--strict", "--full")
    git(work, "gc", "-q", "--prune=now")
    git(work, "merge", "-q", "--ff-only", "millwright/r1")
    assert (work / "src" / "app.py").read_text() == "print(11)\n"


def test_many_files_go_as_one_pack(work, store, tmp_path):
    with Repository.open(work) as repository:
        commit = built(store, repository, tmp_path, steps=12)
        repository.deliver_branch(store, commit, "millwright/r1")
    assert git(work, "rev-list", "--count", "main..millwright/r1") == "12"
    git(work, "fsck", "--strict", "--full")
    assert len(list((work / ".git" / "objects" / "pack").glob("*.pack"))) == 1


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    ("taken", "wanted"),
    [("millwright/r1", "millwright/r1"), ("millwright", "millwright/r1"), ("millwright/r1/x", "millwright/r1")],
)
def test_a_branch_that_exists_is_not_moved(work, store, tmp_path, taken, wanted, packed):
    git(work, "branch", taken, "HEAD~1")
    if packed:
        git(work, "pack-refs", "--all")
    with Repository.open(work) as repository:
        commit = built(store, repository, tmp_path)
        before = everything(work)
        with pytest.raises(UsageError, match=taken):
            repository.deliver_branch(store, commit, wanted)
    assert everything(work) == before


@pytest.mark.parametrize(
    "name", ["", "a..b", "../x", "/etc/x", "a b", "-x", "x.lock", "a//b", "a\nb", "@{", "x/", "\ud800"]
)
def test_a_name_that_git_refuses_is_refused(work, store, tmp_path, name):
    before = everything(work)
    with Repository.open(work) as repository:
        commit, _ = repository.import_head(store)
        with pytest.raises(UsageError, match="name for a branch"):
            repository.deliver_branch(store, commit, name)
    assert everything(work) == before


def test_the_lock_of_another_git_is_respected_and_our_own_is_taken_up(work, store, tmp_path):
    lock = work / ".git" / "refs" / "heads" / "millwright" / "r1.lock"
    lock.parent.mkdir()
    with Repository.open(work) as repository:
        commit = built(store, repository, tmp_path)
        lock.write_text("")
        with pytest.raises(UsageError, match=r"r1\.lock"):
            repository.deliver_branch(store, commit, "millwright/r1")
        lock.write_text(f"{commit}\n")
        repository.deliver_branch(store, commit, "millwright/r1")
    assert not lock.exists()
    assert git(work, "rev-parse", "millwright/r1") == commit


def test_a_history_that_was_rewritten_is_named(work, store, tmp_path):
    with Repository.open(work) as repository:
        commit = built(store, repository, tmp_path)
    git(work, "reset", "-q", "--hard", "HEAD~1")
    git(work, "reflog", "expire", "--expire=now", "--all")
    git(work, "gc", "-q", "--prune=now")
    with Repository.open(work) as repository, pytest.raises(UsageError, match="began from is gone"):
        repository.deliver_branch(store, commit, "millwright/r1")


KILLED = """
import os, signal, sys
from pathlib import Path
from tools.workspace.repository import Repository
from tools.workspace.snapshots import SnapshotStore

work, store, commit, last = Path(sys.argv[1]), SnapshotStore(Path(sys.argv[2])), sys.argv[3], int(sys.argv[4])
steps = 0

def count(event, arguments):
    global steps
    if event in ("os.rename", "os.remove", "os.mkdir", "os.link", "os.chmod", "tempfile.mkstemp"):
        steps += 1
        if steps == last:
            os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(count)
with Repository.open(work) as repository:
    repository.deliver_branch(store, commit, "millwright/r1")
store.close()
print(steps)
"""


def test_a_killed_delivery_leaves_the_repository_sound_and_is_finished_by_the_next(work, store, tmp_path):
    with Repository.open(work) as repository:
        commit = built(store, repository, tmp_path)

    def killed(copy, last):
        command = [sys.executable, "-c", KILLED, str(copy), str(store.path), commit, str(last)]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode in (0, -9), done.stderr
        return None if done.returncode else int(done.stdout)

    def copied(name):
        subprocess.run(["cp", "-a", str(work), str(tmp_path / name)], check=True)
        return tmp_path / name

    total = killed(copied("counted"), 0)
    for last in (total // 2, total - 4, total - 3, total - 2, total - 1, total):
        copy = copied(f"copy{last}")
        assert killed(copy, last) is None
        git(copy, "fsck", "--strict", "--full")
        assert git(copy, "status", "--porcelain") == ""
        with Repository.open(copy) as repository:
            repository.deliver_branch(store, commit, "millwright/r1")
        assert git(copy, "rev-parse", "millwright/r1") == commit
        git(copy, "fsck", "--strict", "--full")
        git(copy, "branch", "-D", "millwright/r1")


# What is refused


def nothing(root):
    return root / "nothing", "no directory"


def plain(root):
    (root / "plain").mkdir()
    return root / "plain", "not a git work tree"


def inner(root):
    git(root, "init", "-q", "outer")
    (root / "outer" / "inner").mkdir()
    return root / "outer" / "inner", "lies in .*outer"


def unborn(root):
    git(root, "init", "-q", "unborn")
    return root / "unborn", "no commit yet"


def bare(root):
    git(root, "init", "-q", "--bare", "bare")
    return root / "bare", "bare"


def inside(root):
    return root / "project" / ".git", "bare|not the top"


def sha256(root):
    git(root, "init", "-q", "--object-format=sha256", "sha256")
    git(root / "sha256", "commit", "-q", "--allow-empty", "-m", "x")
    return root / "sha256", "SHA-256"


def reftable(root):
    git(root, "init", "-q", "reftable")
    config = root / "reftable" / ".git" / "config"
    config.write_text("[core]\n\trepositoryformatversion = 1\n[extensions]\n\trefStorage = reftable\n")
    return root / "reftable", "reftable"


def partial(root):
    git(root, "init", "-q", "partial")
    config = root / "partial" / ".git" / "config"
    config.write_text("[core]\n\trepositoryformatversion = 1\n[extensions]\n\tpartialClone = origin\n")
    return root / "partial", "(?i)partialclone"


def future(root):
    git(root, "init", "-q", "future")
    (root / "future" / ".git" / "config").write_text("[core]\n\trepositoryformatversion = 9\n")
    return root / "future", "9"


def torn(root):
    (root / "torn").mkdir()
    (root / "torn" / ".git").write_text("no such thing")
    return root / "torn", "cannot be opened"


def gone(root):
    (root / "gone").mkdir()
    (root / "gone" / ".git").write_text("gitdir: /nonexistent/worktrees/x\n")
    return root / "gone", "gone"


@pytest.mark.parametrize(
    "case", [nothing, plain, inner, unborn, bare, inside, sha256, reftable, partial, future, torn, gone]
)
def test_what_is_no_usable_work_tree_is_refused_in_one_sentence(work, tmp_path, case):
    path, text = case(tmp_path)
    with pytest.raises(UsageError, match=text) as refused:
        Repository.open(path)
    assert "\n" not in str(refused.value)


def test_a_damaged_repository_is_named(work, store):
    blob = git(work, "rev-parse", "HEAD:src/app.py")
    path = work / ".git" / "objects" / blob[:2] / blob[2:]
    path.chmod(0o644)
    path.write_bytes(b"garbage")
    with Repository.open(work) as repository, pytest.raises(StorageFailed, match=blob):
        repository.import_head(store)


def test_a_tree_that_names_itself_into_billions_of_paths_is_refused(work, store):
    blob = git(work, "rev-parse", "HEAD:README.md")
    entry = f"100644 blob {blob}\ta"
    for _ in range(12):
        lines = "\n".join(entry.replace("\ta", f"\tn{n}") for n in range(10)) + "\n"
        made = subprocess.run(["git", "mktree"], cwd=work, env=GIT, input=lines, capture_output=True, text=True)
        entry = f"040000 tree {made.stdout.strip()}\ta"
    commit = git(work, "commit-tree", "-m", "bomb", made.stdout.strip())
    git(work, "update-ref", "refs/heads/main", commit)
    with Repository.open(work) as repository, pytest.raises(UsageError, match="too large"):
        repository.import_head(store)
