"""What a learner is told: the whole text, the learner's own line, and no line of ours below it."""

import inspect
import linecache
import math
import pickle
import re

import numpy as np
import pytest
from numpy import full, zeros

from backprop_nb.errors import (
    BackpropError,
    BackpropWarning,
    DetachedError,
    InPlaceError,
    InvalidValueError,
    ShapeError,
    UnsupportedError,
)
from backprop_nb.tracing import sigmoid, trace
from backprop_nb.tracing.rules import supported_functions

W = np.array([[1.0, 2.0], [3.0, 4.0]])
V = np.array([1.0, 2.0, 3.0])
HAVE_RULES = (
    f"a function that has one, bp.supported_functions() lists all {len(supported_functions())}"
)
KEEP = "keep the value as it is, and read the number from graph.value afterwards"
FIRST = "made = np.array(made, dtype=float) first, in the traced function"
FROM_THE_START = (
    "new = np.array(MADE, dtype=float) at the start of the traced function, "
    "and new for MADE from there"
)
ONE_ARRAY = "one array of floats, made in the traced function by np.zeros(…) or its kin"
MADE = np.zeros(3)
NO_INDEX = (
    "An index or a count must be a plain integer: "
    "a traced value would be disconnected from the computation graph."
)
COSINES = (
    "np.cos(K) @ x for the real part and -np.sin(K) @ x for the imaginary one, with n = len(x) "
    "and K = 2 * np.pi * np.outer(np.arange(n), np.arange(n)) / n; complex numbers have no rules"
)
TOO_MANY = "too many indices for array: array is 1-dimensional, but 2 were indexed"
AS_KEYWORD = "pass counts and indices as keyword arguments: integers among those are not traced"
COLUMNS_AND_ROWS = (
    "as many columns on the left as rows on the right: (n, k) @ (k,) or (n, k) @ (k, m)"
)
BUILTIN = {
    DetachedError: TypeError,
    InPlaceError: TypeError,
    InvalidValueError: ValueError,
    ShapeError: ValueError,
    UnsupportedError: TypeError,
}
REFUSED = []


def refused(kind, *args, also=object):
    """Register a function whose last line is refused, as its docstring says."""

    def register(f):
        lines = inspect.cleandoc(f.__doc__).splitlines()
        says = re.sub("{([A-Z_]+)}", lambda name: globals()[name[1]], "\n  ".join(lines))
        kinds = (kind, BUILTIN[kind], also)
        REFUSED.append(pytest.param(f, args, kinds, says, id=f.__name__))
        return f

    return register


# --- shapes -------------------------------------------------------------------


@refused(ShapeError, V)
def matrix_and_vector(x):
    """np.matmul does not fit: 2 columns on the left meet 3 rows on the right.
    given:    W of shape (2, 2), x of shape (3,)
    expected: {COLUMNS_AND_ROWS}"""
    return W @ x


@refused(ShapeError, np.ones((2, 4, 3)))
def stacks_of_matrices(x):
    """np.matmul does not fit: stacks of (2,) and (5,) matrices do not broadcast.
    given:    x of shape (2, 4, 3), np.ones((5, 3, 2)) of shape (5, 3, 2)
    expected: {COLUMNS_AND_ROWS}"""
    return x @ np.ones((5, 3, 2))


@refused(ShapeError, 2.0)
def matrix_and_number(x):
    """np.matmul does not fit: a number cannot be multiplied with @.
    given:    W of shape (2, 2), x of shape ()
    expected: {COLUMNS_AND_ROWS}"""
    return W @ x


@refused(ShapeError, V, V[:2])
def sum_of_vectors(x, y):
    """np.add does not fit: operands could not be broadcast together with shapes (3,) (2,).
    given:    np.exp(x) of shape (3,), y of shape (2,)
    expected: equal shapes, or axes of length 1 that stretch"""
    return np.exp(x) + y


@refused(ShapeError, V, V[:2])
def product_in_place(x, y):
    """np.multiply does not fit: operands could not be broadcast together with shapes (3,) (2,).
    given:    x of shape (3,), y of shape (2,)
    expected: equal shapes, or axes of length 1 that stretch"""
    x *= y


@refused(ShapeError, V)
def choice(x):
    """np.where does not fit: operands could not be broadcast together with shapes (3,) (2,) ().
    given:    x > 0 of shape (3,), W[0] of shape (2,), x[0] of shape ()
    expected: equal shapes, or axes of length 1 that stretch"""
    return np.where(x > 0, W[0], x[0])


@refused(ShapeError, V)
def reshape_by_method(x):
    """np.reshape does not fit: cannot reshape array of size 3 into shape (4,5).
    given:    x of shape (3,)
    expected: a shape with as many entries"""
    return x.reshape(4, 5)


@refused(ShapeError, V, also=IndexError)
def axis_by_method(x):
    """np.sum does not fit: axis 1 is out of bounds for array of dimension 1.
    given:    x of shape (3,)
    expected: an axis that the array has"""
    return x.sum(1)


@refused(ShapeError, W)
def repeated_axis(x):
    """np.transpose does not fit: repeated axis in transpose.
    given:    x of shape (2, 2)
    expected: every axis once"""
    return np.transpose(x, (0, 0))


@refused(ShapeError, V, also=IndexError)
def index_out_of_range(x):
    """Indexing does not fit: index 5 is out of bounds for axis 0 with size 3.
    given:    x of shape (3,)
    expected: an index within the shape"""
    return x[5]


@refused(ShapeError, V, also=IndexError)
def too_many_indices(x):
    """Indexing does not fit: {TOO_MANY}.
    given:    x of shape (3,)
    expected: an index within the shape"""
    return x[0, 0]


@refused(ShapeError, V)
def truth_of_an_array(x):
    """An array is neither true nor false.
    given:    a traced array of shape (3,)
    expected: a single number
    instead:  np.any(…) or np.all(…) of a comparison"""
    return 1.0 if x else x


# --- no rule ------------------------------------------------------------------


@refused(UnsupportedError, V)
def function_without_a_rule(x):
    """np.roots has no differentiation rule.
    instead:  {HAVE_RULES}"""
    return np.roots(x)


@refused(UnsupportedError, V)
def function_of_a_submodule(x):
    """np.fft.hfft has no differentiation rule.
    instead:  {HAVE_RULES}"""
    return np.fft.hfft(x)


@refused(UnsupportedError, V)
def transform_into_complex_numbers(x):
    """np.fft.fft has no differentiation rule.
    instead:  {COSINES}"""
    return np.fft.fft(x)


@refused(UnsupportedError, V)
def ufunc_without_a_rule(x):
    """np.spacing has no differentiation rule.
    instead:  {HAVE_RULES}"""
    return np.spacing(x)


@refused(UnsupportedError, V)
def ufunc_of_the_learners(x):
    """half (vectorized) has no differentiation rule.
    instead:  np.vectorize(f) in place of np.frompyfunc(f, 1, 1)"""
    return np.frompyfunc(half, 1, 1)(x)


def half(v):
    return v / 2


@refused(UnsupportedError, V)
def method_of_a_ufunc(x):
    """np.power.reduce cannot be traced with these arguments.
    expected: a loop over the entries: NumPy's own result depends on the machine"""
    return np.power.reduce(x)


@refused(UnsupportedError, V, also=AttributeError)
def array_method(x):
    """The array method .tobytes has no differentiation rule.
    instead:  {HAVE_RULES}"""
    return x.tobytes()


@refused(UnsupportedError, V)
def option_without_a_rule(x):
    """np.nansum cannot be traced with `where`.
    expected: only `axis`, `keepdims`
    instead:  choose the entries with np.where(mask, …, 0.0)"""
    return np.nansum(x, where=V > 1)


@refused(UnsupportedError, V)
def option_of_a_ufunc(x):
    """np.exp cannot be traced with `where`.
    expected: no options
    instead:  choose the entries with np.where(mask, …, 0.0)"""
    return np.exp(x, where=V > 1)


@refused(UnsupportedError, W)
def order_of_memory(x):
    """np.ravel cannot be traced with order='K': the result depends on how the array lies in memory.
    expected: order='C', row by row, or order='F', column by column"""
    return np.ravel(x, order="K")


@refused(UnsupportedError, V)
def axis_that_is_no_number(x):
    """np.sum does not fit: 'str' object cannot be interpreted as an integer.
    given:    x of shape (3,)"""
    return np.sum(x, "rows")


@refused(UnsupportedError, V)
def caret(x):
    """In Python, ^ is bitwise XOR, not a power.
    given:    a traced value of shape (3,)
    instead:  x**2 for the square of x"""
    return x ^ 2


@refused(DetachedError, V, 0)
def positional_axis(x, axis):
    """{NO_INDEX}
    given:    a traced value of shape ()
    instead:  {AS_KEYWORD}"""
    return np.sum(x, axis=axis)


@refused(DetachedError, V)
def determinant_of_a_list(x):
    """A plain array would disconnect x from the computation graph.
    given:    a traced value of shape ()
    instead:  np.linalg.slogdet(np.stack([np.stack([x[0], 1.0]), np.stack([0.0, x[1]])]))"""
    return np.linalg.slogdet([[x[0], 1.0], [0.0, x[1]]])[1]


@refused(UnsupportedError, V)
def full_of_a_shape(x):
    """np.full cannot be traced with a traced fill_value: NumPy does not see it there.
    instead:  np.broadcast_to(fill_value, shape)"""
    return full((2, 2), x[0])


# --- detached -----------------------------------------------------------------


@refused(DetachedError, 2.0)
def by_float(x):
    """float(x) would disconnect x from the computation graph.
    given:    a traced value of shape ()
    instead:  {KEEP}"""
    return float(x)


@refused(DetachedError, 2.0)
def by_int(x):
    """int(x) would disconnect x from the computation graph.
    given:    a traced value of shape ()
    instead:  int(np.trunc(x)), a decision that the graph remembers"""
    return int(x)


@refused(DetachedError, 2.0)
def by_math(x):
    """math.exp(x) would disconnect x from the computation graph.
    given:    a traced value of shape ()
    instead:  np.exp, because the functions of math see only plain numbers"""
    return math.exp(x)


@refused(DetachedError, 2.0)
def by_a_function_of_math_that_numpy_lacks(x):
    """math.gamma(x) would disconnect x from the computation graph.
    given:    a traced value of shape ()
    instead:  {KEEP}"""
    return math.gamma(x)


@refused(DetachedError, V)
def by_item(x):
    """x.item() would disconnect x from the computation graph.
    given:    a traced value of shape ()
    instead:  {KEEP}"""
    return x[0].item()


@refused(DetachedError, V, 2)
def as_a_count(x, n):
    """{NO_INDEX}
    given:    a traced value of shape ()
    instead:  {AS_KEYWORD}"""
    return [x for _ in range(n)]


@refused(DetachedError, V, 2)
def as_an_index(x, k):
    """{NO_INDEX}
    given:    a traced value of shape ()
    instead:  {AS_KEYWORD}"""
    return x[k]


@refused(DetachedError, 1)
def as_an_index_of_a_plain_array(k):
    """{NO_INDEX}
    given:    a traced value of shape ()
    instead:  {AS_KEYWORD}"""
    return W[k]


# --- in place -----------------------------------------------------------------


@refused(DetachedError, 2.0)
def into_an_array_of_the_caller(x):
    """An assignment into a plain array would disconnect x from the computation graph.
    given:    a traced value of shape ()
    instead:  {FROM_THE_START}"""
    MADE[0] = x


@refused(DetachedError, V)
def into_an_array_made_by_an_imported_name(x):
    """An assignment into a plain array would disconnect x from the computation graph.
    given:    a traced value of shape (2,)
    instead:  {FIRST}"""
    made = zeros(3)
    made[1:] = x[1:]


@refused(DetachedError, V)
def into_an_array_of_integers(x):
    """An assignment into a plain array would disconnect x from the computation graph.
    given:    a traced value of shape ()
    instead:  {FIRST}"""
    made = np.zeros(3, dtype=int)
    made[0] += x[0]


@refused(InPlaceError, V)
def added_to_an_array_made_by_an_imported_name(x):
    """np.add would write traced values where they cannot be kept.
    given:    an array of float64 to write into
    expected: {ONE_ARRAY}
    instead:  {FIRST}"""
    made = zeros(3)
    made += x


@refused(InPlaceError, V)
def out_of_integers(x):
    """np.exp would write traced values where they cannot be kept.
    given:    an array of int64 to write into
    expected: {ONE_ARRAY}
    instead:  {FIRST}"""
    made = np.arange(3, dtype=np.int64)
    return np.exp(x, out=made)


@refused(InPlaceError, V)
def out_of_a_function_of_a_list(x):
    """np.concatenate would write traced values where they cannot be kept.
    given:    an array of float64 to write into
    expected: {ONE_ARRAY}
    instead:  {FROM_THE_START}"""
    return np.concatenate([x[:2], x[:1]], out=MADE)


@refused(InPlaceError, V)
def two_out(x):
    """np.divmod would write traced values where they cannot be kept.
    given:    several arrays to write into
    expected: {ONE_ARRAY}
    instead:  np.divmod(…) without out="""
    return np.divmod(x, 2.0, out=(x, x))


@refused(InPlaceError, V)
def counted_in_an_array_of_the_caller(x):
    """np.add.at would write traced values where they cannot be kept.
    given:    an array of float64 to write into
    expected: {ONE_ARRAY}
    instead:  {FROM_THE_START}"""
    np.add.at(MADE, [0, 0], x[0])


@refused(DetachedError, V)
def filled_into_an_array_of_the_caller(x):
    """MADE.fill(x) would disconnect x from the computation graph.
    given:    a traced value of shape ()
    instead:  {FROM_THE_START}"""
    MADE.fill(x[0])


@refused(InPlaceError, 2.0)
def entry_of_a_number(x):
    """A number has no entries that could be assigned.
    given:    a traced value of shape ()
    instead:  x = …, or an array to begin with"""
    x[0] = 1.0


@refused(UnsupportedError, V)
def comparisons_without_brackets(x):
    """The operators & and | join truth values, not floats.
    given:    a traced value of shape (3,)
    instead:  (x > 0) & (x < 1), with brackets around the comparisons"""
    return x > 0 & x < 1


@refused(InPlaceError, V)
def array_that_would_grow(x):
    """The result does not fit into the array that is changed in place.
    given:    float64 of shape (3,), result float64 of shape (2, 3)
    instead:  x = x + … in place of x += …"""
    x += np.ones((2, 3))


# --- kinds of numbers ---------------------------------------------------------


@refused(UnsupportedError, V)
def complex_constant(x):
    """An array in a traced function must hold real numbers.
    given:    complex values of shape ()
    expected: floats or integers
    instead:  np.real(…), np.imag(…) or np.abs(…) of it"""
    return x * 1j


@refused(UnsupportedError, V)
def nothing_as_a_constant(x):
    """An array in a traced function must hold real numbers.
    given:    object values of shape ()
    expected: floats or integers"""
    return x + None


@refused(UnsupportedError, V)
def ragged_constant(x):
    """An array in a traced function must be rectangular.
    given:    rows of unequal length"""
    return x * [[1.0], [2.0, 3.0]]


@refused(UnsupportedError, V)
def masked_constant(x):
    """An array in a traced function must be a plain NumPy array.
    given:    a MaskedArray
    instead:  np.asarray(…) of it"""
    return x * np.ma.masked_array(V, mask=[True, False, False])


@refused(UnsupportedError, W)
def axis_of_another_library(x):
    """np.sum has no argument `dim`.
    given:    dim = 0
    instead:  axis=…"""
    return x.sum(dim=0)


@refused(UnsupportedError, W)
def keepdims_of_another_library(x):
    """np.mean has no argument `keepdim`.
    given:    keepdim = True
    instead:  keepdims=…"""
    return x.mean(axis=0, keepdim=True)


@refused(UnsupportedError, V, also=AttributeError)
def method_of_another_library(net):
    """An array of NumPy's has no attribute .exp.
    instead:  np.exp(net)"""
    return net.exp()


@refused(UnsupportedError, V, also=AttributeError)
def method_of_an_array_that_is_made(x):
    """An array of NumPy's has no attribute .unsqueeze.
    instead:  np.expand_dims(made, 0)"""
    made = np.zeros(3)
    return made.unsqueeze(0)


@refused(UnsupportedError, V, also=AttributeError)
def activation_as_a_method(h):
    """An array of NumPy's has no attribute .softmax.
    instead:  e / np.sum(e), with e = np.exp(h - np.max(h))"""
    return h.softmax(0)


@refused(UnsupportedError, V, also=AttributeError)
def backward_of_an_array(x):
    """An array of NumPy's has no attribute .backward.
    instead:  bp.grad(f)(x), or bp.trace(f, x).backward(): an array keeps no gradient"""
    return np.sum(x).backward()


@refused(UnsupportedError, V, also=AttributeError)
def shape_assigned(x):
    """A trace cannot follow an assignment to .shape of an array.
    given:    (3, 1)
    instead:  y = y.reshape(3, 1)"""
    y = x * 2
    y.shape = (3, 1)


@refused(UnsupportedError, V, also=AttributeError)
def type_assigned(x):
    """A trace cannot follow an assignment to .dtype of an array.
    given:    'float32'
    instead:  made = made.astype(…), which converts the numbers"""
    made = np.zeros(3)
    made.dtype = "float32"


@refused(InvalidValueError, V)
def stretched_and_written_to(x):
    """This array is read-only: it shows the entries of another one.
    given:    rows of shape (2, 3)
    instead:  rows = rows.copy() first"""
    rows = np.broadcast_to(x, (2, 3))
    rows[0] = 1.0


@refused(InvalidValueError, W)
def diagonal_written_to(x):
    """This array is read-only: it shows the entries of another one.
    given:    d of shape (2,)
    instead:  d = d.copy() first"""
    d = np.diagonal(x)
    d += 1.0


@refused(UnsupportedError, V)
def arrays_one_by_one(x):
    """np.concatenate takes its arrays in one list; what comes second is the axis.
    given:    a traced array of shape (3,) for the axis
    instead:  np.concatenate([x, x * 2])"""
    return np.concatenate(x, x * 2)


@refused(UnsupportedError, W)
def two_axes_one_by_one(x):
    """np.max takes an array to write into at this place.
    given:    out = 1
    instead:  axis=(…, …), for several axes"""
    return np.max(x, 0, 1)


@refused(UnsupportedError, W)
def two_axes_of_a_sum(x):
    """np.sum cannot be traced with these arguments.
    expected: axis=(…, …) for several axes"""
    return x.sum(0, 1)


@refused(UnsupportedError, V)
def three_in_a_sum(x):
    """np.add takes an array to write into at this place.
    given:    out = 2
    instead:  np.add of two at a time"""
    return np.add(x, 1, 2)


@refused(UnsupportedError, W)
def shape_one_by_one(x):
    """np.reshape cannot be traced with order=1: the result depends on how the array lies in memory.
    expected: order='C', row by row, or order='F', column by column
    instead:  one tuple for the shape"""
    return np.reshape(x, 4, 1)


@refused(UnsupportedError, W)
def dim_of_a_position(x):
    """np.argmax has no argument `dim`.
    given:    dim = 1
    instead:  axis=…"""
    return x[0] * x.argmax(dim=1)


@refused(DetachedError, V)
def power_by_a_remainder(x):
    """Python can do nothing with a traced value.
    given:    a traced value.__pow__() takes 2 positional arguments but 3 were given
    instead:  x**y % z in place of pow(x, y, z)"""
    return pow(x, 2, 5)


@refused(DetachedError, V)
def parentheses_for_an_entry(x):
    """Python can do nothing with a traced value.
    given:    a traced value object is not callable
    instead:  x[0]"""
    return x(0)


@refused(DetachedError, W)
def attribute_called(x):
    """Python can do nothing with a traced value.
    given:    a traced value object is not callable
    instead:  x.T without parentheses"""
    return x.T() @ x


@refused(UnsupportedError, V)
def one_choice(x):
    """np.where cannot be traced with these arguments.
    expected: both or neither of x and y beside the condition"""
    return np.where(x > 1, x)


# --- the tests ----------------------------------------------------------------


@pytest.mark.parametrize(("f", "args", "kinds", "says"), REFUSED)
def test_a_refusal_says_what_where_and_what_to_write_instead(f, args, kinds, says):
    with pytest.raises(kinds[0]) as caught:
        trace(f, *args)
    lines, first = inspect.getsourcelines(f)
    last = first + len(lines) - 1
    at = f"{lines[-1].strip()}   (line {last} of {f.__name__} in test_messages.py)"
    assert str(caught.value) == f"{says}\n  at:       {at}"
    assert all(isinstance(caught.value, kind) for kind in (BackpropError, *kinds))
    _, learners = caught.traceback  # which ends there, too
    assert (learners.frame.code.name, learners.lineno + 1) == (f.__name__, last)
    assert caught.value.__suppress_context__


def with_a_typo(x):
    return np.sgmoid(x)


def raising_its_own(x):
    try:
        return x[7]
    except IndexError as error:
        raise KeyError("seven") from error


@pytest.mark.parametrize(
    ("f", "kind"), [(with_a_typo, AttributeError), (raising_its_own, KeyError)]
)
def test_an_error_of_the_learners_own_looks_as_it_would_without_the_tracer(f, kind):
    with pytest.raises(kind) as plain:
        f(V)
    with pytest.raises(kind) as caught:
        trace(f, V)
    assert [each.frame.code.name for each in caught.traceback][1:] == [f.__name__]
    assert str(caught.value) == str(plain.value)
    assert bool(caught.value.__cause__) == bool(plain.value.__cause__)


def test_every_refusal_survives_the_way_to_another_process():
    with pytest.raises(ShapeError) as caught:
        trace(index_out_of_range, V)
    again = pickle.loads(pickle.dumps(caught.value))
    assert (type(again), str(again)) == (type(caught.value), str(caught.value))


def test_the_line_is_that_of_the_function_that_the_learner_called_last():
    def inner(x):
        return x + W

    def outer(x):
        return np.sum(inner(x))

    with pytest.raises(ShapeError) as caught:
        trace(outer, V)
    assert caught.value.at.startswith("return x + W   (line ")
    assert " of inner in test_messages.py" in caught.value.at


def test_the_line_is_the_operations_own_in_a_statement_of_many_lines():
    def f(x):
        return np.sum(
            [
                1.0,
            ]
        ) + np.sum(
            x @ W,
        )

    with pytest.raises(ShapeError) as caught:
        trace(f, V)
    assert caught.value.at == (
        f"x @ W,   (line {f.__code__.co_firstlineno + 6} of f in test_messages.py)"
    )


def test_an_operand_over_several_lines_is_named_on_one():
    def f(x):
        return W + np.exp(
            x,
        )

    with pytest.raises(ShapeError) as caught:
        trace(f, V)
    assert caught.value.given == "W of shape (2, 2), np.exp( x, ) of shape (3,)"


@pytest.mark.parametrize("name", ["/tmp/ipykernel_1/5678.py", "/tmp/x/__marimo__cell_Hbol_.py"])
def test_a_notebook_cell_is_called_by_its_line_alone(name):
    source = "def f(x):\n    return x[9]\n"
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    namespace = {}
    exec(compile(source, name, "exec"), namespace)
    with pytest.raises(IndexError) as caught:
        trace(namespace["f"], V)
    assert caught.value.at == "return x[9]   (line 2 of f)"


def test_code_without_source_text_is_called_by_its_line_alone():
    namespace = {}
    exec("def f(x):\n\n    return x[9]\n", namespace)
    with pytest.raises(IndexError) as caught:
        trace(namespace["f"], V)
    assert caught.value.at == "line 3 of f"
    assert caught.value.given == "an argument of shape (3,)"


def test_the_package_s_own_functions_point_to_the_learners_line_too():
    with pytest.raises(DetachedError) as caught:
        trace(lambda x: sigmoid([x, x]), 1.0)
    assert caught.value.at.startswith("trace(lambda x: sigmoid([x, x]), 1.0)")


def test_an_error_inside_a_trace_inside_a_trace_is_told_once():
    def f(x):
        return trace(lambda y: np.sum(y + W), x).value

    with pytest.raises(ShapeError) as caught:
        trace(f, V)
    assert caught.value.problem == (
        "np.add does not fit: operands could not be broadcast together with shapes (3,) (2,2)."
    )
    assert caught.value.given == "y of shape (3,), W of shape (2, 2)"


def test_hasattr_answers_no_for_a_method_without_a_rule():
    def f(x):
        assert not hasattr(x, "tobytes")
        return getattr(x, "getfield", 2.0) * x

    assert trace(f, 3.0).value == 6.0


# --- before and after the function --------------------------------------------


@pytest.mark.parametrize(
    ("argument", "says"),
    [
        (1j, "must hold real numbers.\n  given:    complex values of shape ()"),
        (np.array([1j]), "must hold real numbers.\n  given:    complex values of shape (1,)"),
        (np.array([V, None], object), "must hold real numbers.\n  given:    object values"),
        ([V, 2j], "must hold real numbers.\n  given:    complex values of shape ()"),
        (np.ma.masked_array(V), "must be a plain NumPy array.\n  given:    a MaskedArray"),
    ],
    ids=["complex", "complex array", "objects", "in a list", "masked"],
)
def test_an_argument_of_another_kind_is_refused_by_name(argument, says):
    with pytest.raises(UnsupportedError) as caught:
        trace(lambda weights: 1.0, argument)
    name = "weights1" if isinstance(argument, list) else "weights"
    assert str(caught.value).startswith(f"The argument {name} {says}")


@pytest.mark.parametrize("transform", [np.fft.fft, np.fft.rfft])
def test_the_advice_for_a_transform_computes_it(transform):
    x = np.array([1.0, -2.0, 0.5, 3.0, 0.1])
    with pytest.raises(UnsupportedError) as caught:
        trace(lambda x: np.abs(transform(x))[0], x)
    n, K = re.search(r"with n = (.*) and K = (.*);", caught.value.instead).groups()
    n = eval(n, {"x": x})
    K = eval(K, {"np": np, "n": n})
    assert np.allclose(np.cos(K) @ x - 1j * np.sin(K) @ x, transform(x))


def test_a_table_or_a_tensor_is_refused_and_never_left_untraced():
    class Table:
        def __array__(self, dtype=None, copy=None):
            return V

    with pytest.raises(UnsupportedError) as caught:
        trace(lambda table: 1.0, Table())
    assert str(caught.value) == (
        "The argument table must be a plain NumPy array.\n"
        "  given:    a Table\n"
        "  instead:  np.asarray(…) of it"
    )


SEVERAL = "return the one value to differentiate, and trace again for another"


@pytest.mark.parametrize(
    ("result", "what", "instead"),
    [
        (lambda x: None, "nothing", "end f with a return statement"),
        (lambda x: (x, x), "a tuple of 2", SEVERAL),
        (lambda x: [x], "a list of 1", SEVERAL),
        (lambda x: {"loss": x, "f": x, "z": x}, "a dict of 3", SEVERAL),
        (lambda x: "done", "text", None),
        (lambda x: {1}, "a set", None),
        (lambda x, f=np.sin: f, "a ufunc", None),
    ],
    ids=["nothing", "tuple", "list", "dict", "text", "set", "function"],
)
def test_a_function_that_returns_no_single_number_or_array(result, what, instead):
    def f(x):
        return result(x)

    with pytest.raises(UnsupportedError) as caught:
        trace(f, V)
    says = f"f returned {what}.\n  expected: one number or one array"
    assert str(caught.value) == (f"{says}\n  instead:  {instead}" if instead else says)


def test_a_value_after_its_trace():
    escaped = []
    trace(lambda x: escaped.append(x) or x, 1.0)

    def later():
        return escaped[0] + 1

    with pytest.raises(DetachedError) as caught:
        later()
    assert str(caught.value) == (
        "A traced value was used after its trace had ended.\n"
        "  instead:  keep bp.stop_gradient(x), the plain value of x, "
        "or return x from the traced function\n"
        f"  at:       return escaped[0] + 1   (line {later.__code__.co_firstlineno + 1} "
        "of later in test_messages.py)"
    )


# --- NaN and infinity ---------------------------------------------------------


def warned(f, *args):
    with pytest.warns(BackpropWarning) as caught, np.errstate(all="ignore"):
        trace(f, *args)
    [warning] = caught
    assert warning.filename == __file__
    return str(warning.message)


def test_the_first_node_that_is_not_finite_is_named():
    def f(x):
        y = x - 1
        z = np.log(y)
        return np.sum(z * 2)

    line = f.__code__.co_firstlineno + 2
    assert warned(f, np.ones(2)) == (
        "The result is not finite; z is the first node with an infinity.\n"
        f"  at:       z = np.log(y)   (line {line} of f in test_messages.py)"
    )


def test_a_nan_in_an_input_is_named_as_that():
    found = warned(lambda x: np.sum(x * 2), np.array([1.0, np.nan]))
    assert found == "The result is not finite; x is the first node with a NaN."


def test_an_infinity_on_the_way_to_a_finite_result_is_no_reason_to_warn():
    graph = trace(lambda x: 1 / (1 + np.exp(-x)) + 1 / np.array(np.inf) * x, 2.0)
    assert np.isfinite(graph.value)


def test_a_name_of_another_library_is_no_attribute_to_who_asks():
    names = ("exp", "detach", "numpy", "at", "backward", "requires_grad")

    def f(x):
        made = np.zeros(3)
        return np.sum(x) * (
            5.0 if any(hasattr(each, n) for each in (x, made) for n in names) else 2.0
        )

    assert trace(f, V).value == f(V) == 12.0


def test_the_real_part_of_real_numbers_is_written_to_as_they_are():
    def f(x):
        y, made = x.copy(), np.ones(3)
        y.real *= 3
        made.real = x * y
        made.real[0] = 7.0
        return np.sum(made)

    graph = trace(f, V)
    assert graph.value == f(V)
    assert graph.backward().gradients[0].tolist() == [0.0, 12.0, 18.0]


@pytest.mark.parametrize(
    ("imported", "says"),
    [
        (
            "from numpy import array, zeros",
            "import numpy as np, and out = np.array(out, dtype=float)",
        ),
        ("import numpy; from numpy import zeros", "instead:  out = numpy.array(out, dtype=float)"),
        (
            "import numpy as xp; from numpy import zeros",
            "instead:  out = xp.array(out, dtype=float)",
        ),
    ],
    ids=["by name", "numpy", "another name"],
)
def test_the_advice_calls_numpy_by_the_name_that_the_learner_gave_it(imported, says):
    lines = [
        imported,
        "def f(x):",
        "    out = zeros(3)",
        "    out[0] = x[0] ** 2",
        "    return out[0]",
    ]
    space = _run_as_a_file("\n".join(lines), "<numpy_by_name>")
    with pytest.raises(DetachedError) as caught:
        trace(space["f"], V)
    assert says in str(caught.value)
    first = re.search(r"out = \S+ dtype=float\)", str(caught.value)).group()
    lines[0] += "; import numpy as np" * ("import numpy as np" in says)
    lines.insert(3, f"    {first}")
    assert trace(_run_as_a_file("\n".join(lines), "<advice_followed>")["f"], V).value == 1.0


def _run_as_a_file(source, name):
    linecache.cache[name] = (len(source), None, source.splitlines(True), name)
    space = {}
    exec(compile(source, name, "exec"), space)
    return space
