"""What a program offers is read from its text, and a wrong one is refused with the reason."""

from __future__ import annotations

import pytest

from tools.errors import ToolRefused
from tools.skills import schemas
from tools.skills.interface import agrees, read_interface, signature_of

NUMBER, TEXT = {"type": "number"}, {"type": "string"}


def program(parameters: str, returns: str = "float", doc: str = '"""Answer."""') -> str:
    return f"from typing import *\n\ndef f({parameters}) -> {returns}:\n    {doc}\n    return 0.0\n"


@pytest.mark.parametrize(
    ("annotation", "schema"),
    [
        ("int", {"type": "integer"}),
        ("float", NUMBER),
        ("bool", {"type": "boolean"}),
        ("str", TEXT),
        ("'str'", TEXT),
        ("None", {"type": "null"}),
        ("Any", {}),
        ("list", {"type": "array"}),
        ("list[float]", {"type": "array", "items": NUMBER}),
        ("List[int]", {"type": "array", "items": {"type": "integer"}}),
        ("Sequence[str]", {"type": "array", "items": TEXT}),
        ("dict", {"type": "object"}),
        ("dict[str, float]", {"type": "object", "additionalProperties": NUMBER}),
        ("tuple[float, str]", {"type": "array", "prefixItems": [NUMBER, TEXT], "minItems": 2, "maxItems": 2}),
        ("tuple[float, ...]", {"type": "array", "items": NUMBER}),
        ("Optional[str]", {"anyOf": [TEXT, {"type": "null"}]}),
        ("str | None", {"anyOf": [TEXT, {"type": "null"}]}),
        ("Union[float, str]", {"anyOf": [NUMBER, TEXT]}),
        ("int | float", NUMBER),
        ("Literal['a', 'b']", {"enum": ["a", "b"]}),
        ("typing.Literal[1]", {"enum": [1]}),
        ("list[dict[str, float | str]]", {
            "type": "array", "items": {"type": "object", "additionalProperties": {"anyOf": [NUMBER, TEXT]}},
        }),
    ],
)  # fmt: skip
def test_an_annotation_becomes_a_schema(annotation: str, schema: dict[str, object]) -> None:
    assert read_interface(program(f"a: {annotation}"), "f").parameters["properties"] == {"a": schema}
    assert read_interface(program("a: int", annotation), "f").returns == schema


@pytest.mark.parametrize(
    ("code", "why"),
    [
        (program("a"), "the parameter a of f has no annotation"),
        (program("*args: int"), "each argument of a tool has a name"),
        (program("**more: int"), "each argument of a tool has a name"),
        (program("a: int, /"), "each argument of a tool has a name"),
        (program("a: set[int]"), "set[int] has no form in JSON"),
        (program("a: int", "bytes"), "bytes has no form in JSON"),
        (program("a: dict[int, str]"), "must be str"),
        (program("a: Decimal"), "Decimal has no form in JSON"),
        (program("a: '['"), "does not parse"),
        (program("a: int = len('x')"), "the default of a in f is computed"),
        (program("a: int", doc="pass"), "f has no docstring"),
        (program("a: int").replace(" -> float", ""), "f does not say what it returns"),
        (program("a: int").replace("def f", "async def f"), "declared with async"),
        ("def g(a: int) -> int:\n    return a\n", "there is no function f at the top level (there is: g)"),
        ("class A:\n    def f(self): ...\n", "there is no function f"),
        ("def f(", "does not parse: line 1"),
        ("f = 1\0", "does not parse"),
    ],
)
def test_what_cannot_be_a_tool_is_refused_with_the_reason(code: str, why: str) -> None:
    with pytest.raises(ToolRefused) as refused:
        read_interface(code, "f")
    assert why in str(refused.value)


def test_an_interface_says_what_is_required_and_what_is_not() -> None:
    code = "def f(a: int, b: float = 1.5, *, c: str, d: str | None = None) -> int:\n"
    code += '    """Do\n    it.\n\n    More."""\n    return a\n'
    interface = read_interface(code, "f")
    assert interface.description == "Do it."
    assert interface.names == ["a", "b", "c", "d"]
    assert interface.parameters["required"] == ["a", "c"]
    assert interface.parameters["properties"]["b"] == {"type": "number", "default": 1.5}
    assert interface.parameters["additionalProperties"] is False


@pytest.mark.parametrize(
    ("signature", "differences"),
    [
        ("def f(a: float, b: list[int] = []) -> float", 0),
        ("def f(a: float, b: List[int] = []) -> float: ...", 0),
        ("def g(a: float, b: list[int] = []) -> float:", 1),
        ("def f(a: float) -> float", 1),
        ("def f(b: list[int] = [], a: float = 1.0) -> float", 1),
        ("def f(a: int, b: list[int] = []) -> float", 1),
        ("def f(a: float, b: list[int]) -> float", 2),
        ("def f(a: float, b: list[int] = []) -> int", 1),
        ("def g(a: int, b: list[int] = []) -> int", 3),
    ],
)
def test_every_difference_to_a_wanted_signature_is_told(signature: str, differences: int) -> None:
    interface = read_interface(program("a: float, b: list[int] = []"), "f")
    assert len(agrees(interface, signature)) == differences


@pytest.mark.parametrize("signature", ["", "f(a)", "def f(a) -> int", "def f(a: int)", "def f(a: int -> int"])
def test_a_signature_that_no_tool_can_have_is_refused(signature: str) -> None:
    with pytest.raises(ToolRefused):
        signature_of(signature)


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ({"a": 1.0, "b": [1]}, ""),
        ({"a": 1}, ""),
        ({"a": float("nan")}, ""),
        ({}, "'a' is missing in the arguments"),
        ({"a": "1"}, "'a' is '1', and must be a number"),
        ({"a": True}, "'a' is True, and must be a number"),
        ({"a": None}, "'a' is None, and must be a number"),
        ({"a": 1, "b": 2}, "'b' is 2, and must be a list"),
        ({"a": 1, "b": [1, 2.5]}, "item 1 of 'b' is 2.5, and must be a whole number"),
        ({"a": 1, "c": 2}, "there is no 'c' in the arguments: there are a, b"),
    ],
)
def test_arguments_that_do_not_fit_are_told_in_one_clause(arguments: dict[str, object], why: str) -> None:
    parameters = read_interface(program("a: float, b: list[int] = []"), "f").parameters
    assert schemas.problem(arguments, parameters, "the arguments") == why


@pytest.mark.parametrize(
    ("value", "annotation", "fits"),
    [
        ("a", "Literal['a', 'b']", True),
        ("c", "Literal['a', 'b']", False),
        (True, "Literal[1]", False),
        (None, "str | None", True),
        (1, "str | None", False),
        ([1, "x"], "tuple[int, str]", True),
        ([1], "tuple[int, str]", False),
        (["x", 1], "tuple[int, str]", False),
        ({"a": [1.5]}, "dict[str, list[float]]", True),
        ({"a": [None]}, "dict[str, list[float]]", False),
        ({1: 2}, "dict", False),
        (object(), "Any", True),
    ],
)
def test_a_value_fits_a_schema_or_not(value: object, annotation: str, fits: bool) -> None:
    schema = read_interface(program("a: int", annotation), "f").returns
    assert (schemas.problem(value, schema) == "") is fits
