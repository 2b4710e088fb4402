"""What a message may say."""

from typing import Any, ClassVar

from marshmallow import ValidationError, fields, validate, validates_schema

from parley.namespaces.checks import WebAddress
from parley.namespaces.fields import Described, about, message_id, metadata, user_id

MAX_TEXT = 4_000  # code points
MAX_URL = 2_048
MAX_MENTIONS = 50


class ContentSchema(Described):
    """What a message says."""  # stays a plain object, with ``message_type`` filled in

    rule: ClassVar = {
        "anyOf": [
            {"properties": {"message_type": {"const": "text"}}, "required": ["text"]},
            {
                "properties": {"message_type": {"const": "image"}},
                "required": ["image", "message_type"],
            },
            {
                "properties": {"message_type": {"const": "file"}},
                "required": ["file", "message_type"],
            },
        ]
    }
    example: ClassVar = {"text": "@bob tea?", "mentions": ["bob"]}

    text = fields.String(validate=validate.Length(min=1, max=MAX_TEXT))
    image = fields.String(
        validate=WebAddress(MAX_URL),
        **about("Uploads are the application's: Parley keeps the address."),
    )
    file = fields.String(validate=WebAddress(MAX_URL))
    message_type = fields.String(
        load_default="text", validate=validate.OneOf(["text", "image", "file"])
    )
    reply_to = message_id(**about("A message of the same room that you can see."))
    mentions = fields.List(
        user_id(),
        validate=validate.Length(max=MAX_MENTIONS),
        **about("Who is meant; counts as a mention for members."),
    )
    metadata = metadata(**about("The application's."))

    @validates_schema
    def _has_its_part(self, data: dict[str, Any], **_: Any) -> None:
        if data.get("message_type") not in data:
            raise ValidationError("missing", field_name=data["message_type"])
