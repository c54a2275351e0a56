"""`millwright verify`: does what a run claims still hold?"""

from __future__ import annotations

import json as encoding
from pathlib import Path
from typing import Annotated

import typer

from millwright.cli.building import AsJson, Unconfined


def verify(
    source: Annotated[str, typer.Argument(metavar="RUN|ZIP", help="A run's id, or a zip.", show_default=False)],
    rerun: Annotated[bool, typer.Option(help="Run the recorded commands again in the sandbox.")] = True,
    public_key: Annotated[
        Path | None, typer.Option(help="PEM file of the Ed25519 key that must have signed it.")
    ] = None,
    exec_sandbox: Unconfined = None,
    json: AsJson = False,
) -> None:
    """Check every hash and every link again, re-run what was run, and name the first thing that does not hold.

    Exit code 0 when all of it holds and the run itself passed, 1 when not; 2 when there is nothing to check.
    """
    from millwright.proof import prove

    proof = prove(source, rerun=rerun, sandbox=exec_sandbox or "require", public_key=public_key)
    if json:
        print(encoding.dumps(proof.to_dict()))
    else:
        for line in proof.lines():
            print(line)
    raise typer.Exit(0 if proof.verdict == "PASS" else 1)
