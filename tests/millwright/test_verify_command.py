"""`millwright verify` on honest runs of every kind: what it says, and what it exits with."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from crew import Crew, assignment, writing
from forgery import attested, members, packed
from servers.ollama import OllamaServer

from millwright import driving
from millwright.proof import prove
from tools.errors import UsageError
from tools.verification.evidence import bundle_of

if TYPE_CHECKING:
    from collections.abc import Callable

MILLWRIGHT = str(Path(sys.executable).with_name("millwright"))
OPENSSL = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
CHECKS = [
    "members",
    "statement",
    "ledger",
    "events",
    "cassette",
    "files",
    "verdict",
    "report",
    "patches",
    "commands",
]


def millwright(*words: str) -> subprocess.CompletedProcess[str]:
    """Run the command and return what it printed."""
    return subprocess.run([MILLWRIGHT, *words], capture_output=True, text=True, timeout=120)


def keys(folder: Path) -> tuple[Path, Path]:
    """A private and a public key, as a person makes them."""
    for words in ("genpkey -algorithm ed25519 -out key.pem", "pkey -in key.pem -pubout -out public.pem"):
        subprocess.run(["openssl", *words.split()], cwd=folder, capture_output=True, check=True)
    return folder / "key.pem", folder / "public.pem"


def test_a_zip_is_proved_with_its_commands_run_again(delivered: Any) -> None:
    done = millwright("verify", str(delivered.zip))
    assert done.returncode == 0, done.stdout + done.stderr
    *lines, anchor, conclusion = done.stdout.splitlines()
    assert [line.split()[:2] for line in lines] == [["PASS", name] for name in CHECKS]
    assert "run again at sandbox level" in lines[-1]
    assert anchor.startswith("Anchor: none: nobody signed")
    assert conclusion == "PASS: run calculator claims that it passed, and everything checked holds"


def test_a_thorough_run_is_proved(thorough: Any) -> None:
    proof = prove(str(thorough.zip))
    assert (proof.holds, proof.claimed) == (True, "PASS"), proof.lines()
    (commands,) = [check.detail for check in proof.checks if check.name == "commands"]
    # Five runs of the tests, one without behaviour, the mutants of a module, and a command.
    assert commands.startswith("8 run again at sandbox level"), commands


def test_a_run_is_proved_from_its_directory(delivered: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MILLWRIGHT_HOME", str(delivered.home))
    before = {path: path.read_bytes() for path in delivered.folder.rglob("*") if path.is_file()}
    done = millwright("verify", "calc", "--no-rerun", "--json")
    found = json.loads(done.stdout)
    assert (done.returncode, found["verdict"], found["holds"], found["run"]) == (0, "PASS", True, "calculator")
    assert {check["name"]: check["status"] for check in found["checks"]} == {
        **dict.fromkeys(CHECKS, "PASS"),
        "commands": "not checked",
    }
    assert before == {path: path.read_bytes() for path in delivered.folder.rglob("*") if path.is_file()}


def test_an_honest_failure_holds_and_is_no_success(failed: Any) -> None:
    done = millwright("verify", str(failed.zip))
    assert done.returncode == 1
    assert "FAIL: run subtractor says itself that it did not pass; everything checked holds" in done.stdout
    assert all(line.startswith("PASS") for line in done.stdout.splitlines()[: len(CHECKS)])


def test_what_does_not_hold_is_named_in_the_last_line(delivered: Any, tmp_path: Path) -> None:
    found = members(delivered.zip)
    forged = packed(tmp_path / "forged.zip", attested(found | {"workspace/notes.md": b"# Others\n"}))
    lines = prove(forged).lines()
    assert lines[-1].startswith(f"FAIL: what {forged} claims does not hold: files: workspace/notes.md")
    assert "not checked  commands" in lines


@pytest.mark.parametrize("source", ["nothing-like-it", "/", "missing.zip", __file__, ""])
def test_what_is_neither_a_run_nor_a_zip_is_a_usage_error(source: str) -> None:
    with pytest.raises(UsageError, match=r"neither a zip nor a run|is no zip"):
        prove(source)


def test_a_usage_error_exits_with_2_and_says_one_sentence() -> None:
    done = millwright("verify", "missing.zip")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("millwright: 'missing.zip' is neither a zip nor a run")
    assert len(done.stderr.splitlines()) == 1


def test_a_policy_that_is_none_is_a_usage_error(delivered: Any) -> None:
    with pytest.raises(UsageError, match="there is no sandbox policy 'maybe'"):
        prove(str(delivered.zip), sandbox="maybe")


def test_a_run_that_has_not_delivered_is_a_usage_error(
    delivered: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MILLWRIGHT_HOME", str(tmp_path))
    folder = tmp_path / "runs" / "calculator"
    shutil.copytree(delivered.folder, folder)
    manifest = json.loads((folder / "run.json").read_text()) | {"status": "suspended"}
    (folder / "run.json").write_text(json.dumps(manifest))
    with pytest.raises(UsageError, match="millwright runs resume calculator"):
        prove("calculator")


def test_the_commands_run_unconfined_only_by_name(delivered: Any) -> None:
    proof = prove(str(delivered.zip), sandbox="off")
    assert proof.verdict == "PASS"
    assert "at sandbox level off" in proof.checks[-1].detail


def test_without_tests_and_commands_there_is_nothing_to_run_again(
    build: Callable[..., Any], tmp_path: Path
) -> None:
    crew = Crew([assignment("A1", "calc.py")], {"A1": writing({"calc.py": "x = 1\n"})})
    quick = prove(str(build(crew, tmp_path, "quick", settings={"verification": "quick"}).zip))
    assert (quick.verdict, quick.checks[-1].detail) == ("PASS", "there is none: verification was quick")


def test_a_run_without_any_file_is_an_honest_failure(build: Callable[..., Any], tmp_path: Path) -> None:
    circle = [assignment("A1", "a.py", after=["A2"]), assignment("A2", "b.py", after=["A1"])]
    proof = prove(str(build(Crew(circle, {}), tmp_path, "circle").zip))
    assert (proof.holds, proof.verdict) == (True, "FAIL")
    assert proof.checks[1].detail.startswith("1 files as its subjects")


def test_a_build_into_a_repository_is_proved_with_its_modes(build: Callable[..., Any], tmp_path: Path) -> None:
    repository = tmp_path / "repository"
    repository.mkdir()
    (repository / "run.sh").write_text("#!/bin/sh\nexec python -m calc\n")
    (repository / "run.sh").chmod(0o755)
    (repository / "old.py").write_text("OLD = 1\n")
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.invalid"]
    for words in (["init", "-q"], ["add", "."], [*identity, "commit", "-q", "-m", "first"]):
        subprocess.run(["git", *words], cwd=repository, check=True, capture_output=True)
    checks = [{"kind": "command", "value": "./run.sh"}]
    crew = Crew(
        [assignment("A1", "calc.py", "old.py", checks=checks)],
        {"A1": writing({"calc.py": "print(1)\n", "old.py": "OLD = 2\n"})},
    )
    made = build(crew, tmp_path / "home", "into", into=str(repository))
    proof = prove(str(made.zip))
    assert proof.conclusion == "PASS: run into claims that it passed, and everything checked holds"
    details = {check.name: check.detail for check in proof.checks}
    assert "1 are from commit" in details["files"]
    assert "to the 3 files of the workspace" in details["patches"]
    found = members(made.zip)
    for name in ("workspace/run.sh", "workspace/old.py"):
        forged = packed(tmp_path / "forged.zip", found | {name: found[name] + b"\n"})
        assert f"statement: {name} is not the one that the statement speaks of" in prove(forged).conclusion
    base = {"base": json.loads(found["register.jsonl"].splitlines()[0])["set"][-1][2], "executable": {"run.sh"}}
    assert prove(packed(tmp_path / "again.zip", attested(found, **base)), rerun=False).holds
    for forged_file in ({"workspace/run.sh": b"#!/bin/sh\nexit 0\n"}, {"workspace/extra.py": b"x = 1\n"}):
        forged = packed(tmp_path / "forged.zip", attested(found | forged_file, **base))
        assert "patches: without the patches the workspace is not what commit" in prove(forged, rerun=False).broken


@OPENSSL
def test_a_signed_delivery_is_proved_with_the_public_key(
    build: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    private, public = keys(tmp_path)
    monkeypatch.setenv("MILLWRIGHT_SIGNING_KEY", str(private))
    crew = Crew([assignment("A1", "calc.py")], {"A1": writing({"calc.py": "x = 1\n"})})
    made = build(crew, tmp_path / "home", "signed")
    done = millwright("verify", str(made.zip), "--public-key", str(public))
    assert done.returncode == 0, done.stdout
    assert f"Anchor: the owner of the key in {public} signed the hash of every member" in done.stdout
    assert private.read_text() not in (made.folder / "events.jsonl").read_text()
    other = tmp_path / "other"
    other.mkdir()
    assert "no signature is of the key" in prove(str(made.zip), public_key=keys(other)[1]).broken
    with pytest.raises(UsageError, match="not usable as a public Ed25519 key"):
        prove(str(made.zip), public_key=private)


def test_a_key_that_cannot_sign_is_told_of_before_any_work(tmp_path: Path, home: Path) -> None:
    with OllamaServer(Crew([assignment("A1", "calc.py")], {})) as server:
        key = tmp_path / "missing.pem"
        done = millwright("build", "Write a calculator.", "--base-url", server.url, "--key", str(key))
        assert (done.returncode, server.chats) == (2, [])
    assert "not usable as a private Ed25519 key" in done.stderr
    assert list(home.glob("runs/*")) == []


async def test_a_fork_is_proved_from_wherever_it_began(tmp_path: Path) -> None:
    import asyncio

    crew = Crew(
        [assignment("A1", "calc.py"), assignment("A2", "notes.md", after=["A1"])],
        {"A1": writing({"calc.py": "x = 1\n"}), "A2": writing({"notes.md": "# N\n"})},
    )
    with OllamaServer(crew) as server:
        first = await driving.build("Write a calculator.", base_url=server.url)
        points = [state for state in await driving.history(first.run) if state["next"]]
        before_audit = next(state for state in points if state["next"] == ["audit"])
        for point in (points[0], before_audit):
            fork = await driving.fork(first.run, checkpoint=point["checkpoint"])
            await driving.resume(fork, base_url=server.url)
            proof = await asyncio.to_thread(prove, fork)
            assert proof.conclusion == f"PASS: run {fork} claims that it passed, and everything checked holds"
    assert points[0]["next"] == ["deliver"]


async def test_what_a_person_changed_and_kept_is_proved_and_is_a_patch_of_its_own(tmp_path: Path) -> None:
    import asyncio

    crew = Crew(
        [assignment("A1", "calc.py"), assignment("A2", "notes.md", after=["A1"])],
        {"A1": writing({"calc.py": "x = 1\n"}), "A2": writing({"notes.md": "# N\n"})},
    )
    with OllamaServer(crew) as server:
        made = await driving.build("Write a calculator.", base_url=server.url, approve=["plan"])
        first = await driving.resume(made.run, answer={"approve": True}, base_url=server.url)
        point = next(s for s in await driving.history(first.run) if s["next"] == ["audit"])
        fork = await driving.fork(first.run, checkpoint=point["checkpoint"])
        from tools.runs.home import run_dir

        (run_dir(fork) / "workspace" / "calc.py").write_text("x = 2\n")
        await driving.resume(fork, changes="keep", base_url=server.url)
        proof = await asyncio.to_thread(prove, fork, rerun=False)
    assert proof.conclusion == f"PASS: run {fork} claims that it passed, and everything checked holds"
    assert [p.name for p in sorted((run_dir(fork) / "patches").iterdir())][-1].endswith(
        "Keep-what-no-assignment-wrote.patch"
    )


def test_the_statement_is_provenance_that_others_can_read(delivered: Any) -> None:
    import base64
    import hashlib

    envelope = json.loads((delivered.folder / "attestation.json").read_text())
    assert envelope["payloadType"] == "application/vnd.in-toto+json"
    stated = json.loads(base64.b64decode(envelope["payload"]))
    assert stated["_type"] == "https://in-toto.io/Statement/v1"
    assert stated["predicateType"] == "https://slsa.dev/provenance/v1"
    found = members(delivered.zip)
    subjects = {s["name"]: s["digest"]["sha256"] for s in stated["subject"]}
    assert set(subjects) == {"workspace/calc.py", "workspace/notes.md", "workspace/test_calc.py"}
    assert subjects == {name: hashlib.sha256(found[name]).hexdigest() for name in subjects}
    predicate = stated["predicate"]
    assert predicate["runDetails"]["metadata"]["invocationId"] == "calculator"
    assert {b["name"] for b in predicate["runDetails"]["byproducts"]} == set(found) - set(subjects) - {
        "attestation.json"
    }
    assert predicate["millwright_verification"]["verdict"] == "PASS"
    assert predicate["millwright_ledgerHead"] == json.loads(found["report.json"])["ledger_head"]


def test_a_zip_and_its_run_hold_the_same_members(delivered: Any) -> None:
    with bundle_of(delivered.zip) as zipped, bundle_of(delivered.folder) as standing:
        assert zipped.digests == standing.digests
    assert not zipped.folder.exists()
