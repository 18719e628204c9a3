"""`ragbed smoke`: stages, runner, report."""

from ragbed.smoke.report import CorpusFigures, Failure, SmokeReport, StageResult
from ragbed.smoke.runner import STAGES, SmokeOptions, run_smoke

__all__ = [
    "STAGES",
    "CorpusFigures",
    "Failure",
    "SmokeOptions",
    "SmokeReport",
    "StageResult",
    "run_smoke",
]
