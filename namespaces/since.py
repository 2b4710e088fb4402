"""What a client says with CONNECT of how far it has everything: ``auth.since``."""

from collections.abc import Mapping
from typing import Any

import orjson

from parley.namespaces.errors import Invalid
from parley.namespaces.plain import check_plain


def since_of(auth: Mapping[str, Any]) -> Any:
    """Return ``auth.since``, read where it is JSON text, as it is in clients with fixed types.

    Raises:
        Invalid: It is text and not JSON, or not plain.
    """
    since = auth.get("since")
    if isinstance(since, str):
        try:
            since = orjson.loads(since)
        except orjson.JSONDecodeError as error:
            raise Invalid.at("/since", "not JSON") from error
    check_plain(since, "/since")
    return since
