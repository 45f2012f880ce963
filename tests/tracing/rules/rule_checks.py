"""What every row of the rule table must fulfil, on every case that its test file lists.

A case is traced once, all checks run on that trace, and every one that fails is
reported with its name.
"""

import copy
import functools
import inspect
import operator
import re
import warnings
from dataclasses import dataclass, field, replace
from functools import cached_property

import matplotlib.mathtext
import numpy as np
import pytest
from nonempty import nonempty
from standard import STANDARD
from widths import assert_breaks_change_nothing

from backprop_nb.errors import BackpropError, BackpropWarning
from backprop_nb.tracing import jvp, sigmoid, trace
from backprop_nb.tracing.emit.rule import call_text
from backprop_nb.tracing.evaluate import replayed
from backprop_nb.tracing.reverse import reverse
from backprop_nb.tracing.rules.determinants import cofactors, cofactors_along
from backprop_nb.tracing.rules.indexing import add_along_axis, scatter_add
from backprop_nb.tracing.rules.reductions import horner
from backprop_nb.tracing.rules.row import parameters_of
from backprop_nb.views.explorer.cost import multiplications, without_trace

# What printed code may use besides the learner's names.
PRINTED_WITH = {
    "np": np,
    "sigmoid": sigmoid,
    "scatter_add": scatter_add,
    "horner": horner,
    "cofactors": cofactors,
    "cofactors_along": cofactors_along,
    "add_along_axis": add_along_axis,
}
STEP = 1e-5

# These take a symmetric matrix, of which NumPy reads one triangle.
SYMMETRIC = {"cholesky", "eigh", "eigvalsh"}

# The order in which NumPy leaves the entries is its own.
LEFT_TO_NUMPY = {"partition"}

ROWS_TWICE = np.array([0, 2, 0])
MASK = np.array([True, False, True])
ORDERED = np.array([[2, 0, 1], [1, 1, 0]])


@dataclass(frozen=True)
class Case:
    """One call of a row: the shape of each argument, or a value for a literal; and options."""

    arguments: tuple
    options: dict = field(default_factory=dict)


def case(*arguments, **options):
    return Case(arguments, options)


ONE_ARGUMENT = [case(()), case((3,)), case((2, 3)), case((0, 2))]
BROADCAST = [
    case((), ()),
    case((3,), (3,)),
    case((2, 3), (3,)),
    case((3,), (2, 3)),
    case((2, 1), (1, 3)),
    case((2, 3), ()),
    case((), (2, 3)),
    case((1,), (2, 3)),
    case((2, 1, 3), (4, 1)),
    case((0,), (1,)),
    case(2.0, (2, 3)),
    case((2, 3), 2.0),
    case((), 2.0),
    case(2.0, ()),
]
REDUCTION = [
    case(()),
    case((3,)),
    case((2, 3)),
    *(case((2, 3, 4), axis=axis) for axis in (0, -1, (0, 2), (-1, 0), ())),
    case((2, 3), keepdims=True),
    case((2, 3), axis=1, keepdims=True),
    case((2, 3, 4), axis=(2, 0), keepdims=True),
]


def ways(function, of=1, on=None, **options):
    """Return functions of arrays that write one call: by position, by name, as a method.

    ``on`` makes the arrays of the call of those that are drawn, which are 2 at most.
    """
    parameters = [p for p in parameters_of(function).values() if p.kind not in _SEVERAL]
    arrays, rest = parameters[:of], parameters[of:]
    given = [k for k, p in enumerate(rest) if p.name in options and p.kind is not p.KEYWORD_ONLY]
    listed = rest[: given[-1] + 1] if given else []
    first = [options.get(p.name, p.default) for p in listed]
    named = {key: each for key, each in options.items() if key not in {p.name for p in listed}}
    # The signature of a ufunc and its dtype exclude each other.
    optional = [p for p in rest if p.default is not p.empty and p.name != "signature"]
    in_full = {p.name: p.default for p in optional} | options
    calls = [
        lambda *x: function(*x, **options),
        lambda *x: function(*x, *first, **named),
        lambda *x: function(*x, **in_full),
    ]
    if all(p.kind is p.POSITIONAL_OR_KEYWORD for p in arrays):
        names = [p.name for p in arrays]
        calls.append(lambda *x: function(**options, **dict(zip(names, x, strict=True))))
    if hasattr(np.ndarray, function.__name__) and function.__name__ not in IN_PLACE:
        method = operator.methodcaller
        calls.append(lambda x, *y: method(function.__name__, *y, **options)(x))
        calls.append(lambda x, *y: method(function.__name__, *y, *first, **named)(x))
    return [_of_arrays(of, call, on or (lambda *x: x)) for call in calls]


def _of_arrays(count, call, on):
    if count == 1:
        return lambda x: call(*on(x))
    return lambda x, y: call(*on(x, y))


_SEVERAL = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)

# As methods these change the array.
IN_PLACE = {"sort", "partition"}


class RowTests:
    """The tests of the rows of one module; the test file says its ROWS, CASES and FORMS.

    ``CASES`` are calls by the row's name, and ``FORMS`` ways to write one and the
    same call.  ``CALLED`` says how to call what does not take one array after
    the other.
    """

    def test_every_argument_with_a_rule_is_traced_in_a_case(self, rows, cases):
        for row in rows:
            traced = {k for call in cases[row.name] for k in Drawn(row, call).traced}
            vjps = row.vjps if isinstance(row.vjps, tuple) else ()
            assert traced, row.name
            assert traced >= {k for k, vjp in enumerate(vjps) if vjp is not None}, row.name

    def test_every_row_has_cases_and_forms_and_none_is_left_over(self, rows, cases, forms):
        names = {row.name for row in rows}
        assert sorted(names ^ cases.keys()) == []
        assert sorted(names ^ forms.keys()) == []

    def test_a_case_passes_every_check(self, row, call, called):
        drawn = Drawn(row, call, called=called)
        failures = []
        for check in CHECKS:
            try:
                check(drawn)
            except Exception as error:
                error.add_note(f"in the check that {check.__name__.replace('_', ' ')}")
                failures.append(error)
        if failures:
            raise ExceptionGroup(f"{row.name} of {call}", failures)

    def test_every_form_of_a_call_gives_the_same_node(self, row, forms):
        rng = np.random.default_rng(3)
        parameters = inspect.signature(forms[row.name][0]).parameters.values()
        count = sum(each.default is each.empty for each in parameters)
        inputs = [rng.uniform(*_domain(row, k), (2, 3)) for k in range(count)]
        seen = []
        for form in forms[row.name]:
            graph = trace(form, *inputs)
            record = graph.records[graph.output_index]
            assert record.row is row
            options = {key: (type(value), str(value)) for key, value in record.keywords.items()}
            seen.append((record.parents, options, graph.value.tolist()))
            assert_same(graph.value, form(*inputs))
        assert all(each == seen[0] for each in seen)


class MadeTests:
    """The tests of calls that are made of others; the test file says its MADE.

    Each is a function and what it may be differentiated by.
    """

    def test_a_call_is_differentiated_as_those_that_it_is_made_of(self, made):
        assert_differentiable(*made)

    def test_of_float32_a_call_has_the_type_and_the_digits_that_numpy_gives(self, made):
        f, *args = made
        given = [np.asarray(each, dtype=np.float32) for each in args]
        right = np.asarray(f(*map(np.copy, given)))
        graph = trace(f, *given)
        assert graph.value.dtype == right.dtype
        digits = 1e-4 if right.dtype == np.float32 else 1e-9
        np.testing.assert_allclose(graph.value, right, rtol=digits, atol=digits)


class RefusedTests:
    """The tests of calls that have no rule, or that NumPy refuses; the test file says its REFUSED.

    Each is a function, its argument, and what it is told.
    """

    def test_a_call_is_refused_at_the_learners_line(self, refused, request):
        f, x, says = refused
        with pytest.raises(BackpropError, match=says) as caught:
            trace(f, x)
        assert f"in {request.path.name}" in str(caught.value)


def _domain(row, k):
    return row.domain[min(k, len(row.domain) - 1)]


class Drawn:
    """A case with its numbers drawn from the row's domain; ``f`` takes the arrays only."""

    def __init__(self, row, call, dtype=np.float64, called=None):
        self.row, self.call, self.options, self.called = row, call, call.options, called
        self.dtype = dtype
        self.rng = np.random.default_rng([0, len(row.name), *map(ord, row.name)])
        self.arguments = [self._draw(k, each, dtype) for k, each in enumerate(call.arguments)]
        self.traced = [
            k for k, each in enumerate(self.arguments) if getattr(each, "dtype", None) == dtype
        ]
        self.inputs = [self.arguments[k] for k in self.traced]

    def _draw(self, k, shape, dtype):
        if not isinstance(shape, tuple):
            return shape
        if self.row.vjps[k] is None:
            return self.rng.random(shape) < 0.5
        drawn = np.asarray(self.rng.uniform(*_domain(self.row, k), shape))
        if self.is_symmetric:
            drawn = drawn @ np.swapaxes(drawn, -1, -2) + np.eye(shape[-1])
        return drawn.astype(dtype)[()]

    def f(self, *inputs):
        arguments = list(self.arguments)
        for k, value in zip(self.traced, inputs, strict=True):
            arguments[k] = value
        return (self.called or self.row.function)(*arguments, **self.options)

    def normal(self, like):
        return np.asarray(self.rng.normal(size=np.shape(like)))[()]

    def direction(self, like):
        """Return where to take a slope of an argument, which stays symmetric if it has to be."""
        drawn = self.normal(like)
        square = drawn.ndim > 1 and drawn.shape[-1] == drawn.shape[-2]
        return drawn + np.swapaxes(drawn, -1, -2) if square and self.is_symmetric else drawn

    @property
    def is_symmetric(self):
        return self.row.name in SYMMETRIC

    @cached_property
    def value(self):
        return self.f(*self.inputs)

    @cached_property
    def seed(self):
        return self.normal(self.value)

    @cached_property
    def graph(self):
        return trace(self.f, *self.inputs)

    @cached_property
    def twice(self):
        return twice(self)

    @cached_property
    def backward(self):
        return self.graph.backward(self.seed)

    @cached_property
    def step(self):
        """The one step back; a graph without inputs in use has none."""
        [step] = self.backward.steps
        return step

    @cached_property
    def names(self):
        """The values that printed code refers to."""
        names = {node.name: node.value for node in self.graph.nodes}
        return names | {f"d_{self.step.node.name}": self.step.adjoint}

    @cached_property
    def single(self):
        """The same case in single precision."""
        return Drawn(self.row, self.call, np.float32, self.called)

    def rule(self, position, g, ans, arrays):
        """Return what one rule gives in plain NumPy, ``arrays`` in place of the recorded ones."""
        record = self.graph.records[self.graph.output_index]
        held = iter(arrays)
        args = [
            literal if parent is None else next(held)
            for literal, parent in zip(record.args, record.parents, strict=True)
        ]
        return self.row.vjps[position](g, ans, *args, **record.keywords)


def slopes(f, inputs, directions):
    """Yield the central difference of ``f`` along each direction, one input at a time."""
    for k, direction in enumerate(directions):
        ahead, behind = list(inputs), list(inputs)
        ahead[k], behind[k] = inputs[k] + STEP * direction, inputs[k] - STEP * direction
        yield (f(*ahead) - f(*behind)) / (2 * STEP)


def gradient(f, x):
    """Return the gradient by the one argument of a function."""
    return trace(f, x).backward().gradients[0]


def assert_same(found, expected, rtol=0.0, atol=0.0):
    assert np.shape(found) == np.shape(expected)
    np.testing.assert_allclose(found, expected, rtol=rtol, atol=atol)


def evaluated(text, names):
    """Return the value of printed code; in a sentence, assignments stand behind "with"."""
    array, says_with, changes = text.partition(" with [")
    if not says_with:
        return eval(text, PRINTED_WITH, names)
    space = {**PRINTED_WITH, **names, "changed": np.copy(eval(array, PRINTED_WITH, names))}
    if "] += " in changes:  # an entry that is named twice receives both
        for change in re.split(r"(?<=inputs\d), \[", changes):
            place, value = change.split("] += ")
            exec(f"np.add.at(changed, np.index_exp[{place}], {value})", space)
        return space["changed"]
    for change in re.split(r"(?<=\w), \[(?=\d)", changes):
        exec(f"changed[{change}", space)
    return space["changed"]


def parse(formula):
    # Most shapes of a row have one and the same formula, but for its numbers.
    _parse_once(re.sub(r"\d+(\.\d+)?", "1", formula))


@functools.cache
def _parse_once(formula):
    matplotlib.mathtext.MathTextParser("path").parse(f"${formula}$")


# --- functions that are made of others --------------------------------------------


def assert_differentiable(f, *inputs, tolerance=1e-12):
    """Hold ``f`` against plain NumPy: its value, both modes, both orders, and its programs.

    ``f`` may change its arguments.
    """

    def plainly(*x):
        return f(*copy.deepcopy(x))

    rng, before = np.random.default_rng(7), copy.deepcopy(inputs)
    value, graph = plainly(*inputs), trace(f, *inputs)
    assert_same(graph.value, value, tolerance, tolerance)
    seed = np.asarray(rng.normal(size=np.shape(value)))[()]
    directions = [np.asarray(rng.normal(size=np.shape(each)))[()] for each in inputs]
    gradients = graph.backward(seed).gradients
    measured = [*slopes(plainly, inputs, directions)]
    for x, gradient, direction, slope in zip(inputs, gradients, directions, measured, strict=True):
        assert (np.shape(gradient), gradient.dtype) == (np.shape(x), np.asarray(x).dtype)
        found, right = np.sum(gradient * direction), np.sum(seed * slope)
        np.testing.assert_allclose(found, right, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(jvp(f, inputs, directions)[1], sum(measured), rtol=1e-6, atol=1e-7)
    _check_second_derivative(f, inputs, seed, directions)

    def summed(*x):
        return np.sum(f(*x) * seed)

    nearby = [x + STEP * direction for x, direction in zip(inputs, directions, strict=True)]
    compiled = trace(summed, *inputs).compile()
    for program in nonempty([compiled, _printed(trace(summed, *inputs))]):
        for given in (inputs, nearby):
            _check_program(trace(summed, *given), program, given, 1e-11)
    for given in ([-x for x in inputs], [np.flip(x) for x in inputs]):
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            if _is_within(plainly, given, value):  # another side of every mask, another order
                _check_program(trace(summed, *given), compiled, given, 1e-9)
    for x, as_before in zip(inputs, before, strict=True):
        np.testing.assert_array_equal(x, as_before)


def _is_within(f, inputs, like):
    """Whether ``f`` has a value there, of the same shape."""
    try:
        value = f(*inputs)
    except (ValueError, TypeError, np.linalg.LinAlgError):
        return False
    right = np.shape(value) == np.shape(like) and np.isrealobj(value)
    return right and bool(np.all(np.isfinite(value)))


def _check_second_derivative(f, inputs, seed, directions):
    def slope(*x):
        each = trace(f, *x).backward(seed).gradients
        return sum(np.sum(g * d) for g, d in zip(each, directions, strict=True))

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BackpropWarning)  # linear in some argument
        found = trace(slope, *inputs).backward().gradients
    across = [np.flip(each)[()] for each in directions]
    for gradient, direction, right in zip(
        found, across, slopes(slope, inputs, across), strict=True
    ):
        np.testing.assert_allclose(np.sum(gradient * direction), right, rtol=1e-5, atol=1e-5)


# --- the checks -----------------------------------------------------------------


def one_call_is_one_node_with_numpys_value(drawn):
    graph, row = drawn.graph, drawn.row
    computed = [node.op for node in graph.nodes if node.op not in (None, "constant")]
    assert computed == [row.name] * (len(computed) if row.outputs else 1)
    assert graph.output.op == row.name
    assert_same(graph.value, drawn.value)
    assert graph.value.dtype == np.asarray(drawn.value).dtype


def every_gradient_agrees_with_central_differences(drawn):
    directions = [drawn.direction(each) for each in drawn.inputs]
    measured = slopes(lambda *x: np.sum(drawn.seed * drawn.f(*x)), drawn.inputs, directions)
    for value, gradient, direction, slope in zip(
        drawn.inputs, drawn.backward.gradients, directions, measured, strict=True
    ):
        assert gradient.shape == value.shape
        assert gradient.dtype == value.dtype
        np.testing.assert_allclose(np.sum(gradient * direction), slope, rtol=1e-7, atol=1e-8)


def float32_stays_float32_as_far_as_numpy_keeps_it(drawn):
    single = drawn.single
    assert single.graph.value.dtype == np.asarray(single.value).dtype
    result = single.backward
    assert result.adjoint(single.graph.output).dtype == single.graph.value.dtype
    given = [each.value for step in result.steps for each in step.contributions]
    assert {each.dtype for each in (*given, *result.gradients)} == {np.dtype("float32")}


def a_float32_argument_beside_a_float64_one_has_a_float32_gradient(drawn):
    for k in range(len(drawn.inputs)):
        inputs = list(drawn.inputs)
        inputs[k] = inputs[k].astype(np.float32)
        gradients = trace(drawn.f, *inputs).backward(drawn.seed).gradients
        assert [each.dtype for each in gradients] == [each.dtype for each in inputs]
        assert [each.shape for each in gradients] == [each.shape for each in inputs]


def the_printed_call_evaluates_to_the_value(drawn):
    text = call_text(drawn.graph.output)
    assert_same(evaluated(text, drawn.names), drawn.graph.value)


def every_printed_rule_evaluates_to_its_contribution(drawn):
    assert len(drawn.step.contributions) == len(drawn.inputs)
    for each in drawn.step.contributions:
        assert_same(evaluated(each.rule, drawn.names), each.value, 1e-13, 1e-300)


def the_formulas_are_latex_that_mathtext_reads(drawn):
    formulas = [call_text(drawn.graph.output, "latex")]
    formulas += [each.explain().latex for each in drawn.step.contributions]
    assert all(formulas)
    for formula in formulas:
        parse(formula)


def printed_and_compiled_programs_give_value_and_gradients(drawn):
    graph = drawn.twice
    inputs = [*drawn.inputs, *drawn.inputs]
    _check_program(graph, graph.compile(), inputs, 1e-12)
    _check_program(graph, _printed(graph), inputs, 1e-12)
    np.testing.assert_allclose(graph.evaluate(*inputs), graph.value, rtol=1e-12, atol=1e-12)
    assert graph.to_latex().startswith(r"\begin{aligned}")


def programs_of_another_library_give_value_and_gradients(drawn):
    # Another library mirrors the upper half, and may return a vector's opposite.
    is_free = drawn.row.name == "eigh" and drawn.options == {"output": 1, "UPLO": "U"}
    if drawn.row.name not in LEFT_TO_NUMPY and not is_free:
        inputs = [*drawn.inputs, *drawn.inputs]
        _check_program(drawn.twice, drawn.twice.compile(xp=STANDARD), inputs, 1e-11)


def printed_programs_in_single_precision_stay_there(drawn):
    graph = drawn.single.twice
    _check_program(graph, _printed(graph), [*drawn.single.inputs, *drawn.single.inputs], 2e-5)


def twice(drawn):
    """Trace the call twice over, with two adjoints: an array, and ones that can be left out."""
    count, weights = len(drawn.inputs), drawn.seed.astype(drawn.dtype)[()]

    def f(*inputs):
        return np.sum(drawn.f(*inputs[:count]) * weights) + np.sum(drawn.f(*inputs[count:]))

    return trace(f, *drawn.inputs, *drawn.inputs)


def _printed(graph):
    """Return the function at the end of the printed program, wherever its lines are broken."""
    assert_breaks_change_nothing(graph)
    space = {}
    exec(graph.to_numpy(), space)
    return space[list(space)[-1]]


def _check_program(graph, program, inputs, rtol):
    value, gradients = program(*inputs)
    np.testing.assert_allclose(value, graph.value, rtol=rtol, atol=rtol)
    for found, right in zip(gradients, graph.backward().gradients, strict=True):
        assert_same(found, right, rtol, rtol)
        if right.shape:
            assert found.dtype == right.dtype


def a_traced_rule_reverses_to_its_own_derivative(drawn):
    for each in drawn.step.contributions:
        explained = each.explain()
        inputs = each.rules.values
        floats = [k for k, value in enumerate(inputs) if value.dtype == np.float64]
        seed = drawn.normal(each.value)

        def rule(*chosen, position=each.position, inputs=inputs, floats=floats, seed=seed):
            changed = dict(zip(floats, chosen, strict=True))
            g, ans, *arrays = (dict(enumerate(inputs)) | changed).values()
            return np.sum(seed * drawn.rule(position, g, ans, arrays))

        traced = _with_values(explained.traced, [inputs[k] for k in explained.leaves])
        found_for = dict(zip(explained.leaves, reverse(traced, traced.records, seed), strict=False))
        directions = [drawn.direction(inputs[k]) for k in floats]
        measured = slopes(rule, [inputs[k] for k in floats], directions)
        for k, direction, slope in zip(floats, directions, measured, strict=True):
            # Few rules use all their arguments.
            gradient = found_for.get(k)
            found = 0.0 if gradient is None else np.sum(gradient * direction)
            np.testing.assert_allclose(found, slope, rtol=1e-6, atol=1e-7)


def _with_values(traced, inputs):
    """Return a traced rule with the values that it is stored without."""
    values = replayed(traced, inputs)
    records = []
    for index, record in enumerate(traced.records):
        args = zip(record.args, record.parents, strict=True)
        args = [arg if parent is None else values[parent] for arg, parent in args]
        records.append(record._replace(args=tuple(args), value=values[index]))
    return replace(traced, records=tuple(records))


def a_rule_that_need_not_be_traced_multiplies_as_often(drawn):
    said = without_trace(drawn.step.node.record)
    counts = {multiplications(each.explain().traced) for each in drawn.step.contributions}
    assert said is None or counts == {said}


def second_derivatives_come_from_a_trace_inside_a_trace(drawn):
    positions = [each.position for each in drawn.step.contributions]
    held = [k for k, parent in enumerate(drawn.step.node.parents) if parent.op is None]
    arrays = [parent.value for parent in drawn.step.node.parents]
    for k, value in enumerate(drawn.inputs):
        weights = drawn.normal(value)

        def weighted(*inputs, k=k, weights=weights):
            """The first gradient in a direction, from the rule itself in plain NumPy."""
            changed = list(arrays)
            for place, array in zip(held, inputs, strict=True):
                changed[place] = array
            ans = drawn.f(*inputs)
            return np.sum(weights * drawn.rule(positions[k], drawn.seed, ans, changed))

        def traced(*inputs, k=k, weights=weights):
            return np.sum(weights * trace(drawn.f, *inputs).backward(drawn.seed).gradients[k])

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", BackpropWarning)  # a linear row has constant gradients
            gradients = trace(traced, *drawn.inputs).backward().gradients
        directions = [drawn.direction(each) for each in drawn.inputs]
        measured = slopes(weighted, drawn.inputs, directions)
        for gradient, direction, slope in zip(gradients, directions, measured, strict=True):
            found = np.sum(gradient * direction)
            np.testing.assert_allclose(found, slope, rtol=1e-6, atol=1e-6)


CHECKS = (
    one_call_is_one_node_with_numpys_value,
    every_gradient_agrees_with_central_differences,
    float32_stays_float32_as_far_as_numpy_keeps_it,
    a_float32_argument_beside_a_float64_one_has_a_float32_gradient,
    the_printed_call_evaluates_to_the_value,
    every_printed_rule_evaluates_to_its_contribution,
    the_formulas_are_latex_that_mathtext_reads,
    printed_and_compiled_programs_give_value_and_gradients,
    programs_of_another_library_give_value_and_gradients,
    printed_programs_in_single_precision_stay_there,
    a_traced_rule_reverses_to_its_own_derivative,
    a_rule_that_need_not_be_traced_multiplies_as_often,
    second_derivatives_come_from_a_trace_inside_a_trace,
)
