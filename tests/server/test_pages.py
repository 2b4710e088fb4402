import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient

from parley.server.http import pages

Client = TestClient[web.Request, web.Application]
AiohttpClient = Callable[[web.Application], Awaitable[Client]]

CLIENT = "node_modules/socket.io-client/dist/socket.io.esm.min.js"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "web"
    for name, content in {
        "index.html": "<title>chat</title>",
        "app.js": "export {}",
        "lib/outbox.mjs": "export {}",
        "style.css": "",
        ".env": "secret",
        ".git/config.txt": "secret",
        "package.json": "{}",
        "notes.md": "secret",
        CLIENT: "export const io = 1",
        "node_modules/.package.js": "secret",
        "node_modules/socket.io-client/package.js": "secret",
        "node_modules/ws/dist/index.js": "secret",
        "lib/node_modules/socket.io-client/dist/a.js": "secret",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    (tmp_path / "outside.js").write_text("secret")
    (folder / "link.js").symlink_to(tmp_path / "outside.js")
    (folder / "loop.js").symlink_to(folder / "loop.js")
    return folder


@pytest.fixture
async def client(aiohttp_client: AiohttpClient, root: Path) -> Client:
    return await serve(aiohttp_client, root)


async def serve(aiohttp_client: AiohttpClient, root: Path | None) -> Client:
    app = web.Application()
    pages.add_routes(app, web_root=root)
    return await aiohttp_client(app)


async def status(client: Client, path: str) -> int:
    """Ask for exactly this path; clients tidy it up before they send it."""
    reader, writer = await asyncio.open_connection(client.host, client.port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    assert b"secret" not in answer
    return int(answer.split()[1])


async def test_the_page_is_served_with_a_policy_for_its_own_scripts(client: Client) -> None:
    async with client.get("/") as response:
        assert response.status == 200
        assert await response.text() == "<title>chat</title>"
        assert response.headers["Content-Type"] == "text/html; charset=utf-8"
        policy = response.headers["Content-Security-Policy"]
        assert "default-src 'none'; script-src 'self'" in policy
        assert "connect-src 'self'" in policy
        assert "unsafe" not in policy
        assert response.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("path", "content_type"),
    [
        ("/app.js", "text/javascript; charset=utf-8"),
        ("/lib/outbox.mjs", "text/javascript; charset=utf-8"),
        ("/style.css", "text/css; charset=utf-8"),
        (f"/{CLIENT}", "text/javascript; charset=utf-8"),
    ],
)
async def test_files_have_their_type(client: Client, path: str, content_type: str) -> None:
    async with client.get(path) as response:
        assert response.status == 200
        assert response.headers["Content-Type"] == content_type


async def test_a_file_is_asked_for_every_time_and_sent_once(client: Client, root: Path) -> None:
    async with client.get("/app.js") as response:
        assert response.headers["Cache-Control"] == "no-cache"
        tag = response.headers["ETag"]
    async with client.get("/app.js", headers={"If-None-Match": tag}) as response:
        assert response.status == 304
    (root / "app.js").write_text("export const changed = true")
    async with client.get("/app.js", headers={"If-None-Match": tag}) as response:
        assert response.status == 200


@pytest.mark.parametrize(
    "path",
    [
        "/nothing.js",
        "/lib",
        "/lib/",
        "/.env",
        "/.git/config.txt",
        "/package.json",
        "/notes.md",
        "/node_modules/.package.js",
        "/node_modules/socket.io-client/package.js",
        "/node_modules/ws/dist/index.js",
        "/Node_Modules/ws/dist/index.js",
        "/lib/node_modules/socket.io-client/dist/a.js",
        "/link.js",
        "/loop.js",
        "/../outside.js",
        "/lib/../../outside.js",
        "/%2e%2e/outside.js",
        "/..%2foutside.js",
        "/..%5coutside.js",
        "/lib/%2e%2e/%2e%2e/outside.js",
        "//outside.js",
        "/app.js%00.css",
        "/C:/outside.js",
        "/%252e%252e/outside.js",
        "/" + "a" * 300 + ".js",
        "/" + "a/" * 600 + "b.js",
    ],
)
async def test_nothing_else_is_served(client: Client, path: str) -> None:
    assert await status(client, path) == 404


async def test_a_missing_client_is_named_until_it_is_there(client: Client, root: Path) -> None:
    bundle = root / CLIENT
    content = bundle.read_text()
    bundle.unlink()
    async with client.get("/") as response:
        text = await response.text()
        assert response.status == 200
        assert CLIENT in text
        assert "npm ci" in text
        assert str(root) not in text
    bundle.write_text(content)
    async with client.get("/") as response:
        assert await response.text() == "<title>chat</title>"


async def test_a_folder_without_a_page_is_told_apart(client: Client, root: Path) -> None:
    (root / "index.html").unlink()
    async with client.get("/") as response:
        text = await response.text()
        assert "index.html" in text
        assert "client-examples/web" in text


async def test_without_a_page_it_says_how_to_connect(aiohttp_client: AiohttpClient) -> None:
    client = await serve(aiohttp_client, None)
    headers: dict[str, Any] = {"Host": "chat.example:1<b>"}
    async with client.get("/", headers=headers) as response:
        text = await response.text()
        assert response.status == 200
        assert 'io("http://chat.example:1&lt;b&gt;/chat"' in text
        assert "parley token --user alice" in text
    async with client.get("/app.js") as response:
        assert response.status == 404
