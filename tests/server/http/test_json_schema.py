"""Schemas as JSON Schema: what has no words raises, so that no document says less than the code."""

from enum import StrEnum
from typing import Any

import pytest
from marshmallow import fields, validate

from parley.server.http.json_schema import Definitions


class Colour(StrEnum):
    RED = "red"
    GREEN = "green"
    BLUE = "blue"


def test_a_check_without_words_raises() -> None:
    with pytest.raises(KeyError, match="ContainsOnly"):
        Definitions().field(fields.List(fields.String(), validate=validate.ContainsOnly(["a"])))


@pytest.mark.parametrize("field", [fields.Tuple((fields.String(),)), fields.Constant(1)])
def test_a_field_without_words_raises(field: Any) -> None:
    with pytest.raises(TypeError, match="no words"):
        Definitions().field(field)


@pytest.mark.parametrize(
    ("check", "left"),
    [
        (validate.OneOf([Colour.RED, Colour.BLUE]), ["red", "blue"]),
        (validate.NoneOf([Colour.RED]), ["green", "blue"]),
        (validate.Equal(Colour.RED), ["red"]),
    ],
)
def test_the_checks_of_an_enum_narrow_it(check: Any, left: list[str]) -> None:
    told = Definitions().field(fields.Enum(Colour, by_value=True, validate=check))
    assert told == {"type": "string", "enum": left}


def test_the_length_of_an_object_is_that_of_its_properties() -> None:
    told = Definitions().field(fields.Dict(validate=validate.Length(1, 3)))
    assert (told["minProperties"], told["maxProperties"]) == (1, 3)
    assert "maxLength" not in told
