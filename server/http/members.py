"""Who is in a room, over HTTP."""

from parley.namespaces.chat.room_schemas import (
    AboutMember,
    AboutMemberSchema,
    ListMembers,
    ListMembersSchema,
)
from parley.namespaces.chat.room_shapes import MemberListingShape
from parley.namespaces.chat.shapes import MembershipAckShape
from parley.namespaces.chat.wire import membership_to_wire
from parley.namespaces.errors import Conflict, Gone, NotFound, RoomFull
from parley.namespaces.shapes import NothingShape
from parley.server.http.api import Call, Reply, Routes, page_of

routes = Routes("Members", "Who is in a room.")


@routes.add(
    "GET",
    "/rooms/{room_id}/members",
    takes=ListMembersSchema,
    gives={200: page_of(MemberListingShape, "MemberPageShape")},
    fails=[NotFound, Gone],
)
async def list_members(call: Call, request: ListMembers) -> Reply:
    """List who is in a room, by user id.

    Who is invited, waits to be let in or is banned is shown to its owner and admins only.
    """
    found = await call.chat.directory.members(call.user_id, request)
    return Reply(found.to_wire("items"))


@routes.add(
    "POST",
    "/rooms/{room_id}/members",
    takes=AboutMemberSchema,
    gives={200: MembershipAckShape},
    fails=[NotFound, Gone, Conflict, RoomFull],
)
async def add_member(call: Call, request: AboutMember) -> Reply:
    """Make somebody a member at once, without asking her, or join.

    Who may invite may do this. Somebody who is banned has to be unbanned first. With your own id
    you join, accept an invitation, or ask to be let in: see the `state` in the answer.
    """
    if request.user_id == call.user_id:
        room = await call.chat.membership.join(call.user_id, request.room_id)
        membership = room.feed.members.get(call.user_id)
    else:
        membership = await call.chat.membership.add(call.user_id, request)
    if membership is None:
        # A retry, and she has left again since.
        raise NotFound("not a member any more", user_id=request.user_id)
    return Reply({"membership": membership_to_wire(membership, call.now())})


@routes.add(
    "DELETE",
    "/rooms/{room_id}/members/{user_id}",
    takes=AboutMemberSchema,
    gives={200: NothingShape},
    fails=[NotFound, Gone],
)
async def remove_member(call: Call, request: AboutMember) -> Reply:
    """Take somebody out of a room, or leave it.

    With your own id you leave. It also withdraws an invitation and refuses a request to join.
    """
    if request.user_id == call.user_id:
        await call.chat.membership.leave(call.user_id, request.room_id)
    else:
        await call.chat.moderation.kick(call.user_id, request)
    return Reply({})
