"""Users over HTTP."""

from dataclasses import dataclass

from marshmallow import fields

from parley.namespaces.errors import NotFound
from parley.namespaces.fields import RequestSchema, about, user_id
from parley.namespaces.shapes import Shape
from parley.server.http.api import Call, Reply, Routes
from parley.storage.models import UserId

routes = Routes("Users", "Who has been here.")


@dataclass(frozen=True, slots=True, kw_only=True)
class OneUser:
    """Names a user."""

    user_id: UserId


class OneUserSchema(RequestSchema):
    """Load a `OneUser`."""

    makes = OneUser

    user_id = user_id(required=True)


class UserShape(Shape):
    """Somebody who has been seen."""

    user_id = user_id(required=True, **about("", "alice"))
    name = fields.String(**about("From her token, if she ever came with one.", "Alice"))


@routes.add(
    "GET",
    "/users/{user_id}",
    takes=OneUserSchema,
    gives={200: UserShape},
    fails=[NotFound],
)
async def get_user(call: Call, request: OneUser) -> Reply:
    """Find out what somebody is called.

    404 if she has never come with a token; she can be addressed all the same.
    """
    user = await call.services.users.get(request.user_id)
    if user is None:
        raise NotFound("this user was never seen", user_id=request.user_id)
    return Reply({"user_id": user.id, **({} if user.name is None else {"name": user.name})})
