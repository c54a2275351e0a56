"""Patches are taken back from the workspace they gave: every kind of change, and every kind of forgery."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tools.errors import ProofBroken
from tools.verification.patching import take_back
from tools.workspace.confined import ConfinedDir
from tools.workspace.snapshots import SnapshotStore

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Files = dict[str, bytes]


class Series:
    """Trees and patches made by the snapshot store that real runs use."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = SnapshotStore(folder / "objects.git")

    def tree(self, files: Mapping[str, bytes]) -> str:
        workspace = Path(tempfile.mkdtemp(dir=self.folder))
        with ConfinedDir(workspace, durable=False) as confined:
            for path, content in files.items():
                confined.write(path, content)
            return self.store.take(confined)

    def patches(self, *steps: Mapping[str, bytes], base: Mapping[str, bytes] | None = None) -> Files:
        parents: list[str] = []
        commits: list[str] = []
        if base is not None:
            parents = [self.commit(self.tree(base), [], "base")]
        for number, files in enumerate(steps):
            parents = [self.commit(self.tree(files), parents, f"Step {number}")]
            commits += parents
        return dict(self.store.patches(commits))

    def commit(self, tree: str, parents: list[str], message: str) -> str:
        return self.store.commit(
            tree, parents=parents, author="d <d@x.invalid>", assignment="A1", message=message, at=0
        )


@pytest.fixture
def series(tmp_path: Path) -> Iterator[Series]:
    made = Series(tmp_path)
    yield made
    made.store.close()


KINDS: dict[str, tuple[Files, ...]] = {
    "text, changed in two places": (
        {"a.py": b"".join(b"line %d\n" % n for n in range(40))},
        {"a.py": b"".join(b"line %d%s\n" % (n, b"!" if n in (3, 33) else b"") for n in range(40))},
    ),
    "without a newline at the end": ({"a": b"one\ntwo"}, {"a": b"one\nthree"}, {"a": b"one\nthree\n"}),
    "empty": ({"a": b""}, {"a": b"", "b": b""}, {"a": b"x"}, {"a": b""}),
    "bytes that mail would change": ({"a": b"one\r\ntwo\r\n"}, {"a": b"\0\xff" * 200}, {"a": b"text\n"}),
    "moved and deleted": ({"a": b"one\n", "b": b"two\n"}, {"c/d": b"one\n"}, {"c/d": b"one\n", "a": b"new\n"}),
    "names that git quotes": ({"ü and ß.txt": b"x\n", "a b": b"y\n"},),
    "a file in the place of a folder": ({"a/b": b"x\n"}, {"a": b"y\n"}),
    "text that looks like a patch": (
        {"a": b"-- \nmillwright\n--- a/x\n+++ b/x\n@@ -1 +1 @@\ndiff --git a/x b/x\n"},
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_change_is_taken_back(series: Series, kind: str) -> None:
    steps = KINDS[kind]
    patches = series.patches(*steps)
    assert len(patches) == len(steps)
    assert take_back(patches, steps[-1]).files == {}


def test_a_base_stays_when_the_patches_are_taken_back(series: Series) -> None:
    base, result = {"old": b"1\n", "kept": b"k\n"}, {"old": b"2\n", "kept": b"k\n", "new": b"3\n"}
    patches = series.patches(result, base=base)
    left = take_back(patches, result)
    assert left.files == base
    assert left.modes == {"old": 0o100644}


def test_patches_that_do_not_give_the_files_are_named(series: Series) -> None:
    first, last = {"a.py": b"x = 1\n"}, {"a.py": b"x = 1\ny = 2\n", "b.py": b"z = 3\n"}
    patches = series.patches(first, last)
    one, two = sorted(patches)
    cases: list[tuple[str, Files, Files]] = [
        (two, patches, last | {"a.py": b"x = 1\ny = 3\n"}),
        (two, patches, {"a.py": last["a.py"]}),
        (one, patches | {one: patches[one].replace(b"+x = 1", b"+x = 9")}, last),
        (one, {one: patches[one].replace(b"PATCH 1/2", b"PATCH 1/1")}, last),
        (two, {one: patches[one], two: patches[two].replace(b"PATCH 2/2", b"PATCH 2/3")}, last),
        (two, {one: patches[one], two: patches[two].replace(b"-0,0 +1 @@", b"-0,0 +1,2 @@")}, last),
    ]
    for name, forged, files in cases:
        with pytest.raises(ProofBroken, match=name):
            take_back(forged, files)
    assert take_back(patches, last | {"c.py": b""}).files == {"c.py": b""}


def test_the_mode_that_a_file_had_is_known(series: Series) -> None:
    base, result = {"run.sh": b"1\n"}, {"run.sh": b"2\n"}
    name, patch = next(iter(series.patches(result, base=base).items()))
    executable = patch.replace(b" 100644\n--- a/run.sh", b" 100755\n--- a/run.sh")
    assert executable != patch
    assert take_back({name: executable}, result).modes == {"run.sh": 0o100755}


def test_no_patches_lead_from_nothing_to_nothing() -> None:
    assert take_back({}, {}).files == {}


contents = st.lists(
    st.sampled_from([b"a\n", b"b\n", b"\n", b"c", b"\r\n", b"-- \n", b"\\ No newline\n", b"@@\n"])
).map(b"".join)
trees = st.dictionaries(st.sampled_from(["a", "b", "d/e", "d/f g"]), contents, max_size=4)


@settings(deadline=None, max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(base=trees, steps=st.lists(trees, min_size=1, max_size=3))
def test_whatever_a_store_makes_is_taken_back(
    tmp_path_factory: pytest.TempPathFactory, base: Files, steps: list[Files]
) -> None:
    series = Series(tmp_path_factory.mktemp("series"))
    changing = [step for before, step in zip([base, *steps], steps, strict=False) if step != before]
    patches = series.patches(*changing, base=base)
    result = changing[-1] if changing else base
    try:
        assert take_back(patches, result).files == base
    finally:
        series.store.close()
