"""Marshmallow schemas as JSON Schema, for the documents: OpenAPI and AsyncAPI alike.

apispec writes it; here are the words that it lacks. Only what both documents understand is used:
JSON Schema draft 7, of which 2020-12 differs nowhere here. A field or check without words raises,
so that no document says less than the code.
"""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, cast

from apispec import APISpec, BasePlugin
from apispec.ext.marshmallow import MarshmallowPlugin
from marshmallow import Schema, fields, missing, validate

from parley.namespaces import checks
from parley.namespaces.fields import RequestSchema
from parley.namespaces.shapes import Either

Json = dict[str, Any]


class Definitions(APISpec):
    """A document; each schema in it is described once, under a name of its own."""

    def __init__(self, title: str = "", version: str = "", **options: Any) -> None:
        plugin = MarshmallowPlugin(schema_name_resolver=_name_if_whole)
        super().__init__(title, version, "3.1.0", plugins=[plugin, _Beside(self.ref)], **options)
        self._converter = converter = cast("Any", plugin.converter)
        converter.map_to_openapi_type(fields.Enum, fields.String)
        converter.add_attribute_function(_words)

    def ref(self, schema: type[Schema] | Schema) -> Json:
        """Return a reference to a schema."""
        found: Json = self._converter.resolve_nested_schema(schema)
        return found

    def field(self, field: Any) -> Json:
        """Return the schema of one field."""
        found: Json = self._converter.field2property(field)
        return found


def name_of(schema: type[Schema] | Schema) -> str:
    """Return what documents call a schema."""
    kind = schema if isinstance(schema, type) else type(schema)
    if kind.__name__.endswith("Shape"):
        return kind.__name__.removesuffix("Shape")
    said = "Request" if issubclass(kind, RequestSchema) else "Input"
    return kind.__name__.removesuffix("Schema") + said


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
    schema = schema() if isinstance(schema, type) else schema
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
    plain: Json = {"integer": 1, "boolean": False, "string": "text", "array": [], "object": {}}
    return written["enum"][0] if "enum" in written else plain[written["type"]]


# What apispec has no words for


class _Beside(BasePlugin):
    """Writes what a schema says beside its fields."""

    def __init__(self, ref: Callable[[type[Schema]], Json]) -> None:
        self._ref = ref

    def schema_helper(self, name: str, definition: Json, schema: Any = None, **_: Any) -> Json:
        kind = schema if isinstance(schema, type) else type(schema)
        told: Json = {"title": name, "description": _sentence(kind)}
        if not issubclass(kind, Either):
            return {**told, **getattr(kind, "rule", {})}
        definition.clear()  # no fields of its own
        shapes = dict.fromkeys(kind.shapes.values())
        return {**told, "oneOf": [self._ref(shape) for shape in shapes]}


def _sentence(kind: type[Schema]) -> str:
    """Return the first sentence about a schema: for a request, about what it is loaded to."""
    told = getattr(kind, "makes", kind).__doc__ or ""
    return " ".join(told.strip().split("\n\n")[0].replace("``", "`").split())


def _name_if_whole(schema: Any) -> Any:
    """Return a schema's name, None if it has `only` some of its fields: it is written in place."""
    return None if getattr(schema, "only", None) else name_of(schema)


def _words(converter: Any, field: Any, ret: Json) -> Json:
    """Complete in ``ret`` what apispec has written of a field."""
    if (default := default_of(field)) is not None:
        ret["default"] = default
    if isinstance(field, fields.Dict) and field.key_field and field.key_field.validators:
        ret["propertyNames"] = converter.field2property(field.key_field)
    for check in field.validators:
        ret |= _CHECKS[type(check)](check, ret)
    if not ret.keys() & {"type", "$ref", "anyOf"} and not isinstance(field, fields.Raw):
        raise TypeError(f"no words for {field!r}")
    # Beside a $ref, draft 7 reads nothing.
    return {"allOf": [{"$ref": ret.pop("$ref")}]} if "$ref" in ret and len(ret) > 1 else {}


def _length(_: validate.Length, ret: Json) -> Json:
    if ret["type"] != "object":
        return {}
    bounds = {"minLength": "minProperties", "maxLength": "maxProperties"}
    return {bounds[key]: ret.pop(key) for key in bounds.keys() & ret.keys()}


def _regexp(check: validate.Regexp, _: Json) -> Json:
    # marshmallow matches from the start; JSON Schema searches, in JavaScript's dialect.
    pattern = str(check.regex.pattern)
    end = "$" if pattern.endswith(r"\Z") else ""
    return {"pattern": f"^(?:{pattern.removesuffix(chr(92) + 'Z')}){end}"}


def _only(ret: Json, passes: Callable[[Any], bool]) -> Json:
    return {"enum": [value for value in ret["enum"] if value is None or passes(value)]}


def _zero_or(_: checks.ZeroOr, ret: Json) -> Json:
    return {"anyOf": [{"const": 0}, {key: ret.pop(key) for key in ("minimum", "maximum")}]}


_CHECKS: Mapping[type, Callable[[Any, Json], Json]] = {
    # Of a `fields.Enum` apispec names all members, whatever the checks.
    validate.Equal: lambda check, _: {"enum": [check.comparable]},
    validate.NoneOf: lambda check, ret: _only(ret, lambda value: value not in check.iterable),
    validate.OneOf: lambda check, ret: _only(ret, lambda value: value in check.choices),
    validate.Length: _length,
    validate.Range: lambda *_: {},  # apispec's
    validate.Regexp: _regexp,
    checks.Distinct: lambda *_: {"uniqueItems": True},
    checks.Fits: lambda check, _: {"x-max-bytes": check.most},
    checks.WebAddress: lambda check, _: {
        "format": "uri",
        "pattern": "^[Hh][Tt]{2}[Pp][Ss]?://[^/?#]",
        "maxLength": check.most,
    },
    checks.ZeroOr: _zero_or,
}
