"""Records of inboxes to documents and back; see `documents` for how contents are kept.

A ``create`` row is also the notification and holds its present state. Two marks say what lists
and counts ask for, and are absent otherwise, so that an index has nothing else: ``kept`` until it
ends, ``unread`` until it is read or ends.
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import orjson

from parley.storage.ids import new_id
from parley.storage.models import Timestamp
from parley.storage.mongo.documents import CREATE, Document
from parley.storage.notifications import (
    Audience,
    Ending,
    Notification,
    NotificationDraft,
    Publication,
    PushTerms,
)

READ = "read"  # the kind of a row that makes a notification read
EDIT = "edit"  # that of one since which it says something else
ENDINGS = sorted(ending.value for ending in Ending)


def row_of_draft(draft: NotificationDraft, rev: int, push: PushTerms | None) -> Document:
    """Return the row that adds a notification at ``rev``, with the push that waits for it."""
    document: Document = {
        "_id": draft.id,
        "user_id": draft.user_id,
        "rev": rev,
        "kind": CREATE,
        "client_id": draft.client_id,
        "created_at": draft.created_at,
        "state_rev": rev,
        "content": orjson.dumps(draft.content),
        "kept": True,
        "unread": True,
    }
    if draft.collapse_key is not None:
        document["collapse_key"] = draft.collapse_key
    if draft.expires_at is not None:
        document["expires_at"] = draft.expires_at
    if push is not None:
        document["push"] = {"due_at": push.due_at, "free_at": push.due_at, "tries": 0}
    return document


def row_of_change(notification: Document, rev: int, kind: str, at: Timestamp) -> Document:
    """Return the row that changes a notification at ``rev``."""
    return {
        "_id": new_id(),
        "user_id": notification["user_id"],
        "rev": rev,
        "kind": kind,
        "notification_id": notification["_id"],
        "created_at": at,
    }


def state_after(rev: int, kind: str, says: bytes | None) -> Mapping[str, Document]:
    """Return the update of a notification that a row of ``kind`` at ``rev`` changes."""
    if kind == EDIT:
        return {"$set": {"state_rev": rev, "content": says}}
    if kind == READ:
        return {"$set": {"state_rev": rev, "read": True}, "$unset": {"unread": ""}}
    gone = dict.fromkeys(("content", "kept", "unread", "collapse_key"), "")
    return {"$set": {"state_rev": rev}, "$unset": gone}


def notification_from(document: Mapping[str, Any]) -> Notification:
    """Return the notification of a ``create`` row."""
    content = document.get("content")
    return Notification(
        id=document["_id"],
        user_id=document["user_id"],
        seq=document["rev"],
        rev=document["state_rev"],
        content={} if content is None else orjson.loads(content),
        created_at=document["created_at"],
        expires_at=document.get("expires_at"),
        read=document.get("read", False),
        deleted="kept" not in document,
    )


def document_of_publication(publication: Publication) -> Document:
    """Return what is kept of a publication."""
    fields = asdict(publication) | {"content": orjson.dumps(publication.content)}
    return {"_id": fields.pop("id"), **fields, "unfinished": not publication.finished}


def publication_from(document: Mapping[str, Any]) -> Publication:
    """Return a publication."""
    audience = document["audience"]
    return Publication(
        id=document["_id"],
        publisher=document["publisher"],
        client_id=document["client_id"],
        digest=document["digest"],
        audience=Audience(
            user_ids=tuple(audience["user_ids"]),
            room_id=audience["room_id"],
            everyone=audience["everyone"],
        ),
        content=orjson.loads(document["content"]),
        created_at=document["created_at"],
        dedupe_key=document["dedupe_key"],
        collapse_key=document["collapse_key"],
        expires_at=document["expires_at"],
        total=document["total"],
        done=document["done"],
        stored=document["stored"],
        after=document["after"],
        finished=document["finished"],
    )
