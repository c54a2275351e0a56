"""What the memory holds: skills and their uses, tasks, and workflows.

A skill is a tool that the factory made and that proved itself. Every record is frozen and can be written as JSON.
"""

from __future__ import annotations

import hashlib
import keyword
import re
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from tools.storage import canonical

LONGEST_NAME = 64
_NAME = re.compile(r"[a-z][a-z0-9_]*")


class SkillState(StrEnum):
    """How far a version of a skill is trusted; only `ACTIVE` ones are offered without asking."""

    CANDIDATE = "candidate"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    RETIRED = "retired"


class ToolType(StrEnum):
    """A function stands alone; a workflow is made of other skills."""

    FUNCTION = "function"
    WORKFLOW = "workflow"


def _named(name: str) -> str:
    if len(name) > LONGEST_NAME or not _NAME.fullmatch(name) or keyword.iskeyword(name):
        raise ValueError(f"{name[:80]!r} is no skill name: use lower snake case, at most {LONGEST_NAME} characters")
    return name


def _source(text: str) -> str:
    if "\0" in text:
        raise ValueError("source code holds no NUL character")
    text.encode()
    return text


def _tags(tags: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted({word for tag in tags if (word := tag.strip().lower())}))


Name = Annotated[str, AfterValidator(_named)]
Source = Annotated[str, AfterValidator(_source)]
WorkflowOutcome = Literal["verified", "failed", "user", "unknown"]
Tags = Annotated[tuple[str, ...], AfterValidator(_tags)]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, ser_json_inf_nan="constants")


class Example(_Record):
    """One call and what it returned."""

    arguments: dict[str, Any]
    result: Any


class Evidence(_Record):
    """What was counted when the skill was examined."""

    tests: int = Field(0, ge=0)
    noticed: int = Field(0, ge=0, description="mutants that the tests noticed")
    mutants: int = Field(0, ge=0)
    properties: int = Field(0, ge=0)
    oracle_cases: int = Field(0, ge=0, description="inputs on which an oracle agreed")

    @property
    def mutation_score(self) -> float | None:
        """The share of mutants that the tests noticed; None if none was made."""
        return self.noticed / self.mutants if self.mutants else None


class NewSkill(_Record):
    """A skill that is offered for admission; what it says was examined by code, not by a model."""

    name: Name
    tool_type: ToolType = ToolType.FUNCTION
    description: str
    entry: str = Field(description="the function to call")
    parameters: dict[str, Any] = Field(description="JSON Schema of an object")
    returns: dict[str, Any] = Field(default_factory=dict, description="JSON Schema of the result")
    tags: Tags = ()
    code: Source
    tests: Source
    requires: tuple[str, ...] = Field((), description="ids of the skills it is made of")
    examples: tuple[Example, ...] = ()
    family: str = ""
    source: str = Field("", description="where its formula stands")
    ast_hash: str = Field("", description="equal for code that differs in names and comments only")
    run: str = Field(description="the run that made it")
    task: str = ""
    plan: dict[str, Any] = Field(default_factory=dict)
    evidence: Evidence = Evidence()
    proved: bool = Field(False, description="an oracle that is independent of the model agreed")

    @model_validator(mode="after")
    def _is_what_its_type_says(self) -> NewSkill:
        if not self.entry.isidentifier():
            raise ValueError(f"{self.entry[:80]!r} is no function name")
        if (self.tool_type is ToolType.WORKFLOW) != bool(self.requires):
            raise ValueError(
                f"a {self.tool_type} of {len(self.requires)} skills: only a workflow is made of others"
            )
        return self

    @property
    def signature(self) -> str:
        """The hash of `signature_of` what it takes and returns."""
        return signature_of(self.parameters, self.returns)

    @property
    def words(self) -> str:
        """The text that is indexed and embedded."""
        return "\n".join((self.name.replace("_", " "), self.description.strip(), ", ".join(self.tags)))


class Skill(NewSkill):
    """One admitted version of a skill."""

    id: str
    version: int = Field(ge=1)
    state: SkillState
    sha256: str = Field(description="of code, tests and interface")
    created: str
    uses: int = Field(0, ge=0, description="calls")
    successes: int = Field(0, ge=0, description="calls that returned, in runs that were verified")
    trials: int = Field(0, ge=0, description="runs that used it and came to a verdict")
    won: int = Field(0, ge=0, description="of these runs, those in which it helped and that were verified")

    @property
    def interface(self) -> dict[str, Any]:
        """What `interface.json` holds."""
        return interface_of(self, self.version)


class Use(_Record):
    """One call of a skill.

    `stopped` means that it gave no answer in its time or memory, `unfit` that its interface forbids what it answered.
    """

    key: str
    skill: str
    run: str
    scope: str = ""
    outcome: Literal["returned", "raised", "stopped", "unfit"]
    arguments: dict[str, Any] | None = Field(
        None, description="of a call that did not return; None for any other, and if they are too long to keep"
    )
    seconds: float = Field(0.0, ge=0)
    detail: str = ""
    verified: bool | None = Field(
        None, description="whether the run that used it was verified; None: not known yet"
    )


class TaskRecord(_Record):
    """What became of one task of the factory."""

    key: str
    run: str
    task: str
    domain: str = ""
    family: str = ""
    title: str = ""
    statement: str = ""
    decision: Literal["reuse", "adapt", "write", ""] = ""
    skill: str | None = None
    outcome: Literal["admitted", "reused", "duplicate", "failed", "suspended"]
    step: str = Field("", description="where it failed")
    reason: str = Field("", description="why it failed, in full")
    seconds: dict[str, float] = Field(default_factory=dict, description="per phase")
    calls: int = Field(0, ge=0, description="model calls")
    request: str = Field("", description="equal for tasks that ask the same")
    arm: Literal["", "with", "without"] = Field(
        "", description="whether what the memory found was shown, or held out; empty if that made no difference"
    )
    tags: Tags = ()
    plan: dict[str, Any] = Field(default_factory=dict)
    code: str = ""
    tests: str = ""
    evaluation: dict[str, Any] = Field(default_factory=dict)
    at: str


class Workflow(_Record):
    """One recorded interaction: what was wanted, what was done, how it ended."""

    id: str
    intent: str
    template: str = ""
    steps: list[dict[str, Any]] = Field(default_factory=list)
    outcome: WorkflowOutcome = Field("unknown", description="`user`: the user said that it was right")
    seconds: float = Field(0.0, ge=0)
    tags: Tags = ()
    at: str

    @property
    def words(self) -> str:
        """The text that is embedded."""
        return "\n".join(
            part for part in (self.intent.strip(), self.template.strip(), ", ".join(self.tags)) if part
        )


class Transition(_Record):
    """One change of a skill's state, and why."""

    skill: str
    before: SkillState
    after: SkillState
    why: str
    key: str
    at: str


def skill_id(name: str, version: int) -> str:
    """The id of a version, such as `takt_time-2`."""
    return f"{name}-{version}"


def interface_of(skill: NewSkill, version: int) -> dict[str, Any]:
    """How a version is called: what a program needs to know that offers it as a tool."""
    said = skill.model_dump(mode="json", include=_OF_THE_INTERFACE)
    return {"id": skill_id(skill.name, version), "version": version, **said}


def signature_of(parameters: dict[str, Any], returns: dict[str, Any]) -> str:
    """A hash that is equal for JSON Schemas which allow the same; descriptions and titles do not matter."""
    return _digest([_bare(parameters), _bare(returns)])


def sha256_of(skill: NewSkill, version: int) -> str:
    """SHA-256, in hex, of the canonical JSON of code, tests and interface."""
    return _digest({"code": skill.code, "tests": skill.tests, "interface": interface_of(skill, version)})


_OF_THE_INTERFACE = {
    *("name", "tool_type", "description", "entry", "parameters", "returns"),
    *("tags", "requires", "examples", "family", "source"),
}
_SAID_ONLY = frozenset({"title", "description", "examples"})


def _bare(schema: Any) -> Any:
    """A JSON Schema without what is only said for readers; names of parameters stay, whatever they are."""
    if isinstance(schema, list):
        return [_bare(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {name: _bare(value) for name, value in schema.items() if name not in _SAID_ONLY and name != "properties"}
    if isinstance(properties := schema.get("properties"), dict):
        kept["properties"] = {name: _bare(value) for name, value in properties.items()}
    return kept


def _digest(value: Any) -> str:
    return hashlib.sha256(canonical(value)).hexdigest()
