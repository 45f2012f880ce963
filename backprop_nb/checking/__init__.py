"""Whether a gradient is right, and if not, which mistake it is."""

from typing import TYPE_CHECKING

from backprop_nb.fronts import later

if TYPE_CHECKING:
    from backprop_nb.checking.answers import Questions as Questions
    from backprop_nb.checking.answers import questions as questions
    from backprop_nb.checking.backward import check_backward as check_backward
    from backprop_nb.checking.differences import central_differences as central_differences
    from backprop_nb.checking.exercises import Exercise as Exercise
    from backprop_nb.checking.exercises import exercise as exercise
    from backprop_nb.checking.gradient import check_gradient as check_gradient
    from backprop_nb.checking.isolation import run_isolated as run_isolated
    from backprop_nb.checking.report import Checked as Checked
    from backprop_nb.checking.report import Finding as Finding
    from backprop_nb.checking.report import Report as Report
    from backprop_nb.checking.step_error import StepCurve as StepCurve
    from backprop_nb.checking.step_error import step_curve as step_curve

_NAMES = {
    "answers": ["Questions", "questions"],
    "backward": ["check_backward"],
    "differences": ["central_differences"],
    "exercises": ["Exercise", "exercise"],
    "gradient": ["check_gradient"],
    "isolation": ["run_isolated"],
    "report": ["Checked", "Finding", "Report"],
    "step_error": ["StepCurve", "step_curve"],
}
__all__ = [name for names in _NAMES.values() for name in names]
__getattr__ = later(__name__, _NAMES)
