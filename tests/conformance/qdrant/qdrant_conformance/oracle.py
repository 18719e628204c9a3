"""What a filter and a score mean, worked out one point at a time, and filters to try them on.

The engine indexes, plans and estimates; this does none of it. Source: the meaning of each condition as the API's
reference gives it.
"""

from __future__ import annotations

import math
from datetime import datetime
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st
from qdrant_client import models as m

from ragbed.contracts.vector_store.worlds import IDS, library_points

if TYPE_CHECKING:
    from collections.abc import Callable

POINTS = {point.id: point for point in library_points()}
EARTH_RADIUS_M = 6_371_008.8


def values_at(payload: Any, path: str) -> list[Any]:
    """Return the values under a path: `a.b` goes into objects, `a[].b` into each object of a list."""
    found = [payload]
    for part in path.split("."):
        key = part.removesuffix("[]")
        found = [one[key] for one in found if isinstance(one, dict) and key in one]
        if part.endswith("[]"):
            found = [item for one in found if isinstance(one, list) for item in one]
    return found


def flat(payload: Any, path: str) -> list[Any]:
    """Return the values under a path, the items of a list one by one."""
    return [item for one in values_at(payload, path) for item in (one if isinstance(one, list) else [one])]


def matches(found: m.Filter | None, point_id: Any, payload: Any) -> bool:
    """Say whether a point passes a filter."""
    if found is None:
        return True

    def holds(condition: Any) -> bool:
        return meets(condition, point_id, payload)

    must, should, must_not = (getattr(found, name) or [] for name in ("must", "should", "must_not"))
    enough = found.min_should
    return (
        all(map(holds, must))
        and (not should or any(map(holds, should)))
        and not any(map(holds, must_not))
        and (enough is None or sum(map(holds, enough.conditions)) >= enough.min_count)
    )


def meets(condition: Any, point_id: Any, payload: Any) -> bool:
    """Say whether a point meets one condition."""
    match condition:
        case m.Filter():
            return matches(condition, point_id, payload)
        case m.HasIdCondition():
            return point_id in condition.has_id
        case m.IsEmptyCondition():
            return not [one for one in flat(payload, condition.is_empty.key) if one is not None]
        case m.IsNullCondition():
            return any(one is None for one in flat(payload, condition.is_null.key))
        case m.NestedCondition():
            inner = condition.nested
            return any(matches(inner.filter, point_id, one) for one in flat(payload, inner.key))
    return _field(condition, payload)


def _field(condition: m.FieldCondition, payload: Any) -> bool:
    if condition.values_count is not None:
        counts = [len(one) if isinstance(one, list) else int(one is not None)
                  for one in values_at(payload, condition.key) or [None]]  # fmt: skip
        return any(_between(condition.values_count, count) for count in counts)
    return any(_value(condition, one) for one in flat(payload, condition.key))


def _value(condition: m.FieldCondition, value: Any) -> bool:
    if condition.match is not None:
        return _match(condition.match, value)
    if isinstance(condition.range, m.DatetimeRange):
        return isinstance(value, str) and _between(condition.range, datetime.fromisoformat(value))
    if condition.range is not None:
        return (
            isinstance(value, int | float)
            and not isinstance(value, bool)
            and _between(condition.range, value)
        )
    circle = condition.geo_radius
    if circle is not None:
        return _distance_m(circle.center, value) <= circle.radius
    box = condition.geo_bounding_box
    assert box is not None, condition
    corner, other = box.top_left, box.bottom_right
    return corner.lon <= value["lon"] <= other.lon and other.lat <= value["lat"] <= corner.lat


def _match(match: Any, value: Any) -> bool:
    if isinstance(match, m.MatchAny):
        return any(_equal(one, value) for one in match.any)
    if isinstance(match, m.MatchExcept):
        return not any(_equal(one, value) for one in match.except_)
    return _equal(match.value, value)


def _equal(left: Any, right: Any) -> bool:
    return type(left) is type(right) and left == right


def _between(bounds: Any, value: Any) -> bool:
    return (
        (bounds.gt is None or value > bounds.gt)
        and (bounds.gte is None or value >= bounds.gte)
        and (bounds.lt is None or value < bounds.lt)
        and (bounds.lte is None or value <= bounds.lte)
    )


def _distance_m(center: m.GeoPoint, other: Any) -> float:
    """Return the great-circle distance, by the haversine formula."""
    lat, other_lat = math.radians(center.lat), math.radians(other["lat"])
    half_lat, half_lon = (other_lat - lat) / 2, math.radians(other["lon"] - center.lon) / 2
    a = math.sin(half_lat) ** 2 + math.cos(lat) * math.cos(other_lat) * math.sin(half_lon) ** 2
    return 2 * EARTH_RADIUS_M * math.asin(math.sqrt(a))


def cosine(left: list[float], right: list[float]) -> float:
    """Return the cosine of two vectors."""
    product = sum(a * b for a, b in zip(left, right, strict=True))
    return product / math.sqrt(sum(a * a for a in left) * sum(b * b for b in right))


def passing(found: m.Filter | None) -> list[Any]:
    """Return the ids of the library's points that pass a filter, in order of id."""
    return [point_id for point_id in IDS if matches(found, point_id, POINTS[point_id].payload)]


# --- filters to try


def _bounds(kind: Callable[..., Any], values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Return ranges of at most one lower and one upper bound; given both `gt` and `gte`, an index heeds one alone."""
    lower = st.one_of(
        st.just({}), *(values.map(lambda value, name=name: {name: value}) for name in ("gt", "gte"))
    )
    upper = st.one_of(
        st.just({}), *(values.map(lambda value, name=name: {name: value}) for name in ("lt", "lte"))
    )
    return (
        st.tuples(lower, upper).map(lambda both: {**both[0], **both[1]}).filter(bool).map(lambda b: kind(**b))
    )


_WORDS = st.sampled_from(["a", "b", "c", "red", "green", "blue", "bolt", "nobody"])
_NUMBERS = st.integers(-1, 12)
_TEXT_KEYS = st.sampled_from(["kind", "tags", "parts[].name"])
_NUMBER_KEYS = st.sampled_from(["n", "price", "parts[].count", "shelf.row"])
_TIMES = st.integers(1, 12).map(lambda month: datetime.fromisoformat(f"2024-{month:02d}-01T12:00:00+00:00"))
_MATCHES = st.one_of(
    st.builds(lambda value: m.MatchValue(value=value), _WORDS),
    st.builds(lambda values: m.MatchAny(any=values), st.lists(_WORDS, min_size=1, max_size=3)),
    st.builds(lambda values: m.MatchExcept(**{"except": values}), st.lists(_WORDS, min_size=1, max_size=3)),
)
_INTEGER_MATCHES = st.builds(lambda value: m.MatchValue(value=value), _NUMBERS)
_POINTS_ON_EARTH = st.builds(
    lambda lon, lat: m.GeoPoint(lon=lon, lat=lat), st.integers(8, 22), st.integers(38, 52)
)


@st.composite
def _boxes(draw: st.DrawFn) -> m.GeoBoundingBox:
    """Draw a box with no point on its edge, for whether an edge belongs to a box is not said anywhere."""
    first, second = draw(_POINTS_ON_EARTH), draw(_POINTS_ON_EARTH)
    lons, lats = sorted((first.lon + 0.2, second.lon + 0.7)), sorted((first.lat + 0.2, second.lat + 0.7))
    return m.GeoBoundingBox(
        top_left=m.GeoPoint(lon=lons[0], lat=lats[1]), bottom_right=m.GeoPoint(lon=lons[1], lat=lats[0])
    )


CONDITIONS: st.SearchStrategy[Any] = st.one_of(
    st.builds(lambda key, match: m.FieldCondition(key=key, match=match), _TEXT_KEYS, _MATCHES),
    st.builds(lambda match: m.FieldCondition(key="n", match=match), _INTEGER_MATCHES),
    st.builds(lambda value: m.FieldCondition(key="flag", match=m.MatchValue(value=value)), st.booleans()),
    st.builds(lambda key, given: m.FieldCondition(key=key, range=given), _NUMBER_KEYS,
              _bounds(m.Range, _NUMBERS.map(float))),
    st.builds(lambda given: m.FieldCondition(key="when", range=given), _bounds(m.DatetimeRange, _TIMES)),
    st.builds(lambda box: m.FieldCondition(key="place", geo_bounding_box=box), _boxes()),
    st.builds(lambda center, km: m.FieldCondition(key="place", geo_radius=m.GeoRadius(center=center, radius=km * 1000)),
              _POINTS_ON_EARTH, st.integers(1, 900)),
    st.builds(lambda given: m.FieldCondition(key="tags", values_count=given),
              _bounds(m.ValuesCount, st.integers(0, 4))),
    st.builds(lambda ids: m.HasIdCondition(has_id=ids), st.lists(st.sampled_from(IDS), max_size=4)),
    st.sampled_from(["gap", "kind", "nobody", "tags"]).map(
        lambda key: m.IsEmptyCondition(is_empty=m.PayloadField(key=key))),
    st.sampled_from(["gap", "kind", "nobody"]).map(lambda key: m.IsNullCondition(is_null=m.PayloadField(key=key))),
    st.builds(lambda name, given: m.NestedCondition(nested=m.Nested(key="parts", filter=m.Filter(must=[
        m.FieldCondition(key="name", match=m.MatchValue(value=name)), m.FieldCondition(key="count", range=given)]))),
        st.sampled_from(["bolt", "nut"]), _bounds(m.Range, _NUMBERS.map(float))),
)  # fmt: skip


def _filters(conditions: st.SearchStrategy[Any]) -> st.SearchStrategy[m.Filter]:
    lists = st.lists(conditions, min_size=1, max_size=3)
    enough = st.builds(lambda given, count: m.MinShould(conditions=given, min_count=min(count, len(given))),
                       lists, st.integers(1, 3))  # fmt: skip
    chosen = st.fixed_dictionaries(
        {}, optional={"must": lists, "should": lists, "must_not": lists, "min_should": enough}
    )
    return chosen.map(lambda given: m.Filter(**given))


FILTERS = st.recursive(
    _filters(CONDITIONS), lambda inner: _filters(st.one_of(CONDITIONS, inner)), max_leaves=4
)
"""Filters of every shape over the library's payloads."""
