"""Rooms, roles and readers against a model: after every request each user sees what she may.

`model` and `model_requests` say once more, from the document, what requests do and what users
see. Everything the product shows is compared with them: lists, views, history in pages, syncs
from several cursors, and what an open page has folded together from the events it was sent.

More histories: PARLEY_TEST_HISTORIES=1000. The same again: PARLEY_TEST_SEED=…, as was printed.
"""

import asyncio
import json
import os
import secrets
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, note, seed, settings
from hypothesis import strategies as st

from tests.namespaces.chat.asking import KINDS, Asking
from tests.namespaces.chat.model import Wire
from tests.namespaces.chat.model_requests import Model, Refused
from tests.namespaces.chat.sights import Sights
from tests.namespaces.chat.stage import Stage, staged
from tests.namespaces.chat.world import Rule

pytestmark = [pytest.mark.node, pytest.mark.timeout(3_000)]

NAMES = ("ann", "bob", "cid", "dot")
HISTORIES = int(os.environ.get("PARLEY_TEST_HISTORIES", "20"))
SEED = int(os.environ.get("PARLEY_TEST_SEED", str(secrets.randbelow(2**32))))

Step = tuple[int, int, int, int]


@pytest.fixture(scope="module")
def rule() -> Iterator[Rule]:
    process = Rule()
    yield process
    process.close()


class Play:
    """One history of requests, on the stage and in the model."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._model = Model(lambda: stage.now)
        self._asking = Asking(self._model, NAMES)
        self._sights = Sights(stage, self._model)

    async def step(self, step: Step) -> None:
        """Do one thing, then look at everything."""
        kind, who, a, b = KINDS[step[0] % len(KINDS)], *step[1:]
        self._stage.now += 1_000
        before, touched = self._sights.before(), set[str]()
        if kind == "wait":
            self._stage.now += 60_000
        elif kind == "reconnect":
            await self._reconnect(NAMES[who % len(NAMES)], anew=a % 2 == 0)
        else:
            touched = await self._ask(*self._asking.request(kind, who, a, b), by_page=bool(b & 64))
        self._sights.check_sent(before)
        await self._sights.look(touched)

    async def _reconnect(self, user: str, *, anew: bool) -> None:
        note(f"{user} reconnects{' anew' if anew else ''}")
        if anew:
            self._sights.forgets(user)
        await self._stage.reconnect(user, anew=anew)

    async def finish(self) -> None:
        """Let everybody look at everything."""
        await self._sights.look(self._model.rooms)

    async def _ask(self, user: str, ask: Wire, *, by_page: bool) -> set[str]:
        """Ask both the stage and the model; return the rooms that have to do with it."""
        note(f"{user}: {json.dumps(ask)}")
        event = ask["event"]
        payload = {name: value for name, value in ask.items() if name != "event"}
        watches = event in ("watch", "unwatch")
        ack = await self._stage.ask(user, event, payload, by_page=by_page or watches)
        data = ack.get("data", {})
        codes = {""}
        made = data.get("room", {}).get("id", "")
        try:
            self._model.act(user, ask, room_id=made, id=data.get("id", ""))
        except Refused as refused:
            codes = refused.codes
        told = ack["error"]["code"] if not ack["ok"] else ""
        assert told in codes, f"{user}: {ask} answered {ack}, expected {codes}"
        if ack["ok"]:
            self._check_ack(user, ask, data)
            if watches:
                self._sights.watches(user, ask["room_id"], on=event == "watch")
        return {ask.get("room_id") or made or data.get("room_id", "")}

    def _check_ack(self, user: str, ask: Wire, data: Wire) -> None:
        event = ask["event"]
        room = self._model.rooms.get(data.get("room", {}).get("id", ask.get("room_id", "")))
        if room is None or not room.knows(user):
            return  # what she may learn nonetheless is looked at in what she is sent
        if event in ("create_room", "join_room", "watch", "update_room"):
            self._sights.check_view(data, room, user, members=True)
        elif event in ("invite", "approve", "ban", "mute", "set_role"):
            assert data.get("membership") == room.membership(ask["user_id"], self._stage.now)
        elif event == "read":
            assert data == {"read_seq": room.people[user].read, "unread": room.unread(user)[0]}


@seed(SEED)
@settings(
    max_examples=HISTORIES,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(steps=st.lists(st.tuples(*[st.integers(0, 2**12)] * 4), min_size=15, max_size=60))
def test_everybody_sees_what_she_may(rule: Rule, steps: Sequence[Step]) -> None:
    note(f"PARLEY_TEST_SEED={SEED}")

    async def history() -> None:
        with tempfile.TemporaryDirectory() as folder:
            async with staged(rule, Path(folder), NAMES) as stage:
                play = Play(stage)
                for step in steps:
                    await play.step(step)
                await play.finish()

    asyncio.run(history())
