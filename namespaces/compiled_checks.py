"""The checks of a field as `parley.namespaces.compiled` runs them, known by their exact type."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from marshmallow import validate

from parley.namespaces import checks

Test = Callable[[Any], Any]
"""Returns something true if a value passes; else something false, or it raises."""


class Unknown(Exception):
    """There is no fast form of something in the schema."""


def know(known: bool) -> None:
    """Raise `Unknown` unless something is known."""
    if not known:
        raise Unknown


def test_of(validators: Sequence[Any]) -> Test | None:
    """Return one test that is as good as all the checks, None if there are none."""
    tests = [_test(check) for check in validators]
    match tests:
        case []:
            return None
        case [test]:
            return test
        case _:
            return lambda value: all(test(value) for test in tests)


def _test(check: Any) -> Test:
    know(type(check) in _TESTS)
    return _TESTS[type(check)](check)


def _length(check: validate.Length) -> Test:
    know(check.equal is None)
    least, most = check.min or 0, math.inf if check.max is None else check.max
    return lambda value: least <= len(value) <= most


def _range(check: validate.Range) -> Test:
    know(check.min_inclusive and check.max_inclusive)
    least = -math.inf if check.min is None else check.min
    most = math.inf if check.max is None else check.max
    return lambda value: least <= value <= most


def _as_it_is(check: validate.Validator) -> Test:
    def test(value: Any) -> bool:
        check(value)  # raises
        return True

    return test


_TESTS: Mapping[type, Callable[[Any], Test]] = {
    validate.Length: _length,
    validate.Range: _range,
    validate.Regexp: lambda check: check.regex.match,
    validate.OneOf: _as_it_is,
    checks.Distinct: _as_it_is,
    checks.Fits: _as_it_is,
    checks.WebAddress: _as_it_is,
    checks.ZeroOr: _as_it_is,
}
