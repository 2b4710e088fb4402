"""The people and rooms of a case, and the plan that tells the generator of them.

Rooms are made as anybody makes them: by a stock client, over the wire.
"""

import asyncio
from typing import TYPE_CHECKING, Any

import socketio

from bench.paths import Unusable
from parley.server.auth import TokenMint
from parley.server.keys import KeyRing

if TYPE_CHECKING:
    from bench.figures import Case
    from bench.server import Server
    from parley.server.keys import SigningKey

DAY_S = 24 * 3600


async def plan_of(case: "Case", server: "Server", key: "SigningKey") -> str:
    """Make the rooms of ``case``; return the generator's plan, one client a line.

    Every client is a user of its own. The first of each room made it; the others join later.
    """
    mint = TokenMint(KeyRing((key,)))
    rooms = (_room_of(case, room, server, mint) for room in range(case.rooms))
    return "".join(await asyncio.gather(*rooms))


async def _room_of(case: "Case", room: int, server: "Server", mint: TokenMint) -> str:
    users = [f"user-{room}-{member}" for member in range(case.room_size)]
    tokens = [mint.mint(user, ttl_s=DAY_S) for user in users]
    room_id = await _create_room(server, tokens[0], name=f"Room {room}")
    senders = case.senders_in(room)
    roles = ["send" if member < senders else "listen" for member in range(case.room_size)]
    lines = zip(roles, tokens, strict=True)
    return "".join(f"{room_id} {role} {token}\n" for role, token in lines)


async def _create_room(server: "Server", token: str, *, name: str) -> str:
    client: Any = socketio.AsyncClient(reconnection=False)
    await client.connect(
        server.url, namespaces=["/chat"], transports=["websocket"], auth={"token": token}
    )
    try:
        request = {"name": name, "type": "public"}
        ack: dict[str, Any] = await client.call("create_room", request, namespace="/chat")
    finally:
        await client.disconnect()
    if not ack["ok"]:
        raise Unusable(f"no room: {ack['error']}")
    return str(ack["data"]["room"]["id"])
