"""Tests count only when they can fail, and always end the same way."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from crew import Crew, assignment, writing
from servers.ollama import OllamaServer

from graphs.build import BuildContext, graph
from tools.runs.home import run_dir

GRADE = 'def grade(n: int) -> str:\n    """Grade."""\n    return "A" if n > 80 else "B"\n'
WEAK = 'from grades import grade\n\n\ndef test_grade() -> None:\n    assert grade(100) in ("A", "B")\n'
STRONG = (
    "from grades import grade\n\n\ndef test_grade() -> None:\n"
    '    assert [grade(n) for n in (80, 81, 82)] == ["B", "A", "A"]\n'
)
BY_HASH = (
    'from grades import grade\n\n\ndef test_steady() -> None:\n    assert grade(81) == "A"\n\n\n'
    'def test_shaky() -> None:\n    assert hash("grade") == {known}\n'
)
BY_ORDER = (
    "from grades import grade\n\nSEEN = []\n\n\ndef test_first() -> None:\n    SEEN.append(grade(1))\n\n\n"
    'def test_second() -> None:\n    assert SEEN == ["B"]\n'
)
Start = Callable[..., OllamaServer]
PLAN = [assignment("A1", "grades.py"), assignment("A2", "test_grades.py", role="tester", after=["A1"])]


async def build(server: OllamaServer, **settings: Any) -> dict[str, Any]:
    context = BuildContext(base_url=server.url, **settings)
    return await graph.ainvoke({"goal": "Grade points."}, {"configurable": {"thread_id": "t"}}, context=context)


def crew(test: str, mended: str = "", code: str = GRADE) -> Crew:
    """A crew whose tester writes `test`, and `mended` when it is sent back."""
    roles = {"A1": writing({"grades.py": code}), "A2": writing({"test_grades.py": test})}
    made = {"blockers": ["B1"], "retry_for": "A2", "role": "tester", "title": "Mend", "task": "Mend it."}
    if not mended:
        return Crew(PLAN, roles)
    roles["R100"] = writing({"test_grades.py": mended})
    return Crew(PLAN, roles, remediation=lambda _: [{**made, "paths": ["test_grades.py"]}])


def report() -> dict[str, Any]:
    return json.loads((run_dir("t") / "report.json").read_text())


def evidence(path: str) -> dict[str, bool]:
    return {e["what"]: e["passed"] for d in report()["deliverables"] if d["path"] == path for e in d["evidence"]}


def purposes() -> list[str]:
    lines = (run_dir("t") / "ledger.jsonl").read_text().splitlines()
    return [record["purpose"] for record in map(json.loads, lines) if record["op"] == "command"]


async def test_weak_tests_are_sent_back_with_the_changes_they_did_not_notice(ollama: Start) -> None:
    server = ollama(crew(WEAK, STRONG))
    output = await build(server, verification="thorough")
    assert output["verdict"] == "PASS", output["reasons"]
    (blocker,) = report()["blockers"]
    assert (blocker["kind"], blocker["path"], blocker["status"]) == ("toothless_test", "test_grades.py", "resolved")
    assert "they notice 1 of 5 changes to the code, at least 60% is asked" in blocker["message"]
    assert "- grades.py:3: `n > 80` became `n >= 80`" in blocker["message"]
    (mender,) = [c for c in server.chats if "Your assignment R100" in c.messages[1]["content"]][:1]
    assert blocker["message"] in mender.messages[1]["content"]
    (check,) = report()["checks"]
    assert check == {
        "what": "mutation score 100%, of at least 60%: 5 of 5 changes noticed",
        "passed": True,
        "detail": "",
    }


async def test_weak_tests_that_stay_weak_fail_the_run_and_name_every_survivor(ollama: Start) -> None:
    output = await build(ollama(crew(WEAK)), verification="thorough", max_rounds=0)
    assert output["verdict"] == "FAIL"
    (check,) = report()["checks"]
    assert check["detail"].count("unnoticed grades.py:3: ") == 4
    assert evidence("test_grades.py")["changes to the code are noticed"] is False
    assert [b["kind"] for b in report()["debt"]] == ["toothless_test"]


async def test_the_threshold_is_a_setting(ollama: Start) -> None:
    output = await build(ollama(crew(WEAK)), verification="thorough", mutation_score=0.1)
    assert output["verdict"] == "PASS"
    (check,) = report()["checks"]
    assert check["what"] == "mutation score 20%, of at least 10%: 1 of 5 changes noticed"
    assert "unnoticed grades.py:3: `n > 80` became `n >= 80`" in check["detail"]
    assert "n > 80` became `n >= 80" in (run_dir("t") / "report.md").read_text()


async def test_standard_verification_repeats_the_tests_once_thorough_four_times(ollama: Start) -> None:
    await build(ollama(crew(STRONG)))
    standard = purposes()
    assert standard == ["tests", "tests again 1", "tests on stub"]
    assert "every test ends the same in 2 runs, each in another order" in evidence("test_grades.py")
    await build(ollama(crew(STRONG)), verification="thorough")
    again = [f"tests again {n}" for n in (1, 2, 3, 4)]
    assert purposes()[len(standard) :] == ["tests", *again, "tests on stub", "tests on mutants of grades.py"]


async def test_a_test_that_depends_on_the_hash_seed_is_quarantined(ollama: Start) -> None:
    known = _hash_with_seed_zero("grade")
    shaky = BY_HASH.format(known=known)
    server = ollama(crew(shaky, shaky.replace(f'hash("grade") == {known}', 'grade(80) == "B"')))
    output = await build(server)
    assert output["verdict"] == "PASS", output["reasons"]
    (blocker,) = report()["blockers"]
    assert (blocker["kind"], blocker["status"]) == ("test_failure", "resolved")
    told = "test_grades.py::test_shaky is flaky: passed in run 1, failed in run 2 (AssertionError: assert "
    assert blocker["message"].startswith(told)


async def test_a_test_that_depends_on_another_is_quarantined(ollama: Start) -> None:
    output = await build(ollama(crew(BY_ORDER)), max_rounds=0)
    assert output["verdict"] == "FAIL"
    found = evidence("test_grades.py")
    assert found["1 of 2 tests pass"] is True
    assert found["flaky: test_grades.py::test_second"] is False
    assert "the tests fail when the behaviour is taken out" not in found


def _hash_with_seed_zero(text: str) -> int:
    import os
    import subprocess
    import sys

    command = [sys.executable, "-c", f"print(hash({text!r}))"]
    return int(subprocess.check_output(command, env={**os.environ, "PYTHONHASHSEED": "0"}))
