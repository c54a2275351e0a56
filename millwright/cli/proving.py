"""`millwright verify`: does what a run claims still hold?"""

from __future__ import annotations

import json as encoding
from typing import Annotated

import typer

from millwright.cli.building import AsJson, Unconfined


def verify(
    source: Annotated[str, typer.Argument(metavar="RUN|ZIP", help="A run's id, or a zip.", show_default=False)],
    rerun: Annotated[bool, typer.Option(help="Run the recorded commands again in the sandbox.")] = True,
    exec_sandbox: Unconfined = None,
    json: AsJson = False,
) -> None:
    """Check every hash and every link again, re-run what was run, and name the first thing that does not hold."""
    from millwright.proof import prove

    proof = prove(source, rerun=rerun, sandbox=exec_sandbox or "require")
    if json:
        print(encoding.dumps(proof.to_dict()))
    else:
        for line in proof.lines():
            print(line)
    raise typer.Exit(0 if proof.verdict == "PASS" else 1)
