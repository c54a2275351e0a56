"""Confined files: what they do, and every attack that needs no race."""

from __future__ import annotations

import contextlib
import hashlib
import os
import socket
import stat
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.errors import FileMissing, LimitExceeded, MillwrightError, PathRefused, StorageFailed
from tools.workspace.confined import ConfinedDir, Confinement, FileInfo, Quota
from tools.workspace.names import TEMPORARY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SECRET = b"SECRET"
WAYS: tuple[Confinement, ...] = ("openat2", "nofollow-walk", "best-effort")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A workspace; beside it an outside directory with a secret."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_bytes(SECRET)
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    return workspace


@pytest.fixture
def outside(root: Path) -> Path:
    return root.parent / "outside"


@pytest.fixture(params=WAYS)
def files(root: Path, request: pytest.FixtureRequest) -> Iterator[ConfinedDir]:
    with ConfinedDir(root) as strongest:
        if request.param == "openat2" and strongest.confinement != "openat2":
            pytest.skip("this kernel has no openat2")
    with ConfinedDir(root, durable=False, confinement=request.param) as files:
        assert files.confinement == request.param
        yield files


def refusal(action: Callable[[], object]) -> str:
    with pytest.raises(PathRefused) as refused:
        action()
    return refused.value.reason


def names_in(place: Path) -> list[str]:
    return sorted(entry.name for entry in place.iterdir())


def everything_refused(files: ConfinedDir, path: str) -> set[str]:
    """The reasons for which every operation refuses `path`."""
    files.write("own", b"own")
    return {
        refusal(lambda: files.read(path)),
        refusal(lambda: files.info(path)),
        refusal(lambda: files.write(path, b"x")),
        refusal(lambda: files.write(path, b"x", exclusive=True)),
        refusal(lambda: files.delete(path)),
        refusal(lambda: files.move(path, "elsewhere")),
        refusal(lambda: files.move("own", path)),
    }


def test_what_was_written_is_read_described_and_listed(files: ConfinedDir, root: Path) -> None:
    info = files.write("src/deep/app.py", b"print()\n")
    assert info == FileInfo("src/deep/app.py", 8, hashlib.sha256(b"print()\n").hexdigest(), executable=False)
    assert files.read("./src//deep/app.py") == b"print()\n"
    assert files.info("src/deep/app.py") == info
    assert (root / "src/deep/app.py").read_bytes() == b"print()\n"
    assert list(files.walk()) == ["src/deep/app.py"]


def test_a_replaced_file_keeps_its_execute_bit_unless_told(files: ConfinedDir) -> None:
    assert not files.write("run", b"1").executable
    assert files.write("run", b"2", executable=True).executable
    assert files.write("run", b"3").executable
    assert not files.write("run", b"4", executable=False).executable


def test_an_exclusive_write_never_replaces(files: ConfinedDir) -> None:
    files.write("a", b"first", exclusive=True)
    assert refusal(lambda: files.write("a", b"second", exclusive=True)) == "exists"
    assert files.read("a") == b"first"
    assert list(files.left_out()) == []


def test_a_move_makes_directories_keeps_the_content_and_never_replaces(files: ConfinedDir) -> None:
    files.write("a", b"a", executable=True)
    files.write("b", b"b")
    files.move("a", "x/y/a")
    assert files.info("a") is None
    assert files.info("x/y/a") == FileInfo("x/y/a", 1, hashlib.sha256(b"a").hexdigest(), executable=True)
    assert refusal(lambda: files.move("b", "x/y/a")) == "exists"
    assert refusal(lambda: files.move("b", "b")) == "exists"
    assert files.read("b") == b"b"


def test_a_deleted_file_is_gone_and_missing_files_say_so(files: ConfinedDir) -> None:
    files.write("d/a", b"a")
    files.delete("d/a")
    assert files.info("d/a") is None
    for action in (
        lambda: files.read("d/a"),
        lambda: files.delete("d/a"),
        lambda: files.move("d/a", "b"),
        lambda: files.read("no/such/directory"),
        lambda: files.delete("no/such/directory"),
    ):
        with pytest.raises(FileMissing, match="list the files"):
            action()


def test_the_walk_is_sorted_like_whole_paths_and_can_start_anywhere(files: ConfinedDir) -> None:
    names = ["a/b", "a.txt", "a/b.c/d", "a-b/c", "B", "z/y/x", "a/bb", "\u00e9/x"]
    for name in names:
        files.write(name, b"")
    assert list(files.walk()) == sorted(names)
    assert list(files.walk("a/")) == ["a/b", "a/b.c/d", "a/bb"]
    assert list(files.walk("./a/b.c")) == ["a/b.c/d"]
    assert list(files.walk("nothing")) == list(files.walk("B")) == []
    assert refusal(lambda: list(files.walk("../outside"))) == "traversal"


def test_the_walk_leaves_out_what_cannot_be_read_and_says_why(
    files: ConfinedDir, root: Path, outside: Path
) -> None:
    files.write("good", b"")
    (root / "folder-link").symlink_to(outside)
    (root / "file-link").symlink_to("good")
    os.mkfifo(root / "fifo")
    os.link(outside / "secret", root / "hard")
    (root / ".git").mkdir()
    (root / ".git" / "config").touch()
    (root / "__pycache__").mkdir()
    (root / os.fsdecode(b"bad\xff")).touch()
    (root / "new\nline").touch()
    (root / f"{TEMPORARY}0").touch()
    assert list(files.walk()) == ["good"]
    assert dict(files.left_out()) == {
        ".git": "protected",
        "__pycache__": "protected",
        os.fsdecode(b"bad\xff"): "control_character",
        "new\nline": "control_character",
        "fifo": "not_regular",
        "file-link": "symlink",
        "folder-link": "symlink",
        "hard": "hardlink",
    }


def test_a_very_deep_tree_is_not_followed(files: ConfinedDir, root: Path) -> None:
    place = os.open(root, os.O_RDONLY)
    for _ in range(300):
        os.mkdir("d", dir_fd=place)
        deeper = os.open("d", os.O_RDONLY, dir_fd=place)
        os.close(place)
        place = deeper
    os.close(os.open("x", os.O_CREAT, dir_fd=place))
    os.close(place)
    assert list(files.walk()) == []
    assert [reason for _, reason in files.left_out()] == ["too_deep"]


@pytest.mark.parametrize(
    "path", ["../outside/secret", "a/../../outside/secret", ".git/hooks/pre-commit", "x\0y", "aux"]
)
def test_a_refused_name_is_refused_by_every_operation(files: ConfinedDir, path: str) -> None:
    assert len(everything_refused(files, path)) == 1


def test_an_absolute_path_and_a_sibling_with_the_same_beginning_are_refused(files: ConfinedDir, root: Path) -> None:
    sibling = root.with_name(root.name + "2")
    sibling.mkdir()
    (sibling / "x").write_bytes(SECRET)
    for path in (str(sibling / "x"), str(root / "x"), "/etc/passwd"):
        assert everything_refused(files, path) == {"absolute"}


@pytest.mark.parametrize("target", ["../outside/secret", "own", "nowhere"])
def test_a_linked_file_is_refused_wherever_it_leads(
    files: ConfinedDir, root: Path, outside: Path, target: str
) -> None:
    (root / "link").symlink_to(target)
    assert everything_refused(files, "link") <= {"symlink", "exists"}
    assert (root / "link").is_symlink()
    assert (outside / "secret").read_bytes() == SECRET


@pytest.mark.parametrize("target", ["../outside", "inside", "."])
def test_a_linked_directory_is_refused_wherever_it_leads(
    files: ConfinedDir, root: Path, outside: Path, target: str
) -> None:
    (root / "inside").mkdir()
    (root / "inside" / "secret").touch()
    (root / "secret").touch()
    (root / "link").symlink_to(target)
    assert everything_refused(files, "link/secret") == {"symlink"}
    assert everything_refused(files, "link/new/x") == {"symlink"}
    assert names_in(outside) == ["secret"]


def test_a_link_back_into_itself_ends(files: ConfinedDir, root: Path) -> None:
    (root / "loop").symlink_to("loop")
    assert everything_refused(files, "loop/x") == {"symlink"}


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_magic_links_of_proc_are_refused(root: Path) -> None:
    for way in WAYS[:2]:
        with ConfinedDir(Path("/proc/self"), confinement=way) as proc:
            assert refusal(lambda files=proc: files.read("root/etc/hostname")) == "symlink"
            assert refusal(lambda files=proc: files.read("cwd/x")) == "symlink"
            assert refusal(lambda files=proc: files.read("exe")) == "symlink"


def test_a_hard_link_is_not_read_and_a_write_breaks_it(files: ConfinedDir, root: Path, outside: Path) -> None:
    os.link(outside / "secret", root / "hard")
    assert refusal(lambda: files.read("hard")) == "hardlink"
    assert refusal(lambda: files.info("hard")) == "hardlink"
    assert refusal(lambda: files.move("hard", "x")) == "hardlink"
    files.write("hard", b"mine")
    assert files.read("hard") == b"mine"
    assert (outside / "secret").read_bytes() == SECRET
    os.link(outside / "secret", root / "hard2")
    files.delete("hard2")
    assert (outside / "secret").read_bytes() == SECRET


def test_a_directory_a_fifo_a_socket_and_a_device_are_no_files(files: ConfinedDir, root: Path) -> None:
    (root / "folder").mkdir()
    os.mkfifo(root / "fifo")
    with socket.socket(socket.AF_UNIX) as server, contextlib.chdir(root):
        server.bind("socket")
    names = ["folder", "fifo", "socket"]
    with contextlib.suppress(PermissionError):
        os.mknod(root / "device", stat.S_IFCHR | 0o666, os.makedev(1, 3))
        names.append("device")
    for name in names:
        assert everything_refused(files, name) <= {"not_regular", "exists"}
    assert (root / "fifo").is_fifo()


def test_a_file_is_not_a_directory(files: ConfinedDir) -> None:
    files.write("file", b"")
    assert everything_refused(files, "file/x") == {"not_a_directory"}
    assert everything_refused(files, "file/x/y") == {"not_a_directory"}
    assert refusal(lambda: files.write("folder/", b"")) == "empty"
    assert refusal(lambda: files.move("file", "folder/.")) == "empty"


def test_a_huge_file_is_refused_before_it_is_read(files: ConfinedDir, root: Path) -> None:
    with open(root / "huge", "wb") as file:
        file.truncate(3 << 30)
    for action in (lambda: files.read("huge"), lambda: files.info("huge"), lambda: files.move("huge", "x")):
        with pytest.raises(LimitExceeded):
            action()
    files.write("huge", b"small")
    assert files.read("huge") == b"small"


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_a_file_that_is_longer_than_it_says_is_cut_off() -> None:
    assert Path("/proc/self/status").stat().st_size == 0
    for way in WAYS[:2]:
        with ConfinedDir(Path("/proc/self"), confinement=way) as proc, pytest.raises(LimitExceeded):
            proc.read("status", limit=10)


def test_a_read_takes_exactly_its_limit(files: ConfinedDir) -> None:
    files.write("a", b"12345")
    assert files.read("a", limit=5) == b"12345"
    with pytest.raises(LimitExceeded, match="more than 4 bytes"):
        files.read("a", limit=4)


def test_quotas_of_file_number_and_total_are_kept(root: Path) -> None:
    with ConfinedDir(root, durable=False, quota=Quota(file_bytes=10, files=3, total_bytes=15)) as files:
        refused = []
        for path, size in [
            ("a", 11),
            ("a", 10),
            ("b", 6),
            ("b", 5),
            ("b", 0),
            ("c", 0),
            ("d", 0),
            ("a", 3),
            ("b", 10),
        ]:
            try:
                files.write(path, b"x" * size)
            except LimitExceeded as error:
                refused.append((path, size, error.reason))
        assert refused == [("a", 11, "file_bytes"), ("b", 6, "total_bytes"), ("d", 0, "files")]
        files.delete("c")
        files.move("b", "e")
        files.write("d", b"")
        with pytest.raises(LimitExceeded, match="delete"):
            files.write("f/g", b"")
        assert not (root / "f").exists()


def test_room_that_someone_else_made_is_found(root: Path) -> None:
    with ConfinedDir(root, durable=False, quota=Quota(files=1)) as files:
        files.write("a", b"")
        (root / "a").unlink()
        files.write("b", b"")
        assert list(files.walk()) == ["b"]


def test_files_that_were_there_before_count(root: Path) -> None:
    (root / "old").write_bytes(b"12345")
    with ConfinedDir(root, durable=False, quota=Quota(total_bytes=8)) as files:
        with pytest.raises(LimitExceeded):
            files.write("new", b"1234")
        files.write("new", b"123")


def test_the_tree_is_counted_once_and_not_with_every_write(root: Path) -> None:
    listed: list[str] = []
    watching = threading.Event()
    sys.addaudithook(lambda event, _: listed.append(event) if event == "os.scandir" and watching.is_set() else None)
    with ConfinedDir(root, durable=False) as files:
        files.write("first", b"")
        watching.set()
        for number in range(20):
            files.write(f"d/{number}", b"x")
        files.delete("d/0")
        files.move("d/1", "d/0")
        watching.clear()
    assert listed == []


def test_threads_see_whole_files_only(root: Path) -> None:
    contents = [bytes([letter]) * 50_000 for letter in b"abcd"]
    with ConfinedDir(root, durable=False) as files:
        files.write("shared", contents[0])
        seen: list[bytes] = []

        def write(content: bytes) -> None:
            for _ in range(50):
                files.write("shared", content)
                seen.append(files.read("shared"))

        threads = [threading.Thread(target=write, args=(content,)) for content in contents]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(seen) == 200
    assert set(seen) <= set(contents)
    assert names_in(root) == ["shared"]


def test_no_descriptor_is_left_open(files: ConfinedDir, root: Path) -> None:
    (root / "link").symlink_to("..")
    (root / "folder").mkdir()
    os.mkfifo(root / "fifo")
    before = len(names_in(Path("/dev/fd")))
    for path in ("a", "a/b", "link", "link/x", "folder", "fifo", "x/y/z", "../x"):
        for action in (files.read, files.delete, lambda p: files.write(p, b""), lambda p: files.move(p, p + "2")):
            with contextlib.suppress(MillwrightError):
                action(path)
    list(files.walk())
    next(files.walk())
    assert len(names_in(Path("/dev/fd"))) == before


def test_a_missing_workspace_is_one_clear_sentence(tmp_path: Path) -> None:
    with pytest.raises(StorageFailed, match=r"cannot open the workspace .*gone.*; restore that directory"):
        ConfinedDir(tmp_path / "gone")
    (tmp_path / "file").touch()
    with pytest.raises(StorageFailed, match="Not a directory"):
        ConfinedDir(tmp_path / "file")


_names = st.lists(
    st.one_of(st.sampled_from(["..", ".", "a", "link", "hard", "\u00e9", "A", "~", "/etc"]), st.text(max_size=5)),
    max_size=5,
).map("/".join)


@given(path=_names, target=_names)
@settings(deadline=None, max_examples=60)
def test_no_name_reaches_outside(path: str, target: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    base = tmp_path_factory.mktemp("names")
    (base / "outside").mkdir()
    (base / "outside" / "a").write_bytes(SECRET)
    (base / "ws").mkdir()
    (base / "ws" / "link").symlink_to("../outside")
    os.link(base / "outside" / "a", base / "ws" / "hard")
    with ConfinedDir(base / "ws", durable=False) as files:
        with contextlib.suppress(PathRefused, FileMissing):
            assert files.read(path) != SECRET
        with contextlib.suppress(PathRefused):
            info = files.write(path, b"mine")
            assert files.read(path) == (base / "ws" / info.path).read_bytes() == b"mine"
            assert info.path in set(files.walk())
            files.move(path, target)
            files.delete(target)
    assert names_in(base) == ["outside", "ws"]
    assert names_in(base / "outside") == ["a"]
    assert (base / "outside" / "a").read_bytes() == SECRET


def test_a_directory_without_files_is_cleared_and_any_other_stays(tmp_path):
    (tmp_path / "empty" / "inner").mkdir(parents=True)
    (tmp_path / "full" / "inner").mkdir(parents=True)
    (tmp_path / "full" / "z.txt").write_text("x")
    (tmp_path / "link").symlink_to(tmp_path / "empty")
    with ConfinedDir(tmp_path) as files:
        assert not files.clear("link")
        assert files.clear("empty")
        assert not files.clear("full")
        assert not files.clear("nothing")
        assert [path for path, _ in files.stamps()] == ["full/z.txt"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["full", "link"]
