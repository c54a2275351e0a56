"""Property tests are made where a signature says enough, and find what is wrong with any formula."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tools.skills.interface import signature_of
from tools.skills.properties import property_tests

if TYPE_CHECKING:
    from pathlib import Path


def tried(folder: Path, *programs: tuple[str, str]) -> str:
    """What plain pytest prints of the property tests of these programs, each a signature and a body."""
    for number, (signature, body) in enumerate(programs):
        tests = property_tests(signature_of(signature))
        assert tests is not None
        (folder / f"test_{number}.py").write_text(tests.replace("from main import", f"from main_{number} import"))
        (folder / f"main_{number}.py").write_text(f"from typing import *\nSEEN = []\n{signature}:\n    {body}\n")
    argv = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir=.", "-c", "/dev/null"]
    ended = subprocess.run([*argv, "-o", "pythonpath=."], cwd=folder, capture_output=True, text=True, check=False)
    return ended.stdout


@pytest.mark.parametrize(
    "signature",
    ["def f() -> int", "def f(a: dict[str, float]) -> int", "def f(a: int, b: list[dict[str, float]]) -> int",
     "def f(a: Any) -> int", "def f(a: list) -> int", "def f(a: int | dict[str, int]) -> int"],
)  # fmt: skip
def test_a_signature_that_says_too_little_gets_none(signature: str) -> None:
    assert property_tests(signature_of(signature)) is None


GOOD = (
    ("def f(a: int, b: float, c: bool) -> str | None", "return str(a + b) if c else None"),
    (
        "def f(d: str, e: list[float], g: tuple[int, str], h: Literal['x'] | None) -> dict[str, list[tuple[float, str]]]",
        "return {d: [(v, d) for v in e]}",
    ),
    ("def f(a: int) -> int", "raise ValueError('never')"),
    ("def f(a: int) -> int", "open('once', 'a').write(repr(a)); return a"),
    ("def f(a: int) -> int", "open('again', 'a').write(repr(a)); return a"),
)
WRONG = (
    ("def f(a: float, b: int) -> float", "return a / b", "raises ZeroDivisionError"),
    ("def f(a: list[float]) -> float", "return a[0]", "raises IndexError"),
    ("def f(a: int) -> int", "return a / 2", "which is not a whole number"),
    ("def f(a: int) -> float", "return None if a > 5 else 1.0", "returns None, which is not a number"),
    ("def f(a: float) -> float", "return a ** 0.5", "complex is not JSON serializable"),
    ("def f(a: list[float]) -> list[float]", "a.sort(); return a", "changes its arguments"),
    ("def f(a: int) -> int", "SEEN.append(a); return len(SEEN)", "and then"),
    ("def f(a: str) -> int", "return int(a[0])", "raises IndexError"),
)


def test_a_right_answer_of_any_kind_holds_and_so_does_refusing(tmp_path: Path) -> None:
    told = tried(tmp_path, *GOOD)
    assert "10 passed" in told, told
    assert (tmp_path / "once").read_text() == (tmp_path / "again").read_text(), "the same examples every time"
    assert not (tmp_path / ".hypothesis/examples").exists()


def test_what_no_tool_may_do_is_found(tmp_path: Path) -> None:
    told = tried(tmp_path, *((signature, body) for signature, body, _ in WRONG))
    for number, (*_, why) in enumerate(WRONG):
        section = "".join(line for line in told.splitlines() if f"test_{number}.py" in line or why in line)
        assert f"FAILED test_{number}.py" in section, told
        assert why in section, why
