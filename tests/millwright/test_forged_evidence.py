"""Every way to forge a run that we could think of, and the first thing that the proof then names."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from forgery import (
    CASSETTE,
    EVENTS,
    LEDGER,
    REGISTER,
    Members,
    attested,
    chained,
    head_of,
    judged,
    lines,
    log,
    members,
    numbered,
    packed,
    reported,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from millwright.proof import prove
from tools.verification.attestation import ATTESTATION

Forge = Callable[[Members], Members]


def broken(source: str | Path, **how: Any) -> str:
    """The first thing that does not hold."""
    proof = prove(str(source), **{"rerun": False, **how})
    assert (proof.verdict, proof.holds) == ("FAIL", not proof.broken)
    return proof.broken


def edited(name: str, change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]) -> Forge:
    """A forgery of one log."""
    return lambda found: found | {name: log(change(lines(found, name)))}


def flipped(content: bytes, at: int) -> bytes:
    """The content with one bit of one byte changed, so that it stays printable."""
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


def test_a_changed_byte_in_any_member_is_named(delivered: Any, tmp_path: Path) -> None:
    content = delivered.zip.read_bytes()
    with zipfile.ZipFile(delivered.zip) as archive:
        infos = archive.infolist()
    assert len(infos) > 15
    for info in infos:
        start = info.header_offset + 30 + len(info.filename.encode())
        for at in {start, start + info.file_size // 2, start + info.file_size - 1}:
            forged = tmp_path / "forged.zip"
            forged.write_bytes(flipped(content, at))
            named = broken(forged)
            assert named.startswith("members: ")
            assert repr(info.filename) in named


def test_a_changed_byte_in_any_member_is_named_when_the_manifest_fits(delivered: Any, tmp_path: Path) -> None:
    found = members(delivered.zip)
    for name, content in found.items():
        for at in (0, len(content) // 2, len(content) - 1):
            forged = packed(tmp_path / "forged.zip", found | {name: flipped(content, at)})
            named = name if name != ATTESTATION else "(statement|envelope)"
            assert re.match(f"(members|statement): .*{named}", broken(forged))


def test_a_changed_byte_in_any_file_of_a_run_directory_is_named(
    delivered: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MILLWRIGHT_HOME", str(tmp_path))
    folder = tmp_path / "runs" / delivered.run
    shutil.copytree(delivered.folder, folder)
    assert prove(delivered.run, rerun=False).verdict == "PASS"
    names = [n for n in members(delivered.zip) if n != "run.json"]
    for name in names:
        original = (folder / name).read_bytes()
        # The ends of two logs tell of the delivery itself and come after what is stated.
        at = len(original) // 2
        (folder / name).write_bytes(flipped(original, at))
        named = name if name != ATTESTATION else "(statement|envelope)"
        assert re.match(f"(members|statement): .*{named}", broken(delivered.run))
        (folder / name).unlink()
        assert re.match(f"(members|statement): .*{name}", broken(delivered.run))
        (folder / name).write_bytes(original)
    manifest = (folder / "run.json").read_text()
    (folder / "run.json").write_text(manifest.replace('"verdict":"PASS"', '"verdict":"FAIL"'))
    assert broken(delivered.run) == "report: run.json says 'FAIL', report.json says 'PASS'"
    (folder / "run.json").write_text(manifest.replace('"max_rounds":3', '"max_rounds":4'))
    assert broken(delivered.run).startswith("statement: run.json is not the one")
    (folder / "run.json").write_text(manifest)
    (folder / "workspace" / "extra.py").write_text("x = 1\n")
    assert broken(delivered.run).startswith("statement: workspace/extra.py is in the run")


def _without_a_line(found: Members) -> Members:
    return edited(LEDGER, lambda records: [*records[:3], *records[4:]])(found)


def _with_a_line(found: Members) -> Members:
    return edited(LEDGER, lambda records: [*records[:3], records[2], *records[3:]])(found)


def _with_lines_swapped(found: Members) -> Members:
    return edited(LEDGER, lambda records: [*records[:3], records[4], records[3], *records[5:]])(found)


def _with_a_changed_line(found: Members) -> Members:
    return edited(LEDGER, lambda records: [*records[:3], {**records[3], "size": 1}, *records[4:]])(found)


def _cut_short(found: Members) -> Members:
    return edited(LEDGER, lambda records: records[:-1])(found)


def _chain_made_to_fit(found: Members) -> Members:
    return edited(LEDGER, lambda records: chained([*records[:3], *records[4:]]))(found)


def _chain_and_heads_made_to_fit(found: Members) -> Members:
    """Without the first write, with the chain, the report and the VERDICT made to fit."""
    ledger = chained([record for record in lines(found, LEDGER) if record.get("path") != "notes.md"])
    events = lines(found, EVENTS)
    for event in events:
        if event["event"] == "VERDICT":
            event["ledger"] = head_of(ledger)
    return reported(found | {LEDGER: log(ledger), EVENTS: log(events)}, ledger_head=head_of(ledger))


def _done_that_nothing_began(found: Members) -> Members:
    records = [r for r in lines(found, LEDGER) if (r.get("path"), r.get("state")) != ("notes.md", "intent")]
    return reported(found | {LEDGER: log(chained(records))}, ledger_head=head_of(chained(records)))


def _write_that_nobody_asked_for(found: Members) -> Members:
    """A write by an agent that no recorded model call asked for, on the ledger, in the events and in the report."""
    ledger = lines(found, LEDGER)
    key = next(r["key"] for r in ledger if r.get("path") == "notes.md")
    for record in (*ledger, *(events := lines(found, EVENTS))):
        if record.get("key") == key:
            record["key"] = "0.2/develop/A9#0/0/0"
    ledger = chained(ledger)
    for event in events:
        if event["event"] == "VERDICT":
            event["ledger"] = head_of(ledger)
    return reported(found | {LEDGER: log(ledger), EVENTS: log(events)}, ledger_head=head_of(ledger))


def _event_removed(found: Members) -> Members:
    return edited(EVENTS, lambda records: [r for r in records if r["seq"] != 5])(found)


def _event_of_another_write(found: Members) -> Members:
    def change(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
        number = next(n for n, r in enumerate(records) if r["event"] == "FILE_OPERATION")
        return [{**r, "after": "0" * 64} if n == number else r for n, r in enumerate(records)]

    return edited(EVENTS, change)(found)


def _output_of_a_command(found: Members) -> Members:
    def change(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [{**r, "stdout": r["stdout"].replace("failed", "passed")} if "stdout" in r else r for r in records]

    return edited(EVENTS, change)(found)


def _purpose_of_a_command(found: Members) -> Members:
    """The run of one command in the place of another one's."""

    def change(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [{**r, "purpose": "tests"} if r.get("purpose", "").startswith("command") else r for r in records]

    return edited(EVENTS, change)(found)


def _command_without_event(found: Members) -> Members:
    return edited(
        EVENTS, lambda rs: numbered([r for r in rs if r.get("purpose") != "command python -c 'import calc'"])
    )(found)


def _verdict_event_removed(found: Members) -> Members:
    return edited(EVENTS, lambda records: numbered([r for r in records if r["event"] != "VERDICT"]))(found)


def _message_of_the_cassette(found: Members) -> Members:
    return found | {CASSETTE: found[CASSETTE].replace(b"Write a calculator.", b"Write a virus.", 3)}


def _answer_of_the_cassette_removed(found: Members) -> Members:
    def change(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
        gone = next(r["response"] for r in records if r["kind"] == "call")
        return [r for r in records if r.get("sha") != gone]

    return edited(CASSETTE, change)(found)


def _other_question(found: Members) -> Members:
    records = lines(found, CASSETTE)
    first, second = (r for r in [r for r in records if r["kind"] == "call"][:2])
    second["request"] = first["request"]
    return found | {CASSETTE: log(records)}


def _other_temperature(found: Members) -> Members:
    records = lines(found, CASSETTE)
    next(r for r in records if r["kind"] == "call")["temperature"] = 0.5
    return found | {CASSETTE: log(records)}


def _old_cassette(found: Members) -> Members:
    records = lines(found, CASSETTE)
    records[0]["format"] = 1
    return found | {CASSETTE: log(records)}


def _call_of_the_cassette_removed(found: Members) -> Members:
    def change(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
        number = next(n for n, r in enumerate(records) if r["kind"] == "call" and "develop" in r["scope"])
        return [*records[:number], *records[number + 1 :]]

    return edited(CASSETTE, change)(found)


def _end_of_the_cassette(found: Members) -> Members:
    return edited(CASSETTE, lambda records: [*records[:-1], {**records[-1], "verdict": "FAIL"}])(found)


def _file(found: Members) -> Members:
    return found | {"workspace/notes.md": b"# Other notes\n"}


def _file_that_nobody_wrote(found: Members) -> Members:
    return found | {"workspace/back_door.py": b"x = 1\n"}


def _file_missing(found: Members) -> Members:
    return {name: content for name, content in found.items() if name != "workspace/notes.md"}


def _name_of_a_deliverable(found: Members) -> Members:
    deliverables = json.loads(found["report.json"])["deliverables"]
    deliverables[0]["sha256"] = "0" * 64
    changed = reported(found, deliverables=deliverables)
    cassette = lines(found, CASSETTE)
    cassette[-1]["deliverables"] = {d["path"]: d["sha256"] for d in deliverables}
    return changed | {CASSETTE: log(cassette)}


def _report_alone(found: Members) -> Members:
    return reported(found, summary="A masterpiece.")


def _blocker_left_out_of_the_report(found: Members) -> Members:
    return reported(found, blockers=[])


def _spending_in_the_report(found: Members) -> Members:
    spending = json.loads(found["report.json"])["spending"]
    return reported(found, spending={**spending, "all": {**spending["all"], "tokens": 1}})


def _readable_report_alone(found: Members) -> Members:
    return found | {"report.md": found["report.md"].replace(b"PASS", b"GOOD")}


def _verdict_without_a_fact(found: Members) -> Members:
    """A verdict in which one of the facts behind it is not told, everywhere."""
    verdict = _verdict(found)
    verdict["deliverables"][-1]["evidence"].pop()
    return judged(found, verdict)


def _verdict_with_another_count(found: Members) -> Members:
    verdict = _verdict(found)
    for deliverable in verdict["deliverables"]:
        for fact in deliverable["evidence"]:
            fact["what"] = fact["what"].replace("1 of 1 tests", "100 of 100 tests")
    return judged(found, verdict)


def _patch(found: Members) -> Members:
    name = next(name for name in found if name.startswith("patches/0003"))
    return found | {name: found[name].replace(b"a + b", b"a * b")}


def _patch_missing(found: Members) -> Members:
    return {name: content for name, content in found.items() if not name.startswith("patches/0002")}


def _unknown_member(found: Members) -> Members:
    return found | {"install.sh": b"rm -rf /\n"}


def _verdict(found: Members) -> dict[str, Any]:
    return next(
        v for r in reversed(lines(found, REGISTER)) for t, k, v in r["set"] if (t, k) == ("fact", "verdict")
    )


FORGERIES: list[tuple[Forge, str]] = [
    (_without_a_line, "ledger: ledger line 4 does not follow"),
    (_with_a_line, "ledger: ledger line 4 does not follow"),
    (_with_lines_swapped, "ledger: ledger line 4 does not follow"),
    (_with_a_changed_line, "ledger: ledger line 5 does not follow"),
    (_cut_short, "ledger: the ledger ends with .* the report with"),
    (_chain_made_to_fit, "ledger: "),
    (_chain_and_heads_made_to_fit, "events: event .* write of 'notes.md'; the ledger has no such operation"),
    (_done_that_nothing_began, "ledger: ledger line .* ends a write of 'notes.md' that no line began"),
    (
        _write_that_nobody_asked_for,
        "cassette: ledger line .* has a write of 'notes.md' that no model call asked for",
    ),
    (_event_removed, "events: events.jsonl line 5 has the number 6"),
    (_event_of_another_write, "events: event .* line .* of the ledger says otherwise"),
    (_output_of_a_command, "events: event .* its output is not the one whose hash is on the ledger"),
    (_purpose_of_a_command, "events: event .* tells of a run of 'tests'; the ledger has no such command"),
    (_command_without_event, "verdict: the verdict needs a run of \"command python -c 'import calc'\""),
    (_verdict_event_removed, "events: no VERDICT in events.jsonl is the verdict that register.jsonl holds"),
    (_message_of_the_cassette, "cassette: cassette.jsonl line .* is a message with another hash than it states"),
    (_answer_of_the_cassette_removed, "cassette: .* has a message that is not recorded"),
    (_other_question, "cassette: .* asks for something else than its digest states"),
    (_other_temperature, "cassette: .* asks for something else than its digest states"),
    (
        _old_cassette,
        "statement: .* was recorded in cassette format 1, this version reads 2; record the build again",
    ),
    (_call_of_the_cassette_removed, "cassette: event .* which cassette.jsonl has not so"),
    (_end_of_the_cassette, "cassette: cassette.jsonl does not end with the verdict"),
    (_file, "files: workspace/notes.md is not what the ledger saw written last"),
    (_file_that_nobody_wrote, "files: workspace/back_door.py was written by nobody"),
    (_file_missing, "files: workspace/notes.md is not what the ledger saw written last"),
    (_name_of_a_deliverable, "files: workspace/calc.py is not the 0000"),
    (_report_alone, "report: 'summary' of report.json"),
    (_blocker_left_out_of_the_report, "report: 'blockers' of report.json"),
    (_spending_in_the_report, "report: 'spending' of report.json"),
    (_readable_report_alone, "report: report.md is not the rendering of report.json"),
    (_verdict_without_a_fact, "verdict: test_calc.py: the verdict rests on"),
    (_verdict_with_another_count, "verdict: test_calc.py: the verdict rests on .*100 of 100"),
    (_patch, "patches: patches/0003-.* does not give what stands in workspace/calc.py"),
    (_patch_missing, "patches: "),
    (_unknown_member, "members: install.sh is no part of a run"),
]


@pytest.mark.parametrize(("forge", "named"), FORGERIES, ids=lambda value: getattr(value, "__name__", ""))
def test_a_forgery_is_named_even_when_manifest_and_statement_fit(
    delivered: Any, tmp_path: Path, forge: Forge, named: str
) -> None:
    found = members(delivered.zip)
    forged = forge(found)
    assert forged != found
    assert re.match(named, broken(packed(tmp_path / "forged.zip", attested(forged))))
    # Whoever does not touch the statement is found by it, whatever else he did.
    assert re.match("(members|statement): ", broken(packed(tmp_path / "forged.zip", forged)))


def test_a_failure_that_is_called_a_success_is_found(failed: Any, tmp_path: Path) -> None:
    found = members(failed.zip)
    verdict = _verdict(found)
    assert verdict["passed"] is False
    plain = judged(found, verdict | {"passed": True, "reasons": []})
    assert broken(packed(tmp_path / "f.zip", attested(plain))).startswith("verdict: the verdict says PASS")
    for deliverable in verdict["deliverables"]:
        deliverable["passed"] = True
        for fact in deliverable["evidence"]:
            fact |= {"passed": True, "detail": "", "what": fact["what"].replace("0 of 1", "1 of 1")}
    register = lines(found, REGISTER)
    for record in register:
        for change in record["set"]:
            if change[0] == "blocker":
                change[2] |= {"status": "resolved", "resolved_by": "R100", "evidence": "1 of 1 tests pass"}
    blockers = {b["id"]: b for r in register for t, _, b in r["set"] if t == "blocker"}
    better = found | {REGISTER: log(register)}
    better = judged(better, verdict | {"passed": True, "reasons": []})
    better = reported(better, blockers=list(blockers.values()), debt=[])
    assert re.match(
        "verdict: test_calc.py: the verdict rests on .*1 of 1 tests pass.* give .*NOT 0 of 1 tests pass",
        broken(packed(tmp_path / "f.zip", attested(better))),
    )


def _consistent(found: Members) -> Members:
    """Another program in the place of the delivered one, with every record made to fit: the work of an insider."""
    old, new = found["workspace/calc.py"], found["workspace/calc.py"].replace(b"a + b", b"b - a")
    was, now = (hashlib.sha256(content).hexdigest() for content in (old, new))
    forged = {name: content.replace(was.encode(), now.encode()) for name, content in found.items()}
    forged["workspace/calc.py"] = new
    for name in (n for n in forged if n.startswith("patches/")):
        forged[name] = forged[name].replace(b"+    return a + b", b"+    return b - a")
    tree, other = _tree(found), _tree(forged)
    forged = {name: content.replace(tree.encode(), other.encode()) for name, content in forged.items()}
    ledger = chained(lines(forged, LEDGER))
    events = lines(forged, EVENTS)
    for event in events:
        if event["event"] == "VERDICT":
            event["ledger"] = head_of(ledger)
    return reported(forged | {LEDGER: log(ledger), EVENTS: log(events)}, ledger_head=head_of(ledger))


def _tree(found: Members) -> str:
    """The id of the workspace as git counts it."""
    import tempfile

    from tools.workspace.confined import ConfinedDir
    from tools.workspace.snapshots import SnapshotStore

    with tempfile.TemporaryDirectory() as temporary:
        (Path(temporary) / "w").mkdir()
        with ConfinedDir(Path(temporary) / "w") as files, SnapshotStore(Path(temporary) / "o.git") as store:
            for name, content in found.items():
                if name.startswith("workspace/"):
                    files.write(name.removeprefix("workspace/"), content)
            return store.take(files)


def test_records_that_all_fit_are_refuted_by_running_the_commands_again(delivered: Any, tmp_path: Path) -> None:
    forged = packed(tmp_path / "forged.zip", attested(_consistent(members(delivered.zip))))
    assert prove(forged, rerun=False).verdict == "PASS"
    assert re.match("commands: test_calc.py: the verdict rests on .*1 of 1 tests pass", broken(forged, rerun=True))


def test_without_a_signature_nothing_is_said_to_be_anchored(delivered: Any) -> None:
    proof = prove(str(delivered.zip), rerun=False)
    assert proof.verdict == "PASS"
    assert proof.anchor.startswith("none: nobody signed; whoever could write these records could also")


def test_records_that_all_fit_are_found_by_the_key_of_who_signed(delivered: Any, tmp_path: Path) -> None:
    ours, theirs = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    public = tmp_path / "public.pem"
    spki = serialization.PublicFormat.SubjectPublicKeyInfo
    public.write_bytes(ours.public_key().public_bytes(serialization.Encoding.PEM, spki))
    found = members(delivered.zip)
    signed = prove(packed(tmp_path / "signed.zip", attested(found, ours)), rerun=False, public_key=public)
    assert signed.verdict == "PASS"
    assert signed.anchor == f"the owner of the key in {public} signed the hash of every member"
    unchecked = prove(str(tmp_path / "signed.zip"), rerun=False)
    assert unchecked.anchor.startswith("not checked: signed by SHA256:")
    insider = _consistent(found)
    for forged in (
        attested(insider),
        attested(insider, theirs),
        insider | {ATTESTATION: attested(found, ours)[ATTESTATION]},
    ):
        assert broken(packed(tmp_path / "forged.zip", forged), public_key=public).startswith("statement: ")
    assert broken(delivered.zip, public_key=public).endswith("it was signed by nobody")


def test_the_cassette_of_another_run_is_found(delivered: Any, failed: Any, tmp_path: Path) -> None:
    swapped = members(delivered.zip) | {CASSETTE: members(failed.zip)[CASSETTE]}
    assert broken(packed(tmp_path / "f.zip", swapped)).startswith("statement: cassette.jsonl is not the one")
    assert broken(packed(tmp_path / "f.zip", attested(swapped))).startswith("cassette: ")


def test_without_its_statement_a_run_proves_nothing(delivered: Any, tmp_path: Path) -> None:
    found = {name: content for name, content in members(delivered.zip).items() if name != ATTESTATION}
    assert (
        broken(packed(tmp_path / "f.zip", found)) == "statement: attestation.json is missing; export the run again"
    )


values = st.one_of(st.none(), st.booleans(), st.integers(-3, 3), st.text(max_size=3), st.just([]), st.just({}))


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_stands_in_the_records_is_an_answer_and_no_crash(
    delivered: Any, tmp_path: Path, data: st.DataObject
) -> None:
    found = members(delivered.zip)
    name = data.draw(st.sampled_from([n for n in found if n.endswith(".jsonl")]))
    records = lines(found, name)
    number = data.draw(st.integers(0, len(records) - 1))
    field = data.draw(st.sampled_from(sorted(records[number])))
    records[number][field] = data.draw(values)
    if name == LEDGER:
        records = chained(records)
    forged = found | {name: log(records)}
    with contextlib.suppress(KeyError, TypeError, AttributeError):
        forged = attested(forged)
    proof = prove(packed(tmp_path / "forged.zip", forged), rerun=False)
    assert [check.name for check in proof.checks]
    assert proof.holds or proof.broken
