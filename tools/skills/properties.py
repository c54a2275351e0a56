"""What must hold for any tool of a signature, as tests that generate arguments.

They are made from the signature alone, so they know nothing of the formula: a tool answers with what it declares or raises
ValueError, answers the same the second time, and leaves its arguments alone. Numbers have two decimals and a moderate size,
for a tool may overflow where nobody uses it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.skills.schemas import told

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tools.skills.interface import Interface
    from tools.skills.schemas import Schema

EXAMPLES = 50
_SIMPLE = {
    "integer": "st.integers(-1000, 1000)",
    "number": "st.one_of(st.integers(-100, 1000), st.integers(-100_000, 1_000_000).map(lambda n: n / 100))",
    "boolean": "st.booleans()",
    "null": "st.none()",
    "string": 'st.text("abcXYZ019 .,:;-_/()ßé€\\n", max_size=12)',  # few characters: all of Unicode take a second to load
}
_CHECKS = {
    "integer": "isinstance({0}, int) and not isinstance({0}, bool)",
    "number": "isinstance({0}, int | float) and not isinstance({0}, bool)",
    "boolean": "isinstance({0}, bool)",
    "null": "{0} is None",
    "string": "isinstance({0}, str)",
}
_FILE = '''"""What holds for any tool of this signature, for generated arguments."""

import copy
import json

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from main import {entry}

ARGUMENTS = st.fixed_dictionaries({{{strategies}}})
ANY = settings(
    max_examples={examples},
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)


def answer(arguments):
    """What it answers, None and True for an error that a tool may raise."""
    try:
        return {entry}(**arguments), False
    except (ValueError, OverflowError):
        return None, True
    except Exception as error:  # whatever else a tool raises is its fault, and told
        pytest.fail(
            f"{entry}({{arguments}}) raises {{type(error).__name__}}: {{error}}; a tool answers, or raises ValueError",
            pytrace=False,
        )


def declared(value):
    """Whether a value is {told}."""
    return {check}


@ANY
@given(ARGUMENTS)
def test_it_answers_what_it_declares_or_raises_value_error(arguments):
    value, refused = answer(arguments)
    json.dumps(value)
    if not (refused or declared(value)):
        pytest.fail(f"{entry}({{arguments}}) returns {{value!r}}, which is not {told}", pytrace=False)


@ANY
@given(ARGUMENTS)
def test_the_same_arguments_get_the_same_answer_and_stay_as_they_are(arguments):
    before = copy.deepcopy(arguments)
    first = answer(arguments)
    if arguments != before:
        pytest.fail(f"{entry}({{before}}) changes its arguments to {{arguments}}", pytrace=False)
    second = answer(arguments)
    if repr(second) != repr(first):
        pytest.fail(f"{entry}({{arguments}}) answers {{first[0]!r}}, and then {{second[0]!r}}", pytrace=False)
'''


def property_tests(interface: Interface) -> str | None:
    """A file of property tests for `main`, or None for a signature that says too little to generate arguments.

    Objects are among these: their keys mean something that a signature does not tell.
    """
    parameters: Mapping[str, Schema] = interface.parameters["properties"]
    found = {name: _strategy(schema) for name, schema in parameters.items()}
    if not found or not all(found.values()):
        return None
    return _FILE.format(
        entry=interface.entry,
        strategies=", ".join(f"{name!r}: {strategy}" for name, strategy in found.items()),
        examples=EXAMPLES,
        told=told(interface.returns),
        check=_check(interface.returns, "value"),
    )


def _strategy(schema: Schema) -> str:
    """The expression that generates values of a schema; empty when there is none."""
    if "anyOf" in schema:
        each = [_strategy(one) for one in schema["anyOf"]]
        return f"st.one_of({', '.join(each)})" if all(each) else ""
    if "enum" in schema:
        return f"st.sampled_from({schema['enum']!r})"
    if "prefixItems" in schema:
        each = [_strategy(one) for one in schema["prefixItems"]]
        return f"st.tuples({', '.join(each)}).map(list)" if all(each) else ""
    if schema.get("type") == "array":
        inner = _strategy(schema.get("items", {}))
        return f"st.lists({inner}, max_size=8)" if inner else ""
    return _SIMPLE.get(schema.get("type", ""), "")


def _check(schema: Schema, name: str) -> str:
    """The expression that says whether a value fits a schema."""
    if "anyOf" in schema:
        return "(" + " or ".join(f"({_check(one, name)})" for one in schema["anyOf"]) + ")"
    if "enum" in schema:
        return f"{name} in {schema['enum']!r}"
    if "prefixItems" in schema:
        items = [_check(one, f"{name}[{number}]") for number, one in enumerate(schema["prefixItems"])]
        return " and ".join([f"isinstance({name}, list | tuple)", f"len({name}) == {len(items)}", *items])
    if schema.get("type") == "array":
        inner = _check(schema.get("items", {}), f"{name}_")
        return f"isinstance({name}, list | tuple) and all({inner} for {name}_ in {name})"
    if schema.get("type") == "object":
        inner = _check(schema.get("additionalProperties") or {}, f"{name}_")
        return f"isinstance({name}, dict) and all({inner} for {name}_ in {name}.values())"
    return _CHECKS.get(schema.get("type", ""), "True").format(name)
