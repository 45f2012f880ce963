"""The rule table: one row for each NumPy function that a trace can hold."""

from backprop_nb.tracing.rules.constant import PLAIN_FUNCTIONS, STEPS
from backprop_nb.tracing.rules.elementwise import sigmoid
from backprop_nb.tracing.rules.row import Binding, Form, Row
from backprop_nb.tracing.rules.table import TABLE

__all__ = ["PLAIN_FUNCTIONS", "STEPS", "TABLE", "Binding", "Form", "Row", "sigmoid"]
