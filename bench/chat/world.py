"""The people and rooms of a case, and the plan that tells the generator of them.

Rooms are made as anybody makes them: by a stock client, over the wire.
"""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import socketio

from bench.paths import Unusable
from parley.server.auth import TokenMint
from parley.server.keys import KeyRing

if TYPE_CHECKING:
    from bench.chat.cases import Case
    from bench.chat.server import Server
    from parley.server.keys import SigningKey

DAY_S = 24 * 3600
AT_ONCE = 8  # rooms that are being made: it is not what is measured


async def plan_of(case: "Case", server: "Server", key: "SigningKey", *, named: bool = False) -> str:
    """Make the rooms of ``case``; return the generator's plan, one client a line.

    Every client is a user of its own, except that who sends over HTTP listens by another. The
    first of each room made it; the others come later.

    Args:
        named: Everybody is named at the start: to come is no row then, for which nodes would race.
    """
    mint = TokenMint(KeyRing((key,)))
    some = asyncio.Semaphore(AT_ONCE)

    async def made(room: int) -> str:
        async with some:
            return await _room_of(case, room, server, mint, named)

    return "".join(await asyncio.gather(*map(made, range(case.rooms))))


async def _room_of(case: "Case", room: int, server: "Server", mint: TokenMint, named: bool) -> str:
    users = [f"user-{room}-{n}" for n in range(case.members)]
    members = [mint.mint(user, ttl_s=DAY_S) for user in users]
    watchers = [mint.mint(f"guest-{room}-{n}", ttl_s=DAY_S) for n in range(case.watchers)]
    room_id = await create_room(
        server, members[0], name=f"Room {room}", members=users[1:] if named else ()
    )
    senders = case.senders_in(room)
    by_role = {
        "post": members[: senders * case.http],
        "send": members[: senders * (not case.http)],
        "listen": members[senders * (not case.http) :],
        "watch": watchers,
    }
    seats = ((role, token) for role, tokens in by_role.items() for token in tokens)
    return "".join(
        f"{room_id} {role} {token} {number % case.nodes}\n"
        for number, (role, token) in enumerate(seats)
    )


async def create_room(
    server: "Server", token: str, *, name: str, members: Sequence[str] = ()
) -> str:
    """Return the id of a new public room of whose token this is."""
    client: Any = socketio.AsyncClient(reconnection=False)
    await client.connect(
        server.url, namespaces=["/chat"], transports=["websocket"], auth={"token": token}
    )
    try:
        request = {"name": name, "type": "public", "members": list(members)}
        ack: dict[str, Any] = await client.call("create_room", request, namespace="/chat")
    finally:
        await client.disconnect()
    if not ack["ok"]:
        raise Unusable(f"no room: {ack['error']}")
    return str(ack["data"]["room"]["id"])
