"""Whether a gradient is right, and if not, which mistake it is."""

from backprop_nb.checking.diagnosis import check_backward
from backprop_nb.checking.exercises import Exercise, exercise
from backprop_nb.checking.numeric import (
    StepCurve,
    central_differences,
    check_gradient,
    step_curve,
)
from backprop_nb.checking.process import apart
from backprop_nb.checking.report import Checked, Finding, Report

__all__ = [
    "Checked",
    "Exercise",
    "Finding",
    "Report",
    "StepCurve",
    "apart",
    "central_differences",
    "check_backward",
    "check_gradient",
    "exercise",
    "step_curve",
]
