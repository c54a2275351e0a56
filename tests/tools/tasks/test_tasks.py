"""Tasks as they are drawn: signature, statement, examples, inputs and reference belong together."""

from __future__ import annotations

import json
import re
from collections import Counter
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from proofs import answer

from tools.skills.calling import call
from tools.skills.comparing import same_values
from tools.skills.interface import agrees, read_interface
from tools.skills.program import Program
from tools.skills.running import confined
from tools.skills.schemas import problem
from tools.tasks import ANY, Task, draw
from tools.tasks.drawing import task_of
from tools.tasks.inputs import LEAST, ordinary, settled
from tools.tasks.reference import answer as expected
from tools.tasks.registry import DOMAINS
from tools.tasks.variants import choose, variants

if TYPE_CHECKING:
    from tools.tasks.family import Family

DRAWS = 500
FAMILIES = [(domain, family) for domain, members in DOMAINS.items() for family in members]


@pytest.fixture(scope="module")
def tasks() -> list[Task]:
    return [draw(ANY, 2024, number) for number in range(DRAWS)]


def loaded(task: Task) -> Any:
    """The reference as a function. Our own code may run here; a model's never does."""
    names: dict[str, Any] = {}
    exec(compile(task.reference, task.id, "exec"), names)
    return names[task.entry]


def test_a_signature_parses_and_the_reference_has_it(tasks: list[Task]) -> None:
    for task in tasks:
        assert agrees(read_interface(task.reference, task.entry), task.signature) == []


def test_examples_and_inputs_fit_the_signature_and_are_json(tasks: list[Task]) -> None:
    for task in tasks:
        schema = read_interface(task.reference, task.entry)
        for arguments in [*task.inputs, *(example.arguments for example in task.examples)]:
            assert json.loads(json.dumps(arguments)) == arguments
            assert problem(arguments, schema.parameters) == "", (task.id, arguments)
        for example in task.examples:
            assert problem(example.result, schema.returns) == "", (task.id, example)


def test_examples_agree_with_the_reference(tasks: list[Task]) -> None:
    for task in tasks:
        function = loaded(task)
        assert task.examples
        for example in task.examples:
            assert same_values(function(**example.arguments), example.result), task.id


def test_the_source_of_a_reference_answers_as_the_function_it_was_made_of() -> None:
    for domain, family in FAMILIES:
        random = Random(f"source of {family.name}")
        for variant in {v.entry: v for v in (choose(family, random) for _ in range(8))}.values():
            task = task_of(domain, variant)
            function = loaded(task)
            for arguments in task.inputs:
                here = answer(lambda variant=variant, **given: expected(variant, given), arguments)
                assert same_values(answer(function, arguments), here), (task.id, arguments)


def test_there_are_enough_inputs_no_two_alike_and_most_of_them_are_accepted(tasks: list[Task]) -> None:
    for task in tasks:
        texts = [json.dumps(arguments, sort_keys=True) for arguments in task.inputs]
        assert len(set(texts)) == len(texts) >= LEAST
        function = loaded(task)
        answers = [answer(function, arguments) for arguments in task.inputs]
        assert answers.count(ValueError) <= 0.7 * len(answers), task.id


def test_the_answers_of_a_task_tell_programs_apart(tasks: list[Task]) -> None:
    for task in tasks:
        function = loaded(task)
        answers = [
            repr(found) for arguments in task.inputs if (found := answer(function, arguments)) is not ValueError
        ]
        most = Counter(answers).most_common(1)[0][1]
        assert len(set(answers)) >= 2, task.id
        assert most <= 0.9 * len(answers), task.id


def test_a_statement_names_every_parameter_and_every_reason_to_refuse(tasks: list[Task]) -> None:
    for task in tasks:
        for name in read_interface(task.reference, task.entry).names:
            assert re.search(rf"\b{name}\b", task.statement), (task.id, name)
        assert task.signature in task.statement
        assert "{" not in task.statement.replace("( ) [ ] { }", ""), task.id
        function = loaded(task)
        refused = any(answer(function, arguments) is ValueError for arguments in task.inputs)
        assert refused == ("ValueError" in task.statement), task.id


def test_every_reason_to_refuse_is_among_the_inputs_of_a_task() -> None:
    for domain, family in FAMILIES:
        every = list(variants(family))
        for variant in every[:: max(1, len(every) // 3)]:
            task = task_of(domain, variant)
            function = loaded(task)
            refused = sum(answer(function, arguments) is ValueError for arguments in task.inputs)
            reasons = {refusal.when for refusal in variant.refuses}
            assert refused >= len(reasons), (task.id, refused, reasons)


def test_no_task_shows_its_reference(tasks: list[Task]) -> None:
    for task in tasks:
        assert "raise ValueError(" not in task.statement
        assert "_measure" not in task.statement


def test_one_id_has_one_reference_one_signature_and_the_same_inputs() -> None:
    seen: dict[str, Task] = {}
    for domain in DOMAINS:
        for number in range(400):
            task = draw(domain, 77, number)
            known = seen.setdefault(task.id, task)
            same = {"reference", "signature", "inputs", "examples", "entry", "title"}
            assert task.model_dump(include=same) == known.model_dump(include=same)


def test_a_task_that_comes_again_may_be_put_in_other_words() -> None:
    wordings: dict[str, set[str]] = {}
    for number in range(600):
        task = draw("text", 3, number)
        wordings.setdefault(task.id, set()).add(task.statement)
    assert max(map(len, wordings.values())) > 1


def test_names_are_skill_names_and_distinct_in_all_domains() -> None:
    entries = [variant.entry for _, family in FAMILIES for variant in variants(family)]
    assert len(entries) == len(set(entries))
    assert all(re.fullmatch(r"[a-z][a-z0-9_]{0,63}", entry) for entry in entries)


def test_a_statement_with_several_units_says_how_they_become_each_other() -> None:
    loading = next(family for _, family in FAMILIES if family.name == "loading")
    mixed = next(v for v in variants(loading) if v.units == ("days", "hours"))
    assert "1 day is 24 hours." in task_of("manufacturing", mixed).statement
    plain = next(v for v in variants(loading) if v.units == ("hours", "hours"))
    assert "Convert before" not in task_of("manufacturing", plain).statement


@pytest.mark.soak
@pytest.mark.parametrize("family", [family for _, family in FAMILIES], ids=lambda family: family.name)
def test_every_variant_of_a_family_has_a_whole_oracle(family: Family) -> None:
    for variant in variants(family):
        task = task_of("any", variant)
        function = loaded(task)
        assert len(task.inputs) >= LEAST
        assert task.examples
        for arguments in task.inputs:
            here = answer(lambda variant=variant, **given: expected(variant, given), arguments)
            assert same_values(answer(function, arguments), here), (task.id, arguments)


def test_a_task_survives_being_written_as_json() -> None:
    task = draw("manufacturing", 5, 5)
    assert Task.model_validate_json(task.model_dump_json()) == task


@given(number=st.integers(0, len(FAMILIES) - 1), seed=st.integers())
def test_ordinary_arguments_are_never_refused(number: int, seed: int) -> None:
    _, family = FAMILIES[number]
    random = Random(seed)
    option = random.choice(family.options)
    family.core(**family.sample(random), **option.bind)


@given(number=st.integers(0, len(FAMILIES) - 1), seed=st.integers())
def test_a_settled_answer_stays_when_numbers_are_written_another_way(number: int, seed: int) -> None:
    _, family = FAMILIES[number]
    random = Random(seed)
    variant = choose(family, random)
    arguments = ordinary(variant, random)
    if settled(variant, arguments):
        other = json.loads(json.dumps(arguments), parse_int=_as_float(variant.signature))
        one = answer(lambda **given: expected(variant, given), arguments)
        assert same_values(one, answer(lambda **given: expected(variant, given), other))


def _as_float(signature: str) -> Any:
    """Whole numbers become floats, where the function takes nothing but floats."""
    return int if re.search(r"\bint\b", signature.split("->")[0]) or "records" in signature else float


@pytest.mark.parametrize("domain", DOMAINS)
async def test_references_run_in_the_sandbox_and_agree_with_their_examples(domain: str) -> None:
    for number in range(2):
        task = draw(domain, 9, number)
        program = Program(task.entry, task.reference, {})
        answers = await call(confined(), program, [example.arguments for example in task.examples])
        for example, found in zip(task.examples, answers, strict=True):
            assert found.kind == "returned"
            assert same_values(found.value, example.result)
