"""Proving a run: whatever it claims is checked again, offline, from its directory or from its zip."""

from __future__ import annotations

import json
from contextlib import ExitStack, contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from millwright.catalogue import FACTORY, graph_of
from tools.errors import MillwrightError, ProofBroken, RunUnknown, UsageError
from tools.runs.home import find_run, run_dir
from tools.verification.attestation import ATTESTATION, read_attestation
from tools.verification.dsse import read_public_key
from tools.verification.proof import Proof, carried_out

if TYPE_CHECKING:
    from collections.abc import Iterator

    from millwright.claims import Claims


def prove(
    source: str,
    *,
    rerun: bool = True,
    sandbox: str = "require",
    public_key: Path | None = None,
) -> Proof:
    """Check every claim of a run, named by its id, or of a zip, named by its path. Blocks; not for an event loop.

    With `rerun` the recorded commands are run again, in the sandbox ("require") or unconfined ("off"). With
    `public_key`, a PEM file, the statement must be signed by its owner.

    Raises:
        UsageError: there is no such run or zip, the run has not delivered, or the key is not usable.
    """
    if sandbox not in ("require", "off"):
        raise UsageError(f"there is no sandbox policy {sandbox!r}; say require or off")
    path = _found(source)
    key = read_public_key(public_key) if public_key else None
    with _task(path) as task:
        if task is not None:
            from millwright.factory_proof import prove_task

            return prove_task(source, task, rerun=rerun, sandbox="off" if sandbox == "off" else "require")
    # They bring the graphs along, which whoever mistyped a name need not wait for.
    from millwright.claims import Claims
    from millwright.repeating import check_commands, check_verdict

    proof = Proof(source)
    with Claims(path) as claims:
        proof.checks = carried_out(
            [
                ("members", claims.check_members),
                ("statement", lambda: claims.check_statement(key)),
                ("ledger", claims.check_ledger),
                ("events", claims.check_events),
                ("cassette", claims.check_cassette),
                ("files", claims.check_files),
                ("verdict", lambda: check_verdict(claims)),
                ("report", claims.check_report),
                ("patches", claims.check_patches),
                ("commands", lambda: check_commands(claims, sandbox) if rerun else None),
            ]
        )
        if proof.holds:
            proof.run, proof.claimed = claims.report["run"], claims.report["verdict"]
            proof.anchor = _anchor(claims, public_key)
        proof.note = _other_version(claims)
    return proof


def _found(source: str) -> Path:
    """The zip or the run's directory that a person named.

    Raises:
        UsageError: it is neither.
    """
    path = Path(source)
    if path.is_file():
        return path
    try:
        return run_dir(find_run(source))
    except RunUnknown as error:
        raise UsageError(f"{source!r} is neither a zip nor a run: {error}") from error


@contextmanager
def _task(path: Path) -> Iterator[Path | None]:
    """The directory of the factory's task that this is, by itself or in a zip; None for anything else."""
    if path.is_dir():
        yield path if graph_of(json.loads((path / "run.json").read_bytes())) == FACTORY else None
        return
    from millwright.task_zip import unpacked

    with ExitStack() as stack:
        try:
            found = stack.enter_context(unpacked(path))
        except ProofBroken:
            found = None  # what does not hold is told as a check that failed
        yield found


def _other_version(claims: Claims) -> str:
    """A word on a run that another version of Millwright made: what that one wrote, this one may write otherwise."""
    try:
        made, here = claims.version, version("millwright")
    except (MillwrightError, OSError, ValueError, KeyError, TypeError, RecursionError):
        return ""
    return "" if made == here else f"the run was made by Millwright {made}, and checked by {here}"


def _anchor(claims: Claims, public_key: Path | None) -> str:
    """What speaks for the records besides they themselves, said so that nobody takes it for more."""
    envelope, _ = read_attestation(claims.bundle.read(ATTESTATION))
    if public_key:
        return f"the owner of the key in {public_key} signed the hash of every member"
    consistent = "whoever could write these records could also have written others that agree with each other"
    if envelope.key_ids:
        return f"not checked: signed by {', '.join(envelope.key_ids)}; without --public-key, {consistent}"
    return f"none: nobody signed; {consistent}"
