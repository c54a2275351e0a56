from __future__ import annotations

import hashlib
import io
import resource
import stat
import struct
import subprocess
import sys
import zipfile

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from tools.errors import LimitExceeded, PathRefused, ProofBroken, StorageFailed, UsageError
from tools.storage import canonical
from tools.workspace.archive import MANIFEST, Limits, read_zip, write_zip

MEMBERS = {
    "workspace/b.py": b"print(1)\n",
    "workspace/a.py": b"",
    "ledger.jsonl": b'{"seq":1}\n',
    "é.txt": b"\xff\0",
}


def manifest(members, **more):
    return canonical(
        {"version": 1, "members": {n: hashlib.sha256(c).hexdigest() for n, c in members.items()}} | more
    )


def crafted(path, entries, method=zipfile.ZIP_STORED):
    """A zip with exactly these (name or ZipInfo, content), checked by nobody."""
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return path


def holding(path, members, extra=(), method=zipfile.ZIP_STORED):
    return crafted(path, [*members.items(), *extra, (MANIFEST, manifest(members))], method)


# Writing


def test_the_same_members_give_the_same_bytes_which_are_these(tmp_path):
    first = write_zip(tmp_path / "one.zip", MEMBERS)
    opened = {name: lambda content=content: io.BytesIO(content) for name, content in reversed(MEMBERS.items())}
    assert write_zip(tmp_path / "two.zip", opened) == first
    content = (tmp_path / "one.zip").read_bytes()
    assert (tmp_path / "two.zip").read_bytes() == content
    assert hashlib.sha256(content).hexdigest() == first
    assert first == "9e81467a76fa1f0353a6c0aff57c29f5d02a40393498b069f59e8f173902d3f4"


def test_what_is_written_is_read(tmp_path):
    write_zip(tmp_path / "run.zip", MEMBERS)
    with read_zip(tmp_path / "run.zip") as archive:
        assert archive.names == sorted(MEMBERS)
        assert {name: archive.read(name) for name in archive.names} == MEMBERS
        assert archive.sha256("é.txt") == hashlib.sha256(b"\xff\0").hexdigest()
    with zipfile.ZipFile(tmp_path / "run.zip") as plain:
        assert plain.namelist() == [*sorted(MEMBERS), MANIFEST]
        assert plain.testzip() is None
        assert {info.date_time for info in plain.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert {info.external_attr >> 16 for info in plain.infolist()} == {stat.S_IFREG | 0o644}


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.from_regex(r"\A[a-z]{1,8}\.[a-z]{3}\Z"), st.binary(max_size=200), max_size=6))
def test_any_members_come_back_also_from_a_compressed_copy(tmp_path, members):
    write_zip(tmp_path / "run.zip", members)
    with zipfile.ZipFile(tmp_path / "run.zip") as stored:
        entries = [(name, stored.read(name)) for name in stored.namelist()]
    crafted(tmp_path / "packed.zip", entries, zipfile.ZIP_DEFLATED)
    for name in ("run.zip", "packed.zip"):
        with read_zip(tmp_path / name) as archive:
            assert {name: archive.read(name) for name in archive.names} == members


@pytest.mark.parametrize("name", ["../x", "/x", "a//b", "a/", "", ".git/hooks/x", ".env", "a\\b", "a\nb", MANIFEST])
def test_a_name_that_would_not_be_read_is_not_written(tmp_path, name):
    with pytest.raises(PathRefused):
        write_zip(tmp_path / "run.zip", {name: b"x"})
    with pytest.raises(PathRefused, match="lies below"):
        write_zip(tmp_path / "run.zip", {"a": b"x", "a/b/c": b"y"})
    assert list(tmp_path.iterdir()) == []


def test_more_than_would_be_read_is_not_written(tmp_path):
    for limits in (Limits(members=4), Limits(member_bytes=5), Limits(total_bytes=30)):
        with pytest.raises(LimitExceeded):
            write_zip(tmp_path / "run.zip", MEMBERS, limits=limits)
    assert list(tmp_path.iterdir()) == []


def test_a_failing_member_leaves_the_old_zip(tmp_path):
    write_zip(tmp_path / "run.zip", MEMBERS)
    before = (tmp_path / "run.zip").read_bytes()
    with pytest.raises(StorageFailed):
        write_zip(tmp_path / "run.zip", {"a": b"1", "b": lambda: (tmp_path / "gone").open("rb")})
    assert [path.name for path in tmp_path.iterdir()] == ["run.zip"]
    assert (tmp_path / "run.zip").read_bytes() == before


def test_a_disk_that_refuses_leaves_the_old_zip(tmp_path):
    write_zip(tmp_path / "run.zip", MEMBERS)
    before = (tmp_path / "run.zip").read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(StorageFailed, match=r"run\.zip"):
            write_zip(tmp_path / "run.zip", {"large": b"x" * 100_000})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [path.name for path in tmp_path.iterdir()] == ["run.zip"]
    assert (tmp_path / "run.zip").read_bytes() == before


def test_a_directory_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageFailed, match="file"):
        write_zip(tmp_path / "file" / "run.zip", MEMBERS)


KILLED = """
import os, signal, sys
from pathlib import Path
from tools.workspace.archive import write_zip
last, steps = int(sys.argv[2]), 0

def count(event, arguments):
    global steps
    if event in ("os.rename", "os.chmod", "tempfile.mkstemp", "open"):
        steps += 1
        if steps == last:
            os.kill(os.getpid(), signal.SIGKILL)

def half():
    if last < 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return open(sys.executable, "rb")

sys.addaudithook(count)
write_zip(Path(sys.argv[1]), {"a": b"new", "b": half, "c": b"new"})
print(steps)
"""


def test_a_killed_export_leaves_the_old_zip_or_the_new(tmp_path):
    def killed(target, last):
        done = subprocess.run(
            [sys.executable, "-c", KILLED, str(target), str(last)], capture_output=True, text=True
        )
        assert done.returncode in (0, -9), done.stderr
        return None if done.returncode else int(done.stdout)

    target = tmp_path / "run.zip"
    total = killed(tmp_path / "counted.zip", 0)
    write_zip(target, MEMBERS)
    before = target.read_bytes()
    for last in (-1, 1, total // 2, total - 2, total - 1, total):
        assert killed(target, last) is None
        assert target.read_bytes() in (before, (tmp_path / "counted.zip").read_bytes())
        read_zip(target).close()
    assert killed(target, 0) == total
    with read_zip(target) as archive:
        assert archive.names == ["a", "b", "c"]


# Reading what someone else made


def link(name="workspace/link", target=b"/etc/passwd"):
    info = zipfile.ZipInfo(name)
    info.create_system = 3
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info, target


def fifo():
    info = zipfile.ZipInfo("fifo")
    info.external_attr = (stat.S_IFIFO | 0o644) << 16
    return info, b""


@pytest.mark.parametrize(
    ("extra", "text"),
    [
        (("../slip", b"x"), r"'\.\./slip'.*refused name"),
        (("/etc/cron.d/x", b"x"), "refused name"),
        (("C:/x", b"x"), "refused name"),
        (("a\\..\\..\\x", b"x"), "refused name"),
        ((".git/hooks/pre-commit", b"x"), "refused name"),
        (("workspace/.GIT/config", b"x"), "refused name"),
        (("workspace/.env", b"x"), "refused name"),
        (("folder/", b""), "directory"),
        (("a//b", b""), "refused name"),
        (("ledger.jsonl/below", b""), "lies below"),
        (link(), "link"),
        (fifo(), "special file"),
        (("unlisted", b"x"), "not in the manifest"),
    ],
    ids=str,
)
def test_a_hostile_member_is_refused_by_name(tmp_path, extra, text):
    path = holding(tmp_path / "run.zip", MEMBERS, [extra])
    with pytest.raises(ProofBroken, match=text):
        read_zip(path)


def test_a_hostile_member_is_refused_also_when_the_manifest_lists_it(tmp_path):
    with pytest.raises(ProofBroken, match=r"\.\./slip"):
        read_zip(holding(tmp_path / "run.zip", {"../slip": b"x"}))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_that_is_there_twice_is_refused(tmp_path):
    with pytest.raises(ProofBroken, match="twice"):
        read_zip(holding(tmp_path / "run.zip", MEMBERS, [("workspace/b.py", b"other")]))


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"workspace/a.py": b"changed"}, "'workspace/a.py' does not have the hash"),
        ({"workspace/a.py": b"changed", "ledger.jsonl": b"changed"}, "'ledger.jsonl' does not have the hash"),
        ({"ledger.jsonl": None}, "'ledger.jsonl' is in the manifest but not in the zip"),
        ({"more": b""}, "'more' is in the zip but not in the manifest"),
    ],
)
def test_the_first_member_that_does_not_hold_is_named(tmp_path, change, text):
    changed = {name: content for name, content in (MEMBERS | change).items() if content is not None}
    path = crafted(tmp_path / "run.zip", [*changed.items(), (MANIFEST, manifest(MEMBERS))])
    with pytest.raises(ProofBroken, match=text):
        read_zip(path)


@pytest.mark.parametrize(
    "content",
    [
        b"", b"[]", b"{}", b"[" * 100_000, b"\xff", b'{"members": {}, "version": 1}', manifest(MEMBERS, version=2),
        manifest(MEMBERS, more=1), canonical({"version": 1, "members": dict.fromkeys(MEMBERS, 1)}),
        canonical({"version": 1, "members": []}),
    ],
)  # fmt: skip
def test_a_manifest_that_is_none_is_refused(tmp_path, content):
    path = crafted(tmp_path / "run.zip", [*MEMBERS.items(), (MANIFEST, content)])
    with pytest.raises(ProofBroken, match=MANIFEST):
        read_zip(path)


def test_a_missing_manifest_is_named(tmp_path):
    with pytest.raises(ProofBroken, match=r"'manifest\.json' is missing"):
        read_zip(crafted(tmp_path / "run.zip", MEMBERS.items()))


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path):
    bomb = {"bomb": b"\0" * 20_000_000}
    path = holding(tmp_path / "run.zip", bomb, method=zipfile.ZIP_DEFLATED)
    assert path.stat().st_size < 30_000
    with pytest.raises(ProofBroken, match="'bomb' unpacks from"):
        read_zip(path)


def test_many_modest_members_are_refused_together(tmp_path):
    members = {f"m{n}": b"ab" * 500 + b"%d" % n for n in range(20)}
    path = holding(tmp_path / "run.zip", members, method=zipfile.ZIP_DEFLATED)
    with pytest.raises(ProofBroken, match="over 9999 bytes"):
        read_zip(path, limits=Limits(total_bytes=9999))
    with pytest.raises(ProofBroken, match="20 members"):
        read_zip(path, limits=Limits(members=20))
    read_zip(path, limits=Limits(members=21)).close()


def test_a_member_that_is_larger_than_it_states_is_refused(tmp_path):
    path = holding(tmp_path / "run.zip", {"a": b"\1" * 5000}, method=zipfile.ZIP_DEFLATED)
    content = path.read_bytes()
    for stated in (1, 4999, 5001):
        path.write_bytes(content.replace(struct.pack("<L", 5000), struct.pack("<L", stated)))
        with pytest.raises(ProofBroken, match="'a'"):
            read_zip(path)


def test_an_encrypted_or_oddly_packed_member_is_refused(tmp_path):
    for method in (zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2):
        with pytest.raises(ProofBroken, match="unusual way"):
            read_zip(holding(tmp_path / "run.zip", {"a": b"x" * 99}, method=method))


def test_a_name_cut_off_by_a_nul_is_refused(tmp_path):
    path = holding(tmp_path / "run.zip", {"aaa.py": b"x"})
    path.write_bytes(path.read_bytes().replace(b"aaa.py", b"aa\0.py"))
    with pytest.raises(ProofBroken, match="NUL"):
        read_zip(path)


def test_what_is_no_zip_is_refused_in_one_sentence(tmp_path):
    path = tmp_path / "run.zip"
    for content in (b"", b"PK", b"x" * 1000, b"PK\5\6" + b"\0" * 18):
        path.write_bytes(content)
        with pytest.raises((UsageError, ProofBroken)) as refused:
            read_zip(path)
        assert "\n" not in str(refused.value)
    for missing in (tmp_path / "nothing.zip", tmp_path):
        with pytest.raises(UsageError, match="cannot open"):
            read_zip(missing)


def test_a_comment_or_a_zip64_end_is_refused(tmp_path):
    path = holding(tmp_path / "run.zip", MEMBERS)
    for comment in (b"x", b"y" * 400, b"PK\5\6" + b"\0" * 17 + b"\1"):
        with zipfile.ZipFile(path, "a") as archive:
            archive.comment = comment
        with pytest.raises(UsageError, match="comment"):
            read_zip(path)
    plain = holding(tmp_path / "plain.zip", MEMBERS).read_bytes()
    path.write_bytes(plain[:-22] + b"PK\6\7" + b"\0" * 16 + plain[-22:])
    with pytest.raises(UsageError, match="zip64"):
        read_zip(path)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_zip_with_any_damage_either_holds_or_is_refused(tmp_path, data):
    path = holding(
        tmp_path / "run.zip", MEMBERS, method=data.draw(st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]))
    )
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content)
    try:
        with read_zip(path) as archive:
            assert {name: archive.read(name) for name in archive.names} == MEMBERS
    except (ProofBroken, UsageError):
        event("refused")


def test_a_member_that_changes_after_the_check_is_not_given_out(tmp_path):
    path = tmp_path / "run.zip"
    write_zip(path, {"a": b"0" * 100_000})
    with read_zip(path) as archive:
        content = bytearray(path.read_bytes())
        content[50_000] = 1
        with path.open("r+b") as file:
            file.write(content)
        with pytest.raises(ProofBroken, match="'a'"):
            archive.read("a")
        with pytest.raises(ProofBroken, match="not in the zip"):
            archive.read("b")
