"""Filters: conditions on payload, ids and vectors, and their combinations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import qdrant_edge as engine

from ragbed.qdrant.errors import FormatError, InvalidValue, WrongInput
from ragbed.qdrant.translate.fields import (
    boolean,
    engine_value,
    fields,
    integer,
    json_type,
    list_of,
    mapping,
    number,
    one_or_many,
    sequence,
    text,
)
from ragbed.qdrant.translate.ids import PointId, read_ids

if TYPE_CHECKING:
    from qdrant_edge import ConditionType, MatchType, RangeType

CLAUSES = ("must", "should", "must_not", "min_should")
FIELD_CONDITIONS = (
    "match",
    "range",
    "geo_bounding_box",
    "geo_radius",
    "geo_polygon",
    "values_count",
    "is_empty",
    "is_null",
)


def read_filter(value: Any, path: str) -> engine.Filter:
    """Return the filter that a JSON object describes.

    Args:
        value: Object with any of `must`, `should`, `must_not` (one condition or an array) and `min_should`.
        path: Where it stands in the body, for messages.

    Raises:
        FormatError: Something is unknown or of the wrong type.
        InvalidValue: A condition says nothing.
    """
    conditions = one_or_many(read_condition)
    with fields(value, path) as members:
        return engine.Filter(
            must=members.maybe("must", conditions),
            should=members.maybe("should", conditions),
            must_not=members.maybe("must_not", conditions),
            min_should=members.maybe("min_should", _min_should),
        )


def excluding(condition: engine.Filter | None, ids: set[PointId]) -> engine.Filter:
    """Return a filter that also leaves out some points."""
    must: list[ConditionType] = [] if condition is None else [condition]
    return engine.Filter(must=must, must_not=[engine.HasIdCondition(cast("set[Any]", ids))])


def read_condition(value: Any, path: str) -> ConditionType:
    """Return one condition: on a field, on ids, on vectors, nested, or a filter of its own."""
    names = mapping(value, path)
    if "key" in names:
        return _field(value, path)
    for name, read in SPECIAL.items():
        if name in names:
            with fields(value, path) as members:
                condition: ConditionType = members.required(name, read)
                return condition
    if names and not any(name in names for name in CLAUSES):
        raise FormatError(f"data did not match any variant of a condition at `{path}`")
    return read_filter(value, path)


def _min_should(value: Any, path: str) -> engine.MinShould:
    with fields(value, path) as members:
        return engine.MinShould(
            conditions=members.required("conditions", list_of(read_condition)),
            min_count=members.required("min_count", _min_count),
        )


def _min_count(value: Any, path: str) -> int:
    if count := integer(0)(value, path):
        return count
    raise InvalidValue(path, "min_count must be greater than 0")


def _field(value: Any, path: str) -> ConditionType:
    with fields(value, path) as members, engine_value(path, WrongInput):
        key = members.required("key", text)
        if not any(name in members for name in FIELD_CONDITIONS):
            raise InvalidValue(path, "At least one field condition must be specified")
        return engine.FieldCondition(
            key=key,
            match=members.maybe("match", read_match),
            range=members.maybe("range", read_range),
            geo_bounding_box=members.maybe("geo_bounding_box", _geo_box),
            geo_radius=members.maybe("geo_radius", _geo_radius),
            geo_polygon=members.maybe("geo_polygon", _geo_polygon),
            values_count=members.maybe("values_count", _values_count),
            is_empty=members.maybe("is_empty", boolean),
            is_null=members.maybe("is_null", boolean),
        )


def read_match(value: Any, path: str) -> MatchType:
    """Return what a field's value is compared with: `value`, `any`, `except`, or a kind of text match."""
    with fields(value, path) as members:
        for name, build in MATCHES.items():
            if name in members:
                wanted = members.required(name, lambda item, _: item)
                with engine_value(members.at(name)):
                    match: MatchType = build(wanted)
                    return match
    raise FormatError(f"data did not match any variant of a match at `{path}`")


class _Boolean:
    """A boolean that the engine takes for one.

    It tries integers before booleans and takes `True` for 1, which matches no boolean. What is neither text nor a
    number, and names itself numpy's boolean, it reads as a boolean.
    """

    __slots__ = ("_value",)

    def __init__(self, value: bool) -> None:
        self._value = value

    def __bool__(self) -> bool:
        return self._value


_Boolean.__name__, _Boolean.__qualname__, _Boolean.__module__ = "bool_", "bool_", "numpy"


def _match_value(value: Any) -> MatchType:
    if not isinstance(value, str | int):
        raise TypeError(f"invalid type: {json_type(value)}, expected a string, an integer or a boolean")
    return engine.MatchValue(cast("bool", _Boolean(value)) if isinstance(value, bool) else value)


def _match_list(value: Any, build: type[engine.MatchAny | engine.MatchExcept]) -> MatchType:
    kinds = {type(item) for item in sequence(value, "match")}
    if kinds not in ({str}, {int}, set()):
        raise TypeError("expected an array of strings or an array of integers")
    return build(value)


MATCHES: dict[str, Any] = {
    "value": _match_value,
    "any": lambda value: _match_list(value, engine.MatchAny),
    "except": lambda value: _match_list(value, engine.MatchExcept),
    "text": engine.MatchText,
    "text_any": engine.MatchTextAny,
    "phrase": engine.MatchPhrase,
    "prefix": engine.MatchPrefix,
}


def read_range(value: Any, path: str) -> RangeType:
    """Return a range of numbers, or of times where a bound is a string (RFC 3339)."""
    dates = isinstance(value, dict) and any(isinstance(bound, str) for bound in value.values())
    with fields(value, path) as members:
        if dates:
            bounds = {name: members.maybe(name, text) for name in ("gte", "gt", "lte", "lt")}
            with engine_value(path):
                return engine.RangeDateTime(**bounds)
        return engine.RangeFloat(**{name: members.maybe(name, number) for name in ("gte", "gt", "lte", "lt")})


def _values_count(value: Any, path: str) -> engine.ValuesCount:
    with fields(value, path) as members:
        return engine.ValuesCount(
            **{name: members.maybe(name, integer(0)) for name in ("lt", "gt", "lte", "gte")}
        )


def read_geo_point(value: Any, path: str) -> engine.GeoPoint:
    """Return a point on the globe: an object with `lon` and `lat`."""
    with fields(value, path) as members, engine_value(path):
        return engine.GeoPoint(lon=members.required("lon", number), lat=members.required("lat", number))


def _geo_box(value: Any, path: str) -> engine.GeoBoundingBox:
    with fields(value, path) as members:
        return engine.GeoBoundingBox(
            top_left=members.required("top_left", read_geo_point),
            bottom_right=members.required("bottom_right", read_geo_point),
        )


def _geo_radius(value: Any, path: str) -> engine.GeoRadius:
    with fields(value, path) as members:
        return engine.GeoRadius(
            center=members.required("center", read_geo_point), radius=members.required("radius", number)
        )


def _geo_polygon(value: Any, path: str) -> engine.GeoPolygon:
    with fields(value, path) as members, engine_value(path):
        return engine.GeoPolygon(
            exterior=members.required("exterior", _geo_line),
            interiors=members.maybe("interiors", list_of(_geo_line)) or [],
        )


def _geo_line(value: Any, path: str) -> list[engine.GeoPoint]:
    with fields(value, path) as members:
        return members.required("points", list_of(read_geo_point))


def _payload_key(value: Any, path: str) -> str:
    with fields(value, path) as members:
        return members.required("key", text)


def _is_empty(value: Any, path: str) -> ConditionType:
    with engine_value(path, WrongInput):
        return engine.IsEmptyCondition(_payload_key(value, path))


def _is_null(value: Any, path: str) -> ConditionType:
    with engine_value(path, WrongInput):
        return engine.IsNullCondition(_payload_key(value, path))


def _has_id(value: Any, path: str) -> ConditionType:
    return engine.HasIdCondition(set(read_ids(value, path)))


def _has_vector(value: Any, path: str) -> ConditionType:
    return engine.HasVectorCondition(text(value, path))


def _nested(value: Any, path: str) -> ConditionType:
    with fields(value, path) as members, engine_value(path, WrongInput):
        return engine.NestedCondition(
            key=members.required("key", text), filter=members.required("filter", read_filter)
        )


def _slice(value: Any, path: str) -> ConditionType:
    with fields(value, path) as members:
        total = members.required("total", integer(0, 2**32 - 1))
        index = members.required("index", integer(0, 2**32 - 1))
    if total == 0:
        raise FormatError(f"invalid value: integer `0`, expected a nonzero u64 at `{path}.total`")
    if index >= total:
        raise InvalidValue(f"{path}.index", f"value {index} invalid, must be less than total ({total})")
    condition: ConditionType = getattr(engine, "SliceCondition")(total, index)  # noqa: B009  # not in the stubs
    return condition


SPECIAL: dict[str, Any] = {
    "slice": _slice,
    "is_empty": _is_empty,
    "is_null": _is_null,
    "has_id": _has_id,
    "has_vector": _has_vector,
    "nested": _nested,
}
