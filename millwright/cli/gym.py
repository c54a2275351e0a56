"""`millwright gym`: builds with models that misbehave in every known way, and the score."""

from __future__ import annotations

import asyncio
import json as json_module
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rich.console import Console

    from millwright.gym.outcome import Outcome, Score
    from millwright.gym.scenario import Scenario


def gym(
    model: Annotated[
        str | None,
        typer.Option(
            help="Your own chat model: a function of the server's address that returns a LangChain chat model.",
            metavar="MODULE:FUNCTION",
        ),
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option(help="Only this misbehaviour, alone; may be given more than once.")
    ] = None,
    scenario: Annotated[
        list[str] | None, typer.Option(help="Only the scenario of this name, such as empty+refuses/late/always/3.")
    ] = None,
    pairs: Annotated[int, typer.Option(min=0, help="How many pairs of misbehaviours are sampled.")] = 60,
    share: Annotated[float, typer.Option(min=0.01, max=1, help="Share of the single scenarios to play.")] = 1.0,
    seed: Annotated[int, typer.Option(help="What the samples depend on.")] = 1,
    at_once: Annotated[int, typer.Option(min=1, max=8, help="Builds at the same time.")] = 4,
    list_: Annotated[bool, typer.Option("--list", help="List the misbehaviours and play nothing.")] = False,
    json: Annotated[
        bool, typer.Option("--json", help="Print one machine-readable result and nothing else.")
    ] = False,
) -> None:
    """Build with models and servers that misbehave, and count how it ends: right, honest, or a false success."""
    from rich.console import Console

    console = Console(highlight=False, soft_wrap=True)
    if list_:
        return _list(console, as_json=json)
    scenarios = _chosen(only or [], scenario or [], pairs, share, seed)
    listener = _silent if json else _progress(console, len(scenarios))
    outcomes = _played(scenarios, model, listener, at_once)
    raise typer.Exit(_told(console, outcomes, as_json=json))


def _chosen(only: Sequence[str], names: Sequence[str], pairs: int, share: float, seed: int) -> list[Scenario]:
    from millwright.gym import scenario

    if names:
        return [scenario.named(name) for name in names]
    if only:
        return scenario.singles(only)
    return scenario.sampled(scenario.singles(), share, seed) + scenario.pairs(pairs, seed)


def _played(
    scenarios: Sequence[Scenario], model: str | None, listener: Callable[[Outcome], None], at_once: int
) -> list[Outcome]:
    from millwright.gym.playing import load_factory, play_all

    factory = None if model is None else load_factory(model)
    return asyncio.run(play_all(scenarios, factory, listener=listener, at_once=at_once))


def _list(console: Console, *, as_json: bool) -> None:
    from millwright.gym.ways import REGISTRY

    if as_json:
        print(json_module.dumps({name: way.about for name, way in REGISTRY.items()}))
    else:
        for name, way in REGISTRY.items():
            console.print(f"{name:26} {way.about}", markup=False)


def _silent(_: Outcome) -> None:
    """Show nothing."""


def _progress(console: Console, count: int) -> Callable[[Outcome], None]:
    """Show each scenario that ended badly, or without the right files where they were within reach."""
    done = 0

    def tell(outcome: Outcome) -> None:
        nonlocal done
        done += 1
        if not outcome.good or (outcome.scenario.allows_right and outcome.ending != "right"):
            line = (
                f"{done}/{count} {outcome.ending}: {outcome.scenario.name} ({outcome.calls} calls): {outcome.why}"
            )
            console.print(line[:400], markup=False)

    return tell


def _told(console: Console, outcomes: Sequence[Outcome], *, as_json: bool) -> int:
    """Print the result; return 0 when the target is reached, else 1."""
    from dataclasses import asdict

    from millwright.gym.outcome import by_way, score

    total = score(outcomes)
    if as_json:
        shares = {"good_share": total.good_share, "right_share": total.right_share, "reached": total.reached}
        found = {"score": {**asdict(total), **shares}, "outcomes": [outcome.record() for outcome in outcomes]}
        print(json_module.dumps(found))
    else:
        _table(console, by_way(outcomes))
        _summary(console, total)
    return 0 if total.reached else 1


def _table(console: Console, ways: dict[str, Score]) -> None:
    from rich.table import Table

    table = Table("misbehaviour", "runs", "right", "honest", "false", "endless", "crash", "most calls", box=None)
    for column in table.columns[1:]:
        column.justify = "right"
    for way, found in ways.items():
        counts = [str(found.endings[name]) for name in ("right", "honest", "false", "endless", "crash")]
        table.add_row(way, str(found.runs), *counts, str(found.most_calls))
    console.print(table)


def _summary(console: Console, total: Score) -> None:
    bad = ", ".join(f"{total.endings[name]} {name}" for name in ("false", "endless", "crash"))
    console.print(f"\n{total.runs} builds, {total.struck} of them struck; at most {total.most_calls} model calls")
    console.print(f"right files or an honest failure  {total.good_share:.2%}  ({bad})")
    console.print(f"right files where within reach    {total.right_share:.2%}  ({total.right} of {total.allowed})")
    console.print("target reached" if total.reached else "target missed")
