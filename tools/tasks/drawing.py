"""Drawing tasks: an endless sequence for each domain and seed, in which about one task in six was there before."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from tools.errors import UsageError
from tools.memory.records import Example
from tools.tasks.inputs import inputs_of
from tools.tasks.reference import answer, module
from tools.tasks.registry import DOMAINS
from tools.tasks.samples import seeded
from tools.tasks.statement import OPENINGS, statement, title
from tools.tasks.task import Task
from tools.tasks.variants import choose

if TYPE_CHECKING:
    from tools.tasks.family import Family
    from tools.tasks.variants import Variant

ANY = "any"
"""The domain that mixes the others."""

_REPEATS = 1 / 6
_RECENT = 40  # a repeat is of one of this many last tasks
_EXAMPLES = 3
_SHARES = {"manufacturing": 3}  # of the mixed domain; the others have one share each


def domains() -> list[str]:
    """The names of the domains that tasks are drawn from."""
    return [*DOMAINS, ANY]


def families(domain: str) -> list[str]:
    """The names of a domain's families.

    Raises:
        UsageError: there is no such domain.
    """
    return [family.name for name in _members(domain) for family in DOMAINS[name]]


def stream(domain: str, seed: int) -> str:
    """The name under which the tasks that were drawn of a domain and a seed are counted.

    Raises:
        UsageError: there is no such domain.
    """
    _members(domain)
    return f"factory/{domain}/{seed}"


def draw(domain: str, seed: int, number: int) -> Task:
    """The task with this number of the sequence that domain and seed name; always the same one.

    Raises:
        UsageError: there is no such domain, or the number is negative.
    """
    _members(domain)
    if number < 0:
        raise UsageError(f"Tasks are numbered from 0, and {number} is not one of them.")
    name, variant = _choice(domain, seed, number)
    return task_of(name, variant, seeded(f"{domain}/{seed}/{number}/words").randrange(len(OPENINGS)))


def task_of(domain: str, variant: Variant, opening: int = 0) -> Task:
    """The task of one variant; `opening` changes its first words alone."""
    inputs, examples, reference = _oracle(variant)
    family = variant.family
    return Task(
        id=f"{domain}.{variant.entry}",
        domain=domain,
        family=family.name,
        title=title(variant),
        entry=variant.entry,
        signature=variant.signature,
        statement=statement(variant, opening),
        tags=tuple(dict.fromkeys((domain, family.name, *family.tags, variant.shape.name))),
        source=family.source,
        examples=examples,
        reference=reference,
        inputs=inputs,
    )


def _choice(domain: str, seed: int, number: int) -> tuple[str, Variant]:
    """The domain and the variant: a new one, the very one of an earlier number, or another of its family."""
    random = seeded(f"{domain}/{seed}/{number}")
    if number and random.random() < _REPEATS:
        name, earlier = _choice(domain, seed, random.randrange(max(0, number - _RECENT), number))
        return name, earlier if random.random() < 2 / 3 else choose(earlier.family, random)
    name, family = _family(domain, seed, number)
    return name, choose(family, random)


def _family(domain: str, seed: int, number: int) -> tuple[str, Family]:
    """Every family comes once before any comes twice, in an order that the seed gives."""
    members = [
        (name, family) for name in _members(domain) for family in DOMAINS[name] for _ in range(_share(domain, name))
    ]
    lap, place = divmod(number, len(members))
    seeded(f"{domain}/{seed}/lap {lap}").shuffle(members)
    return members[place]


def _share(domain: str, name: str) -> int:
    return _SHARES.get(name, 1) if domain == ANY else 1


def _members(domain: str) -> tuple[str, ...]:
    if domain == ANY:
        return tuple(DOMAINS)
    if domain not in DOMAINS:
        raise UsageError(f"There is no domain {domain!r}; choose one of {', '.join(domains())}.")
    return (domain,)


@lru_cache(maxsize=_RECENT)  # about 24 KiB each
def _oracle(variant: Variant) -> tuple[tuple[dict[str, object], ...], tuple[Example, ...], str]:
    """Inputs, examples (of the inputs that are not refused) and the reference's source."""
    inputs = inputs_of(variant)
    answers: list[Example] = []
    for arguments in reversed(inputs):  # the ordinary ones are last, and come first as examples
        if len(answers) == _EXAMPLES:
            break
        try:
            answers.append(Example(arguments=arguments, result=answer(variant, arguments)))
        except ValueError:
            continue
    return tuple(inputs), tuple(answers), module(variant)
