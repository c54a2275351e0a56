"""`millwright factory`: run the trainer, or the recorded session that comes with the package."""

from __future__ import annotations

import asyncio
import json as encoding
import os
import shlex
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from millwright.cli.building import AsJson, BaseUrl, Model, Unconfined, given, not_an_option
from millwright.cli.keys import Keys

if TYPE_CHECKING:
    from collections.abc import Callable

    from millwright.factory import Order, Trainer
    from millwright.factory_log import TaskLog
    from millwright.factory_summary import Done, Summary

_LOOK = """
To look at what it left, after export MILLWRIGHT_HOME={home}:
  millwright tools list, tools show takt_time, tools run takt_time --args '{{"available_minutes": 480, "demand": 240}}'
  millwright runs list, runs show RUN; the files are in nodes/, runs/ and tools/index.json there"""

app = typer.Typer(
    help="An endless stream of small tasks, each of which leaves a proved tool.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command()
def run(
    max_tasks: Annotated[int | None, typer.Option(min=1, help="Stop after so many tasks; endless without.")] = None,
    prompt: Annotated[str, typer.Option(help="Have tasks invented about this, instead of drawing them.")] = "",
    domain: Annotated[
        str, typer.Option(help="Where tasks are drawn from, such as manufacturing; any mixes all.")
    ] = "any",
    seed: Annotated[int, typer.Option(min=0, help="Which stream of tasks; it goes on where it ended.")] = 0,
    workers: Annotated[int, typer.Option(min=1, max=32, help="Tasks at the same time.")] = 1,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Leave tasks alone that an earlier session began.")
    ] = False,
    keep: Annotated[int | None, typer.Option(min=0, help="Finished runs that stay; all without.")] = None,
    log: Annotated[Path | None, typer.Option(help="Add a line of JSON for every task to this file.")] = None,
    tries: Annotated[
        int | None, typer.Option(min=1, max=10, help="Most attempts at the code, and at its tests.")
    ] = None,
    tests: Annotated[
        str | None,
        typer.Option(help="Who writes the tests: model (default), or pynguin where a task has a reference."),
    ] = None,
    hold_out: Annotated[
        float | None,
        typer.Option(
            min=0, max=0.5, help="Share of tasks that get no help from similar tools, to measure it (0.125)."
        ),
    ] = None,
    model: Model = None,
    base_url: BaseUrl = None,
    parallel: Annotated[int | None, typer.Option(min=1, help="Model calls of one task in flight at once.")] = None,
    exec_sandbox: Unconfined = None,
    json: AsJson = False,
) -> None:
    """Make tools from small tasks until a key is pressed, which finishes the present ones.

    Ctrl+C suspends them instead: the next run goes on with them. A second Ctrl+C ends at once, and loses nothing either.
    """
    from pydantic import ValidationError

    from millwright.factory import Order
    from millwright.heap import share_heap

    share_heap()
    settings = given(
        model=model,
        base_url=base_url,
        tries=tries,
        tests=tests,
        hold_out=hold_out,
        parallel=parallel,
        sandbox=exec_sandbox,
    )
    order = Order(max_tasks, prompt, domain, seed, workers, fresh, keep, settings)
    with _Teller(log, as_json=json) as teller:
        try:
            summary = asyncio.run(_carried_out(order, teller))
        except ValidationError as error:
            raise not_an_option(error) from error
        teller.end(summary)
    raise typer.Exit(3 if summary.suspended or summary.broken else 0)


@app.command()
def demo(json: AsJson = False) -> None:
    """Replay a recorded session of five tasks through the whole real machinery: no model, no network, no key."""
    from millwright.factory_demo import play

    with _Teller(None, as_json=json) as teller:
        summary = asyncio.run(play(teller.task, teller.say))
        teller.end(summary)
    if not json:
        print(_LOOK.format(home=shlex.quote(summary.home)))


class _Teller:
    """Says on the terminal, or as JSON at the end, and in the log what happens."""

    def __init__(self, log: Path | None, *, as_json: bool) -> None:
        self._as_json = as_json
        self._path = log
        self._log: TaskLog | None = None

    def __enter__(self) -> _Teller:
        if self._path is not None:
            from millwright.factory_log import TaskLog

            self._log = TaskLog(self._path)
        return self

    def __exit__(self, *_: object) -> None:
        if self._log is not None:
            self._log.close()

    def task(self, done: Done) -> None:
        """Tell of a finished task; of a new tool what was counted, of a failed one where and why, in full."""
        self._logged(done.to_dict())
        self._print(done.line())
        if done.proof:
            self._print(f"      {done.proof}")
        if not done.solved:
            for reason in done.reasons:
                self._print("      " + reason.replace("\n", "\n      "))
            self._print(f"      millwright runs show {done.run[:8]}")

    def say(self, text: str) -> None:
        """Tell something that a person should know."""
        self._logged({"kind": "note", "text": text})
        self._print(f"      {text}")

    def end(self, summary: Summary) -> None:
        """Tell what the session came to; on the terminal first, for the log's disk may be full."""
        if self._as_json:
            print(encoding.dumps(summary.to_dict()), flush=True)
        self._print("\n" + "\n".join(summary.lines()))
        self._logged(summary.to_dict())

    def _print(self, text: str) -> None:
        if not self._as_json:
            print(text, flush=True)

    def _logged(self, record: dict[str, Any]) -> None:
        if self._log is not None:
            self._log.write(record)


async def _carried_out(order: Order, teller: _Teller) -> Summary:
    """Run a session that a key finishes, and that Ctrl+C or SIGTERM suspends."""
    from millwright.factory import Trainer

    trainer, keys = Trainer(order, teller.task, teller.say), Keys()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, _interrupter(trainer, keys, teller))

    def pressed() -> None:
        teller.say("finishing what was begun; Ctrl+C suspends it")
        trainer.finish()

    with keys.watched(pressed):
        return await trainer.run()


def _interrupter(trainer: Trainer, keys: Keys, teller: _Teller) -> Callable[[], None]:
    """What a signal does: the first one suspends, the second one ends the process where it stands."""
    told: list[bool] = []

    def interrupt() -> None:
        if told:
            keys.restore()
            os._exit(130)
        told.append(True)
        teller.say("suspending; once more ends at once")
        trainer.suspend()

    return interrupt
