"""A bot: it answers what begins with "!" or mentions it, and each message once.

Once, whatever happens: the id of a message makes the `client_id` of its answer. Where the bot
does not know any more whether it has answered (it crashed, or no ack came), it answers again, and
the server sees that it has this answer already.
"""

import argparse
import asyncio
import logging
import random
import sys
import uuid
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import sign_in
from follower import Cursors, Follower
from parley_client import FIRST_PAUSE_S, LONGEST_PAUSE_S, Connection, Json, Lost, Refused, connected

# The server knows a `client_id` for 7 days. What is older might be answered twice: leave it.
TOO_OLD = timedelta(days=6)
HELP = "I know !help, !time and !echo …"
STATE = Path(__file__).with_name("bot-state.json")

log = logging.getLogger("bot")


def main() -> int:
    """Run until Ctrl-C, or until the server does not want us."""
    parser = argparse.ArgumentParser(description='A bot that answers !help, !time and "!echo …".')
    parser.add_argument("--room", default="Tea", help="joined, or made if there is none")
    parser.add_argument("--state", type=Path, default=STATE, help="where it keeps its cursors")
    sign_in.add_options(parser)
    options = parser.parse_args()
    logging.basicConfig(format="%(asctime)s %(message)s", level=logging.INFO, stream=sys.stdout)
    try:
        bot = Bot(options.room, Cursors(options.state))
        asyncio.run(bot.run(options.url, sign_in.token_of(options)))
    except KeyboardInterrupt:
        log.info("Stopped.")
    except (sign_in.NotSignedIn, Refused) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def answer_to(text: str) -> str:
    """Return what the bot says to a text. Your own commands go here."""
    words = text.split(maxsplit=1)
    if words and words[0].startswith("@"):  # "@bot !time"
        words = words[1].split(maxsplit=1) if len(words) > 1 else []
    match words:
        case ["!time"]:
            return f"It is {datetime.now(UTC):%H:%M:%S} UTC."
        case ["!echo", said]:
            return said
        case _:
            return HELP


class Bot:
    """Follows its rooms and answers; goes on with another connection when one is lost."""

    def __init__(self, room: str, cursors: Cursors) -> None:
        self._room = room
        self._cursors = cursors
        self._entered = False
        self._pause = FIRST_PAUSE_S

    async def run(self, url: str, token: str) -> None:
        """Come back again and again; raise `Refused` when that is no use."""
        while True:
            try:
                async with connected(url, token, self._cursors.since()) as connection:
                    log.info("Connected to %s", url)
                    await self._use(connection)
            except Lost as error:
                # Not all clients of a server that was restarted at the same moment.
                wait = self._pause * random.uniform(0.5, 1)
                log.warning("No connection (%s); next try in %.1f s", error, wait)
                await asyncio.sleep(wait)
                self._pause = min(2 * self._pause, LONGEST_PAUSE_S)

    async def _use(self, connection: Connection) -> None:
        follower = Follower(connection, self._cursors, partial(self._handle, connection))
        await follower.catch_up()
        self._pause = FIRST_PAUSE_S
        if not self._entered:
            for room_id, part in await enter(connection, self._room):
                await follower.enter(room_id, part)
            self._entered = True
        log.info("%s listens in %s", connection.user_id, self._room)
        await follower.run()

    async def _handle(self, connection: Connection, message: Json) -> None:
        if not is_for(connection.user_id, message):
            return
        if datetime.now(UTC) - datetime.fromisoformat(message["timestamp"]) > TOO_OLD:
            log.info("Too old to be answered: %s", message["id"])
            return
        text = answer_to(message["content"].get("text", ""))
        answer = {
            "client_id": f"answer-{message['id']}",
            "content": {"text": text, "reply_to": message["id"]},
            "metadata": {"bot": True},
        }
        which = f"Message {message['id']} of {message['from']}"
        try:
            if message["type"] == "private":
                stored = await connection.request("private", {**answer, "to": message["from"]})
            else:
                stored = await connection.request("chat", {**answer, "room_id": message["room_id"]})
        except Refused as error:
            # `client_id_reused`: it was answered, in other words: the time has gone on, say.
            known = error.code == "client_id_reused"
            log.info("%s: %s", which, "had its answer" if known else f"no answer: {error}")
        else:
            log.info("%s: %s", which, "had its answer" if stored.get("duplicate") else "answered")


def is_for(me: str, message: Json) -> bool:
    """Whether a change of the log is something that the bot answers."""
    if message.get("type") not in ("chat", "group", "private") or message["from"] == me:
        return False
    if message.get("metadata", {}).get("bot"):
        return False  # two bots would never come to an end
    content = message["content"]  # {} once it is deleted
    return (
        content.get("text", "").startswith("!")
        or me in content.get("mentions", [])
        or (message["type"] == "private" and bool(content))
    )


async def enter(connection: Connection, name: str) -> list[tuple[str, Json]]:
    """Join the room of this name, or make it; return its part of a sync if that is news."""
    async for view in connection.listing("rooms", {}):
        if view["room"]["name"] == name:
            return []
    async for view in connection.listing("discover", {"q": name}):
        if view["room"]["name"] == name:
            ack = await connection.request("join_room", {"room_id": view["room"]["id"]})
            log.info("Joined %s" if "sync" in ack else "Asked to be let into %s", name)
            return [(view["room"]["id"], ack["sync"])] if "sync" in ack else []
    room = {"name": name, "type": "public", "client_id": uuid.uuid4().hex}
    ack = await connection.request("create_room", room)
    log.info("Made %s", name)
    return [(ack["room"]["id"], ack["sync"])]


if __name__ == "__main__":
    sys.exit(main())
