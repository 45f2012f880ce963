"""Whether a gradient is right, and if not, which mistake it is."""

from backprop_nb.checking.answers import Questions, questions
from backprop_nb.checking.backward import check_backward
from backprop_nb.checking.differences import StepCurve, central_differences, step_curve
from backprop_nb.checking.exercises import Exercise, exercise
from backprop_nb.checking.gradient import check_gradient
from backprop_nb.checking.isolation import run_isolated
from backprop_nb.checking.report import Checked, Finding, Report

__all__ = [
    "Checked",
    "Exercise",
    "Finding",
    "Questions",
    "Report",
    "StepCurve",
    "central_differences",
    "check_backward",
    "check_gradient",
    "exercise",
    "questions",
    "run_isolated",
    "step_curve",
]
