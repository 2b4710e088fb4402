"""The JSON codec below Socket.IO: orjson, and a forgiving second look at what it refuses."""

import json
from typing import Any

import orjson


class WireJSON:
    """The ``json=`` object that python-socketio asks for."""

    @staticmethod
    def dumps(value: Any, **_: Any) -> str:
        """Encode to text; what is not JSON raises TypeError."""
        return orjson.dumps(value).decode()

    @staticmethod
    def loads(text: str | bytes, **_: Any) -> Any:
        """Decode; NaN, lone surrogates and huge integers come through as they are.

        The door refuses those with a pointer to the field, in an ack. Refusing them here would
        cost the client its connection and never say why.

        Raises:
            ValueError: It is not JSON at all, or too deep to look at.
        """
        try:
            return orjson.loads(text)
        except orjson.JSONDecodeError:
            pass
        try:
            # Text, for of bytes it would take UTF-16, too.
            return json.loads(text.decode() if isinstance(text, bytes) else text)
        except RecursionError as error:
            raise ValueError("nested too deep") from error
