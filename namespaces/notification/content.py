"""What a notification may say."""

from marshmallow import fields, validate

from parley.namespaces.checks import Fits, WebAddress
from parley.namespaces.fields import MAX_METADATA, Described, about

MAX_TITLE = 200  # code points
MAX_BODY = 4_000  # code points
MAX_ACTION = 2_048  # code points
MAX_ICON = 2_048  # characters of a URL


def title(*, required: bool = False) -> fields.String:
    """Return a field for what a notification is called."""
    return fields.String(
        validate=validate.Length(min=1, max=MAX_TITLE),
        **about("", "Tea is ready"),
        required=required,
    )


def body(*, required: bool = False) -> fields.String:
    """Return a field for the text of a notification."""
    return fields.String(
        validate=validate.Length(min=1, max=MAX_BODY),
        **about("", "In the kitchen"),
        required=required,
    )


def icon() -> fields.String:
    """Return a field for a picture."""
    return fields.String(validate=WebAddress(MAX_ICON))


def action() -> fields.String:
    """Return a field for what a tap does."""
    return fields.String(
        validate=validate.Length(min=1, max=MAX_ACTION),
        **about("What a tap does, in the application's own words: an address, say.", "/orders/42"),
    )


def data() -> fields.Dict:
    """Return a field for an object of the application's own."""
    return fields.Dict(
        keys=fields.String(), validate=Fits(MAX_METADATA), **about("The application's.")
    )


class NotificationContentSchema(Described):
    """What a notification says."""

    title = title(required=True)
    body = body(required=True)
    icon = icon()
    action = action()
    data = data()
