"""What `ragbed parity` found: a matrix of cases by launcher, published as `docs/parity.schema.json`."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from ragbed.guard import redacted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ragbed.stack import Endpoint

Weight = Literal["high", "medium", "low"]
"""How much a difference matters. `high`: other results. `medium`: another status of a refusal. `low`: the server says
that it cannot do it, so that nothing goes wrong in silence."""

CellStatus = Literal["same", "known", "differs", "not_run"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """What one launcher's service gave for one case.

    Attributes:
        status: `same` as a real server, a `known` difference, `differs`, or `not_run`.
        reason: Why a known difference is left so.
        facts: What it gave where it is not the same.
        weight: How much the difference matters; None where there is none.
    """

    status: CellStatus
    reason: str = ""
    facts: Any = None
    weight: Weight | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One case that differs somewhere.

    Attributes:
        suite: Which suite it belongs to.
        case: What it shows.
        expected: What a real server gives, or the first launcher.
        cells: What each launcher gave, by name.
    """

    suite: str
    case: str
    expected: Any
    cells: Mapping[str, Cell]


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One launcher.

    Attributes:
        launcher: Its name.
        absent: Why it is not there, in words; empty where it is.
        services: What answered, by service.
        seconds: How long its suites took.
    """

    launcher: str
    absent: str = ""
    services: Mapping[str, Endpoint]
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ParityReport:
    """The matrix.

    Attributes:
        columns: Every launcher, also one that is not there.
        cases: How many cases each suite has, by suite.
        rows: The cases that differ somewhere.
        left_out: Cases that could not be asked, each with the reason.
    """

    columns: tuple[Column, ...]
    cases: Mapping[str, int]
    rows: tuple[Row, ...]
    left_out: Mapping[str, str]

    @property
    def unknown(self) -> list[Row]:
        """The rows that hold a difference which no list explains."""
        return [row for row in self.rows if any(cell.status == "differs" for cell in row.cells.values())]

    @property
    def ok(self) -> bool:
        """Tell whether every difference is known."""
        return not self.unknown

    def to_json(self) -> dict[str, Any]:
        """Return the report in its published form; passwords are hidden."""
        return {
            "schema": "ragbed.parity/1",
            "ok": self.ok,
            "launchers": [_column(column) for column in self.columns],
            "cases": dict(self.cases),
            "differences": [asdict(row) for row in self.rows],
            "left_out": dict(self.left_out),
        }


def _column(column: Column) -> dict[str, Any]:
    return {
        "name": column.launcher,
        "absent": column.absent,
        "seconds": round(column.seconds, 3),
        "services": [
            {
                "name": name,
                "launcher": one.launcher,
                "product": one.product,
                "version": one.version,
                "real": one.real,
                "url": redacted(one.url),
                "origin": one.origin,
            }
            for name, one in column.services.items()
        ],
    }
