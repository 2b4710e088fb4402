"""End with status 0 if the server in this container answers a path with 200: answers.py /readyz."""

import http.client
import os
import sys

ANSWER_S = 3.0


def main() -> int:
    """Ask once; there is no curl in the image."""
    port = int(os.environ.get("PARLEY_PORT") or 8080)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_S)
    try:
        connection.request("GET", sys.argv[1])
        return 0 if connection.getresponse().status == http.HTTPStatus.OK else 1
    except (OSError, http.client.HTTPException):
        return 1
    finally:
        connection.close()


sys.exit(main())
