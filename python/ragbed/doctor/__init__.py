"""What this machine has, what equals the pins, and what to type."""

from ragbed.doctor.comparing import Difference, differences, read_values
from ragbed.doctor.examination import examine
from ragbed.doctor.finding import Finding, Report
from ragbed.doctor.symptoms import SYMPTOMS, Symptom, fitting

__all__ = [
    "SYMPTOMS",
    "Difference",
    "Finding",
    "Report",
    "Symptom",
    "differences",
    "examine",
    "fitting",
    "read_values",
]
