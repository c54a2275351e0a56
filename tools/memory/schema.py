"""The tables of the memory database, as migrations in order; `PRAGMA user_version` counts those that were done.

`owner` is `skill:<id>` or `workflow:<id>`. A row of `words` has the rowid of its owner in `owners`: FTS5 finds a row
by its rowid alone. `body` is the record as JSON, the columns beside it are what is asked for.
"""

from __future__ import annotations

APPLICATION_ID = 0x4D696C6C
"""Names the file's owner in its header: "Mill"."""

_FIRST = (
    """CREATE TABLE skills (
        id TEXT PRIMARY KEY, name TEXT NOT NULL, version INTEGER NOT NULL, state TEXT NOT NULL,
        family TEXT NOT NULL, ast_hash TEXT NOT NULL, signature TEXT NOT NULL, sha256 TEXT NOT NULL,
        run TEXT NOT NULL, created TEXT NOT NULL,
        uses INTEGER NOT NULL DEFAULT 0, successes INTEGER NOT NULL DEFAULT 0,
        trials INTEGER NOT NULL DEFAULT 0, won INTEGER NOT NULL DEFAULT 0,
        body TEXT NOT NULL, UNIQUE (name, version))""",
    "CREATE INDEX skills_by_state ON skills (state, name, version)",
    "CREATE INDEX skills_by_family ON skills (family, trials, won)",
    "CREATE INDEX skills_by_ast_hash ON skills (ast_hash)",
    "CREATE INDEX skills_by_signature ON skills (signature, state)",
    "CREATE INDEX skills_by_run ON skills (run)",
    "CREATE TABLE admissions (key TEXT PRIMARY KEY, skill TEXT NOT NULL, at TEXT NOT NULL)",
    "CREATE INDEX admissions_by_skill ON admissions (skill)",
    """CREATE TABLE requirements (skill TEXT NOT NULL, required TEXT NOT NULL, PRIMARY KEY (skill, required))""",
    "CREATE INDEX requirements_by_required ON requirements (required)",
    """CREATE TABLE transitions (
        key TEXT PRIMARY KEY, skill TEXT NOT NULL, before TEXT NOT NULL, after TEXT NOT NULL,
        why TEXT NOT NULL, at TEXT NOT NULL)""",
    "CREATE INDEX transitions_by_skill ON transitions (skill)",
    """CREATE TABLE aliases (
        key TEXT PRIMARY KEY, name TEXT NOT NULL, skill TEXT NOT NULL, why TEXT NOT NULL, at TEXT NOT NULL)""",
    "CREATE INDEX aliases_by_name ON aliases (name)",
    "CREATE INDEX aliases_by_skill ON aliases (skill)",
    """CREATE TABLE exposures (
        key TEXT NOT NULL, skill TEXT NOT NULL, run TEXT NOT NULL, scope TEXT NOT NULL, at TEXT NOT NULL,
        PRIMARY KEY (key, skill))""",
    "CREATE INDEX exposures_by_skill ON exposures (skill)",
    "CREATE INDEX exposures_by_run ON exposures (run)",
    """CREATE TABLE uses (
        key TEXT PRIMARY KEY, skill TEXT NOT NULL, run TEXT NOT NULL, outcome TEXT NOT NULL, verified INTEGER,
        at TEXT NOT NULL, body TEXT NOT NULL)""",
    "CREATE INDEX uses_by_run ON uses (run, skill, outcome, verified)",
    "CREATE INDEX uses_by_skill ON uses (skill)",
    """CREATE TABLE trials (
        skill TEXT NOT NULL, run TEXT NOT NULL, won INTEGER NOT NULL, PRIMARY KEY (skill, run))""",
    "CREATE INDEX trials_by_run ON trials (run)",
    """CREATE TABLE runs (
        key TEXT PRIMARY KEY, run TEXT NOT NULL, outcome TEXT NOT NULL, skill TEXT, at TEXT NOT NULL,
        body TEXT NOT NULL)""",
    "CREATE INDEX runs_by_run ON runs (run)",
    "CREATE INDEX runs_by_time ON runs (at)",
    "CREATE INDEX runs_by_outcome ON runs (outcome, at)",
    "CREATE INDEX runs_by_skill ON runs (skill)",
    "CREATE TABLE workflows (id TEXT PRIMARY KEY, outcome TEXT NOT NULL, at TEXT NOT NULL, body TEXT NOT NULL)",
    "CREATE INDEX workflows_by_time ON workflows (at)",
    "CREATE TABLE tags (tag TEXT NOT NULL, owner TEXT NOT NULL, PRIMARY KEY (tag, owner))",
    "CREATE INDEX tags_by_owner ON tags (owner)",
    "CREATE TABLE owners (id INTEGER PRIMARY KEY, owner TEXT NOT NULL UNIQUE)",
    "CREATE VIRTUAL TABLE words USING fts5 (owner UNINDEXED, name, text, tokenize = 'porter unicode61')",
    """CREATE TABLE vectors (
        owner TEXT NOT NULL, fingerprint TEXT NOT NULL, vector BLOB NOT NULL, PRIMARY KEY (owner, fingerprint))""",
    "CREATE INDEX vectors_by_fingerprint ON vectors (fingerprint)",
    "CREATE TABLE changes (seq INTEGER PRIMARY KEY AUTOINCREMENT, owner TEXT NOT NULL, op TEXT NOT NULL)",
    "CREATE INDEX changes_by_owner ON changes (owner, op)",
    "CREATE TABLE cursors (name TEXT PRIMARY KEY, seq INTEGER NOT NULL)",
)

_EFFORTS = (
    """CREATE TABLE efforts (
        key TEXT PRIMARY KEY, run TEXT NOT NULL, graph TEXT NOT NULL, family TEXT NOT NULL, request TEXT NOT NULL,
        arm TEXT NOT NULL, way TEXT NOT NULL, solved INTEGER, seconds REAL, calls INTEGER, at TEXT NOT NULL)""",
    "CREATE INDEX efforts_by_run ON efforts (run)",
    "CREATE INDEX efforts_by_request ON efforts (graph, request) WHERE arm != ''",
)

MIGRATIONS: tuple[tuple[str, ...], ...] = (_FIRST, _EFFORTS)
"""Never change one that was released: add another behind it."""
