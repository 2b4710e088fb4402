"""What clients did and saw, and the checks that no fault may break.

Every send is recorded: who, which message, whether it was acked, refused, or nobody knows. Then
the room's whole history and what each reader saw live are held against the record.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

Message = Mapping[str, Any]


@dataclass(slots=True, eq=False)
class Send:
    """One message that somebody wanted said; it may have been sent many times."""

    number: int  # the order in which its sender said it
    sender: str
    client_id: str
    text: str
    tries: int = 0
    acks: list[Mapping[str, Any]] = field(default_factory=list[Mapping[str, Any]])
    refused: bool = False  # and by the last try; a refusal promises that nothing was stored

    @property
    def acked(self) -> bool:
        """Whether its sender was told that it is stored."""
        return bool(self.acks)


class Record:
    """What happened in one room, as its clients tell it."""

    def __init__(self) -> None:
        self.sends: list[Send] = []
        self._heads: dict[str, list[int]] = defaultdict(list)
        self._seen: dict[str, list[Message]] = {}

    def send(self, sender: str, text: str, client_id: str) -> Send:
        """Record that a sender is about to say something."""
        send = Send(number=len(self.sends), sender=sender, client_id=client_id, text=text)
        self.sends.append(send)
        return send

    def head(self, reader: str, head: int) -> None:
        """Record how far a reader was told the room goes."""
        self._heads[reader].append(head)

    def saw(self, reader: str, events: Iterable[Message]) -> None:
        """Record the messages a reader saw live on one connection, in order."""
        self._seen[f"{reader} #{len(self._seen)}"] = list(events)

    @property
    def acked(self) -> list[Send]:
        """Return the sends whose senders were told that they are stored."""
        return [send for send in self.sends if send.acked]

    def check(self, history: Sequence[Message]) -> None:
        """Hold the record against the whole history of the room, by rising ``seq``."""
        said = [message for message in history if message["type"] == "chat"]
        check_positions(history)
        check_nothing_twice(said)
        check_nothing_made_up(self.sends, said)
        check_acked_is_stored(self.sends, said)
        check_refused_is_not_stored(self.sends, said)
        check_order_of_senders(self.sends, said)
        for reader, heads in self._heads.items():
            assert heads == sorted(heads), f"{reader} was told of a head that went back: {heads}"
        for reader, events in self._seen.items():
            check_reader(reader, events, history)


def check_positions(history: Sequence[Message], *, after: int = 0) -> None:
    """Positions are unique, rising and dense: nothing that had one was lost."""
    seqs = [message["seq"] for message in history]
    assert seqs == list(range(after + 1, after + 1 + len(seqs))), _broken(seqs)


def check_nothing_twice(said: Sequence[Message]) -> None:
    """No client_id of a sender is stored twice, nor any id."""
    requests = Counter(_request(message) for message in said)
    ids = Counter(message["id"] for message in said)
    twice = [name for counts in (requests, ids) for name, n in counts.items() if n > 1]
    assert not twice, f"stored twice: {twice[:5]}"


def check_nothing_made_up(sends: Sequence[Send], said: Sequence[Message]) -> None:
    """What is stored was said, by that sender, in these words."""
    texts = {(send.sender, send.client_id): send.text for send in sends}
    for message in said:
        assert texts.get(_request(message)) == message["content"]["text"], message


def check_acked_is_stored(sends: Sequence[Send], said: Sequence[Message]) -> None:
    """Every ack names the place where the message is, the same one each time."""
    stored = {_request(message): message for message in said}
    for send in sends:
        for ack in send.acks:
            message = stored.get((send.sender, send.client_id))
            assert message is not None, f"acked and lost: {send}"
            told = (ack["id"], ack["seq"], ack["timestamp"])
            assert told == (message["id"], message["seq"], message["timestamp"]), send
        firsts = [ack for ack in send.acks if not ack.get("duplicate")]
        assert len(firsts) <= 1, f"two acks say that they are the first: {send}"
        assert firsts or not send.acked or send.tries > 1, f"a duplicate of nothing: {send}"


def check_refused_is_not_stored(sends: Sequence[Send], said: Sequence[Message]) -> None:
    """What was answered with an error and not sent otherwise is not there."""
    stored = {_request(message) for message in said}
    for send in sends:
        if send.refused and send.tries == 1:
            assert (send.sender, send.client_id) not in stored, f"refused and stored: {send}"


def check_order_of_senders(sends: Sequence[Send], said: Sequence[Message]) -> None:
    """Each sender's messages are in the order in which she said them."""
    numbers = {(send.sender, send.client_id): send.number for send in sends}
    order: dict[str, list[int]] = defaultdict(list)
    for message in said:
        order[message["from"]].append(numbers[_request(message)])
    for sender, said_as in order.items():
        assert said_as == sorted(said_as), f"{sender} was reordered: {_broken(said_as)}"


def check_reader(reader: str, events: Sequence[Message], history: Sequence[Message]) -> None:
    """What was seen live is a stretch of the history: in its order, once each, without a gap."""
    seqs = [event["seq"] for event in events]
    assert seqs == list(range(seqs[0], seqs[0] + len(seqs))) if seqs else True, (
        f"{reader}: {_broken(seqs)}"
    )
    kept = {message["seq"]: message for message in history}
    for event in events:
        assert kept.get(event["seq"], {}).get("id") == event["id"], f"{reader} saw {event}"


def _request(message: Message) -> tuple[str, str]:
    return message["from"], message["client_id"]


def _broken(numbers: Sequence[int]) -> str:
    """Return the first place where ``numbers`` do not rise by one."""
    steps = (f"{a} then {b}" for a, b in pairwise(numbers) if b != a + 1)
    return next(steps, f"starts at {numbers[:1]}")
