"""What this machine has, what equals the pins, and what to type."""

from ragbed.doctor.comparing import Unlike, read_values, unlike
from ragbed.doctor.complaints import COMPLAINTS, Complaint, fitting
from ragbed.doctor.examining import examine
from ragbed.doctor.finding import Finding, Report

__all__ = [
    "COMPLAINTS",
    "Complaint",
    "Finding",
    "Report",
    "Unlike",
    "examine",
    "fitting",
    "read_values",
    "unlike",
]
