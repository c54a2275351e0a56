from __future__ import annotations

import os
import subprocess

import pytest
from dulwich.objects import Blob
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tools.workspace.snapshots import SnapshotStore
from tools.workspace.trees import EMPTY_TREE, Entry

AUTHOR = "developer <developer@millwright.invalid>"
GIT = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_COMMITTER_NAME": "someone",
    "GIT_COMMITTER_EMAIL": "someone@example.invalid",
    "PATH": os.environ["PATH"],
    "HOME": "/nonexistent",
}


@pytest.fixture
def store(tmp_path):
    with SnapshotStore(tmp_path / "store") as store:
        yield store


def git(work, *arguments, check=True):
    done = subprocess.run(["git", *arguments], cwd=work, env=GIT, capture_output=True)
    assert not check or done.returncode == 0, done.stderr.decode(errors="replace")
    return done.stdout.decode(errors="replace").strip()


def tree_of(store, files):
    """A tree of path to bytes, or to (mode, bytes)."""
    modes = {path: value if isinstance(value, tuple) else (0o100644, value) for path, value in files.items()}
    blobs = {path: Blob.from_string(data) for path, (_, data) in modes.items()}
    changes = {path: Entry(modes[path][0], blob.id.decode()) for path, blob in blobs.items()}
    tree, made = store.trees.edited(EMPTY_TREE, changes)
    store.objects.put([*blobs.values(), *made])
    return tree


def series(store, *steps, message="Step", author=AUTHOR):
    commits = []
    for number, files in enumerate(steps):
        commits.append(
            store.commit(
                tree_of(store, files), parents=commits[-1:], author=author, assignment=f"A{number}",
                message=message, at=1_700_000_000 + number,
            )
        )  # fmt: skip
    return commits


def applied(store, commits, tmp_path):
    """Give the patches to `git am` in a fresh repository and return it with the tree ids after each."""
    work, mails = tmp_path / "work", tmp_path / "mails"
    for folder in (work, mails):
        subprocess.run(["rm", "-rf", folder], check=True)
        folder.mkdir()
    git(work, "init", "-q")
    names = []
    for name, mail in store.patches(commits):
        (mails / name).write_bytes(mail)
        names.append(str(mails / name))
    assert names == sorted(names)
    git(work, "am", "-q", *names)
    git(work, "fsck", "--strict")
    assert git(work, "status", "--porcelain") == ""
    return work, git(work, "log", "--reverse", "--format=%T").split()


def trees(store, commits):
    return git(store.path, "log", "--reverse", "--format=%T", commits[-1]).split()


STEPS = {
    "text": [
        {"a": b"1\n2\n3\n"},
        {"a": b"1\ntwo\n3\n"},
        {"a": b"1\ntwo\n3\n4\n", "b/c": b"new\n"},
        {"b/c": b"new\n"},
    ],
    "far apart": [{"a": b"%d\n" * 50 % tuple(range(50))}, {"a": b"x\n" + b"%d\n" * 50 % tuple(range(50)) + b"y\n"}],
    "no newline": [{"a": b"1"}, {"a": b"1\n"}, {"a": b"1\n2"}, {"a": b"2"}],
    "carriage returns": [{"a": b"1\r\n2\r\n"}, {"a": b"1\r\n2\n"}, {"a": b"lone \r here\n"}],
    "binary": [{"a": bytes(range(256)) * 9}, {"a": b"\0"}, {"a": b"text\n"}, {"b": b"\0\1"}, {"c": b""}],
    "latin 1": [{"a": b"caf\xe9\n"}, {"a": b"caf\xc3\xa9\n"}],
    "empty": [{"a": b"", "b": b"x\n"}, {"a": b"now\n", "b": b""}, {"b": b""}],
    "modes": [{"a": b"1\n"}, {"a": (0o100755, b"1\n")}, {"a": b"2\n"}, {"b": (0o100755, b"\0")}],
    "names": [{"with space": b"1\n", 'q"uote\\': b"1\n", "é/ü": b"1\n"}, {"with space": b"2\n", "é/ü": b"2\n"}],
    "file and folder": [{"a": b"1\n"}, {"a/b": b"1\n"}, {"a": b"2\n"}],
    "link": [{"a": (0o120000, b"target")}, {"a": b"a file\n"}, {"a": (0o120000, b"a file\n")}],
    "like a mail": [
        {"a": b"-- \nFrom 123 Mon Sep 17 00:00:00 2001\n"},
        {"a": b"From: x <y>\n---\n"},
        {"a": b"diff --git a/x b/x\n-- a\n++ b\n"},
    ],
}


@pytest.mark.parametrize("steps", STEPS.values(), ids=STEPS)
def test_git_am_makes_the_same_trees(store, tmp_path, steps):
    commits = series(store, *steps)
    _, made = applied(store, commits, tmp_path)
    assert made == trees(store, commits)


lines = st.lists(st.sampled_from([b"a\n", b"b\n", b"\n", b"- \n", b"x\r\n", b"\xff\n", b"end"]), max_size=12)
files = st.dictionaries(st.sampled_from(["a", "b/c", "b/d"]), lines.map(b"".join), min_size=1, max_size=3)


@settings(deadline=None, max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(files, min_size=3, max_size=6, unique_by=lambda step: tuple(sorted(step.items()))))
def test_git_am_makes_the_same_trees_of_anything(store, tmp_path, steps):
    commits = series(store, *steps)
    _, made = applied(store, commits, tmp_path)
    assert made == trees(store, commits)


def test_author_time_message_and_file_names(store, tmp_path):
    message = "Parse the configuration: strictly, and say where it is wrong\n\nThe old way guessed.\n\nSo it goes."
    commits = series(store, {"a": b"1\n"}, {"a": b"2\n"}, message=message)
    names = [name for name, _ in store.patches(commits)]
    assert names == [
        "0001-Parse-the-configuration-strictly-and-say-where-it-is.patch",
        "0002-Parse-the-configuration-strictly-and-say-where-it-is.patch",
    ]
    work, _ = applied(store, commits, tmp_path)
    assert git(work, "log", "-1", "--format=%an|%ae|%at") == "developer|developer@millwright.invalid|1700000001"
    assert git(work, "log", "-1", "--format=%B") == f"{message}\n\nAssignment: A1"


@pytest.mark.parametrize(
    "message",
    [
        "Naïve café: überall, and on to a very long subject line that a mail header has to fold somewhere",
        "Subject\n\n---\ndiff --git a/evil b/evil\nFrom: evil <evil@x.invalid>\nFrom 1 Mon Sep 17 00:00:00 2001",
        "From: evil <evil@example.invalid>\n\nFrom: evil <evil@example.invalid>\nSubject: other\n\nText",
        "Subject\n\n[PATCH] other\n\nfrom: evil <evil@example.invalid>\nsubject:\tother\ndate: now",
        "x",
    ],
)
def test_a_message_cannot_pass_for_mail_syntax(store, tmp_path, message):
    commits = series(store, {"a": b"1\n"}, message=message, author="Ünal, D. Ö <d@millwright.invalid>")
    work, made = applied(store, commits, tmp_path)
    assert made == trees(store, commits)
    assert git(work, "log", "-1", "--format=%an|%ae") == "Ünal, D. Ö|d@millwright.invalid"
    assert git(work, "log", "-1", "--format=%s") == message.partition("\n")[0]
    assert git(work, "ls-files") == "a"


def test_a_large_rewrite_takes_no_longer_than_its_size(store, tmp_path):
    before = b"".join(b"line %d\n" % (n % 7) for n in range(8000))
    after = b"".join(b"line %d\n" % (n % 5) for n in range(8000))
    commits = series(store, {"a": before}, {"a": after})
    [_, (_, mail)] = store.patches(commits)
    assert len(mail) < 4 * (len(before) + len(after))
    _, made = applied(store, commits, tmp_path)
    assert made == trees(store, commits)
