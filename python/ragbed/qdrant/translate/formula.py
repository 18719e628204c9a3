"""Formulas: expressions that turn scores and payload values into new scores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import qdrant_edge as engine

from ragbed.qdrant.errors import FormatError, WrongInput
from ragbed.qdrant.translate.fields import engine_value, fields, list_of, mapping, number, text
from ragbed.qdrant.translate.filters import read_condition, read_geo_point

if TYPE_CHECKING:
    from collections.abc import Callable

Expression = engine.Expression


def read_formula(value: Any, path: str, defaults: dict[str, Any]) -> engine.Formula:
    """Return a formula.

    Args:
        value: A number, the name of a payload key or `$score`, a condition, or an object such as `{"sum": [...]}`.
        path: Where it stands in the body, for messages.
        defaults: Values of payload keys for points that lack them.
    """
    expression = read_expression(value, path)
    with engine_value(path, WrongInput):
        return engine.Formula(expression, defaults)


def read_expression(value: Any, path: str) -> engine.Expression:
    """Return one expression; raise FormatError when the JSON is none."""
    if isinstance(value, str):
        with engine_value(path, WrongInput):
            return Expression.Variable(value)
    if not isinstance(value, dict):
        return Expression.Constant(number(value, path))
    for name, read in OPERATIONS.items():
        if name in value:
            with fields(value, path) as members:
                expression: engine.Expression = members.required(name, read)
                return expression
    if not value:
        raise FormatError(f"data did not match any variant of untagged enum Expression at `{path}`")
    return Expression.Condition(read_condition(value, path))


read_expressions = list_of(read_expression)


def _of_one(build: Callable[[engine.Expression], engine.Expression]) -> Callable[[Any, str], Any]:
    return lambda value, path: build(read_expression(value, path))


def _of_many(build: Callable[[list[engine.Expression]], engine.Expression]) -> Callable[[Any, str], Any]:
    return lambda value, path: build(read_expressions(value, path))


def _division(value: Any, path: str) -> engine.Expression:
    with fields(value, path) as members:
        return Expression.Div(
            members.required("left", read_expression),
            members.required("right", read_expression),
            members.maybe("by_zero_default", number),
        )


def _power(value: Any, path: str) -> engine.Expression:
    with fields(value, path) as members:
        return Expression.Pow(
            members.required("base", read_expression), members.required("exponent", read_expression)
        )


def _geo_distance(value: Any, path: str) -> engine.Expression:
    with fields(value, path) as members, engine_value(path, WrongInput):
        return Expression.GeoDistance(
            members.required("origin", read_geo_point), members.required("to", text)
        )


def _datetime(value: Any, path: str) -> engine.Expression:
    with engine_value(path, WrongInput):
        return Expression.Datetime(text(value, path))


def _datetime_key(value: Any, path: str) -> engine.Expression:
    with engine_value(path, WrongInput):
        return Expression.DatetimeKey(text(value, path))


def _decay(kind: engine.DecayKind) -> Callable[[Any, str], engine.Expression]:
    def read(value: Any, path: str) -> engine.Expression:
        with fields(value, path) as members, engine_value(path, WrongInput):
            return Expression.Decay(
                kind,
                members.required("x", read_expression),
                members.maybe("target", read_expression),
                members.maybe("midpoint", number),
                members.maybe("scale", number),
            )

    return read


OPERATIONS: dict[str, Callable[[Any, str], Any]] = {
    "mult": _of_many(Expression.Mult),
    "sum": _of_many(Expression.Sum),
    "neg": _of_one(Expression.Neg),
    "abs": _of_one(Expression.Abs),
    "sqrt": _of_one(Expression.Sqrt),
    "exp": _of_one(Expression.Exp),
    "log10": _of_one(Expression.Log10),
    "ln": _of_one(Expression.Ln),
    "div": _division,
    "pow": _power,
    "geo_distance": _geo_distance,
    "datetime": _datetime,
    "datetime_key": _datetime_key,
    "lin_decay": _decay(engine.DecayKind.Lin),
    "gauss_decay": _decay(engine.DecayKind.Gauss),
    "exp_decay": _decay(engine.DecayKind.Exp),
}


def read_defaults(value: Any, path: str) -> dict[str, Any]:
    """Return the values that stand in for payload keys which a point lacks."""
    return mapping(value, path)
