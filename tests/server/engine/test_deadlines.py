"""Deadlines come in order, in time, and on one timer."""

# pyright: reportPrivateUsage=false

import asyncio
import itertools

from parley.server.engine.deadlines import Deadlines

DELAY_S = 0.05
LATE_S = 1.0  # on a busy machine; a deadline that was forgotten never comes


class Bell:
    """Notes who was due, and lets a test wait for it."""

    def __init__(self) -> None:
        self.rung: list[tuple[str, float, float]] = []  # who, due, when it came
        self._rings = asyncio.Condition()
        self._tasks = set[asyncio.Task[None]]()

    def __call__(self, sid: str, due: float) -> None:
        """Take note."""
        self.rung.append((sid, due, asyncio.get_running_loop().time()))
        task = asyncio.ensure_future(self._tell())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _tell(self) -> None:
        async with self._rings:
            self._rings.notify_all()

    async def until(self, count: int) -> None:
        """Wait until so many were due."""
        async with self._rings, asyncio.timeout(10):
            await self._rings.wait_for(lambda: len(self.rung) >= count)


async def test_deadlines_come_in_the_order_in_which_they_were_asked_for() -> None:
    """Each comes once, with what `add` returned, and not before its time."""
    bell = Bell()
    deadlines = Deadlines(DELAY_S, bell)
    asked = [(sid, deadlines.add(sid)) for sid in ("a", "b", "a", "c")]
    await bell.until(4)
    assert [(sid, due) for sid, due, _ in bell.rung] == asked
    assert all(came >= due - 0.001 for _, due, came in bell.rung)


async def test_any_number_of_deadlines_has_one_timer() -> None:
    """The loop is asked once when thousands ask for a deadline."""
    deadlines = Deadlines(DELAY_S, Bell())
    deadlines.add("a")
    timer = deadlines._timer
    for n in range(1_000):
        deadlines.add(str(n))
    assert deadlines._timer is timer
    deadlines.close()


async def test_a_deadline_may_ask_for_the_next() -> None:
    """It comes again, the same time later, when whoever was due asks for it."""
    bell = Bell()

    def expired(sid: str, due: float) -> None:
        bell(sid, due)
        if len(bell.rung) < 3:
            deadlines.add(sid)

    deadlines = Deadlines(DELAY_S, expired)
    deadlines.add("a")
    await bell.until(3)
    times = [came for *_, came in bell.rung]
    assert all(after - before >= DELAY_S - 0.001 for before, after in itertools.pairwise(times))


async def test_asking_again_does_not_make_others_late() -> None:
    """Who is due soon is told in time when the one before her asks for one more."""
    bell, delay_s = Bell(), 2.0

    def expired(sid: str, due: float) -> None:
        bell(sid, due)
        if sid == "first":
            deadlines.add("again")

    loop = asyncio.get_running_loop()
    deadlines = Deadlines(delay_s, expired)
    deadlines._queue.extend([(loop.time() + 0.01, "first"), (loop.time() + 0.1, "second")])
    deadlines._timer = loop.call_at(deadlines._queue[0][0], deadlines._run)
    await bell.until(2)
    sid, due, came = bell.rung[1]
    assert sid == "second"
    assert came - due < LATE_S
    deadlines.close()


async def test_nothing_comes_after_the_end() -> None:
    """Nobody is due any more when deadlines are closed, and new ones may be asked for."""
    bell = Bell()
    deadlines = Deadlines(DELAY_S, bell)
    deadlines.add("a")
    deadlines.close()
    deadlines.add("b")
    await bell.until(1)
    assert [sid for sid, *_ in bell.rung] == ["b"]


async def test_who_is_gone_is_forgotten_before_her_time() -> None:
    """Only those who are present come due when deadlines are swept."""
    bell = Bell()
    deadlines = Deadlines(DELAY_S, bell)
    for sid in "abcd":
        deadlines.add(sid)
    deadlines.keep({"b", "d"})
    await bell.until(2)
    assert [sid for sid, *_ in bell.rung] == ["b", "d"]


async def test_a_timer_that_finds_nobody_does_no_harm() -> None:
    """The next deadline comes when all before it were forgotten."""
    bell = Bell()
    deadlines = Deadlines(DELAY_S, bell)
    deadlines.add("a")
    deadlines.keep(set[str]())
    deadlines.add("b")
    await bell.until(1)
    deadlines.add("c")
    await bell.until(2)
    assert [sid for sid, *_ in bell.rung] == ["b", "c"]


async def test_what_is_asked_for_late_is_due_when_it_would_have_been() -> None:
    """Never before one that is in the queue, though."""
    bell = Bell()
    deadlines = Deadlines(DELAY_S, bell)
    first, second = deadlines.add("a", late=DELAY_S / 2), deadlines.add("b", late=DELAY_S)
    asked = asyncio.get_running_loop().time()
    assert abs(first - (asked + DELAY_S / 2)) < DELAY_S / 4
    assert second == first
    await bell.until(2)
