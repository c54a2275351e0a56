"""How many tool calls and edits salvage finds in the cases of public test suites, beside simple baselines.

Run `python -m benchmarks.salvage` from the checkout. The cases (vLLM, llama.cpp, Codex) are read from beside it.
A case without a tool list offers every tool that its expectation names, with a schema that admits anything; a case
that must give no call offers all tools that any case of the suites names, so that it is the reading that must refuse.
Where such a case rests on what the suite's own tool requires, that schema is in `DECLARED`; the table also says how
many false calls there are without it.
"""

from __future__ import annotations

import json
import re
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agents.models.salvage import salvage, salvage_edits

CASES = Path(__file__).resolve().parents[2] / "shared" / "data" / "toolcalls.jsonl"
CUTS = 14
"""At how many places each positive text is cut."""

DECLARED: dict[str, dict[str, dict[str, Any]]] = {
    # vLLM 0.33, tests/tool_parsers/test_minicpm5xml_tool_parser.py, make_tools_weather
    "minicpm5xml": {
        "get_weather": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "date": {"type": "string"}},
            "required": ["city"],
        }
    }
}
"""The tools that a suite declares in its code, for cases that carry none, by parser."""

Calls = list[tuple[str, dict[str, Any]]]
Tools = dict[str, dict[str, Any]]


def load(path: Path = CASES) -> list[dict[str, Any]]:
    """The cases that are to be scored."""
    cases = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [case for case in cases if case["salvage"]]


def tools_of(case: dict[str, Any], names: set[str], *, declared: bool = True) -> Tools:
    """The offered tools of a case, as the module's docstring says."""
    if case["tools"]:
        return {tool["function"]["name"]: tool["function"].get("parameters", {}) for tool in case["tools"]}
    expected = {call["name"] for call in case["expected"] or [] if call.get("name")}
    unnamed = case["expected"] is None or any(not call.get("name") for call in case["expected"])
    if unnamed:
        expected |= {
            name
            for name in re.findall(r"[A-Za-z_]\w+", case["text"])
            if name not in ("name", "arguments", "function")
        }
    if case["expected"] == [] and case["tools"] is None:
        expected = names
    tools: Tools = {name: {} for name in expected}
    return {**tools, **DECLARED.get(case["parser"], {})} if declared and case["expected"] == [] else tools


def same(value: Any) -> Any:
    """A value with numbers and strings that spell them made equal."""
    if isinstance(value, dict):
        return {key: same(item) for key, item in value.items()}
    if isinstance(value, list):
        return [same(item) for item in value]
    if isinstance(value, bool) or value is None:
        return value
    try:
        return float(value)
    except ValueError:
        return value


def is_right(case: dict[str, Any], calls: Calls) -> bool:
    """Whether the calls are what the case expects, by the case's own kind of match."""
    expected, match = case["expected"], case["match"]
    if match in ("min1", "min1_nonempty_args"):
        return bool(calls) and (match == "min1" or all(arguments for _, arguments in calls))
    if len(calls) != len(expected):
        return False
    for (name, arguments), wanted in zip(calls, expected, strict=True):
        if wanted["name"] not in (None, name):
            return False
        wished = wanted["arguments"]
        if wished is None or match == "names":
            continue
        if match == "exact" and same(arguments) != same(wished):
            return False
        if match == "subset" and any(same(arguments.get(key)) != same(value) for key, value in wished.items()):
            return False
        if match == "keys" and not wished.keys() <= arguments.keys():
            return False
    return True


@dataclass
class Score:
    """The figures of one reader."""

    name: str
    right: Counter[str] = field(default_factory=Counter)
    total: Counter[str] = field(default_factory=Counter)
    negatives: int = 0
    false_calls: list[str] = field(default_factory=list)
    false_undeclared: int = 0
    missed: list[str] = field(default_factory=list)
    cut: int = 0
    wrong_cut: list[str] = field(default_factory=list)
    crashes: int = 0
    edits: int = 0
    edits_right: int = 0
    seconds: float = 0.0

    def rate(self, group: str) -> float:
        """The share of positives found in a tier, a format or all."""
        return self.right[group] / self.total[group] if self.total[group] else 0.0


def score(name: str, read: Any, cases: list[dict[str, Any]], *, edits: bool = True) -> Score:
    """Run one reader over all cases and over the cut texts."""
    result = Score(name)
    names = {call["name"] for case in cases for call in case["expected"] or [] if call.get("name")}
    began = time.process_time()
    for case in cases:
        if case["kind"] == "edit":
            result.edits += edits
            result.edits_right += edits and edits_right(case)
            continue
        tools = tools_of(case, names)
        calls = _tried(result, read, case["text"], tools)
        if case["expected"] == []:
            result.negatives += 1
            if calls:
                result.false_calls.append(case["id"])
            result.false_undeclared += bool(
                _tried(result, read, case["text"], tools_of(case, names, declared=False))
            )
            continue
        right = is_right(case, calls)
        for group in ("all", case["tier"], case["format"]):
            result.total[group] += 1
            result.right[group] += right
        if not right:
            result.missed.append(case["id"])
        _cut(result, read, case, tools)
    result.seconds = time.process_time() - began
    return result


def _tried(result: Score, read: Any, text: str, tools: Tools) -> Calls:
    try:
        return read(text, tools)
    except Exception:  # noqa: BLE001  # a baseline that fails is counted, not stopped at
        result.crashes += 1
        return []


def _cut(result: Score, read: Any, case: dict[str, Any], tools: Tools) -> None:
    """A call from a cut text must be one of the expected ones, and where those are partial, one of the whole text's."""
    text = case["text"]
    whole = [(name, same(arguments)) for name, arguments in _tried(result, read, text, tools)]
    if case["match"] == "exact" and all(call["name"] for call in case["expected"]):
        whole = [(call["name"], same(call["arguments"])) for call in case["expected"]]
    for part in range(1, CUTS + 1):
        end = len(text) * part // (CUTS + 1)
        result.cut += 1
        calls = _tried(result, read, text[:end], tools)
        if any((name, same(arguments)) not in whole for name, arguments in calls):
            result.wrong_cut.append(f"{case['id']}@{end}")


def edits_right(case: dict[str, Any]) -> bool:
    """Whether the edits of a patch come out on files made from the case's own context."""
    files, wanted = {"file2.py": "import foo\n", "test.py": "x\n", "gone.txt": "x\n"}, []
    for edit in case["expected"]:
        content = edit.get("content")
        if edit["op"] == "delete":
            files[edit["path"]] = "x\n"
        if edit["op"] == "update":
            before = [
                line for chunk in edit["chunks"] for line in [chunk["context"], *chunk["old"]] if line is not None
            ]
            after = [
                line for chunk in edit["chunks"] for line in [chunk["context"], *chunk["new"]] if line is not None
            ]
            files[edit["path"]] = "".join(line + "\n" for line in before)
            content = "".join(line + "\n" for line in after)
        wanted.append((edit["op"], edit["path"], edit.get("move_to"), content))
    return [
        (edit.op, edit.path, edit.move_to, edit.content) for edit in salvage_edits(case["text"], files)
    ] == wanted


def ours(text: str, tools: Tools) -> Calls:
    """The salvager."""
    return [(call.name, call.arguments) for call in salvage(text, tools)]


def _shaped(value: Any, tools: Tools) -> Calls:
    found: Calls = []
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, dict):
            call = item["function"] if isinstance(item.get("function"), dict) else item
            arguments = call.get("arguments", call.get("parameters"))
            if call.get("name") in tools and isinstance(arguments, dict):
                found.append((call["name"], arguments))
    return found


def plain_json(text: str, tools: Tools) -> Calls:
    """Baseline: the whole reply is JSON."""
    return _shaped(json.loads(text), tools)


_SIMPLE = (
    r"<tool_call>\s*(.*?)\s*</tool_call>",
    r"<tool_calls>\s*(.*?)\s*</tool_calls>",
    r"\[TOOL_CALLS\]\s*(.*)",
    r"<\|python_tag\|>\s*(.*)",
    r"```(?:json)?\s*(.*?)```",
)


def simple_regex(text: str, tools: Tools) -> Calls:
    """Baseline: the usual markers by regular expression, else the first balanced object; strict JSON within."""
    for pattern in _SIMPLE:
        found: Calls = []
        for body in re.findall(pattern, text, re.DOTALL):
            try:
                found += _shaped(json.loads(body), tools)
            except ValueError:
                continue
        if found:
            return found
    begin = text.find("{")
    return _shaped(json.JSONDecoder().raw_decode(text, begin)[0], tools) if begin >= 0 else []


def readers() -> dict[str, Any]:
    """Salvage and the baselines; json-repair only where it is installed."""
    known: dict[str, Any] = {"salvage": ours, "json.loads": plain_json, "regex + json": simple_regex}
    try:
        import json_repair
    except ImportError:
        return known

    known["json-repair"] = lambda text, tools: _shaped(json_repair.loads(text), tools)
    return known


def main() -> int:
    """Print the table of all readers, then the formats and the missed cases of salvage."""
    if not CASES.exists():
        print(f"There are no cases at {CASES}.")
        return 1
    cases = load()
    scores = [score(name, read, cases, edits=name == "salvage") for name, read in readers().items()]
    print(
        f"{'reader':14}{'core':>8}{'extended':>10}{'all':>8}{'false calls':>14}{'wrong when cut':>20}{'CPU s':>8}"
    )
    for one in scores:
        wrong = f"{len(one.wrong_cut)} of {one.cut} ({len(one.wrong_cut) / one.cut:.2%})"
        rates = f"{one.rate('core'):8.1%}{one.rate('extended'):10.1%}{one.rate('all'):8.1%}"
        print(f"{one.name:14}{rates}{len(one.false_calls):>7} of {one.negatives:<3}{wrong:>20}{one.seconds:8.2f}")
    best = scores[0]
    print(f"\nsalvage, without the schemas in DECLARED: {best.false_undeclared} false calls of {best.negatives}")
    print(
        f"\nedits: {best.edits_right} of {best.edits}; crashes: {best.crashes}; missed: {' '.join(best.missed) or 'none'}\n"
    )
    for group in sorted(best.total.keys() - {"all", "core", "extended"}):
        rates = "".join(f"{one.rate(group):>14.1%}" for one in scores)
        print(f"{group:38}{best.total[group]:>4}{rates}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
