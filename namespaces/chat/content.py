"""What a message may say."""

from typing import Any
from urllib.parse import urlsplit

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from parley.namespaces.fields import message_id, metadata, user_id

MAX_TEXT = 4_000  # code points
MAX_URL = 2_048
MAX_MENTIONS = 50


def _is_web_address(value: str) -> None:
    try:
        parts = urlsplit(value)
    except ValueError as error:
        raise ValidationError("not a web address") from error
    if len(value) > MAX_URL or parts.scheme not in ("http", "https") or not parts.netloc:
        raise ValidationError(f"not an absolute http(s) address of at most {MAX_URL} characters")


class ContentSchema(Schema):
    """What a message says; stays a plain object, with ``message_type`` filled in."""

    text = fields.String(validate=validate.Length(min=1, max=MAX_TEXT))
    image = fields.String(validate=_is_web_address)
    file = fields.String(validate=_is_web_address)
    message_type = fields.String(
        load_default="text", validate=validate.OneOf(["text", "image", "file"])
    )
    reply_to = message_id()
    mentions = fields.List(user_id(), validate=validate.Length(max=MAX_MENTIONS))
    metadata = metadata()

    @validates_schema
    def _has_its_part(self, data: dict[str, Any], **_: Any) -> None:
        if data.get("message_type") not in data:
            raise ValidationError("missing", field_name=data["message_type"])
