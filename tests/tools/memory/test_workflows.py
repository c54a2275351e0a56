"""Workflows: found again by what was wanted, one of each intent, the one that ended well first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from killing import every, killed_at
from servers.embeddings import EmbeddingServer
from shelf import offered

from tools.memory.memory import Memory, open_memory
from tools.memory.records import Workflow
from tools.memory.reembedding import missing

if TYPE_CHECKING:
    from pathlib import Path


def done(name: str, intent: str, **more: Any) -> Workflow:
    return Workflow(id=name, intent=intent, **{"outcome": "verified", "at": "2026-01-01", **more})


def ids(memory: Memory, text: str, **how: Any) -> list[str]:
    return [hit.workflow.id for hit in memory.search_workflows(text, **how)]


@pytest.fixture
def memory(home: Path) -> Memory:
    memory = open_memory(home)
    memory.record_workflow(done("orders", "List the late orders of a customer.", tags=("shop", "orders")))
    memory.record_workflow(done("invoice", "Write an invoice for a customer.", tags=("shop",), outcome="failed"))
    memory.record_workflow(done("rename", "Rename all photographs by their day.", tags=("files",), at="2026-02-01"))
    return memory


def test_a_workflow_is_found_by_the_words_of_its_intent_and_their_synonyms(memory: Memory) -> None:
    hits = memory.search_workflows("Which orders of this customer are late?")
    assert (hits[0].workflow.id, hits.means, hits.degraded) == ("orders", "lexical", True)
    assert hits[0].score > hits[0].cosine > 0 < hits[0].words
    assert ids(memory, "overdue purchases of a buyer")[0] == "orders"
    assert ids(memory, "Bake a cake with cherries") == []


def test_a_workflow_is_found_by_its_meaning_where_a_model_makes_the_vectors(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with EmbeddingServer() as server:
        monkeypatch.setenv("OLLAMA_HOST", server.url)
        monkeypatch.setenv("MILLWRIGHT_EMBEDDINGS", "ollama")
        memory = open_memory(home)
        memory.record_workflow(done("beat", "takt of the client"))
        memory.record_workflow(done("files", "rename photographs"))
        hits = memory.search_workflows("rhythm of a buyer")
        assert [hit.workflow.id for hit in hits] == ["beat"]
        assert not hits.degraded
        assert hits[0].words == 0


def test_all_of_the_tags_and_one_of_the_outcomes_are_wanted(memory: Memory) -> None:
    text = "something for a customer"
    assert set(ids(memory, text, tags=["shop"])) == {"orders", "invoice"}
    assert ids(memory, text, tags=["Orders", "shop"]) == ["orders"]
    assert ids(memory, text, tags=["files", "shop"]) == []
    assert ids(memory, text, outcomes=["failed"]) == ["invoice"]
    assert set(ids(memory, text, outcomes=["failed", "verified"])) == {"orders", "invoice"}


def test_without_a_text_the_newest_come_first(memory: Memory) -> None:
    assert ids(memory, "")[0] == "rename"
    assert ids(memory, "", limit=1) == ["rename"]
    assert ids(memory, "", tags=["shop"], outcomes=["verified"]) == ["orders"]


def test_what_was_wanted_several_times_comes_once_as_it_ended_best(memory: Memory) -> None:
    for number in range(80):
        outcome = "verified" if number == 40 else "failed"
        again = done(
            f"again-{number}", "list the LATE orders\n of a customer.", outcome=outcome, at=f"3{number:02}"
        )
        memory.record_workflow(again)
    assert ids(memory, "late orders of a customer") == ["again-40", "invoice"]


def test_of_two_that_are_as_like_the_one_that_was_seen_to_work_comes_first(memory: Memory) -> None:
    memory.record_workflow(done("bad", "Weigh the parcels, one by one.", outcome="failed"))
    memory.record_workflow(done("good", "Weigh one by one the parcels."))
    assert ids(memory, "weigh the parcels") == ["good", "bad"]


def test_skills_and_workflows_are_not_found_for_each_other(memory: Memory) -> None:
    memory.admit(offered("late_orders", description="List the late orders of a customer."), key="1")
    assert [hit.skill.name for hit in memory.search("late orders of a customer")] == ["late_orders"]
    assert "late_orders-1" not in ids(memory, "late orders of a customer")


def test_a_later_record_of_an_id_is_found_by_its_new_intent_alone(memory: Memory) -> None:
    memory.record_workflow(done("rename", "Add up the hours of all invoices."))
    assert ids(memory, "add up the hours")[0] == "rename"
    assert "rename" not in ids(memory, "rename photographs by day")


def test_a_forgotten_workflow_is_found_nowhere(memory: Memory) -> None:
    assert memory.forget("orders") > 0
    assert "orders" not in ids(memory, "late orders of a customer")
    assert ids(memory, "", tags=["orders"]) == []


def test_another_process_finds_what_was_kept_and_what_had_no_vector_yet_gets_one(
    memory: Memory, home: Path
) -> None:
    memory.library.record_workflow(done("parcels", "Weigh the parcels."))
    assert missing(memory.library, memory.embedder.fingerprint) == 1
    memory.close()
    memory = open_memory(home)
    memory.catch_up()
    assert missing(memory.library, memory.embedder.fingerprint) == 0
    assert ids(memory, "weigh parcels") == ["parcels"]


def test_while_the_embedder_is_away_workflows_are_kept_and_found_by_words(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with EmbeddingServer() as server:
        monkeypatch.setenv("OLLAMA_HOST", server.url)
        monkeypatch.setenv("MILLWRIGHT_EMBEDDINGS", "ollama")
        memory = open_memory(home)
        assert memory.embedder.name == "ollama:nomic-embed-text:latest"
        server.say = lambda _: (500, {"error": "out of memory"})
        memory.record_workflow(done("parcels", "Weigh the parcels."))
        hits = memory.search_workflows("weigh these parcels")
        assert [hit.workflow.id for hit in hits] == ["parcels"]
        assert "does not answer" in hits.means


def test_no_secret_is_sent_to_the_embedder(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with EmbeddingServer() as server:
        monkeypatch.setenv("OLLAMA_HOST", server.url)
        monkeypatch.setenv("MILLWRIGHT_EMBEDDINGS", "ollama")
        monkeypatch.setenv("SHOP_API_KEY", "value-of-the-key")
        open_memory(home).record_workflow(done("call", "Call the shop with value-of-the-key."))
        assert any("[redacted]" in text for text in server.embedded())
        assert not any("value-of-the-key" in text for text in server.embedded())


FILES = tuple(
    f"tools/memory/{name}.py"
    for name in ("workflows", "memory", "serving", "library", "rows", "outbox", "database")
)


def replace(home: Path) -> None:
    open_memory(home).record_workflow(done("w", "Add up the hours of all invoices."))


@pytest.mark.parametrize("step", [23, pytest.param(1, marks=pytest.mark.soak)])
def test_killed_before_any_line_the_record_before_or_the_new_one_is_found_whole(tmp_path: Path, step: int) -> None:
    def attempt(line: int) -> bool:
        memory = Memory(tmp_path / str(line))
        memory.record_workflow(done("w", "Rename photographs by day."))
        memory.wait()
        memory.close()
        return killed_at(line, lambda: replace(tmp_path / str(line)), *FILES)

    seen = set()
    for line in every(step, attempt):
        memory = Memory(tmp_path / str(line))
        found = {text: ids(memory, text) for text in ("rename photographs by day", "add up the hours of invoices")}
        (kept,) = memory.library.workflows()
        vectors = memory.library.database.read("SELECT vector FROM vectors")
        assert [row["vector"] for row in vectors] == [memory.embedder.embed([kept.words])[0].tobytes()]
        assert sorted(found.values()) == [[], ["w"]]
        assert found["rename photographs by day"] == (["w"] if kept.intent.startswith("Rename") else [])
        seen.add(kept.intent)
        memory.close()
    assert step > 1 or len(seen) == 2
