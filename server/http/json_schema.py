"""Marshmallow schemas as JSON Schema, for the documents: OpenAPI and AsyncAPI alike.

Only what both understand is used: JSON Schema draft 7, of which 2020-12 differs nowhere here.
A field or check without words here raises, so that no document says less than the code.
"""

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from marshmallow import Schema, fields, missing, validate

from parley.namespaces import checks
from parley.namespaces.fields import RequestSchema
from parley.namespaces.shapes import Either

Json = dict[str, Any]


class Definitions:
    """The schemas of a document, each once and under a name of its own."""

    def __init__(self, at: str = "#/components/schemas/") -> None:
        self.schemas: dict[str, Json] = {}
        self._at = at

    def ref(self, schema: type[Schema] | Schema) -> Json:
        """Return a reference to a schema, which is described once."""
        name = name_of(schema)
        if name not in self.schemas:
            self.schemas[name] = {}  # its place, should it contain itself
            self.schemas[name] = self._describe(_instance(schema))
        return {"$ref": f"{self._at}{name}"}

    def object_of(self, schema: Schema, names: Iterable[str] | None = None) -> Json:
        """Return an object with these of a schema's fields, by default with all."""
        chosen = {name: fields_of(schema)[name] for name in names or fields_of(schema)}
        found: Json = {
            "type": "object",
            "additionalProperties": False,
            "properties": {key_of(field): self.field(field) for field in chosen.values()},
        }
        required = [key_of(field) for field in chosen.values() if field.required]
        return {**found, "required": required} if required else found

    def field(self, field: Any) -> Json:
        """Return the schema of one field."""
        kind = next(kind for kind in type(field).__mro__ if kind in _KINDS)
        found = _KINDS[kind](self, field)
        for check in field.validators:
            found |= _CHECKS[type(check)](check, found)
        if field.allow_none and "type" in found:
            found["type"] = [found["type"], "null"]
        told = {key: field.metadata[key] for key in _TOLD if key in field.metadata}
        if "$ref" in found and told:
            # Beside a $ref, draft 7 reads nothing.
            found = {"allOf": [found]}
        default = default_of(field)
        return {**found, **({} if default is None else {"default": default}), **told}

    def _describe(self, schema: Schema) -> Json:
        told: Json = {"title": name_of(schema), "description": _sentence(schema)}
        if isinstance(schema, Either):
            kinds = dict.fromkeys(schema.shapes.values())
            return {**told, "oneOf": [self.ref(kind) for kind in kinds]}
        return {**told, **self.object_of(schema), **getattr(schema, "rule", {})}


def name_of(schema: type[Schema] | Schema) -> str:
    """Return what documents call a schema."""
    schema = _instance(schema)
    name = type(schema).__name__
    if name.endswith("Shape"):
        return name.removesuffix("Shape")
    said = "Request" if isinstance(schema, RequestSchema) else "Input"
    return name.removesuffix("Schema") + said


def fields_of(schema: Schema) -> Mapping[str, Any]:
    """Return a schema's fields by name, in the order in which they are declared."""
    declared: Mapping[str, Any] = vars(schema)["fields"]  # `fields.Field` is generic in vain
    return declared


def key_of(field: Any) -> str:
    """Return what a field is called on the wire."""
    return str(field.data_key or field.name)


def default_of(field: Any) -> Any:
    """Return what is assumed where the field is absent, None if nothing is."""
    if field.load_default is not missing:
        return field.load_default
    makes = getattr(field.parent, "makes", None)
    if not dataclasses.is_dataclass(makes):
        return None
    assumed = next(f.default for f in dataclasses.fields(makes) if f.name == field.name)
    return assumed if isinstance(assumed, str | int) else None


def example_of(schema: type[Schema] | Schema) -> Any:
    """Return a value that fits: what is always there, and the schema's own `example`."""
    schema = _instance(schema)
    if isinstance(schema, Either):
        return example_of(next(iter(schema.shapes.values())))
    needed = [field for field in fields_of(schema).values() if field.required]
    return {key_of(f): _example(f) for f in needed} | dict(getattr(schema, "example", {}))


def _example(field: Any) -> Any:
    if "examples" in field.metadata:
        return field.metadata["examples"][0]
    if isinstance(field, fields.Nested):
        return example_of(field.schema)
    written = Definitions().field(field)
    written = next(iter(written.get("allOf", ())), written)
    if "const" in written:
        return written["const"]
    if "enum" in written:
        return str(written["enum"][0])
    plain: Json = {"integer": 1, "boolean": False, "string": "text", "array": [], "object": {}}
    return plain[written["type"]]


def _instance(schema: type[Schema] | Schema) -> Schema:
    return schema() if isinstance(schema, type) else schema


def _sentence(schema: Schema) -> str:
    """Return the first sentence about a schema: for a request, about what it is loaded to."""
    told = getattr(schema, "makes", type(schema)).__doc__ or ""
    return " ".join(told.strip().split("\n\n")[0].replace("``", "`").split())


# Kinds of fields


def _nested(found: Definitions, field: Any) -> Json:
    return found.ref(field.schema)


def _list(found: Definitions, field: Any) -> Json:
    return {"type": "array", "items": found.field(field.inner)}


def _dict(found: Definitions, field: Any) -> Json:
    keys = {} if field.key_field is None else found.field(field.key_field)
    keys.pop("type", None)  # a key is a string anyway
    names = {"propertyNames": keys} if keys else {}
    values = {} if field.value_field is None else found.field(field.value_field)
    return {"type": "object", **names, "additionalProperties": values or True}


def _enum(_: Definitions, field: Any) -> Json:
    return {"type": "string", "enum": [member.value for member in field.enum]}


def _plain(kind: str) -> Callable[[Definitions, Any], Json]:
    return lambda *_: {"type": kind}


_KINDS: Mapping[type, Callable[[Definitions, Any], Json]] = {
    fields.Nested: _nested,
    fields.List: _list,
    fields.Dict: _dict,
    fields.Enum: _enum,
    fields.Integer: _plain("integer"),
    fields.String: _plain("string"),
    fields.Boolean: _plain("boolean"),
    fields.Raw: lambda *_: {},
}

_TOLD = ("description", "examples", "format", "maxLength", "pattern", "enum")


# Checks


def _length(check: validate.Length, found: Json) -> Json:
    of = {"string": "Length", "array": "Items", "object": "Properties"}[found["type"]]
    bounds = {f"min{of}": check.min, f"max{of}": check.max}
    return {key: bound for key, bound in bounds.items() if bound is not None}


def _range(check: validate.Range, _: Json) -> Json:
    bounds = {"minimum": check.min, "maximum": check.max}
    return {key: bound for key, bound in bounds.items() if bound is not None}


def _regexp(check: validate.Regexp, _: Json) -> Json:
    # marshmallow matches from the start; JSON Schema searches, in JavaScript's dialect.
    pattern = str(check.regex.pattern)
    end = "$" if pattern.endswith(r"\Z") else ""
    return {"pattern": f"^(?:{pattern.removesuffix(chr(92) + 'Z')}){end}"}


def _none_of(check: validate.NoneOf, found: Json) -> Json:
    refused = {getattr(value, "value", value) for value in check.iterable}
    return {"enum": [value for value in found["enum"] if value not in refused]}


_CHECKS: Mapping[type, Callable[[Any, Json], Json]] = {
    validate.Length: _length,
    validate.Range: _range,
    validate.Regexp: _regexp,
    validate.OneOf: lambda check, _: {"enum": list(check.choices)},
    validate.NoneOf: _none_of,
    validate.Equal: lambda check, _: {"const": check.comparable},
    checks.Fits: lambda check, _: {"x-max-bytes": check.most},
    checks.WebAddress: lambda check, _: {
        "format": "uri",
        "pattern": "^[Hh][Tt]{2}[Pp][Ss]?://[^/?#]",
        "maxLength": check.most,
    },
    checks.ZeroOr: lambda check, _: {"anyOf": [{"const": 0}, _range(check, {})]},
    checks.Distinct: lambda *_: {"uniqueItems": True},
}
