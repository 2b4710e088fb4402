"""The checker finds what it is there to find."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.faults.history import Record

History = list[dict[str, Any]]


def _run() -> tuple[Record, History]:
    """Return a record of two senders and the history that belongs to it."""
    record = Record()
    history: History = [{"type": "join_room", "id": "m1", "seq": 1, "from": "ann"}]
    for number, sender in enumerate(["ann", "bob", "ann", "bob"], 2):
        send = record.send(sender, f"text {number}", f"c{number}")
        send.tries = 1
        place = {"id": f"m{number}", "seq": number, "timestamp": f"t{number}"}
        send.acks.append({**place, "rev": number})
        said = {"from": sender, "client_id": send.client_id, "content": {"text": send.text}}
        history.append({"type": "chat", **place, **said})
    record.head("reader", 4)
    record.head("reader", 5)
    record.saw("reader", history[1:])
    return record, history


def test_what_went_well_passes() -> None:
    record, history = _run()
    record.check(history)
    record.sends[1].acks.clear()  # nobody knows, and it is stored
    record.sends[2].tries = 2
    record.sends[2].acks.append({**record.sends[2].acks[0], "duplicate": True})
    record.check(history)


def _lose_the_last(record: Record, history: History) -> None:
    history.pop()


def _lose_one(record: Record, history: History) -> None:
    del history[2]


def _store_twice(record: Record, history: History) -> None:
    history.append({**history[2], "seq": 6, "id": "m6"})


def _store_at_another_place(record: Record, history: History) -> None:
    history[1], history[2] = {**history[2], "seq": 2}, {**history[1], "seq": 3}


def _store_other_words(record: Record, history: History) -> None:
    history[2] = {**history[2], "content": {"text": "something else"}}


def _store_what_nobody_said(record: Record, history: History) -> None:
    history.append({**history[2], "seq": 6, "id": "m6", "client_id": "c6"})


def _refuse_what_is_stored(record: Record, history: History) -> None:
    record.sends[0].acks.clear()
    record.sends[0].refused = True


def _reorder_a_sender(record: Record, history: History) -> None:
    record.sends[0].number, record.sends[2].number = 2, 0


def _say_first_twice(record: Record, history: History) -> None:
    record.sends[0].tries = 2
    record.sends[0].acks *= 2


def _say_duplicate_of_nothing(record: Record, history: History) -> None:
    record.sends[0].acks = [{**record.sends[0].acks[0], "duplicate": True}]


def _show_in_another_order(record: Record, history: History) -> None:
    record.saw("other", [history[2], history[1]])


def _show_with_a_gap(record: Record, history: History) -> None:
    record.saw("other", [history[1], history[3]])


def _show_twice(record: Record, history: History) -> None:
    record.saw("other", [history[1], history[1]])


def _show_what_is_not_stored(record: Record, history: History) -> None:
    record.saw("other", [{**history[1], "id": "m9"}])


def _go_back(record: Record, history: History) -> None:
    record.head("reader", 3)


@pytest.mark.parametrize(
    "fault",
    [
        _lose_the_last,
        _lose_one,
        _store_twice,
        _store_at_another_place,
        _store_other_words,
        _store_what_nobody_said,
        _refuse_what_is_stored,
        _reorder_a_sender,
        _say_first_twice,
        _say_duplicate_of_nothing,
        _show_in_another_order,
        _show_with_a_gap,
        _show_twice,
        _show_what_is_not_stored,
        _go_back,
    ],
)
def test_what_went_wrong_is_found(fault: Callable[[Record, History], None]) -> None:
    record, history = _run()
    fault(record, history)
    with pytest.raises(AssertionError):
        record.check(history)
