"""The people and rooms of a case, and the plan that tells the generator of them.

Rooms are made as anybody makes them: by a stock client, over the wire.
"""

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
    lines: list[str] = []
    for room in range(case.rooms):
        tokens = [
            mint.mint(f"user-{room}-{member}", ttl_s=DAY_S) for member in range(case.room_size)
        ]
        room_id = await _create_room(server, tokens[0], name=f"Room {room}")
        senders = case.senders_in(room)
        for member, token in enumerate(tokens):
            lines.append(f"{room_id} {'send' if member < senders else 'listen'} {token}\n")
    return "".join(lines)


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
