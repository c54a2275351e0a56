"""Files that are whole or absent: what a kill, a full disk or a stranger leaves behind."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.errors import StorageFailed
from tools.storage import JsonLines, canonical, read_lines, storage_failed, write_atomic

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=10,
)
records = st.dictionaries(st.text(max_size=8), json_values, max_size=4)


@settings(deadline=None, max_examples=60)
@given(record=records)
def test_the_one_spelling_survives_reading(record: Any) -> None:
    line = canonical(record)
    assert b"\n" not in line
    assert canonical(json.loads(line)) == line
    assert json.loads(line) == record


def test_a_lone_surrogate_is_kept_escaped() -> None:
    assert canonical({"text": "a\ud800b"}) == b'{"text":"a\\ud800b"}'
    assert json.loads(canonical({"text": "a\ud800b"})) == {"text": "a\ud800b"}


def test_the_order_of_members_makes_no_difference() -> None:
    assert canonical({"b": 1, "a": {"d": 2, "c": 3}}) == canonical({"a": {"c": 3, "d": 2}, "b": 1})


@settings(deadline=None, max_examples=30)
@given(written=st.lists(records, min_size=1, max_size=4), cut=st.integers(min_value=1), more=records)
def test_a_log_cut_anywhere_keeps_every_whole_record_and_goes_on(
    written: list[Any], cut: int, more: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("log") / "log.jsonl"
    log = JsonLines(path, durable=False)
    log.append(*written)
    log.close()
    whole = path.read_bytes()
    kept = whole[: cut % (len(whole) + 1)]
    path.write_bytes(kept)
    count = kept.count(b"\n")
    assert [record for record, _ in read_lines(path)] == written[:count]
    again = JsonLines(path, durable=False)
    assert path.read_bytes() == kept[: kept.rfind(b"\n") + 1]
    again.append(more)
    assert list(again) == [*written[:count], more]
    again.close()


def test_a_torn_line_longer_than_a_block_is_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_bytes(b'{"n":1}\n' + b"x" * 200_000)
    log = JsonLines(path, durable=False)
    assert path.read_bytes() == b'{"n":1}\n'
    log.close()
    path.write_bytes(b"x" * 200_000)
    JsonLines(path, durable=False).close()
    assert path.read_bytes() == b""


def test_a_reader_goes_on_from_where_it_stopped(tmp_path: Path) -> None:
    log = JsonLines(tmp_path / "log.jsonl", durable=False)
    log.append({"n": 1}, {"n": 2})
    (_, first), (_, second) = read_lines(log.path)
    assert [record for record, _ in read_lines(log.path, first)] == [{"n": 2}]
    log.append({"n": 3})
    assert [record for record, _ in read_lines(log.path, second)] == [{"n": 3}]
    assert list(read_lines(tmp_path / "none.jsonl")) == []
    log.close()


def test_threads_append_whole_lines(tmp_path: Path) -> None:
    log = JsonLines(tmp_path / "log.jsonl", durable=False)
    threads = [
        threading.Thread(target=lambda n=n: [log.append({"thread": n, "i": i}) for i in range(50)])
        for n in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = list(log)
    assert len(found) == 200
    for n in range(4):
        assert [record["i"] for record in found if record["thread"] == n] == list(range(50))
    log.close()


FULL = """
import resource, signal, sys
from pathlib import Path
from tools.errors import StorageFailed
from tools.storage import JsonLines
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
log = JsonLines(Path(sys.argv[1]), durable=True)
log.append({"n": 1})
resource.setrlimit(resource.RLIMIT_FSIZE, (300, 300))
try:
    log.append({"text": "x" * 1000})
except StorageFailed as error:
    print(error)
log.append({"n": 2})
print([r["n"] for r in log])
"""


def test_a_record_that_does_not_fit_leaves_no_part_and_the_next_one_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    house = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(path)], cwd=house, capture_output=True, text=True, check=True
    )
    told, numbers = done.stdout.splitlines()
    assert told.startswith(f"cannot write {str(path)!r}: ")
    assert told.endswith("nothing that was saved is lost")
    assert numbers == "[1, 2]"
    assert path.read_bytes() == b'{"n":1}\n{"n":2}\n'


@pytest.mark.parametrize(
    ("number", "says"),
    [
        (errno.ENOSPC, "the disk is full; free some space"),
        (errno.EDQUOT, "the disk quota is used up; free some space"),
        (errno.EROFS, "the file system is read-only; make it writable or set MILLWRIGHT_HOME elsewhere"),
        (errno.EACCES, "permission is denied; make it writable or set MILLWRIGHT_HOME elsewhere"),
        (errno.EIO, "Input/output error; check the disk"),
    ],
)
def test_a_refusing_disk_is_named_with_the_way_out(number: int, says: str) -> None:
    error = storage_failed(OSError(number, os.strerror(number)), Path("/data/log"))
    assert str(error) == f"cannot write '/data/log': {says}, nothing that was saved is lost"


@pytest.mark.parametrize("damage", [b"not json\n", b"\xff\xfe\n", b"{\n"])
def test_a_damaged_line_is_named(damage: bytes, tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_bytes(b'{"n":1}\n' + damage + b'{"n":3}\n')
    log = JsonLines(path, durable=True)
    with pytest.raises(StorageFailed, match=r"line 2 of '.*log\.jsonl' is damaged .*put the file back from a copy"):
        list(log)
    log.close()


def test_a_log_in_place_of_a_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StorageFailed, match="it is a directory"):
        JsonLines(tmp_path, durable=False)
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageFailed, match="cannot write"):
        JsonLines(tmp_path / "file" / "log.jsonl", durable=False)


def test_a_replaced_file_is_whole_private_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "run.json"
    write_atomic(path, b"one")
    write_atomic(path, b"two", mode=0o644)
    assert path.read_bytes() == b"two"
    assert path.stat().st_mode & 0o777 == 0o644
    assert [entry.name for entry in path.parent.iterdir()] == ["run.json"]


def test_a_refused_replacement_keeps_the_old_file_and_cleans_up(tmp_path: Path) -> None:
    target = tmp_path / "taken"
    target.mkdir()
    (target / "inside").write_text("kept")
    with pytest.raises(StorageFailed, match="taken"):
        write_atomic(target, b"new")
    assert (target / "inside").read_text() == "kept"
    assert [entry.name for entry in tmp_path.iterdir()] == ["taken"]


def test_a_log_knows_whether_it_is_the_file_that_was_opened(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    log = JsonLines(path, durable=False)
    log.append({"n": 1})
    assert not log.changed_by_others()
    other = JsonLines(path, durable=False)
    other.append({"n": 2})
    assert log.changed_by_others()
    assert not other.changed_by_others()
    path.rename(tmp_path / "elsewhere")
    assert other.changed_by_others()
    log.close()
    other.close()


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs /proc to count descriptors")
def test_opening_and_closing_leaks_no_descriptor(tmp_path: Path) -> None:
    def count() -> int:
        return sum(1 for _ in Path("/proc/self/fd").iterdir())

    before = count()
    for _ in range(20):
        log = JsonLines(tmp_path / "log.jsonl", durable=False)
        log.close()
        log.close()
    assert count() == before
