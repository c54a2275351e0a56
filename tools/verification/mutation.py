"""Small changes to a program that its tests ought to notice.

Each mutant is the module with one thing changed, as source: it is made by reading the syntax tree and never by
importing anything. The operators are the usual ones (Offutt et al., 1996, section 3): relations, logic, arithmetic,
constants, conditions, and statements whose effect is taken out. Changes that no test could be asked to notice are
left out: annotations, decorators, messages, and what runs only as a script.
"""

from __future__ import annotations

import ast
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tools.verification.parsing import syntax_tree

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tools.verification.testing import TestRun

MOST = 30
_LONGEST = 80
_RELATIONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
_ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv, ast.Pow: ast.Mult, ast.LShift: ast.RShift, ast.RShift: ast.LShift,
    ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd, ast.BitXor: ast.BitAnd,
}  # fmt: skip
_UNTESTED = {"annotation", "returns", "decorator_list", "type_comment", "msg"}


@dataclass(frozen=True)
class Mutant:
    """One changed module: where, what was changed into what, and its whole source."""

    path: str
    line: int
    change: str
    source: str

    @property
    def told(self) -> str:
        """Where it is and what was changed, in one line."""
        return f"{self.path}:{self.line}: {self.change}"


@dataclass(frozen=True)
class Score:
    """How many mutants the tests noticed, which ones they did not, and how many there was no time to try."""

    noticed: int = 0
    survivors: tuple[Mutant, ...] = ()
    untried: int = 0
    problem: str = ""

    @property
    def tried(self) -> int:
        """How many mutants the tests were run on."""
        return self.noticed + len(self.survivors)

    @property
    def value(self) -> float:
        """The share that was noticed, from 0 to 1; 1 where there was nothing to change."""
        return self.noticed / self.tried if self.tried else 1.0

    def __add__(self, other: Score) -> Score:
        """The score of two modules together."""
        return Score(
            self.noticed + other.noticed,
            self.survivors + other.survivors,
            self.untried + other.untried,
            self.problem or other.problem,
        )


@dataclass(frozen=True)
class _Spot:
    """A place in the tree, and the node that could stand there instead."""

    parent: ast.AST
    field: str
    index: int | None
    old: ast.AST
    new: ast.AST

    def put(self, node: ast.AST) -> None:
        if self.index is None:
            setattr(self.parent, self.field, node)
        else:
            getattr(self.parent, self.field)[self.index] = node

    def shown(self, node: ast.AST) -> ast.AST:
        """What to show of it: a number alone would tell a reader nothing."""
        return self.parent if isinstance(self.old, ast.Constant) else node


def mutants(path: str, source: str, *, most: int = MOST, seed: int = 0) -> list[Mutant]:
    """At most `most` mutants of a module, in the order of its lines; the same arguments give the same ones.

    Raises:
        SyntaxError, ValueError, RecursionError: the source does not parse.
    """
    tree = syntax_tree(source)
    spots = sorted(_spots(tree), key=lambda spot: (_place(spot.old), spot.field))
    if len(spots) > most:
        drawn = random.Random(f"{seed}/{path}").sample(range(len(spots)), most)  # noqa: S311 - a sample, no secret
        spots = [spots[index] for index in sorted(drawn)]
    return [_mutant(path, tree, spot) for spot in spots]


def scored(made: Sequence[Mutant], run: TestRun) -> Score:
    """The score of one module, from a run of its mutants by `tools.verification.mutant_report`."""
    outcomes = {test.name: test.outcome for test in run.tests}
    ends = [outcomes.get(str(number), "skipped") for number in range(len(made))]
    survivors = tuple(mutant for mutant, end in zip(made, ends, strict=True) if end == "passed")
    return Score(ends.count("failed"), survivors, ends.count("skipped"), run.problem)


def _mutant(path: str, tree: ast.Module, spot: _Spot) -> Mutant:
    before = _short(spot.shown(spot.old))
    spot.put(ast.copy_location(spot.new, spot.old))
    try:
        source = ast.unparse(ast.fix_missing_locations(tree)) + "\n"
        after = _short(spot.shown(spot.new))
    finally:
        spot.put(spot.old)
    return Mutant(path, _place(spot.old)[0], f"`{before}` became `{after}`", source)


def _spots(node: ast.AST) -> Iterator[_Spot]:
    for field, value in ast.iter_fields(node):
        if field in _UNTESTED:
            continue
        for index, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if not isinstance(child, ast.AST) or _out_of_reach(child):
                continue
            yield from (_Spot(node, field, index, child, new) for new in _alternatives(child, node, field))
            yield from _spots(child)


def _out_of_reach(node: ast.AST) -> bool:
    """Whether no test is asked to notice a change in here: messages, scripts, imports for types, formatted text."""
    if isinstance(node, ast.If):
        names = {name.id for name in ast.walk(node.test) if isinstance(name, ast.Name)}
        return bool(names & {"__name__", "TYPE_CHECKING"})
    return isinstance(node, ast.JoinedStr | ast.Import | ast.ImportFrom | ast.Assert)


def _alternatives(node: ast.AST, parent: ast.AST, field: str) -> Iterator[ast.AST]:
    if isinstance(node, ast.expr) and field == "test" and isinstance(parent, ast.If | ast.IfExp | ast.While):
        yield from _conditions(node, parent)
    if isinstance(node, ast.Compare):
        yield from _compared(node)
    elif isinstance(node, ast.BoolOp):
        yield ast.BoolOp(ast.And() if isinstance(node.op, ast.Or) else ast.Or(), node.values)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield node.operand
    elif isinstance(node, ast.BinOp) and type(node.op) in _ARITHMETIC and not _joins_text(node):
        yield ast.BinOp(node.left, _ARITHMETIC[type(node.op)](), node.right)
    elif isinstance(node, ast.AugAssign) and type(node.op) in _ARITHMETIC:
        yield ast.AugAssign(node.target, _ARITHMETIC[type(node.op)](), node.value)
    elif isinstance(node, ast.Constant) and not isinstance(parent, ast.While):
        yield from _constants(node, parent)
    else:
        yield from _effects(node)


def _conditions(test: ast.expr, parent: ast.AST) -> Iterator[ast.AST]:
    if isinstance(test, ast.Constant):
        return
    if not isinstance(parent, ast.While):  # a loop that never ends says no more than one that never begins
        yield ast.Constant(True)
    yield ast.Constant(False)


def _compared(node: ast.Compare) -> Iterator[ast.AST]:
    for index, relation in enumerate(node.ops):
        changed = [*node.ops[:index], _RELATIONS[type(relation)](), *node.ops[index + 1 :]]
        yield ast.Compare(node.left, changed, node.comparators)


def _constants(node: ast.Constant, parent: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node.value, bool):
        yield ast.Constant(not node.value)
    elif isinstance(node.value, int | float):
        yield ast.Constant(node.value + 1)
    elif isinstance(node.value, str) and isinstance(parent, ast.Compare):
        yield ast.Constant(node.value + "?")


def _effects(node: ast.AST) -> Iterator[ast.AST]:
    """A statement whose effect is taken out."""
    if isinstance(node, ast.Return) and node.value is not None and not _is_none(node.value):
        yield ast.Return(ast.Constant(None))
    elif isinstance(node, ast.Raise):
        yield ast.Pass()
    elif isinstance(node, ast.Continue):
        yield ast.Break()


def _joins_text(node: ast.BinOp) -> bool:
    """Whether it puts text together: the other operator would only raise TypeError."""
    sides = (node.left, node.right)
    return any(
        isinstance(s, ast.JoinedStr) or (isinstance(s, ast.Constant) and isinstance(s.value, str)) for s in sides
    )


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _place(node: ast.AST) -> tuple[int, int]:
    return getattr(node, "lineno", 0), getattr(node, "col_offset", 0)


def _short(node: ast.AST) -> str:
    line = " ".join(ast.unparse(node).split())
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"
