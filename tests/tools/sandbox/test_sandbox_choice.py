"""The level is chosen by what holds here, a refusal says exactly why, and nothing falls back in silence."""

from __future__ import annotations

import json
import shutil
import tempfile
from dataclasses import astuple
from pathlib import Path

import pytest

import tools
from tools.sandbox import Limits, Sandbox, python_argv
from tools.sandbox.canary import try_level
from tools.sandbox.choice import TOLERATED, strongest
from tools.sandbox.diagnosis import INSTALL, LANDLOCK, MENDS, diagnose, mend

CHOOSE = """
import json
from dataclasses import astuple
from tools.errors import SandboxUnavailable
from tools.sandbox import Sandbox
from tools.sandbox.choice import strongest
from tools.sandbox.diagnosis import diagnose
try:
    sandbox = Sandbox.choose()
    told = [sandbox.level, sandbox.banner]
except SandboxUnavailable as error:
    told = ["none", str(error)]
print(json.dumps([told, strongest().refused, [astuple(finding) for finding in diagnose()]]))
"""


def chosen_inside(sandbox: Sandbox, workspace: Path):
    """What our own code chooses on a machine that is itself a sandbox."""
    shutil.copytree(Path(tools.__path__[0]), workspace / "tools", ignore=shutil.ignore_patterns("__pycache__"))
    ran = sandbox.run(
        python_argv("-c", CHOOSE),
        workspace=workspace,
        env={"PYTHONPATH": "/workspace"},
        limits=Limits(processes=500),
    )
    assert ran.exit_code == 0, ran.stderr
    return json.loads(ran.stdout)


def test_this_machine_has_a_sandbox_and_keeps_the_choice() -> None:
    choice = strongest()
    if choice.verdict is None:
        pytest.skip(f"nothing confines a process here: {choice.refused}")
    sandbox = Sandbox.choose()
    assert (sandbox.level, sandbox.held) == (choice.verdict.level, choice.verdict.held)
    assert set(sandbox.missing) <= TOLERATED[sandbox.level]
    assert strongest() is choice


def test_a_long_temporary_directory_is_no_reason_to_refuse(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The self-test plants sockets, whose paths may have 107 bytes."""
    folder = tmp_path / ("long" * 30)
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    verdict = try_level(sandbox.level)
    assert (verdict.held, tuple(verdict.open)) == (sandbox.held, sandbox.missing)
    assert list(folder.iterdir()) == []


def test_off_is_chosen_by_name_only_and_says_so(workspace: Path) -> None:
    sandbox = Sandbox.choose("off")
    assert "SANDBOX OFF" in sandbox.banner
    ran = sandbox.run(["sh", "-c", "pwd; echo new > file"], workspace=workspace)
    assert (ran.level, ran.held, ran.stdout) == ("off", (), "/workspace\n")
    assert list(workspace.iterdir()) == []


def test_where_namespaces_are_forbidden_the_next_level_is_chosen_with_the_reason(
    sandbox: Sandbox, workspace: Path
) -> None:
    """Level A forbids namespaces inside, so what runs there gets Landlock; inside level B nothing is left."""
    told, refused, findings = chosen_inside(sandbox, workspace)
    if sandbox.level == "A":
        assert "bwrap" in refused["A"]
    rows = {subject: (state, what, way) for subject, state, what, way in findings}
    assert rows["sandbox level A"][2]
    if sandbox.level == "A" and told[0] != "none":
        assert told[0] == "B"
        assert refused["A"] in told[1]
        assert rows["sandbox"][0] == "weak"
        assert "A" in rows["sandbox shared_memory"][2]
    else:
        assert told[0] == "none"
        assert rows["sandbox"][0] == "bad"
        for reason in refused.values():
            assert reason in told[1]
        assert "millwright doctor" in told[1]
        assert "--exec-sandbox off" in told[1]


def test_the_diagnosis_of_this_machine() -> None:
    findings = diagnose()
    assert findings[0].subject == "sandbox"
    assert all(len(astuple(finding)) == 4 and finding.what for finding in findings)
    assert all(finding.mend for finding in findings if finding.state == "bad")


@pytest.mark.parametrize(
    ("reason", "way"),
    [
        ("/usr/bin/bwrap not installed", INSTALL),
        ("bwrap: setting up uid map: Permission denied", MENDS["setting up uid map"]),
        ("bwrap: loopback: Failed RTM_NEWADDR: Operation not permitted", MENDS["RTM_NEWADDR"]),
        ("this kernel does not offer Landlock", LANDLOCK),
    ],
)
def test_known_refusals_have_their_mend(reason: str, way: str) -> None:
    assert mend(reason) == way


def test_a_confinement_that_cannot_be_set_up_is_an_error_and_no_result(sandbox: Sandbox, workspace: Path) -> None:
    """A level whose helper is refused must never look like a program that failed."""
    if sandbox.level != "A":
        pytest.skip("level B does not even let the copy be made inside it")
    shutil.copytree(Path(tools.__path__[0]), workspace / "tools", ignore=shutil.ignore_patterns("__pycache__"))
    code = "import pathlib, tools.sandbox as s; s.Sandbox('A').run(['true'], workspace=pathlib.Path())"
    ran = sandbox.run(python_argv("-c", code), workspace=workspace, env={"PYTHONPATH": "/workspace"})
    assert ran.exit_code == 1
    assert "SandboxUnavailable: level A could not run 'true'" in ran.stderr
