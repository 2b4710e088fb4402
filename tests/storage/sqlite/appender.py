"""Append to three rooms for ever and print what is acknowledged; run to be killed.

``python -m tests.storage.sqlite.appender FOLDER START`` numbers its messages from START.
"""

import asyncio
import sys
from itertools import count
from pathlib import Path

from parley.storage.models import ClientId, RoomId, Stored
from parley.storage.sqlite.database import Database
from tests.storage.drafts import ANN, EPOCH, a_room, founding, said
from tests.storage.stores import Store, sqlite_store

ROOMS = [RoomId(digit * 24) for digit in "abc"]


async def append_for_ever(store: Store, room_id: RoomId, start: int) -> None:
    """Append three messages at a time, printing room, number and position of each."""
    snapshot = await store.rooms.create(a_room(room_id), founding(ANN))
    head = snapshot.head
    for number in count(start, 3):
        texts = [str(n) for n in range(number, number + 3)]
        drafts = [said(ANN, text, client_id=ClientId(f"number-{text}")) for text in texts]
        outcomes = await store.messages.append(room_id, epoch=EPOCH, after=head, drafts=drafts)
        for text, outcome in zip(texts, outcomes, strict=True):
            if isinstance(outcome, Stored):
                head = outcome.message.rev
            rev = outcome.message.rev if isinstance(outcome, Stored) else outcome.rev
            # Whole lines in one write: a kill must not leave half of one.
            sys.stdout.write(f"{room_id} {text} {rev}\n")
        sys.stdout.flush()


async def main(folder: str, start: str) -> None:
    """Append to all rooms at once."""
    async with Database.open(Path(folder)) as database:
        store = sqlite_store(database)
        await asyncio.gather(*[append_for_ever(store, room_id, int(start)) for room_id in ROOMS])


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
