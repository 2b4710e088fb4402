"""Checks of one field that marshmallow does not have, as classes: documents read them, too."""

from collections.abc import Hashable, Sequence
from typing import Any
from urllib.parse import urlsplit

import orjson
from marshmallow import ValidationError, validate


class Fits(validate.Validator):
    """At most so many bytes, encoded as JSON."""

    def __init__(self, most: int) -> None:
        self.most = most

    def __call__(self, value: Any) -> Any:
        """Return the value, or raise `ValidationError`."""
        if len(orjson.dumps(value)) > self.most:
            raise ValidationError(f"larger than {self.most} bytes")
        return value


class WebAddress(validate.Validator):
    """An absolute http(s) address of at most so many characters."""

    def __init__(self, most: int) -> None:
        self.most = most

    def __call__(self, value: str) -> str:
        """Return the value, or raise `ValidationError`."""
        try:
            parts = urlsplit(value)
        except ValueError as error:
            raise ValidationError("not a web address") from error
        if len(value) > self.most or parts.scheme not in ("http", "https") or not parts.netloc:
            raise ValidationError(
                f"not an absolute http(s) address of at most {self.most} characters"
            )
        return value


class ZeroOr(validate.Range):
    """Zero, or a number of a range."""

    def __call__(self, value: Any) -> Any:
        """Return the value, or raise `ValidationError`."""
        if value == 0:
            return value
        return super().__call__(value)


class Distinct(validate.Validator):
    """Each item once."""

    def __call__(self, value: Sequence[Hashable]) -> Sequence[Hashable]:
        """Return the value, or raise `ValidationError`."""
        if len(set(value)) < len(value):
            raise ValidationError("an item stands there twice")
        return value
