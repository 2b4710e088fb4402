"""The tables, and how a file of an older version becomes one of today.

Migrations only go forward: entry ``n`` takes a file from ``user_version`` n to n + 1. An entry
that was released is never edited; a change is a new entry.
"""

import sqlite3

from parley.storage.errors import StorageError
from parley.storage.naming import name_key

_LOG = """
CREATE TABLE rooms (
    room_id     TEXT NOT NULL PRIMARY KEY,
    name        TEXT NOT NULL,
    type        TEXT NOT NULL,
    description TEXT,
    owner       TEXT,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    epoch       TEXT NOT NULL,
    log_floor   INTEGER NOT NULL,
    settings    BLOB NOT NULL
) WITHOUT ROWID;

-- Folded from the control rows of the log; only read_seq has no row.
CREATE TABLE members (
    room_id          TEXT NOT NULL,
    user_id          TEXT NOT NULL,
    role             TEXT NOT NULL,
    state            TEXT NOT NULL,
    visible_from_seq INTEGER NOT NULL,
    joined_rev       INTEGER NOT NULL,
    joined_at        INTEGER NOT NULL,
    read_seq         INTEGER NOT NULL,
    PRIMARY KEY (room_id, user_id)
) WITHOUT ROWID;
CREATE INDEX members_by_user ON members (user_id);

-- Raised with every change of a user's memberships: one row to look at instead of all of them.
CREATE TABLE membership_revisions (
    user_id  TEXT NOT NULL PRIMARY KEY,
    revision INTEGER NOT NULL
) WITHOUT ROWID;

-- One row per position. A `create` row is also its message and holds the present state, so that
-- a new message costs one write; `state_rev` is the position of its newest row. `seq` is where
-- the message was created, in every row about it.
CREATE TABLE log (
    room_id    TEXT NOT NULL,
    rev        INTEGER NOT NULL,
    seq        INTEGER NOT NULL,
    kind       TEXT NOT NULL,
    message_id TEXT NOT NULL,
    sender     TEXT NOT NULL,
    client_id  TEXT NOT NULL,
    digest     BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    delta      BLOB,                        -- edit: the new content; react: [emoji, on]
    -- of create rows only:
    type       TEXT,
    recipient  TEXT,
    state_rev  INTEGER,
    edited_at  INTEGER,
    deleted    INTEGER NOT NULL DEFAULT 0,
    content    BLOB,
    metadata   BLOB,
    reactions  BLOB,
    PRIMARY KEY (room_id, rev)
) WITHOUT ROWID;
CREATE UNIQUE INDEX log_by_client_id ON log (room_id, sender, client_id);
CREATE UNIQUE INDEX messages_by_id ON log (message_id) WHERE kind = 'create';
CREATE INDEX edits_by_message ON log (room_id, seq) WHERE kind = 'edit';

-- Who is mentioned where, never the author: unread mentions are one range of it.
CREATE TABLE mentions (
    room_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    seq     INTEGER NOT NULL,
    PRIMARY KEY (room_id, user_id, seq)
) WITHOUT ROWID;

CREATE TABLE users (
    user_id    TEXT NOT NULL PRIMARY KEY,
    name       TEXT,
    first_seen INTEGER NOT NULL
) WITHOUT ROWID;
"""

# `name_key` is a function of `naming`: SQLite folds the case of ASCII only.
_ROOMS_WHOLE = """
ALTER TABLE members ADD COLUMN muted_until INTEGER;
-- Those who are inside apart from those who wait, who may be as many as others like.
DROP INDEX members_by_user;
CREATE INDEX members_by_user ON members (user_id, state);

ALTER TABLE rooms ADD COLUMN rev INTEGER NOT NULL DEFAULT 0;
ALTER TABLE rooms ADD COLUMN deleted INTEGER NOT NULL DEFAULT 0;
-- What lists of rooms ask for, kept with each change: counting members anew would take as many
-- steps as there are members in all rooms of the list.
ALTER TABLE rooms ADD COLUMN name_key TEXT NOT NULL DEFAULT '';
ALTER TABLE rooms ADD COLUMN listed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE rooms ADD COLUMN member_count INTEGER NOT NULL DEFAULT 0;
UPDATE rooms SET
    name_key = name_key(name),
    listed = type = 'public'
        AND NOT coalesce(json_extract(CAST(settings AS TEXT), '$.is_private'), 0),
    member_count = (SELECT count(*) FROM members
        WHERE members.room_id = rooms.room_id AND state = 'member');
CREATE INDEX listed_rooms ON rooms (name_key, room_id) WHERE listed;
-- Deleted rooms whose rows are not gone yet; 2 says that they are.
CREATE INDEX rooms_to_sweep ON rooms (deleted) WHERE deleted = 1;

-- What somebody said in a room, newest last. The last two columns are there because SQLite, up to
-- 3.41, looks at the row itself to see what the condition says already.
CREATE INDEX spoken_by_author ON log (room_id, sender, message_id, type, deleted)
    WHERE type IN ('chat', 'group', 'private') AND NOT deleted;
"""

_PRESENCE = """
ALTER TABLE users ADD COLUMN last_seen INTEGER;
ALTER TABLE users ADD COLUMN invisible INTEGER NOT NULL DEFAULT 0;
"""

# An inbox is a log of its own kind: it has indexes that no message needs, and a message is on
# nobody's way to be read, to expire or to collapse. `seq` is where the notification was created,
# in every row about it; a `create` row is also the notification and holds its present state.
_INBOX = """
CREATE TABLE inbox (
    user_id         TEXT NOT NULL,
    rev             INTEGER NOT NULL,
    seq             INTEGER NOT NULL,
    kind            TEXT NOT NULL,
    notification_id TEXT NOT NULL,
    created_at      INTEGER NOT NULL,
    -- of create rows only:
    client_id       TEXT,
    state_rev       INTEGER,
    read            INTEGER NOT NULL DEFAULT 0,
    deleted         INTEGER NOT NULL DEFAULT 0,
    content         BLOB,
    collapse_key    TEXT,
    expires_at      INTEGER,
    PRIMARY KEY (user_id, rev)
) WITHOUT ROWID;
-- By client_id first, to find all notifications about one message.
CREATE UNIQUE INDEX inbox_by_client_id ON inbox (client_id, user_id) WHERE client_id IS NOT NULL;
CREATE UNIQUE INDEX inbox_by_id ON inbox (user_id, notification_id) WHERE kind = 'create';
CREATE INDEX inbox_kept ON inbox (user_id, rev) WHERE kind = 'create' AND NOT deleted;
CREATE INDEX inbox_unread ON inbox (user_id, rev)
    WHERE kind = 'create' AND NOT deleted AND NOT read;
CREATE UNIQUE INDEX inbox_by_collapse_key ON inbox (user_id, collapse_key)
    WHERE collapse_key IS NOT NULL AND NOT deleted;
CREATE INDEX inbox_expiring ON inbox (expires_at) WHERE expires_at IS NOT NULL AND NOT deleted;
CREATE INDEX inbox_by_age ON inbox (created_at) WHERE kind = 'create' AND NOT deleted;
-- What is to be removed for good, and the rows that go with it.
CREATE INDEX inbox_endings ON inbox (created_at) WHERE kind IN ('delete', 'expire', 'collapse');
CREATE INDEX inbox_changes ON inbox (user_id, seq) WHERE kind <> 'create';

-- One epoch for all inboxes: they are started anew together or not at all.
CREATE TABLE inbox_epoch (epoch TEXT NOT NULL);
INSERT INTO inbox_epoch VALUES (lower(hex(randomblob(4))));

CREATE TABLE muted_rooms (
    user_id TEXT NOT NULL,
    room_id TEXT NOT NULL,
    PRIMARY KEY (user_id, room_id)
) WITHOUT ROWID;

CREATE TABLE publications (
    publication_id TEXT NOT NULL PRIMARY KEY,
    publisher      TEXT NOT NULL,
    client_id      TEXT NOT NULL,
    digest         BLOB NOT NULL,
    audience       BLOB NOT NULL,
    content        BLOB NOT NULL,
    created_at     INTEGER NOT NULL,
    dedupe_key     TEXT,
    collapse_key   TEXT,
    expires_at     INTEGER,
    total          INTEGER NOT NULL,
    done           INTEGER NOT NULL,
    stored         INTEGER NOT NULL,
    after          TEXT,
    finished       INTEGER NOT NULL
) WITHOUT ROWID;
CREATE UNIQUE INDEX publications_by_client_id ON publications (publisher, client_id);
CREATE INDEX publications_unfinished ON publications (publication_id) WHERE NOT finished;
CREATE INDEX publications_by_age ON publications (created_at);

-- How far work that goes through a log has come, by the name of the work.
CREATE TABLE checkpoints (
    name     TEXT NOT NULL PRIMARY KEY,
    position TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE pushes (
    notification_id TEXT NOT NULL PRIMARY KEY,
    user_id         TEXT NOT NULL,
    seq             INTEGER NOT NULL,
    due_at          INTEGER NOT NULL,
    tries           INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX pushes_by_due_at ON pushes (due_at);
-- How many there are: asked with every notification, and counting takes as long as they are many.
CREATE TABLE push_count (pushes INTEGER NOT NULL);
INSERT INTO push_count VALUES (0);
CREATE TRIGGER push_came AFTER INSERT ON pushes
    BEGIN UPDATE push_count SET pushes = pushes + 1; END;
CREATE TRIGGER push_went AFTER DELETE ON pushes
    BEGIN UPDATE push_count SET pushes = pushes - 1; END;
"""

_STORE = """
-- Which store this is, wherever the file is moved; see `NodeRegistry`.
CREATE TABLE store (id TEXT NOT NULL) STRICT;
INSERT INTO store (id) VALUES (lower(hex(randomblob(8))));
"""

# Edits and deletions of all rooms, by time.
_REVISED = """
CREATE INDEX revised_messages ON log (created_at, message_id) WHERE kind IN ('edit', 'delete');
"""

MIGRATIONS: tuple[str, ...] = (_LOG, _ROOMS_WHOLE, _PRESENCE, _INBOX, _STORE, _REVISED)


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the file to the newest version, each step whole or not at all.

    Raises:
        StorageError: The file was written by a newer release.
    """
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > len(MIGRATIONS):
        raise StorageError(
            f"the data file is of version {version}, this release knows {len(MIGRATIONS)}: "
            "it was written by a newer release of Parley; start that one"
        )
    connection.create_function("name_key", 1, name_key, deterministic=True)
    for number, script in enumerate(MIGRATIONS[version:], version + 1):
        connection.executescript(
            f"BEGIN IMMEDIATE; {script} PRAGMA user_version = {number}; COMMIT;"
        )
