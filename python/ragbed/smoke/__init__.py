"""`ragbed smoke`: stages, runner, report."""

from ragbed.smoke.report import CorpusFigures, Failure, SmokeReport, StageResult
from ragbed.smoke.run import Run, SmokeOptions
from ragbed.smoke.runner import STAGES, run_smoke

__all__ = [
    "STAGES",
    "CorpusFigures",
    "Failure",
    "Run",
    "SmokeOptions",
    "SmokeReport",
    "StageResult",
    "run_smoke",
]
