"""A backend that says something in a room, or notifies, by HTTP; on the standard library alone.

Each message has an `Idempotency-Key`, and every try of it the same one. So whatever happens on the
way, it is stored once; and whoever runs this again, with the same `--key`, does no harm.
"""

import argparse
import http.client
import json
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

import sign_in

TIMEOUT_S = 15
PAUSES_S = (1, 2, 4, 8, 16)  # between tries
TRY_LATER = 75  # exit status, EX_TEMPFAIL of sysexits.h

Json = dict[str, Any]


class Refused(Exception):
    """The server said no, and to ask again would not help."""


class NoAnswer(Exception):
    """It may have happened or not; to ask again with the same key is safe."""

    def __init__(self, why: object, retry_after_s: float = 0) -> None:
        super().__init__(str(why))
        self.retry_after_s = retry_after_s


def main() -> int:
    """Return 0 when done, 1 when refused, `TRY_LATER` when the server could not be reached."""
    parser = argparse.ArgumentParser(description="Say something in a room, or notify, by HTTP.")
    commands = parser.add_subparsers(dest="command", required=True)
    say = commands.add_parser("say", help="post a message, or each line of standard input")
    say.add_argument("text", nargs="?", help="without it, standard input")
    say.add_argument("--room", default="Tea", help="made if there is none of this name")
    say.add_argument("--key", help="8 to 64 characters; lines get KEY-1, KEY-2, …")
    rooms = commands.add_parser("rooms", help="list the rooms it is in, and what is unread")
    notify = commands.add_parser("notify", help="publish a notification; wants the role admin")
    notify.add_argument("title")
    notify.add_argument("body")
    notify.add_argument("--to", action="append", help="a user; repeat it. Without: everybody")
    notify.add_argument("--key", help="8 to 64 characters")
    for command in (say, rooms, notify):
        sign_in.add_options(command)
    options = parser.parse_args()
    try:
        api = Api(options.url, sign_in.token_of(options))
        if options.command == "rooms":
            list_rooms(api)
        elif options.command == "notify":
            publish(api, options.to, options.title, options.body, options.key or uuid.uuid4().hex)
        else:
            say_all(api, options.room, options.text, options.key or uuid.uuid4().hex)
    except NoAnswer as error:
        sys.stderr.write(f"{error}\n")
        return TRY_LATER
    except (sign_in.NotSignedIn, Refused) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def say_all(api: "Api", room: str, text: str | None, key: str) -> None:
    """Post the text, or the lines of standard input one after the other."""
    try:
        room_id = room_id_of(api, room)
        if text is not None:
            post(api, room_id, text, key)
            return
        for number, line in enumerate(sys.stdin, 1):
            if line.strip():
                post(api, room_id, line.rstrip("\n"), f"{key}-{number}")
    except NoAnswer as error:
        raise NoAnswer(f"{error}\nRun it again with --key {key}; nothing is said twice.") from None


def post(api: "Api", room_id: str, text: str, key: str) -> None:
    """Post one message and print its place."""
    stored = api.ask("POST", f"/messages/rooms/{room_id}", {"content": {"text": text}}, key)
    known = " (was there already)" if stored.get("duplicate") else ""
    print(f"Stored at {stored['seq']}, as {stored['id']}{known}", flush=True)


def publish(api: "Api", users: list[str] | None, title: str, body: str, key: str) -> None:
    """Put a notification into inboxes, and wait until all have it."""
    whom: Json = {"all": True} if users is None else {"user_ids": users}
    told: Json = {"finished": False}
    try:
        while not told["finished"]:
            # The same request again: the server answers after a second with how far it is.
            told = api.ask("POST", "/notifications", {"title": title, "body": body, **whom}, key)
            print(f"{told['done']} of {told['total']} users", flush=True)
    except NoAnswer as error:
        raise NoAnswer(f"{error}\nRun it again with --key {key}; nobody is told twice.") from None


def list_rooms(api: "Api") -> None:
    """Print the rooms this user is in, and how much is unread."""
    for view in api.listing("/rooms"):
        room = view["room"]
        # A name may be any text, also one that moves the cursor of a terminal.
        name = "".join(letter for letter in room["name"] if letter.isprintable()) or "(direct)"
        print(f"{view['unread']:5} unread  {room['id']}  {name}")
    count = api.ask("GET", "/messages/unread/count")
    print(f"{count['unread']:5} unread in all, {count['mentions']} of them mention you")


def room_id_of(api: "Api", name: str) -> str:
    """Return the room of this name; make it if there is none."""
    for view in api.listing("/rooms"):
        if view["room"]["name"] == name:
            return str(view["room"]["id"])
    for view in api.listing("/rooms", public=1, q=name):
        if view["room"]["name"] == name:
            raise Refused(f"not a member of {name}: somebody who is can add you")
    made = api.ask("POST", "/rooms", {"name": name, "type": "public"}, uuid.uuid4().hex)
    return str(made["room"]["id"])


class Api:
    """Asks, and asks again where that may help."""

    def __init__(self, url: str, token: str) -> None:
        self._url = f"{url}/api/v1"
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def ask(self, method: str, path: str, body: Json | None = None, key: str = "") -> Json:
        """Return what the server answers.

        Raises:
            Refused: It says no.
            NoAnswer: It could not be reached, or was not able to, time after time.
        """
        for pause in PAUSES_S:
            try:
                return self._try(method, path, body, key)
            except NoAnswer as error:
                wait = max(pause, error.retry_after_s)
                sys.stderr.write(f"{error}; again in {wait:.0f} s\n")
                time.sleep(wait)
        return self._try(method, path, body, key)

    def listing(self, path: str, **query: object) -> Iterator[Json]:
        """Yield the items of a list, page after page."""
        while True:
            page = self.ask("GET", f"{path}?{urlencode(query)}")
            yield from page["items"]
            if "next" not in page:
                return
            query["cursor"] = page["next"]

    def _try(self, method: str, path: str, body: Json | None, key: str) -> Json:
        headers = self._headers | ({"Idempotency-Key": key} if key else {})
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._url + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S) as response:
                answer: Json = json.load(response)
                return answer
        except urllib.error.HTTPError as error:
            with error:
                raise failure(error) from None
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise NoAnswer(error) from None  # no network, cut short, or not Parley who answered


def failure(error: urllib.error.HTTPError) -> Exception:
    """Return what a status other than 2xx means."""
    try:
        told = json.load(error)["error"]
        lines = [f"{told['code']}: {told['message']}"]
        places = told.get("details", {}).get("errors", ())
        lines += [f"  {place['pointer'] or 'all of it'}: {place['message']}" for place in places]
    except (ValueError, LookupError, TypeError):  # not from Parley: a proxy in front of it, say
        lines = [f"{error.code} {error.reason}"]
    if error.code == HTTPStatus.TOO_MANY_REQUESTS or error.code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        seconds = error.headers.get("Retry-After", "")
        return NoAnswer("\n".join(lines), float(seconds) if seconds.isdecimal() else 0)
    return Refused("\n".join(lines))


if __name__ == "__main__":
    sys.exit(main())
