"""Where several nodes write into one room, the one that wrote last does it for all."""

import asyncio
from typing import Any

import pytest

from parley.namespaces.chat import lane, relay
from parley.namespaces.chat.relay import part_of
from parley.namespaces.chat.seams import Seams
from parley.storage.errors import OutcomeUnknown
from parley.storage.models import Message, RoomId, UserId
from parley.storage.sqlite.database import Database
from tests.clients import new_client_id
from tests.namespaces.chat.nodes import Nodes, a_room_of, do, enter, say, texts
from tests.namespaces.chat.test_lane import said
from tests.namespaces.chat.world import Question
from tests.until import until

ANN, BOB = UserId("ann"), UserId("bob")


class Contested:
    """A room into which both nodes write: ann by the one that has written last."""

    def __init__(self, nodes: Nodes, room_id: RoomId) -> None:
        self.nodes = nodes
        self.room_id = room_id
        self.writer, self.asker = nodes.one, nodes.two

    async def bob_says(self, text: str, **more: Any) -> "asyncio.Task[Any]":
        """Begin to say something; return when the other node was asked to write it."""
        saying = asyncio.create_task(say(self.asker, BOB, self.room_id, text, **more))
        await until(lambda: self.nodes.calls.on_the_way or saying.done())
        return saying

    def question(self) -> Question:
        """Take what is asked."""
        [question] = self.nodes.calls.on_the_way
        self.nodes.calls.on_the_way.clear()
        return question

    def heard(self) -> list[str]:
        """Return what ann was told since the last time."""
        return texts(self.writer, ANN)

    async def rows(self) -> list[Message]:
        """Return what was said in the room."""
        page = await self.writer.messages.changes(self.room_id, after=0)
        return [message for message in page.messages if message.type == "chat"]


@pytest.fixture
def noted() -> list[Message]:
    """Return what notifications are told of."""
    return []


@pytest.fixture
async def contested(database: Database, noted: list[Message]) -> Contested:
    nodes = Nodes(
        database, seams=Seams(notify=lambda room, members, message: noted.append(message))
    )
    room_id = await a_room_of(nodes, ANN, BOB)
    contested = Contested(nodes, room_id)
    for house, user in ((contested.writer, ANN), (contested.asker, BOB)):
        await enter(house, user, room_id)
    assert (await say(contested.writer, ANN, room_id, "first"))["ok"]
    await nodes.deliver()
    assert texts(contested.asker, BOB) == contested.heard() == ["first"]
    noted.clear()
    return contested


async def test_who_hears_another_node_write_has_it_written_there(
    contested: Contested, noted: list[Message]
) -> None:
    saying = await contested.bob_says("second")
    await contested.question().be_heard()
    await contested.nodes.deliver()
    ack = await saying
    [*_, row] = await contested.rows()
    assert (ack["data"]["id"], ack["data"]["seq"]) == (row.id, row.seq)
    assert "duplicate" not in ack["data"]
    assert texts(contested.asker, BOB) == contested.heard() == ["second"]
    assert noted == [row]  # by the node that has written it


async def test_who_was_too_late_asks_at_once(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who has written knows the head before all others: by itself it would be too late again."""
    contested = Contested(nodes := Nodes(database), await a_room_of(nodes, ANN, BOB))
    for house, user in ((contested.writer, ANN), (contested.asker, BOB)):
        await enter(house, user, contested.room_id)
    assert (await say(contested.writer, ANN, contested.room_id, "first"))["ok"]
    appending = contested.asker.messages.append

    async def append(*args: Any, **more: Any) -> Any:
        try:
            return await appending(*args, **more)
        finally:
            await nodes.deliver()

    monkeypatch.setattr(contested.asker.messages, "append", append)
    saying = await contested.bob_says("second")
    await contested.question().be_heard()
    assert (await saying)["ok"]


async def test_an_answer_that_is_faster_than_the_row_is_enough(contested: Contested) -> None:
    saying = await contested.bob_says("second")
    await contested.question().be_heard()
    assert (await saying)["ok"]
    assert texts(contested.asker, BOB) == ["second"]


async def test_a_row_is_enough_without_an_answer(contested: Contested) -> None:
    saying = await contested.bob_says("second")
    question = contested.question()
    await question.do()
    await contested.nodes.deliver()
    question.give_up()
    assert (await saying)["ok"]
    assert [row.content["text"] for row in await contested.rows()] == ["first", "second"]


async def test_what_is_not_heard_is_written_by_who_asked(contested: Contested) -> None:
    """And that node is not asked again for a while."""
    saying = await contested.bob_says("second")
    contested.question().give_up()
    assert (await saying)["ok"]
    assert (await say(contested.asker, BOB, contested.room_id, "third"))["ok"]
    await contested.nodes.deliver()
    assert contested.heard() == ["second", "third"]


async def test_what_is_heard_late_is_not_written_twice(contested: Contested) -> None:
    saying = await contested.bob_says("second")
    question = contested.question()
    question.give_up()
    assert (await saying)["ok"]
    await question.be_heard()
    await contested.nodes.deliver()
    assert contested.heard() == ["second"]
    assert [row.content["text"] for row in await contested.rows()] == ["first", "second"]


async def test_who_was_sent_away_meanwhile_is_told_so(contested: Contested) -> None:
    assert (await do(contested.writer, ANN, "kick", contested.room_id, user_id=BOB))["ok"]
    contested.nodes.lose()
    saying = await contested.bob_says("second")
    await contested.question().be_heard()
    assert (await saying)["error"]["code"] == "forbidden"
    assert len(await contested.rows()) == 1


async def test_what_was_refused_is_not_stored_later(contested: Contested) -> None:
    """By a node that stood still, and goes on when its sender may speak again."""
    saying = await contested.bob_says("second")
    question = contested.question()
    muting = {"user_id": BOB, "muted_for_ms": 60_000}
    assert (await do(contested.writer, ANN, "mute", contested.room_id, **muting))["ok"]
    await contested.nodes.deliver()
    question.give_up()
    assert (await saying)["error"]["code"] == "muted"
    for house in (contested.writer, contested.asker):
        house.clock += 3_600_000
    await question.be_heard()
    assert [row.content["text"] for row in await contested.rows()] == ["first"]


async def test_what_was_said_after_a_message_that_was_not_stored_waits_for_it(
    contested: Contested,
) -> None:
    """The room takes no images for a moment, at the one node; then the other one writes both."""
    zero = await contested.bob_says("zero")
    question = contested.question()
    image = {"message_type": "image", "image": "https://tea.example/pot.png"}
    one = asyncio.create_task(do(contested.asker, BOB, "chat", contested.room_id, content=image))
    two = asyncio.create_task(say(contested.asker, BOB, contested.room_id, "two"))
    await question.be_heard()
    assert (await zero)["ok"]
    await until(lambda: contested.nodes.calls.on_the_way)
    question = contested.question()
    for allowed in (["text"], ["text", "image"]):
        changes = {"settings": {"allowed_types": allowed}}
        changed = await do(contested.writer, ANN, "update_room", contested.room_id, changes=changes)
        assert changed["ok"]
        if allowed == ["text"]:
            assert await question.do() == 0
    await contested.nodes.deliver()
    question.answered.set_result(0)
    assert (await one)["data"]["seq"] < (await two)["data"]["seq"]


async def test_somebody_is_notified_of_what_nobody_is_sure_to_have_stored(
    contested: Contested, noted: list[Message], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who was asked is cut off from storage, and has stored it; who asked reads it there."""
    monkeypatch.setattr(lane, "DEADLINE_S", 0.0)
    saying = await contested.bob_says("second")
    question = contested.question()
    messages = contested.writer.messages
    appending = messages.append

    async def append(*args: Any, **more: Any) -> Any:
        await appending(*args, **more)
        raise OutcomeUnknown

    monkeypatch.setattr(messages, "append", append)
    assert await question.do() == 0
    await contested.asker.chat.feeds.audit()
    question.give_up()
    assert (await saying)["ok"]
    assert [message.content["text"] for message in noted] == ["second"]


async def test_of_two_that_ask_one_another_one_writes(contested: Contested) -> None:
    saying = await contested.bob_says("second")
    question = contested.question()
    writer = contested.writer.chat.feeds.following(contested.room_id)
    assert writer is not None
    writer.lane.is_asking = True  # as its feed has it that the other one writes
    assert await question.do() == 0
    question.answered.set_result(0)
    assert (await saying)["ok"]


async def test_a_retry_gets_its_first_answer(contested: Contested) -> None:
    client_id = new_client_id()
    first = await say(contested.writer, BOB, contested.room_id, "second", client_id=client_id)
    await contested.nodes.deliver()
    saying = await contested.bob_says("second", client_id=client_id)
    await contested.question().be_heard()
    ack = await saying
    assert (ack["data"]["seq"], ack["data"]["duplicate"]) == (first["data"]["seq"], True)


async def test_a_node_where_nobody_hears_the_room_writes_nothing(contested: Contested) -> None:
    await contested.writer.chat.namespace.trigger_event("disconnect", ANN, "transport close")
    contested.writer.wire.shut(ANN)
    saying = await contested.bob_says("second")
    question = contested.question()
    assert await question.do() == 0
    question.answered.set_result(0)
    assert (await saying)["ok"]
    assert [row.content["text"] for row in await contested.rows()][-1] == "second"
    # It is not asked for the next one.
    assert (await say(contested.asker, BOB, contested.room_id, "third"))["ok"]


async def test_who_wrote_last_asks_nobody(contested: Contested) -> None:
    for text in ("second", "third"):
        assert (await say(contested.writer, ANN, contested.room_id, text))["ok"]
    assert not contested.nodes.calls.on_the_way


async def test_a_while_after_another_node_wrote_it_is_not_asked(
    contested: Contested, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "HEARD_S", 0.0)
    assert (await say(contested.asker, BOB, contested.room_id, "second"))["ok"]
    assert not contested.nodes.calls.on_the_way


async def test_who_is_asked_does_not_ask_on(contested: Contested) -> None:
    """Though it has heard that the asker wrote meanwhile: both would wait for one another."""
    saying = await contested.bob_says("second")
    second = contested.question()
    second.give_up()
    assert (await saying)["ok"]
    await contested.nodes.deliver()  # the asker has written the newest row
    await second.be_heard()
    assert not contested.nodes.calls.on_the_way
    assert (await say(contested.writer, ANN, contested.room_id, "third"))["ok"]
    assert contested.heard() == ["second", "third"]


def test_only_what_is_said_and_fits_is_asked_for() -> None:
    short, long = said("s" * 8), said("x" * relay.MOST_BYTES)
    assert part_of([short, short, long, short]) == [short, short]
    assert part_of([long]) == []
