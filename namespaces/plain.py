"""What may be inside a payload at all, before any schema looks at it.

JSON of other people reaches every client of a room and every query of storage. What some
parsers take and others choke on (NaN, lone surrogates, integers beyond 64 bits, bytes) is
refused here once, for every event, with a pointer to the place.
"""

import math
from collections.abc import Callable
from typing import Any, cast

from parley.namespaces.errors import Invalid

MAX_DEPTH = 32
_INT64 = 1 << 63


def check_plain(value: Any, pointer: str = "", depth: int = 0) -> None:
    """Raise `Invalid` at the first thing in ``value`` that is not plain, portable JSON."""
    # By exact type, not isinstance: this runs for every value of every event.
    kind: type = type(cast("object", value))
    _CHECKS.get(kind, _refuse)(value, pointer, depth)


def _check_object(value: dict[str, Any], pointer: str, depth: int) -> None:
    _check_depth(pointer, depth)
    for key, inner in value.items():
        inside = f"{pointer}/{key.replace('~', '~0').replace('/', '~1')}"
        _check_text(key, inside, depth)
        check_plain(inner, inside, depth + 1)


def _check_list(value: list[Any], pointer: str, depth: int) -> None:
    _check_depth(pointer, depth)
    for index, inner in enumerate(value):
        check_plain(inner, f"{pointer}/{index}", depth + 1)


def _check_depth(pointer: str, depth: int) -> None:
    if depth >= MAX_DEPTH:
        # The pointer itself would be as deep as the payload; its start shows the place.
        raise Invalid.at(pointer[:120], f"nested deeper than {MAX_DEPTH} levels")


def _check_text(text: str, pointer: str, _depth: int) -> None:
    if "\0" in text:
        raise Invalid.at(printable(pointer), "the text contains a NUL character")
    if not text.isascii() and not encodes(text):
        raise Invalid.at(printable(pointer), "the text contains half a surrogate pair")


def _check_integer(value: int, pointer: str, _depth: int) -> None:
    if not -_INT64 <= value < _INT64:
        raise Invalid.at(pointer, "the integer does not fit in 64 bits")


def _check_number(value: float, pointer: str, _depth: int) -> None:
    if not math.isfinite(value):
        raise Invalid.at(pointer, "not a finite number")
    # orjson reads an integer beyond 64 bits as the nearest float; nobody is told another number.
    if abs(value) >= _INT64:
        raise Invalid.at(pointer, "the number does not fit in 64 bits")


def _accept(_value: object, _pointer: str, _depth: int) -> None:
    """Nothing to check."""


def _refuse(value: object, pointer: str, _depth: int) -> None:
    kind = "binary data" if isinstance(value, bytes) else type(value).__name__
    raise Invalid.at(pointer, f"{kind} is not accepted here")


_CHECKS: dict[type, Callable[[Any, str, int], None]] = {
    str: _check_text,
    dict: _check_object,
    list: _check_list,
    int: _check_integer,
    float: _check_number,
    bool: _accept,
    type(None): _accept,
}


def is_plain(value: Any, depth: int = 0) -> bool:
    """Return whether `check_plain` would say nothing; cheaper, since it keeps no pointers.

    A property test compares the two.
    """
    kind: type = type(cast("object", value))
    plain: bool
    if kind is str:
        plain = "\0" not in value and (value.isascii() or encodes(value))
    elif kind is int:
        plain = -_INT64 <= value < _INT64
    elif kind is dict:
        plain = depth < MAX_DEPTH and _is_plain_object(value, depth + 1)
    elif kind is list:
        plain = depth < MAX_DEPTH and _is_plain_list(value, depth + 1)
    elif kind is float:
        plain = abs(value) < _INT64  # NaN is not
    else:
        plain = kind is bool or value is None
    return plain


# Loops, not `all(map(...))`: for the few things that are in most of them, half the time.
def _is_plain_object(value: dict[Any, Any], depth: int) -> bool:
    for key, inner in value.items():  # noqa: SIM110  # see above
        if not (is_plain(key) and is_plain(inner, depth)):
            return False
    return True


def _is_plain_list(value: list[Any], depth: int) -> bool:
    for inner in value:  # noqa: SIM110  # see above
        if not is_plain(inner, depth):
            return False
    return True


def encodes(text: str) -> bool:
    """Return whether text is whole: half a surrogate pair has no encoding."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def printable(text: str) -> str:
    """Return what a client wrote in a form that can be sent back to it."""
    return text.encode(errors="replace").decode().replace("\0", "?")
