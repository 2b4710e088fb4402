"""Makes a replica set of one MongoDB: ``python -m dev.replica_set NAME HOST:PORT``.

The one part of dev/ that needs more than the standard library: it runs in .venv.
"""

import sys

from pymongo import MongoClient
from pymongo.errors import OperationFailure

START_MS = 30_000
NOT_YET_INITIALIZED = 94


def main(name: str, host: str) -> None:
    """Return when it can be written to."""
    members = [{"_id": 0, "host": host}]
    with MongoClient[dict[str, object]](
        host, directConnection=True, serverSelectionTimeoutMS=START_MS
    ) as client:
        try:
            config = client.admin.command("replSetGetConfig")["config"]
        except OperationFailure as error:
            if error.code != NOT_YET_INITIALIZED:
                raise
            client.admin.command("replSetInitiate", {"_id": name, "members": members})
        else:
            # It had another port the last time, and does not find itself in what it remembers.
            config |= {"members": members, "version": config["version"] + 1}
            client.admin.command("replSetReconfig", config, force=True)
    with MongoClient[dict[str, object]](
        host, replicaSet=name, serverSelectionTimeoutMS=START_MS
    ) as client:
        client.admin.command("ping")  # waits for a primary


if __name__ == "__main__":
    main(*sys.argv[1:])
