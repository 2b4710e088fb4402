"""A socket's events are handled in order, at once where nothing has to wait."""

import asyncio
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parley.namespaces.mailbox import LIMIT, Job, Mailbox, Second


class Jobs:
    """Makes jobs that note when they begin and end, and wait where they are told to."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.gates: dict[str, asyncio.Future[None]] = {}

    def gate(self, name: str) -> asyncio.Future[None]:
        """Return what a job waits for."""
        if name not in self.gates:
            self.gates[name] = asyncio.get_running_loop().create_future()
        return self.gates[name]

    def open(self, name: str) -> None:
        """Let a job go on."""
        self.gate(name).set_result(None)

    def quick(self, name: str) -> Job:
        """Return a job that does not wait."""

        async def job() -> None:
            self.notes.append(name)

        return job

    def slow(self, name: str) -> Job:
        """Return a job that waits for its gate."""
        gate = self.gate(name)

        async def job() -> None:
            self.notes.append(f"{name}(")
            await gate
            self.notes.append(f"{name})")

        return job

    def in_two(self, name: str) -> Job:
        """Return a job whose second part waits for its gate."""
        gate = self.gate(name)

        async def job() -> Second:
            self.notes.append(f"{name}(")
            return Second(gate, lambda: self.notes.append(f"{name})"))

        return job


async def test_a_job_that_does_not_wait_runs_in_the_call() -> None:
    """It is done when `put` returns and nothing is kept."""
    jobs, mailbox = Jobs(), Mailbox()
    mailbox.put(jobs.quick("a"), overlaps=False)
    mailbox.put(jobs.quick("b"), overlaps=True)
    assert jobs.notes == ["a", "b"]
    await mailbox.idle()


async def test_jobs_wait_for_those_before_them() -> None:
    """The order is that of the calls when one of them has to wait."""
    jobs, mailbox = Jobs(), Mailbox()
    for job in (jobs.slow("a"), jobs.quick("b"), jobs.slow("c")):
        mailbox.put(job, overlaps=False)
    assert jobs.notes == ["a("]
    jobs.open("c")
    jobs.open("a")
    await mailbox.idle()
    assert jobs.notes == ["a(", "a)", "b", "c(", "c)"]


async def test_second_parts_overlap() -> None:
    """First parts keep their order and second parts run beside them when both overlap."""
    jobs, mailbox = Jobs(), Mailbox()
    for name in "abc":
        mailbox.put(jobs.in_two(name), overlaps=True)
    assert jobs.notes == ["a(", "b(", "c("]
    for name in "cba":
        jobs.open(name)
    await mailbox.idle()
    assert sorted(jobs.notes[3:]) == ["a)", "b)", "c)"]


async def test_what_does_not_overlap_sees_what_all_before_it_did() -> None:
    """It starts when every second part is through, and so do those behind it."""
    jobs, mailbox = Jobs(), Mailbox()
    mailbox.put(jobs.in_two("a"), overlaps=True)
    mailbox.put(jobs.in_two("b"), overlaps=True)
    mailbox.put(jobs.quick("c"), overlaps=False)
    mailbox.put(jobs.quick("d"), overlaps=True)
    jobs.open("b")
    await asyncio.sleep(0)
    assert jobs.notes == ["a(", "b(", "b)"]
    jobs.open("a")
    await mailbox.idle()
    assert jobs.notes == ["a(", "b(", "b)", "a)", "c", "d"]


@pytest.mark.parametrize("overlaps", [False, True])
async def test_a_job_that_raises_does_not_stop_the_next(
    overlaps: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """It is logged and the next one runs when either part of a job fails."""
    jobs, mailbox = Jobs(), Mailbox()

    async def fails() -> None:
        raise RuntimeError("at once")

    def finish() -> None:
        raise RuntimeError("later")

    async def fails_later() -> Second:
        jobs.open("done")
        return Second(jobs.gate("done"), finish)

    for job in (fails, fails_later, jobs.quick("next")):
        mailbox.put(job, overlaps=overlaps)
    await mailbox.idle()
    assert jobs.notes == ["next"]
    assert [str((record.exc_info or [None, None])[1]) for record in caplog.records] == [
        "at once",
        "later",
    ]


async def test_a_job_may_put_another() -> None:
    """It runs behind what is there already when a job puts one more."""
    jobs, mailbox = Jobs(), Mailbox()

    async def puts() -> None:
        jobs.notes.append("puts")
        mailbox.put(jobs.quick("last"), overlaps=False)
        jobs.notes.append("has put")

    mailbox.put(puts, overlaps=False)
    await mailbox.idle()
    assert jobs.notes == ["puts", "has put", "last"]


async def test_a_full_mailbox_says_when_there_is_space() -> None:
    """It is full at its limit, and whoever waits is told, once, when one more was begun."""
    jobs, mailbox = Jobs(), Mailbox()
    mailbox.put(jobs.slow("first"), overlaps=False)
    states: list[bool] = []
    for n in range(LIMIT):
        states.append(mailbox.full)
        mailbox.put(jobs.quick(str(n)), overlaps=False)
    states.append(mailbox.full)
    assert states == [False] * LIMIT + [True]
    space = mailbox.space()
    assert mailbox.space() is space
    assert not space.done()
    jobs.open("first")
    await asyncio.wait_for(space, 10)
    await mailbox.idle()
    assert mailbox.space().done()
    assert len(jobs.notes) == LIMIT + 2


async def test_a_flood_that_overlaps_is_bounded() -> None:
    """No more second parts than the limit run at a time."""
    jobs, mailbox = Jobs(), Mailbox()
    for n in range(LIMIT + 50):
        mailbox.put(jobs.in_two(str(n)), overlaps=True)
    assert sum(note.endswith("(") for note in jobs.notes) == LIMIT
    for name in jobs.gates:
        jobs.open(name)
    await mailbox.idle()
    assert sum(note.endswith(")") for note in jobs.notes) == LIMIT + 50


_KIND = st.tuples(st.sampled_from(["quick", "slow", "in_two"]), st.booleans())


@given(st.lists(_KIND, max_size=12), st.randoms(use_true_random=False))
def test_first_parts_keep_their_order_and_all_is_done(
    kinds: list[tuple[str, bool]], chance: Random
) -> None:
    """Jobs begin in the order of the calls, and every one ends, whatever waits for what."""

    async def play() -> None:
        jobs, mailbox = Jobs(), Mailbox()
        for n, (kind, overlaps) in enumerate(kinds):
            mailbox.put(getattr(jobs, kind)(str(n)), overlaps=overlaps)
        names = list(jobs.gates)
        chance.shuffle(names)
        for name in names:
            jobs.open(name)
            await asyncio.sleep(0)
        await mailbox.idle()
        begun = [int(note.rstrip("(")) for note in jobs.notes if not note.endswith(")")]
        assert begun == list(range(len(kinds)))
        ended = [note for note in jobs.notes if note.endswith(")")]
        assert len(ended) == sum(kind != "quick" for kind, _ in kinds)

    asyncio.run(play())
