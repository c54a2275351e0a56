"""From a goal to verified software.

    START → recall → plan ─┬─ planned ────────────→ develop* → check ─┬─ more work ─→ develop*
                           ├─ to approve → approve_plan ↑             └─ all landed → audit
                           └─ no valid plan → verify
    remediate ─┬─ assigned → develop*
               ├─ tests to approve → approve_tests → develop* (or remediate, when refused)
               └─ nothing to do → verify
    audit ─┬─ blockers → remediate → develop*
           └─ clean, or no rounds left → verify ─┬─ FAIL, rounds left → remediate
                                                 └─ settled ─→ (approve_delivery →) deliver → END

Every route is a function of what code measured. A run that cannot go on (no model, no disk) stops by an exception
with its checkpoint in place, and goes on from there when it is invoked again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import get_runtime
from langgraph.types import Send

from graphs.build.auditing import after_audit, audit, remediate
from graphs.build.delivering import after_verdict, approve_delivery, deliver
from graphs.build.developing import after_check, check, develop
from graphs.build.locks import after_remediate, approve_tests
from graphs.build.planning import after_plan, approve_plan, plan, recall
from graphs.build.schemas import BuildContext, BuildInput, BuildOutput, BuildState, DevelopInput
from graphs.build.verifying import after_verify, verify
from graphs.durable import durable
from graphs.session import node

if TYPE_CHECKING:
    from langgraph.graph.state import CompiledStateGraph

__all__ = ["BuildContext", "BuildInput", "BuildOutput", "BuildState", "builder", "graph"]


def to_developers(state: BuildState) -> list[Send]:
    """Send every ready assignment to a developer of its own."""
    return [
        Send(
            "develop",
            DevelopInput(
                run=state["run"],
                position=state["position"],
                tree=state["tree"],
                goal=state["goal"],
                assignment=entry.rpartition("#")[0],
                attempt=int(entry.rpartition("#")[2]),
            ),
        )
        for entry in state["ready"]
    ]


def route_plan(state: BuildState) -> str | list[Send]:
    """Where a plan goes."""
    where = after_plan(state, "plan" in _context().approve)
    return to_developers(state) if where == "planned" else where


def route_approval(state: BuildState) -> str | list[Send]:
    """Where an approved or refused plan goes."""
    return to_developers(state) if state["approved"] else "changes wanted"


def route_check(state: BuildState) -> str | list[Send]:
    """Where a checked wave goes."""
    where = after_check(state)
    return to_developers(state) if where == "more work" else where


def route_remediation(state: BuildState) -> str | list[Send]:
    """Where remediation goes."""
    where = after_remediate(state, "tests" in _context().approve)
    return to_developers(state) if where == "assigned" else where


def route_tests(state: BuildState) -> str | list[Send]:
    """Where remediation goes when a person has seen the tests it would change."""
    if state["ready"]:
        return to_developers(state)
    return "refused" if state["rounds_left"] > 0 else "no rounds left"


def route_verdict(state: BuildState) -> str:
    """Where a verdict goes."""
    where = after_verify(state)
    if where == "FAIL, rounds left":
        return where
    return "to approve" if after_verdict(state, _context()) == "to approve" else where


def builder() -> StateGraph[BuildState, BuildContext, BuildInput, BuildOutput]:
    """The graph, not yet compiled."""
    graph = StateGraph(BuildState, BuildContext, input_schema=BuildInput, output_schema=BuildOutput)
    for work in (
        recall,
        plan,
        approve_plan,
        check,
        audit,
        remediate,
        approve_tests,
        verify,
        approve_delivery,
        deliver,
    ):
        graph.add_node(work.__name__, node(work, BuildContext))
    graph.add_node("develop", node(develop, BuildContext, advances=False), input_schema=DevelopInput)
    graph.add_edge(START, "recall")
    graph.add_edge("recall", "plan")
    graph.add_conditional_edges(
        "plan", route_plan, {"planned": "develop", "to approve": "approve_plan", "no valid plan": "verify"}
    )
    graph.add_conditional_edges("approve_plan", route_approval, {"approved": "develop", "changes wanted": "plan"})
    graph.add_edge("develop", "check")
    graph.add_conditional_edges("check", route_check, {"more work": "develop", "all landed": "audit"})
    graph.add_conditional_edges(
        "audit", after_audit, {"blockers": "remediate", "clean, or no rounds left": "verify"}
    )
    graph.add_conditional_edges(
        "remediate",
        route_remediation,
        {"assigned": "develop", "tests to approve": "approve_tests", "nothing to do": "verify"},
    )
    graph.add_conditional_edges(
        "approve_tests", route_tests, {"assigned": "develop", "refused": "remediate", "no rounds left": "verify"}
    )
    graph.add_conditional_edges(
        "verify",
        route_verdict,
        {"settled": "deliver", "to approve": "approve_delivery", "FAIL, rounds left": "remediate"},
    )
    graph.add_edge("approve_delivery", "deliver")
    graph.add_edge("deliver", END)
    return graph


def _context() -> BuildContext:
    given = get_runtime(BuildContext).context
    return given if isinstance(given, BuildContext) else BuildContext.model_validate(given or {})


graph: CompiledStateGraph[BuildState, BuildContext, BuildInput, BuildOutput] = durable(
    builder().compile(name="build")
)
