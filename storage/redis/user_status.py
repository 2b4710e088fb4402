"""How each user is, in Redis: one key of hers, changed by one script."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from parley.storage.models import Timestamp, UserId
from parley.storage.presence import Device, Status
from parley.storage.redis.database import RedisDatabase
from parley.storage.redis.scripts import Call, Script, answers, pipeline_of

_SCRIPT = Script("user_status.lua")


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A user with a device."""

    devices: tuple[Device, ...]
    invisible: bool
    changed_at: Timestamp
    version: int  # of the last change


@dataclass(slots=True, kw_only=True)
class Changes:
    """What came of it, for all users of a call."""

    changed: set[UserId] = field(default_factory=set[UserId])
    left: set[UserId] = field(default_factory=set[UserId])  # who was shown, and is no more
    # Of every user: her version, and whether she is shown.
    states: list[tuple[UserId, str, int]] = field(default_factory=list[tuple[UserId, str, int]])
    ended: list[tuple[str, UserId, str]] = field(default_factory=list[tuple[str, UserId, str]])


class UserStatus:
    """The keys ``user_status:{user_id}``; each call is about many of them, in one go."""

    def __init__(self, database: RedisDatabase, now: Callable[[], int] | None) -> None:
        self._database = database
        self._now = now

    async def read(self, user_ids: Collection[UserId]) -> Mapping[UserId, Record]:
        """Return those who have a device."""
        pipeline = pipeline_of(self._database)
        for user_id in user_ids:
            pipeline.get(key(user_id))
        pairs = zip(user_ids, await answers(pipeline), strict=True)
        return {user_id: _from_json(user_id, text) for user_id, text in pairs if text is not None}

    async def change(
        self, verb: str, shown: int, said: Mapping[UserId, Mapping[str, Any]]
    ) -> Changes:
        """Do what ``said`` of each user says, as the script understands it.

        Args:
            shown: The newest version that was shown.
        """
        changes = Changes()
        for user_id, answer in (await self._run(verb, shown, said)).items():
            changed, left, is_shown, version, *ended = answer
            if changed:
                changes.changed.add(user_id)
            if left:
                changes.left.add(user_id)
            changes.states.append((user_id, version.decode(), is_shown))
            changes.ended += [(lease.decode(), user_id, id.decode()) for lease, id in ended]
        return changes

    async def leave(self, grace_us: int, said: Mapping[UserId, Sequence[str]]) -> list[str]:
        """Let devices leave; return them, each with its deadline."""
        asked = {user_id: {"grace": grace_us, "ids": ids} for user_id, ids in said.items()}
        return [
            text
            for user_id, answer in (await self._run("leave", 0, asked)).items()
            for id, due in zip(answer[::2], answer[1::2], strict=True)
            for text in (f"{user_id} {id.decode()}", due.decode())
        ]

    async def _run(
        self, verb: str, shown: int, said: Mapping[UserId, Mapping[str, Any]]
    ) -> Mapping[UserId, list[Any]]:
        now = "" if self._now is None else str(self._now())
        calls: list[Call] = [
            ([key(user_id)], [verb, now, str(shown), orjson.dumps(each)])
            for user_id, each in said.items()
        ]
        return dict(zip(said, await _SCRIPT.run_each(self._database, calls), strict=True))


def key(user_id: UserId) -> str:
    """Return where it is kept how a user is."""
    return f"user_status:{user_id}"


def to_json(device: Device, lease: str) -> dict[str, Any]:
    """Return a device as the script takes it."""
    fields = {
        "id": device.id,
        "lease": lease,
        "since": device.since,
        "status": device.status,
        "name": device.name,
        "location": device.location,
    }
    return {name: value for name, value in fields.items() if value is not None}


def _from_json(user_id: UserId, text: bytes) -> Record:
    record = orjson.loads(text)
    return Record(
        devices=tuple(_device(user_id, each) for each in record["devices"]),
        invisible=record["invisible"],
        changed_at=Timestamp(int(record["changed_at"])),
        version=int(record["version"]),
    )


def _device(user_id: UserId, fields: Mapping[str, Any]) -> Device:
    status = fields.get("status")
    return Device(
        id=fields["id"],
        user_id=user_id,
        server_id=fields["lease"].rpartition(":")[0],
        since=Timestamp(int(fields["since"])),
        status=None if status is None else Status(status),
        name=fields.get("name"),
        location=fields.get("location"),
    )
