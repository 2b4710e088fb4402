"""Pages without a script, for when there is no chat page to show."""

from html import escape

from aiohttp import hdrs, web

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>body {{ font: 1rem/1.5 system-ui; max-width: 42rem; margin: 4rem auto; padding: 0 1rem }}
pre {{ overflow: auto; padding: 1rem; border: 1px solid }}</style>
<h1>{title}</h1>
{body}
</html>
"""

_HOW_TO_CONNECT = """
<p>This is a chat server. It speaks Socket.IO, so any Socket.IO client (version 3 or newer)
is a client of it. From JavaScript, with <code>npm install socket.io-client</code>:</p>
<pre>import {{ io }} from "socket.io-client";

const chat = io("http://{host}/chat", {{ auth: {{ token }} }});
const room = await chat.emitWithAck("create_room", {{ name: "Lobby", type: "public" }});</pre>
<p>A token comes from <code>parley token --user alice</code> on the server.</p>
<p>To have a chat page here, start the server with <code>parley serve --web FOLDER</code>,
for example with <code>client-examples/web</code> of its source.</p>
"""

_INCOMPLETE = """
<p>The server runs, and any Socket.IO client can connect. Its chat page cannot be shown, because
this file is missing in the folder that <code>PARLEY_WEB_ROOT</code> (or <code>--web</code>)
names:</p>
<pre>{needed}</pre>
<p>{remedy}</p>
"""

_GET_CLIENT = (
    "To get it, run <code>npm ci</code> in that folder and reload this page. "
    "<code>npm</code> comes with Node.js 20 or newer."
)
_WRONG_FOLDER = "Is it the right folder? In the source of Parley it is <code>client-examples/web"


def how_to_connect(host: str) -> web.Response:
    """Return the page of a server without a chat page; ``host`` is where the browser found it."""
    return _page("Parley is running", _HOW_TO_CONNECT.format(host=escape(host)))


def incomplete(needed: str) -> web.Response:
    """Return the page that names the missing file and how to get it."""
    remedy = _GET_CLIENT if needed.startswith("node_modules/") else f"{_WRONG_FOLDER}</code>."
    body = _INCOMPLETE.format(needed=escape(needed), remedy=remedy)
    return _page("Parley is running, but its chat page is incomplete", body)


def _page(title: str, body: str) -> web.Response:
    return web.Response(
        text=_PAGE.format(title=title, body=body),
        content_type="text/html",
        headers={
            hdrs.CACHE_CONTROL: "no-store",  # it is for now only
            "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
            "X-Content-Type-Options": "nosniff",
        },
    )
