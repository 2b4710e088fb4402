"""One body for every error, the same as in the ack of an event."""

from aiohttp import web
from aiohttp.typedefs import Handler

from parley.namespaces.errors import as_client_error


@web.middleware
async def errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer an exception with ``{"error": {code, message, retryable, ...}}``."""
    try:
        return await handler(request)
    except web.HTTPException:
        raise  # aiohttp's own answers, such as 404 for an unknown path
    except Exception as exc:
        error = as_client_error(exc)
        return web.json_response({"error": error.to_wire()}, status=error.status)
