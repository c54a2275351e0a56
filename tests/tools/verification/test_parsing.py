"""What parses, what a source defines, and which files may be empty."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.verification.parsing import definitions, may_be_empty, syntax_problem
from tools.verification.stubs import stubbed


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.py", "def f() -> int:\n    return 1\n"),
        ("a.py", "\ufeffx = 1\n"),
        ("a.py", 'PATTERN = "\\d"\n'),
        ("a.py", "assert (1, 'always true')\n"),
        ("a.py", ""),
        ("a.pyi", "def f() -> int: ...\n"),
        ("a.json", '{"a": [1, 2.5, null]}'),
        ("a.toml", '[a]\nb = "c"\n'),
        ("a.yaml", "a: 1\n---\nb: [2]\n"),
        ("mkdocs.yml", "theme: !!python/name:material.theme\nref: !Ref Bucket\n"),
        ("a.yaml", "day: 2026-13-45\n"),
        ("a.PY", "x = 1\n"),
        ("a.txt", "def (:"),
        ("Makefile", "\t(:"),
        ("a.py/notes", "def (:"),
    ],
)
def test_good_files_have_no_problem(path: str, text: str) -> None:
    assert syntax_problem(path, text) is None


@pytest.mark.parametrize(
    ("path", "text", "says"),
    [
        ("a.py", "x = 1\ndef f(:\n", "a.py does not parse: line 2: "),
        ("a.PY", "def f(:\n", "a.PY does not parse: line 1: "),
        ("a.py", "x = '\x00'", "a.py does not parse: "),
        ("a.py", "(" * 5000 + ")" * 5000, "a.py does not parse: "),
        ("a.py", "return 1\n", "'return' outside function"),
        ("a.json", '{"a": 1,}', "a.json does not parse: "),
        ("a.json", "[" * 100_000, "a.json does not parse: it is nested too deeply"),
        ("a.toml", "a = \n", "a.toml does not parse: "),
        ("a.yaml", "a: [1\n", "a.yaml does not parse: "),
        ("a.yml", "a: *unknown\n", "a.yml does not parse: "),
    ],
)
def test_a_broken_file_is_named_with_the_place(path: str, text: str, says: str) -> None:
    assert says in (syntax_problem(path, text) or "")


@settings(deadline=None, max_examples=60)
@given(path=st.sampled_from(["a.py", "a.json", "a.toml", "a.yaml"]), text=st.text(max_size=30))
def test_no_text_makes_the_parser_fail_otherwise(path: str, text: str) -> None:
    problem = syntax_problem(path, text)
    assert problem is None or problem.startswith(f"{path} does not parse: ")
    assert isinstance(definitions(text), set)


SOURCE = """\
\ufeffimport os
A = 1
B: int = 2
C, (D, *E) = 1, (2, 3)
os.name = "no definition"
def f(): inner = 1
async def g(): ...
class K:
    x = 1
    y: int
    def m(self): ...
    class Inner:
        def deep(self): ...
try:
    from fast import h
except ImportError:
    def h(): ...
else:
    H = 1
finally:
    I = 1
if A:
    J = 1
elif B:
    L = 1
with open("x") as file:
    M = 1
"""


def test_definitions_are_found_in_every_branch() -> None:
    assert definitions(SOURCE) == {
        *("A", "B", "C", "D", "E", "f", "g", "K", "K.x", "K.y", "K.m", "K.Inner"),
        *("h", "H", "I", "J", "L", "M"),
    }
    assert definitions("def f(:") == set()


def test_a_stub_has_the_same_definitions_and_no_behaviour() -> None:
    source = "X = 1\nclass K:\n    def m(self):\n        return X\ndef f(a: int = 2) -> int:\n    return a\n"
    stub = stubbed(source)
    assert definitions(stub) == definitions(source)
    found: dict[str, object] = {}
    exec(compile(stub, "stub", "exec"), found)
    for call in (found["f"], found["K"]().m):  # type: ignore[operator]
        with pytest.raises(NotImplementedError):
            call()  # type: ignore[operator]


@pytest.mark.parametrize(
    ("path", "may"),
    [
        ("pkg/__init__.py", True),
        ("py.typed", True),
        ("data/.gitkeep", True),
        ("a.py", False),
        ("x__init__.py", False),
    ],
)
def test_only_markers_may_be_empty(path: str, may: bool) -> None:
    assert may_be_empty(path) is may
