"""Which small changes are made to a program, and how the tests are run on each."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

from tools.sandbox import Limits, Sandbox
from tools.verification.mutation import Score, mutants, scored
from tools.verification.testing import TestRun, mutants_argv, pytest_argv, read_run

PYTHON_PATH = {"PYTHONPATH": ".:src"}


def changes(source: str) -> list[str]:
    return [mutant.change for mutant in mutants("a.py", source)]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("x = a < b", ["`a < b` became `a <= b`"]),
        ("x = a is not b", ["`a is not b` became `a is b`"]),
        ("x = a and b", ["`a and b` became `a or b`"]),
        ("x = not a", ["`not a` became `a`"]),
        ("x = a + b", ["`a + b` became `a - b`"]),
        ("x -= y", ["`x -= y` became `x += y`"]),
        ("x = True", ["`x = True` became `x = False`"]),
        ("x = 1.5", ["`x = 1.5` became `x = 2.5`"]),
        ("x = a == 'b'", ["`a == 'b'` became `a != 'b'`", "`a == 'b'` became `a == 'b?'`"]),
        ("if a: b()", ["`a` became `True`", "`a` became `False`"]),
        ("while a: b()", ["`a` became `False`"]),
        ("def f(): return a", ["`return a` became `return None`"]),
        ("if_ = 0", ["`if_ = 0` became `if_ = 1`"]),
        ("raise E('no')", ["`raise E('no')` became `pass`"]),
        ("for a in b: continue", ["`continue` became `break`"]),
    ],
)
def test_one_thing_is_changed(source: str, expected: list[str]) -> None:
    assert changes(source) == expected


@pytest.mark.parametrize(
    "source",
    [
        '"""A docstring of 1 line."""',
        "def f(a: Literal[1]) -> Literal[2]: ...",
        "a: Literal[1]",
        "@cache(1)\ndef f(): ...",
        "if __name__ == '__main__':\n    sys.exit(main(1 + 2))",
        "if TYPE_CHECKING:\n    import a",
        "assert a == 1",
        "x = f'{a + 1}'",
        "x = 'a' + b",
        "def f(): return None",
        "def f(): return",
        "while True: f()",
    ],
)
def test_what_no_test_could_be_asked_to_notice_stays(source: str) -> None:
    assert changes(source) == []


def test_every_mutant_parses_and_differs_from_the_others_and_from_the_program() -> None:
    source = Path(ast.__file__).read_text(encoding="utf-8")
    made = mutants("ast.py", source, most=60)
    texts = {mutant.source for mutant in made}
    assert len(made) == len(texts) == 60
    for text in texts:
        compile(text, "ast.py", "exec")
    assert ast.unparse(ast.parse(source)) + "\n" not in texts


def test_a_sample_is_the_same_each_time_and_another_with_another_seed() -> None:
    source = "".join(f"x{n} = a < {n}\n" for n in range(40))
    first, again, other = (mutants("a.py", source, most=10, seed=seed) for seed in (0, 0, 1))
    assert first == again != other
    assert [m.line for m in first] == sorted(m.line for m in first)
    assert len(first) == 10


def run(folder: Path, sources: list[str], *, seconds: float = 60) -> TestRun:
    """Run the folder's tests on versions of its `calc.py`."""
    plan = {"path": "calc.py", "sources": sources, "seconds": seconds}
    (folder / "plan.json").write_text(json.dumps(plan))
    argv = mutants_argv("plan.json", ["test_calc.py"])
    limits = Limits(seconds=60)
    return read_run(
        Sandbox.choose().run(argv, workspace=folder, limits=limits, env=PYTHON_PATH, read_only=("test_calc.py",))
    )


@pytest.fixture
def program(tmp_path: Path) -> Path:
    (tmp_path / "calc.py").write_text("def half(n: int) -> int:\n    return n // 2\n")
    (tmp_path / "test_calc.py").write_text("from calc import half\n\n\ndef test_half():\n    assert half(4) == 2\n")
    return tmp_path


def outcomes(found: TestRun) -> list[str]:
    return [test.outcome for test in found.tests]


def test_each_mutant_is_tried_by_itself(program: Path) -> None:
    found = run(
        program, ["def half(n): return n * 2\n", "def half(n): return 2\n", "def half(n) return\n", "half = 1"]
    )
    assert (outcomes(found), found.problem) == (["failed", "passed", "failed", "failed"], "")


def test_a_mutant_that_never_ends_or_kills_itself_is_noticed(program: Path) -> None:
    found = run(program, ["def half(n):\n  while True: pass\n", "import os\nos.kill(os.getpid(), 9)\n"])
    assert outcomes(found) == ["failed", "failed"]


def test_what_a_mutant_starts_is_ended_before_the_next_one_runs(program: Path) -> None:
    stays = """import os, time
def half(n):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            while True:
                open("/tmp/alive", "w").close()
                time.sleep(0.01)
        os._exit(0)
    time.sleep(0.3)
    return n // 2
"""
    sees = """import os, time
def half(n):
    if os.path.exists("/tmp/alive"): os.unlink("/tmp/alive")
    time.sleep(0.3)
    return 0 if os.path.exists("/tmp/alive") else 2
"""
    assert outcomes(run(program, [stays, sees])) == ["passed", "passed"]


def test_what_a_mutant_writes_is_taken_back_before_the_next_one_runs(program: Path) -> None:
    (program / "table.txt").write_text("2")
    writes = """import os, pathlib
def half(n):
    pathlib.Path("left.txt").write_text("here")
    pathlib.Path("table.txt").unlink()
    pathlib.Path("calc.pyc").write_bytes(b"x")
    pathlib.Path("conftest.py").write_text("raise SystemExit")
    return 2
"""
    reads = """import os
def half(n):
    assert sorted(os.listdir(".")) == ["calc.py", "table.txt", "test_calc.py"], os.listdir(".")
    return int(open("table.txt").read())
"""
    assert outcomes(run(program, [writes, reads, writes, reads])) == ["passed"] * 4


def test_mutants_without_time_are_told_as_untried(program: Path) -> None:
    found = run(program, ["half = 1"] * 3, seconds=2)
    assert outcomes(found) == ["skipped"] * 3
    made = mutants("calc.py", (program / "calc.py").read_text())
    assert scored(made, found) == Score(untried=len(made))


def test_tests_that_fail_on_the_unchanged_program_give_no_score(program: Path) -> None:
    (program / "calc.py").write_text("half = None\n")
    found = run(program, ["half = 1"])
    assert found.problem == "calc.py cannot be collected: the tests failed on the unchanged program"


def test_a_score_counts_what_was_tried() -> None:
    survivor = mutants("a.py", "x = a < b")[0]
    total = Score(noticed=3) + Score(noticed=0, survivors=(survivor,), untried=2)
    assert (total.tried, total.value, total.untried) == (4, 0.75, 2)
    assert Score().value == 1.0


def test_repetitions_have_an_order_and_a_hash_seed_of_their_own(tmp_path: Path) -> None:
    body = "import sys\n" + "".join(
        f"def test_{n}(): print({n}, hash('x'), file=sys.__stderr__)\n" for n in range(6)
    )
    (tmp_path / "test_order.py").write_text(body)
    orders, hashes = [], set()
    for again in (0, 1, 2, 2):
        argv = [*pytest_argv(["test_order.py"], again=again), "-s"]
        ended = Sandbox.choose().run(argv, workspace=tmp_path, env=PYTHON_PATH)
        lines = [line.split() for line in ended.stderr.splitlines()]
        assert read_run(ended).passed, ended.stdout
        orders.append([int(number) for number, _ in lines])
        hashes.add(lines[0][1])
    assert orders[0] == [0, 1, 2, 3, 4, 5]
    assert orders[1] == [5, 4, 3, 2, 1, 0]
    assert orders[2] == orders[3] not in (orders[0], orders[1])
    assert len(hashes) == 3
