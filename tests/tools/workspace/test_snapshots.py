from __future__ import annotations

import os
import resource
import subprocess
import sys
import threading

import pytest
from dulwich.objects import Blob, Tree
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tools.errors import FileMissing, StorageFailed, WorkspaceChanged
from tools.workspace.confined import ConfinedDir, Quota
from tools.workspace.snapshots import SnapshotStore
from tools.workspace.trees import EMPTY_TREE

AUTHOR = "developer <developer@millwright.invalid>"


@pytest.fixture
def store(tmp_path):
    with SnapshotStore(tmp_path / "store") as store:
        yield store


@pytest.fixture
def files(tmp_path):
    (tmp_path / "workspace").mkdir()
    with ConfinedDir(tmp_path / "workspace", durable=False) as files:
        yield files


def content(files):
    return {path: (files.read(path), files.info(path).executable) for path in files.walk()}


def fill(files, wanted):
    for path in list(files.walk()):
        if path not in wanted:
            files.delete(path)
    for path, data in wanted.items():
        files.write(path, data)


def fsck(path):
    done = subprocess.run(["git", "fsck", "--strict", "--full"], cwd=path, capture_output=True, text=True)
    lines = done.stderr.splitlines() + done.stdout.splitlines()
    complaints = [line for line in lines if not line.startswith(("dangling ", "notice: "))]
    assert (done.returncode, complaints) == (0, [])


def loose(store):
    return sorted(p for p in store.objects.path.rglob("*") if p.is_file() and p.parent.name not in ("pack", "info"))


# What is taken comes back


def test_a_workspace_is_restored_as_it_was_taken(store, files):
    files.write("src/app.py", b"print(1)\n")
    files.write("run.sh", b"#!/bin/sh\n", executable=True)
    first, before = store.take(files), content(files)
    files.write("src/app.py", b"print(2)\n")
    files.write("src/deep/new.py", b"")
    files.delete("run.sh")
    second, after = store.take(files, base=first), content(files)

    assert store.restore(first, files) == ["run.sh", "src/app.py", "src/deep/new.py"]
    assert content(files) == before
    assert store.restore(second, files) == ["run.sh", "src/app.py", "src/deep/new.py"]
    assert content(files) == after
    assert store.restore(second, files) == []


def test_the_same_files_have_the_id_that_git_gives_them(store, files, tmp_path):
    files.write("b/c.txt", b"one\n")
    files.write("b.txt", b"two\n")
    files.write("tool", b"three", executable=True)
    tree = store.take(files)
    work = tmp_path / "workspace"
    for command in ("init -q", "add -A"):
        subprocess.run(["git", *command.split()], cwd=work, check=True)
    theirs = subprocess.run(["git", "write-tree"], cwd=work, check=True, capture_output=True, text=True)
    assert theirs.stdout.strip() == tree
    fsck(store.path)


def test_the_id_does_not_depend_on_the_way_to_it(store, files):
    files.write("a/b/c", b"1")
    first = store.take(files)
    files.write("a/x", b"2")
    files.delete("a/b/c")
    second = store.take(files, base=first)
    assert second == store.take(files) == store.take(files, base=second)
    files.delete("a/x")
    assert store.take(files, base=second) == store.take(files) == EMPTY_TREE
    assert store.restore(EMPTY_TREE, files) == []


names = st.sampled_from(["a", "b", "lib/a", "lib/b", "lib/core/c", "tests/a.py", "é.txt", "x y", "z.tar.gz"])
workspaces = st.dictionaries(names, st.binary(max_size=60), max_size=7)


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(workspaces, min_size=2, max_size=4))
def test_any_step_is_restored_from_any_other(store, files, steps):
    trees, base = [], None
    for step in steps:
        fill(files, step)
        base = store.take(files, base=base)
        trees.append(base)
    for tree, step in zip(trees, steps, strict=True):
        store.restore(tree, files)
        assert {path: files.read(path) for path in files.walk()} == step
        assert {path: store.read(tree, path) for path in store.list(tree)} == step


@pytest.mark.parametrize(("old", "new"), [("a", "a/b"), ("a/b/c", "a/b/c/d")])
def test_a_directory_takes_the_place_of_a_file(store, files, old, new):
    files.write(old, b"file")
    first = store.take(files)
    files.delete(old)
    files.write(new, b"below")
    second = store.take(files, base=first)
    assert list(store.list(second)) == [new]
    assert [(change.path, change.kind) for change in store.diff(first, second)] == [
        (old, "deleted"),
        (new, "added"),
    ]
    for tree, path in ((first, old), (second, new)):
        assert store.restore(tree, files) == [old, new]
        assert list(files.walk()) == [path]


# What no workspace ever gets


def foreign(store):
    """A tree as a user's repository has it: a link, a submodule, a secret, a large file, an undecodable name."""
    blobs = {name: Blob.from_string(data) for name, data in {"small": b"x = 1\n", "large": b"0" * 3000}.items()}
    tree = Tree()
    for name, mode, blob in [
        (b"app.py", 0o100644, "small"),
        (b"old-mode.py", 0o100664, "small"),
        (b".env", 0o100644, "small"),
        (b"caf\xe9.txt", 0o100644, "small"),
        (b"large.bin", 0o100644, "large"),
        (b"link", 0o120000, "small"),
    ]:
        tree.add(name, mode, blobs[blob].id)
    tree.add(b"module", 0o160000, b"1" * 40)
    store.objects.put([*blobs.values(), tree])
    return tree.id.decode()


def test_what_a_workspace_never_gets_is_kept(store, tmp_path):
    base = foreign(store)
    (tmp_path / "workspace").mkdir()
    with ConfinedDir(tmp_path / "workspace", quota=Quota(file_bytes=1000)) as files:
        assert store.restore(base, files) == ["app.py", "old-mode.py"]
        assert store.take(files, base=base) == base
        files.write("app.py", b"x = 2\n")
        files.delete("old-mode.py")
        tree = store.take(files, base=base)
        assert [(c.path, c.kind) for c in store.diff(base, tree)] == [
            ("app.py", "modified"),
            ("old-mode.py", "deleted"),
        ]
        assert store.restore(base, files) == ["app.py", "old-mode.py"]
    assert list(store.list(base)) == ["app.py", "large.bin", "old-mode.py"]


def test_a_file_that_was_written_over_a_kept_link_replaces_it(store, files):
    base = foreign(store)
    store.restore(base, files)
    files.write("link", b"a file now")
    tree = store.take(files, base=base)
    assert store.read(tree, "link") == b"a file now"
    assert [change.path for change in store.diff(base, tree)] == ["link"]


def test_untracked_links_and_protected_files_are_left_alone(store, files, tmp_path):
    work = tmp_path / "workspace"
    (work / "link").symlink_to("/etc/hostname")
    (work / ".env").write_text("SECRET=1")
    files.write("a", b"1")
    tree = store.take(files)
    assert list(store.list(tree)) == ["a"]
    store.restore(EMPTY_TREE, files)
    assert sorted(path.name for path in work.iterdir()) == [".env", "link"]


@pytest.mark.parametrize("kind", ["symlink", "hardlink", "fifo", "linked-folder", "huge"])
def test_a_disturbed_workspace_is_not_taken_for_a_deletion(store, files, tmp_path, kind):
    files.write("src/a.py", b"1")
    tree = store.take(files)
    path = tmp_path / "workspace" / "src" / "a.py"
    if kind == "hardlink":
        os.link(path, tmp_path / "second-name")
    elif kind == "huge":
        path.write_bytes(b"0" * (files.quota.file_bytes + 1))
    elif kind == "linked-folder":
        path.parent.rename(tmp_path / "elsewhere")
        path.parent.symlink_to(tmp_path / "elsewhere")
    else:
        path.unlink()
        os.mkfifo(path) if kind == "fifo" else path.symlink_to("/etc/hostname")
    with pytest.raises(WorkspaceChanged, match="'src"):
        store.take(files, base=tree)


def test_a_folder_that_became_a_link_stops_the_restore_and_names_it(store, files, tmp_path):
    files.write("src/a.py", b"1")
    tree = store.take(files)
    files.delete("src/a.py")
    (tmp_path / "workspace" / "src").rmdir()
    (tmp_path / "outside").mkdir()
    (tmp_path / "workspace" / "src").symlink_to(tmp_path / "outside")
    with pytest.raises(WorkspaceChanged, match=r"src/a\.py"):
        store.restore(tree, files)
    assert list((tmp_path / "outside").iterdir()) == []


# Reading


def test_files_are_read_listed_and_compared_without_a_workspace(store, files):
    files.write("a/one.py", b"1\n")
    files.write("a/two.sh", b"22\n", executable=True)
    files.write("b.md", b"")
    first = store.take(files)
    listed = store.list(first, "a/")
    assert {path: (entry.size, entry.executable) for path, entry in listed.items()} == {
        "a/one.py": (2, False),
        "a/two.sh": (3, True),
    }
    files.write("a/one.py", b"1\n", executable=True)
    files.write("b.md", b"text")
    files.write("c", b"")
    [mode, text, new] = store.diff(first, store.take(files, base=first))
    assert (mode.path, mode.kind, mode.before.blob == mode.after.blob) == ("a/one.py", "modified", True)
    assert (text.path, text.before.size, text.after.size) == ("b.md", 0, 4)
    assert (new.path, new.kind, new.before) == ("c", "added", None)
    for missing in ("a", "nothing", "b.md/x", ""):
        with pytest.raises(FileMissing, match="no file"):
            store.read(first, missing)


def test_a_subset_takes_only_the_named_paths(store, files):
    fill(files, {"a": b"1", "b/x": b"1", "c": b"1"})
    base = store.take(files)
    fill(files, {"a": b"2", "b/y": b"2", "d": b"2"})
    changed = store.take(files, base=base)
    tree = store.subset(base, changed, ["a", "c", "b/y", "never"])
    assert {path: store.read(tree, path) for path in store.list(tree)} == {"a": b"2", "b/x": b"1", "b/y": b"2"}
    assert store.subset(tree, changed, ["b/x", "d"]) == changed


class Counted(ConfinedDir):
    reads = 0

    def read(self, path, *, limit=None):
        self.reads += 1
        return super().read(path, limit=limit)


def test_unchanged_files_are_neither_read_again_nor_stored_again(store, tmp_path):
    (tmp_path / "counted").mkdir()
    with Counted(tmp_path / "counted", durable=False) as files:
        fill(files, {f"f{n}": b"%d" % n for n in range(10)})
        tree = store.take(files)
        before = loose(store)
        # A file that was written in the same tick of the clock is read again.
        while files.reads:
            files.reads = 0
            assert store.take(files, base=tree) == tree
        path = tmp_path / "counted" / "f3"
        status = path.stat()
        path.write_bytes(b"X")
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
        changed = store.take(files, base=tree)
        assert files.reads == 1
        assert store.read(changed, "f3") == b"X"
    assert len(loose(store)) == len(before) + 2


# Damage


def test_a_damaged_object_is_never_believed(store, files):
    files.write("a", b"hello world\n")
    tree = store.take(files)
    blob = store.list(tree)["a"].blob
    path = store.objects.path / blob[:2] / blob[2:]
    other = Blob.from_string(b"HELLO WORLD\n").as_legacy_object()
    for damage in (other, b"", path.read_bytes()[:9], b"\0" * 20):
        path.chmod(0o644)
        path.write_bytes(damage)
        with pytest.raises(StorageFailed, match=blob):
            store.read(tree, "a")
    path.unlink()
    with pytest.raises(StorageFailed, match="not there"):
        store.read(tree, "a")


def test_a_store_whose_making_was_interrupted_is_completed(tmp_path):
    (tmp_path / "store" / "objects" / "info").mkdir(parents=True)
    with SnapshotStore(tmp_path / "store") as store:
        assert store.list(EMPTY_TREE) == {}
    fsck(tmp_path / "store")


def test_git_never_cleans_up_the_steps(store, files):
    files.write("a", b"1")
    tree = store.take(files)
    done = subprocess.run(["git", "prune", "--expire=now"], cwd=store.path, capture_output=True, text=True)
    assert done.returncode != 0
    assert store.read(tree, "a") == b"1"


def test_a_store_that_cannot_be_made_is_named(files, tmp_path):
    (tmp_path / "store").write_text("a file where the store should be")
    with pytest.raises(StorageFailed, match="store"):
        SnapshotStore(tmp_path / "store")


# A kill at any step


def test_a_disk_that_refuses_leaves_no_trace(store, files):
    files.write("large", os.urandom(100_000))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(StorageFailed, match="objects"):
            store.take(files)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert loose(store) == []
    assert list(store.list(store.take(files))) == ["large"]


KILLED = """
import os, signal, sys
from pathlib import Path
from tools.workspace.confined import ConfinedDir
from tools.workspace.snapshots import SnapshotStore

job, store, files, last = sys.argv[1], Path(sys.argv[2]), ConfinedDir(Path(sys.argv[3])), int(sys.argv[4])
steps = 0

def count(event, arguments):
    global steps
    if event in ("os.rename", "os.remove", "os.mkdir", "os.link", "os.chmod", "tempfile.mkstemp"):
        steps += 1
        if steps == last:
            os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(count)
store = SnapshotStore(store)
if job == "take":
    store.take(files)
elif job == "restore":
    store.restore(sys.argv[5], files)
else:
    store.clone_to(Path(sys.argv[5]))
store.close()
print(steps)
"""


def killed(last, job, store, work, *more):
    """Run a job that kills itself before its change number `last`; tell how many there were if it ended."""
    command = [sys.executable, "-c", KILLED, job, str(store), str(work), str(last), *more]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode in (0, -9), done.stderr
    return None if done.returncode else int(done.stdout)


def spread(total, count=6):
    return sorted({1 + n * (total - 1) // (count - 1) for n in range(count)})


@pytest.mark.parametrize("amount", [3, 40])
def test_a_killed_take_leaves_no_object_that_is_wrong(files, tmp_path, amount):
    fill(files, {f"lib/f{n}.py": b"%d" % n for n in range(amount)})
    with SnapshotStore(tmp_path / "whole") as whole:
        expected = whole.take(files)
    total = killed(0, "take", tmp_path / "counted", tmp_path / "workspace")
    for last in spread(total):
        path = tmp_path / f"store{last}"
        assert killed(last, "take", path, tmp_path / "workspace") is None
        if (path / "HEAD").exists():
            fsck(path)
        with SnapshotStore(path) as store:
            assert store.take(files) == expected
            store.restore(EMPTY_TREE, files)
            store.restore(expected, files)
            assert store.take(files) == expected
        fsck(path)


def test_a_killed_restore_is_finished_by_the_next(store, files, tmp_path):
    fill(files, {"a": b"1", "b/x": b"1", "b/y": b"1", "same": b"0"})
    first, before = store.take(files), content(files)
    fill(files, {"a": b"2", "b/y": b"2", "c/z": b"2", "same": b"0"})
    second, after = store.take(files, base=first), content(files)
    total = killed(0, "restore", store.path, tmp_path / "workspace", first)
    for last in spread(total):
        store.restore(second, files)
        assert killed(last, "restore", store.path, tmp_path / "workspace", first) is None
        for path, found in content(files).items():
            assert found in (before.get(path), after.get(path))
        store.restore(first, files)
        assert content(files) == before


def test_a_killed_copy_is_completed_by_the_next(store, files, tmp_path):
    fill(files, {f"f{n}": b"%d" % n for n in range(5)})
    tree = store.take(files)
    total = killed(0, "clone", store.path, tmp_path / "workspace", str(tmp_path / "counted"))
    for last in spread(total, 4):
        path = tmp_path / f"clone{last}"
        assert killed(last, "clone", store.path, tmp_path / "workspace", str(path)) is None
        with store.clone_to(path) as clone:
            assert {name: clone.read(tree, name) for name in clone.list(tree)} == {
                f"f{n}": b"%d" % n for n in range(5)
            }
        fsck(path)


# Many at once, many in a row, copies


def test_threads_share_a_store(store, tmp_path):
    results = {}

    def work(number):
        root = tmp_path / f"work{number}"
        root.mkdir()
        with ConfinedDir(root, durable=False) as files:
            tree = None
            for step in range(5):
                files.write(f"own{number}.txt", b"%d" % step)
                files.write("shared.txt", b"%d" % step)
                tree = store.take(files, base=tree)
            results[number] = {path: store.read(tree, path) for path in store.list(tree)}

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == {n: {f"own{n}.txt": b"4", "shared.txt": b"4"} for n in range(4)}
    fsck(store.path)


def test_a_step_costs_the_same_bytes_however_many_went_before(store, files):
    fill(files, {f"lib/m{n}/f.py": b"x = %d\n" % n for n in range(40)})
    tree, sizes = store.take(files), []
    for step in range(40):
        before = set(loose(store))
        files.write(f"lib/m{step % 40}/f.py", b"step = %06d\n" % step)
        tree = store.take(files, base=tree)
        sizes.append(sum(path.stat().st_size for path in set(loose(store)) - before))
    assert max(sizes) <= min(sizes) + 100


def test_a_copy_is_independent_and_complete(store, files, tmp_path):
    fill(files, {f"f{n}": b"%d" % n for n in range(50)})
    first = store.take(files)
    with store.clone_to(tmp_path / "clone") as clone:
        files.write("f1", b"only in the clone")
        second = clone.take(files, base=first)
        assert clone.restore(first, files) == ["f1"]
        with pytest.raises(StorageFailed):
            store.list(second)
        for path in sorted(store.path.rglob("*"), reverse=True):
            path.unlink() if path.is_file() else path.rmdir()
        assert clone.restore(second, files) == ["f1"]
    fsck(tmp_path / "clone")


# Commits


def test_a_commit_names_role_assignment_and_run_and_nothing_else(store, files):
    files.write("a", b"1")
    tree = store.take(files)
    arguments = {"author": AUTHOR, "assignment": "A1", "message": "Add a\n\nIt was missing.", "at": 1_700_000_000}
    first = store.commit(tree, parents=[], run="r1", **arguments)
    assert first == store.commit(tree, parents=[], run="r1", **arguments)
    shown = subprocess.run(["git", "cat-file", "-p", first], cwd=store.path, capture_output=True, text=True)
    assert shown.stdout == (
        f"tree {tree}\nauthor {AUTHOR} 1700000000 +0000\ncommitter {AUTHOR} 1700000000 +0000\n\n"
        "Add a\n\nIt was missing.\n\nAssignment: A1\nRun: r1\n"
    )
    fsck(store.path)


@pytest.mark.parametrize("text", ["", "\n\n", "a\0b\x1b[31m", "x\ud800y", "from\rhere", "é" * 300])
def test_no_text_of_a_model_makes_a_commit_that_git_refuses(store, text):
    commit = store.commit(
        EMPTY_TREE, parents=[], author=f"{text}<b\n<c>>", assignment=text, message=text, at=1, run="r"
    )
    shown = subprocess.run(["git", "log", "-1", "--format=%an|%B", commit], cwd=store.path, capture_output=True)
    assert shown.stdout.rstrip().endswith(b"Run: r")
    assert b"\x1b" not in shown.stdout
    fsck(store.path)


# What nothing leads to any more goes


def test_what_no_kept_tree_or_commit_leads_to_is_removed_from_packs_and_beside_them(store, files):
    fill(files, {f"d/f{number}": b"%d" % number for number in range(40)})
    first = store.take(files)
    committed = store.subset(EMPTY_TREE, first, ["d/f1"])
    commit = store.commit(committed, parents=[], author=AUTHOR, assignment="A1", message="m", at=0)
    fill(files, {f"d/f{number}": b"%d" % number for number in range(2, 40)} | {"d/f5": b"new"})
    last = store.take(files, base=first)
    other = SnapshotStore(store.path)
    gone = store.surplus([last])
    assert first in gone
    assert not {last, commit, committed} & gone.keys()
    held = sum(store.objects.stored().values())
    store.objects.remove(gone.keys())
    assert sum(store.objects.stored().values()) < held
    assert store.surplus([last]) == {}
    assert store.read(last, "d/f5") == b"new"
    assert store.read(committed, "d/f1") == b"1"
    assert (store.objects.thinned_by_others(), other.objects.thinned_by_others()) == (False, True)
    other.close()
    with SnapshotStore(store.path) as again, pytest.raises(StorageFailed, match="thinned the history"):
        again.list(first)
    fsck(store.path)


def test_a_clone_keeps_what_is_removed_from_its_source(store, files, tmp_path):
    fill(files, {f"f{number}": b"%d" % number for number in range(40)})
    first = store.take(files)
    with store.clone_to(tmp_path / "clone") as clone:
        store.objects.remove(store.surplus([]).keys())
        assert store.objects.stored() == {}
        assert clone.read(first, "f7") == b"7"


def test_nothing_is_called_surplus_while_something_kept_is_missing(store, files):
    fill(files, {"one": b"1", "d/two": b"2"})
    tree = store.take(files)
    (store.objects.path / tree[:2] / tree[2:]).unlink()
    with SnapshotStore(store.path) as again, pytest.raises(StorageFailed, match="it is not there"):
        again.surplus([tree])


REMOVER = """
import os, signal, sys
from pathlib import Path
from tools.workspace.snapshots import SnapshotStore

store, tree = SnapshotStore(Path(sys.argv[1])), sys.argv[2]
left = int(sys.argv[3])

def counted(real):
    def call(*args, **kwargs):
        global left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*args, **kwargs)
    return call

gone = store.surplus([tree])
for name in ("unlink", "replace"):
    setattr(Path, name, counted(getattr(Path, name)))
store.objects.remove(gone.keys())
"""


@pytest.mark.parametrize("moment", range(6))
def test_a_killed_removal_leaves_what_is_kept_whole_and_is_finished_by_the_next(store, files, moment):
    wanted = {f"f{number:02}": b"%d" % number for number in range(40)}
    fill(files, wanted)
    first = store.take(files)
    wanted |= {"f05": b"new"}
    fill(files, wanted)
    last = store.take(files, base=first)
    done = subprocess.run([sys.executable, "-c", REMOVER, store.path, last, str(moment)], timeout=60)
    assert done.returncode == -9
    with SnapshotStore(store.path) as again:
        assert {path: again.read(last, path) for path in again.list(last)} == wanted
        again.objects.remove(again.surplus([last]).keys())
        assert again.surplus([last]) == {}
        assert {path: again.read(last, path) for path in again.list(last)} == wanted
    names = [path.suffix for path in (store.objects.path / "pack").glob("pack-*")]
    assert names.count(".pack") == names.count(".idx") == 1
    fsck(store.path)
