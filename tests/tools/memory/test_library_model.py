"""The library against a plain model of it: whatever is done, in whatever order and however often, they agree."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)
from shelf import library_in, offered, used

from tools.errors import SkillUnknown, UsageError
from tools.memory.evidence import Count, proven, worse
from tools.memory.projections import IndexFile, Nodes
from tools.memory.records import SkillState

NAMES = ("takt_time", "oee", "scrap_rate")
TAGS = ("time", "quality")
RUNS = ("r1", "r2")
OUTCOMES = ("returned", "returned", "raised", "stopped")
# Thousands of small transactions, none of which has to outlive a power cut.
RAM = Path("/dev/shm")
GIVEN = (SkillState.ACTIVE, SkillState.CANDIDATE)


@dataclass
class Known:
    """What the model knows of a skill."""

    id: str
    name: str
    version: int
    state: SkillState
    code: str
    tags: frozenset[str]
    requires: frozenset[str]
    run: str
    calls: dict[str, tuple[str, str, bool | None]] = field(default_factory=dict)

    def count(self) -> Count:
        """The runs that say something of it, as trials."""
        won = [
            self._won([c for c in self.calls.values() if c[0] == run])
            for run in {c[0] for c in self.calls.values()}
        ]
        return Count(sum(w is True for w in won), sum(w is not None for w in won))

    def lost(self, run: str) -> bool:
        """Whether a run speaks against it."""
        return self._won([call for call in self.calls.values() if call[0] == run]) is False

    @staticmethod
    def _won(calls: list[tuple[str, str, bool | None]]) -> bool | None:
        outcomes = {outcome for _, outcome, verified in calls if verified}
        if any(verified is False for _, _, verified in calls) or (
            "stopped" in outcomes and "returned" not in outcomes
        ):
            return False
        return True if "returned" in outcomes else None


class LibraryMachine(RuleBasedStateMachine):
    """Does the same to a library and to a dict."""

    skills = Bundle("skills")

    @initialize(target=skills)
    def begin(self):
        self.home = Path(tempfile.mkdtemp(prefix="millwright-test-", dir=RAM if RAM.is_dir() else None))
        self.library = library_in(self.home)
        self.known: dict[str, Known] = {}
        self.keys: dict[str, str] = {}
        self.aliases: list[tuple[str, str]] = []
        self.numbers = itertools.count()
        candidate = offered("takt_time", ast_hash="a", tags=TAGS, proved=False, run="f1")
        return multiple(self._admitted(candidate, "0"), self._admitted(offered("oee", ast_hash="b", tags=()), "1"))

    def teardown(self) -> None:
        if hasattr(self, "home"):
            self.library.database.close()
            shutil.rmtree(self.home)

    @rule(
        target=skills,
        name=st.sampled_from(NAMES),
        code=st.sampled_from("abcd"),
        tags=st.frozensets(st.sampled_from(TAGS)),
        proved=st.booleans(),
        run=st.sampled_from(("f1", "f2")),
        key=st.sampled_from("123456789"),
    )
    def admit(self, name, code, tags, proved, run, key):
        new = offered(name, ast_hash=code, code=f"X = {code!r}\n", tags=tuple(tags), proved=proved, run=run)
        return self._admitted(new, key)

    @rule(target=skills, part=skills, key=st.sampled_from("ABC"))
    def admit_what_is_made_of_another(self, part, key):
        new = offered("whole", ast_hash="w", tool_type="workflow", requires=(part,), tags=(), run="f3")
        if part not in self.known and key not in self.keys and not self._twin(new):
            with pytest.raises(UsageError, match="requires"):
                self.library.admit(new, key=key)
            return multiple()
        return self._admitted(new, key)

    def _admitted(self, new, key):
        if key not in self.keys:
            twin = self._twin(new)
            if twin is None:
                version = 1 + max((k.version for k in self.known.values() if k.name == new.name), default=0)
                state = SkillState.ACTIVE if new.proved else SkillState.CANDIDATE
                twin = f"{new.name}-{version}"
                self.known[twin] = Known(
                    twin,
                    new.name,
                    version,
                    state,
                    new.ast_hash,
                    frozenset(new.tags),
                    frozenset(new.requires),
                    new.run,
                )
            self.keys[key] = twin
        assert self.library.admit(new, key=key).id == self.keys[key]
        return self.keys[key]

    def _twin(self, new) -> str | None:
        order = [SkillState.ACTIVE, SkillState.CANDIDATE, SkillState.SUSPENDED]
        alike = [
            k
            for k in self.known.values()
            if (k.code, k.requires) == (new.ast_hash, frozenset(new.requires)) and k.state in order
        ]
        return min(alike, key=lambda k: (order.index(k.state), -k.version)).id if alike else None

    @rule(skill=skills, state=st.sampled_from(SkillState))
    def change_state(self, skill, state):
        key = f"state {next(self.numbers)}"
        for _ in range(2):
            if skill in self.known:
                self.library.change_state(skill, state, "because", key=key)
            else:
                with pytest.raises(SkillUnknown):
                    self.library.change_state(skill, state, "because", key=key)
        if skill in self.known:
            self.known[skill].state = state

    @rule(skill=skills, name=st.sampled_from((*NAMES, "tempo")))
    def alias(self, skill, name):
        if skill in self.known:
            key = f"alias {next(self.numbers)}"
            for _ in range(2):
                self.library.alias(name, skill, "same", key=key)
            self.aliases.append((name, skill))

    @rule(
        skill=skills,
        run=st.sampled_from(RUNS),
        outcome=st.sampled_from(OUTCOMES),
        number=st.integers(0, 2),
    )
    def use(self, skill, run, outcome, number):
        self._used(skill, run, outcome, number)

    @rule(
        used_together=st.lists(skills, min_size=1, max_size=2),
        outcomes=st.lists(st.sampled_from(OUTCOMES), min_size=1, max_size=2),
        verified=st.booleans(),
        times=st.integers(1, 5),
    )
    def use_in_some_runs(self, used_together, outcomes, verified, times):
        for _ in range(times):
            run = f"run {next(self.numbers)}"
            for skill in used_together:
                for number, outcome in enumerate(outcomes):
                    self._used(skill, run, outcome, number)
            self._settled(run, verified)

    def _used(self, skill, run, outcome, number):
        key = f"{run}/{skill}/{number}"
        for _ in range(2):
            self.library.record_use(used(skill, run, outcome, key=key))
        if skill in self.known:
            self.known[skill].calls.setdefault(key, (run, outcome, None))

    @rule(run=st.sampled_from(RUNS), verified=st.booleans())
    def settle(self, run, verified):
        self._settled(run, verified)

    def _settled(self, run, verified):
        # The library judges one skill after the other, each by what stands of the others then.
        changed = {change.skill: change.after for change in self.library.settle(run, verified)}
        expected = {}
        for name in sorted(self.known):
            skill = self.known[name]
            mine = {key: call for key, call in skill.calls.items() if call[0] == run}
            if not mine:
                continue
            skill.calls.update({key: (run, outcome, verified) for key, (_, outcome, _) in mine.items()})
            own, others = skill.count(), self._others(name)
            if skill.state is SkillState.CANDIDATE and proven(own):
                expected[name] = SkillState.ACTIVE
            elif skill.state in GIVEN and skill.lost(run) and worse(own, others):
                expected[name] = SkillState.SUSPENDED
        # A key that was used before changes nothing: the same verdict of the same run again.
        for name, state in expected.items():
            key = f"settle:{run}:{name}:{state}"
            if name in changed or all(change.key != key for change in self.library.history(name)):
                assert changed[name] is state
                self.known[name].state = state
        assert set(changed) <= set(expected)

    def _others(self, name) -> Count:
        counts = [skill.count() for other, skill in self.known.items() if other != name]
        return Count(sum(c.won for c in counts), sum(c.trials for c in counts))

    @rule(skill=skills)
    def forget(self, skill):
        if any(skill in k.requires for k in self.known.values()):
            with pytest.raises(UsageError, match="is made of it"):
                self.library.forget(skill)
            return
        assert (self.library.forget(skill) > 0) == (skill in self.known)
        self.known.pop(skill, None)
        self.keys = {key: name for key, name in self.keys.items() if name != skill}
        self.aliases = [(name, target) for name, target in self.aliases if target != skill]

    @rule(run=st.sampled_from(RUNS))
    def forget_run(self, run):
        self.library.forget(run)
        for skill in self.known.values():
            skill.calls = {key: call for key, call in skill.calls.items() if call[0] != run}

    @rule()
    def reopen(self):
        self.library.database.close()
        self.library = library_in(self.home)

    @rule()
    def catch_up(self):
        Nodes(self.home).catch_up(self.library)
        IndexFile(self.home).catch_up(self.library)
        assert {path.name for path in (self.home / "nodes").glob("*")} == set(self.known)
        assert [*Nodes(self.home).faults(self.library), *IndexFile(self.home).faults(self.library)] == []

    @invariant()
    def every_skill_is_as_the_model_has_it(self):
        if not hasattr(self, "home"):
            return
        there = {skill.id: skill for skill in self.library.skills(states=tuple(SkillState), every_version=True)}
        assert {name: skill.state for name, skill in there.items()} == {k.id: k.state for k in self.known.values()}
        for name, known in self.known.items():
            good = sum(outcome == "returned" and verified is True for _, outcome, verified in known.calls.values())
            assert (there[name].uses, there[name].successes) == (len(known.calls), good)
        trials = {
            row["id"]: (row["won"], row["trials"]) for row in self.library.database.read("SELECT * FROM skills")
        }
        assert trials == {name: (k.count().won, k.count().trials) for name, k in self.known.items()}
        counts = self.library.counts()
        assert counts["skills"] == counts["words"] == len(self.known)
        assert counts["uses"] == sum(len(known.calls) for known in self.known.values())

    @invariant()
    def every_name_answers_as_the_model_says(self):
        if not hasattr(self, "home"):
            return
        aliases = dict(self.aliases)
        assert self.library.aliases() == aliases
        for name in (*NAMES, "whole", "tempo"):
            own = [k for k in self.known.values() if k.name == name and k.state in GIVEN]
            best = max(own, key=lambda k: (k.state is SkillState.ACTIVE, k.version), default=None)
            wanted = best.id if best else aliases.get(name)
            try:
                found = self.library.skill(name).id
            except SkillUnknown:
                found = None
            assert found == wanted

    @invariant()
    def every_tag_finds_what_the_model_says(self):
        if not hasattr(self, "home"):
            return
        active = [known for known in self.known.values() if known.state is SkillState.ACTIVE]
        newest = {known.name: known for known in sorted(active, key=lambda known: known.version)}
        for tag in TAGS:
            found = {skill.id for skill in self.library.find_by_tags([tag])}
            assert found == {known.id for known in newest.values() if tag in known.tags}


TestLibrary = LibraryMachine.TestCase
TestLibrary.settings = settings(max_examples=10, stateful_step_count=30, deadline=None)


@pytest.mark.soak
def test_the_library_agrees_with_its_model_over_a_long_time() -> None:
    run_state_machine_as_test(
        LibraryMachine, settings=settings(max_examples=300, stateful_step_count=60, deadline=None)
    )
