"""The rule table: one row for each NumPy function that a trace can hold."""

from backprop_nb.tracing.rules.composites import COMPOSITES, OTHER_FORMS
from backprop_nb.tracing.rules.elementwise import sigmoid
from backprop_nb.tracing.rules.piecewise_constant import PLAIN_FUNCTIONS
from backprop_nb.tracing.rules.row import Row
from backprop_nb.tracing.rules.table import (
    PIECEWISE_CONSTANT,
    TABLE,
    join,
    row_of,
    supported_functions,
)
from backprop_nb.tracing.rules.template import Precedence, Template
from backprop_nb.tracing.rules.ufunc_methods import UFUNC_METHODS

__all__ = [
    "COMPOSITES",
    "OTHER_FORMS",
    "PIECEWISE_CONSTANT",
    "PLAIN_FUNCTIONS",
    "TABLE",
    "UFUNC_METHODS",
    "Precedence",
    "Row",
    "Template",
    "join",
    "row_of",
    "sigmoid",
    "supported_functions",
]
