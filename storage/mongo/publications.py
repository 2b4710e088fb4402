"""Publications and checkpoints in MongoDB.

A fan-out is some node's at a time: of the one that began it or took it over, until it has been
silent for `HELD_MS`. Should two be at it all the same, no inbox has anything twice, and the one
that is farther is believed.
"""

import time
from collections.abc import Sequence

from parley.storage.errors import OutcomeUnknown
from parley.storage.models import Timestamp
from parley.storage.mongo.database import Document, MongoDatabase
from parley.storage.mongo.errors import translated_reads, translated_write
from parley.storage.mongo.inbox_documents import document_of_publication, publication_from
from parley.storage.mongo.inserting import insert
from parley.storage.notifications import Publication, PublicationId

HELD_MS = 60_000  # after a sign of life; much longer than a page of a fan-out takes
DAY_MS = 24 * 3_600_000
SILENT_MS = 8 * DAY_MS  # who has not kept a checkpoint for so long is gone for good


class MongoPublications:
    """See `PublicationRepository`."""

    def __init__(self, database: MongoDatabase) -> None:
        """Keep publications in ``database``."""
        self._database = database
        self._publications = database.publications
        self._others: dict[str, Sequence[Document]] = {}  # checkpoints as they were read, by name

    async def begin(self, publication: Publication) -> Publication:
        """See `PublicationRepository`."""
        return await self._database.write(self._begin(publication))

    async def _begin(self, publication: Publication) -> Publication:
        row = document_of_publication(publication) | self._hold()
        if not await insert(self._publications, [row], ordered=True):
            return publication
        asked = {"publisher": publication.publisher, "client_id": publication.client_id}
        with translated_reads():
            kept = await self._publications.find_one(asked)
        if kept is None:
            # The index has it, a majority does not yet: an answer now might be taken back.
            raise OutcomeUnknown("a publication that was begun before is unsettled")
        return publication_from(kept)

    def _hold(self) -> Document:
        return {"holder": self._database.holder, "held_until": _now() + HELD_MS}

    async def get(self, publication_id: PublicationId) -> Publication | None:
        """See `PublicationRepository`."""

        async def query() -> Publication | None:
            found = await self._publications.find_one({"_id": publication_id})
            return None if found is None else publication_from(found)

        return await self._database.read(query())

    async def advance(self, publication: Publication) -> None:
        """See `PublicationRepository`."""
        asked: Document = {"_id": publication.id, "unfinished": True}
        if publication.after is not None:
            asked["after"] = {"$not": {"$gt": publication.after}}
        progress = {
            "done": publication.done,
            "stored": publication.stored,
            "after": publication.after,
            "finished": publication.finished,
            "unfinished": not publication.finished,
        }
        await self._database.write(self._update(asked, progress | self._hold()))

    async def _update(self, asked: Document, fields: Document) -> None:
        with translated_write():
            await self._publications.update_many(asked, {"$set": fields})

    async def unfinished(self) -> Sequence[Publication]:
        """See `PublicationRepository`."""
        mine: Document = {"unfinished": True, "holder": self._database.holder}
        asked: Document = {"unfinished": True, "$or": [mine, {"held_until": {"$lte": _now()}}]}
        if not await self._found(asked):
            return []
        await self._database.write(self._update(asked, self._hold()))
        return await self._found(mine)

    async def _found(self, asked: Document) -> list[Publication]:
        async def query() -> list[Publication]:
            found = self._publications.find(asked).sort("_id", 1)
            return [publication_from(row) async for row in found]

        return await self._database.read(query())

    async def forget(self, *, before: Timestamp) -> int:
        """See `PublicationRepository`."""
        return await self._database.write(self._forget(before))

    async def _forget(self, before: Timestamp) -> int:
        with translated_write():
            asked = {"created_at": {"$lt": before}, "finished": True}
            return (await self._publications.delete_many(asked)).deleted_count

    async def checkpoint(self, name: str) -> str | None:
        """See `PublicationRepository`."""

        async def query() -> list[Document]:
            return await self._database.checkpoints.find({"name": name}).to_list()

        self._others[name] = found = await self._database.read(query())
        return min((kept["position"] for kept in found), default=None)

    async def keep_checkpoint(self, name: str, position: str) -> None:
        """See `PublicationRepository`."""
        await self._database.write(self._keep_checkpoint(name, position))

    async def _keep_checkpoint(self, name: str, position: str) -> None:
        checkpoints, mine = self._database.checkpoints, f"{name} {self._database.holder}"
        kept = {"_id": mine, "name": name, "position": position, "kept_at": _now()}
        with translated_write():
            await checkpoints.replace_one({"_id": mine}, kept, upsert=True)
            for other in self._others.get(name, ()):
                # As it was read: who has kept another one since has gone on by itself.
                asked = {"_id": other["_id"], "position": other["position"]}
                if other["_id"] != mine and other["kept_at"] < _now() - SILENT_MS:
                    await checkpoints.delete_one(asked)
                elif other["_id"] != mine and other["position"] < position:
                    await checkpoints.update_one(asked, {"$set": {"position": position}})
        self._others.pop(name, None)


def _now() -> int:
    return time.time_ns() // 1_000_000
