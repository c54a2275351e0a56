"""Arguments are fitted to the tool's schema: typed where the text is untyped, refused where they do not fit."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.models.salvage.schema import Misfit, fit, parse_text

TEXT = [
    ({"type": "string"}, "07001", "07001"),
    ({"type": "string"}, '{"a": 1}', '{"a": 1}'),
    ({"type": "string"}, "null", "null"),
    ({"type": "integer"}, " -14\n", -14),
    ({"type": "integer"}, "3.0", 3),
    ({"type": "number"}, "2.5", 2.5),
    ({"type": "boolean"}, "True", True),
    ({"type": "boolean"}, "false", False),
    ({"type": "array"}, '["a", 1]', ["a", 1]),
    ({"type": "object"}, "{'a': None}", {"a": None}),
    ({"type": ["string", "null"]}, "null", None),
    ({"type": ["null", "string"]}, "123 Main St", "123 Main St"),
    ({"type": ["string", "null"]}, "123", "123"),
    ({"type": ["string", "integer"]}, "7", 7),
    ({"type": ["string", "integer"]}, "7 eggs", "7 eggs"),
    ({"type": ["string", "object"]}, "{not valid", "{not valid"),
    ({"anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": "string"}]}, '["a"]', ["a"]),
    ({"anyOf": [{"type": "array", "items": {"type": "integer"}}, {"type": "string"}]}, '["a"]', '["a"]'),
    ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, "None", None),
    ({"enum": ["celsius", "kelvin"]}, "kelvin", "kelvin"),
    ({"enum": [1, 2]}, "2", 2),
    ({"$ref": "#/$defs/Count"}, "4", 4),
    ({}, "42", 42),
    ({}, "0042", "0042"),
    ({}, "+4712", "+4712"),
    ({}, "plain", "plain"),
    ({}, '{"width": 10}', {"width": 10}),
]
REFUSED = [
    ({"type": "integer"}, "many"),
    ({"type": "integer"}, "2.5"),
    ({"type": "integer"}, True),
    ({"type": "boolean"}, "yes"),
    ({"type": "boolean"}, 1),
    ({"type": "string"}, 1),
    ({"type": "string"}, {"a": 1}),
    ({"type": "array", "items": {"type": "integer"}}, [1, "x"]),
    ({"type": "array", "maxItems": 1}, [1, 2]),
    ({"type": "string", "minLength": 2}, "a"),
    ({"type": "integer", "minimum": 3}, 2),
    ({"enum": ["celsius"]}, "kelvin"),
    ({"const": 1}, True),
    ({"type": "object", "required": ["b"]}, {"a": 1}),
    ({"type": "object", "properties": {"a": {}}, "additionalProperties": False}, {"a": 1, "b": 2}),
    ({"type": "object", "additionalProperties": {"type": "integer"}}, {"b": "x"}),
    ({"oneOf": [{"type": "integer"}, {"type": "null"}]}, "x"),
    ({"allOf": [{"type": "integer"}, {"maximum": 2}]}, 3),
    ({"$ref": "#/$defs/Count"}, "x"),
    (False, 1),
]
ODD = [
    {"$ref": "#/$defs/Loop"},
    {"$ref": "#/nowhere"},
    {"type": "whatever"},
    {"type": 7},
    {"anyOf": []},
    {"anyOf": "x"},
    {"properties": [1]},
    {"enum": "abc"},
    {"items": 3},
    {"minimum": "x"},
    {"anyOf": [{"$ref": "#/$defs/Loop"}]},
]


def tool(schema):
    defs = {"Count": {"type": "integer"}, "Loop": {"$ref": "#/$defs/Loop"}}
    return {"type": "object", "properties": {"x": schema}, "required": ["x"], "$defs": defs}


@pytest.mark.parametrize(("schema", "text", "value"), TEXT)
def test_text_becomes_what_the_schema_says(schema, text, value):
    fitted = fit({"x": text}, tool(schema), textual=True)["x"]
    assert fitted == value
    assert type(fitted) is type(value)


@pytest.mark.parametrize(("schema", "value"), REFUSED)
def test_what_does_not_fit_is_refused(schema, value):
    with pytest.raises(Misfit, match="arguments"):
        fit({"x": value}, tool(schema))


@pytest.mark.parametrize("schema", ODD)
def test_an_odd_schema_checks_less_but_never_fails(schema):
    assert fit({"x": "a"}, tool(schema)) == {"x": "a"}


def test_missing_arguments_are_named():
    with pytest.raises(Misfit, match="lacks 'x'"):
        fit({}, tool({}))


def test_a_string_stands_for_its_value_only_where_no_string_may_stand():
    schema = {
        "type": "object",
        "properties": {"n": {"type": "integer"}, "s": {"type": "string"}, "l": {"type": "array"}},
    }
    assert fit({"n": "7", "s": "7", "l": '["7"]'}, schema) == {"n": 7, "s": "7", "l": ["7"]}


def test_numbers_too_large_to_be_one_stay_text():
    assert parse_text("1e999") == "1e999"
    assert parse_text("9" * 5000) == "9" * 5000


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-9, 9)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
KEYWORDS = [
    "type",
    "anyOf",
    "oneOf",
    "allOf",
    "enum",
    "const",
    "properties",
    "required",
    "items",
    "additionalProperties",
    "$ref",
]


@settings(deadline=None, max_examples=60)
@given(
    arguments=st.dictionaries(st.text(max_size=4), JSON, max_size=3),
    schema=st.dictionaries(st.sampled_from(KEYWORDS), JSON),
)
def test_any_schema_and_any_arguments_end_in_a_value_or_a_misfit(arguments, schema):
    try:
        fitted = fit(arguments, schema, textual=True)
    except Misfit:
        return
    assert fitted.keys() == arguments.keys()


@settings(deadline=None, max_examples=60)
@given(text=st.text("0123456789.-+eE[]{}()\"'truefalsn, :", max_size=20))
def test_any_text_is_a_value_or_itself(text):
    value = parse_text(text)
    assert (
        value == text
        if isinstance(value, str)
        else value is None or isinstance(value, (bool, int, float, list, dict))
    )


@pytest.mark.parametrize("given", [{"City": "Ulm"}, {"unknown": 1, "other": 2}])
def test_arguments_of_which_none_is_declared_are_refused(given):
    optional = {"type": "object", "properties": {"city": {"type": "string"}}}
    with pytest.raises(Misfit, match="none is a parameter"):
        fit(given, optional)
    assert fit({}, optional) == {}
    assert fit({"city": "Ulm", **given}, optional)["city"] == "Ulm"
    assert fit(given, {**optional, "additionalProperties": True}) == given
    assert fit(given, {**optional, "allOf": [{"properties": {"City": {"type": "string"}}}]}) == given
    assert fit(given, {}) == given
