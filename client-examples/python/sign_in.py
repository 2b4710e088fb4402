"""Who a program is: the token it was given, else a name, where the server lets anybody in by name.

On the standard library alone.
"""

import argparse
import json
import os
import urllib.error
import urllib.request
from urllib.parse import urlsplit

HERE = "http://127.0.0.1:8080"  # where `make run` listens
LOOPBACK = ("127.0.0.1", "::1", "localhost")
TIMEOUT_S = 10


class NotSignedIn(Exception):
    """There is no token; the sentence says what to do about it."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what both programs have to know about the server and about themselves."""
    parser.add_argument("--url", default=HERE, help=f"the server; default: {HERE}")
    parser.add_argument(
        "--token",
        default=os.environ.get("TOKEN"),
        help="default: the environment variable TOKEN, which other users of the machine do not see",
    )
    parser.add_argument("--name", default="Bot", help="who to be without a token; default: Bot")


def token_of(options: argparse.Namespace) -> str:
    """Return the token that was given, or get one for the name.

    Raises:
        NotSignedIn: There is neither.
    """
    if options.token:
        return str(options.token)
    if urlsplit(str(options.url)).hostname not in LOOPBACK:
        raise NotSignedIn(f"{options.url} wants a token: set TOKEN or give --token")
    request = urllib.request.Request(
        f"{options.url}/dev/login",
        json.dumps({"name": options.name}).encode(),
        {"Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as response:
            return str(json.load(response)["token"])
    except urllib.error.HTTPError as error:
        error.close()
        raise NotSignedIn(
            f"{options.url} does not sign in by name ({error.code}): set TOKEN, to what "
            "`parley token --user bot` prints"
        ) from None
    except OSError as error:
        raise NotSignedIn(f"nobody answers at {options.url} ({error}): is it running?") from None
