"""From a node to the learner's own code: the exact expression, the name, the calls around it."""

import functools
import linecache
import sys
import textwrap
from types import SimpleNamespace

import numpy as np

from backprop_nb.tracing import sigmoid, trace
from backprop_nb.tracing.record import CONSTANT, Record, Scope
from backprop_nb.tracing.source import label_records, unique_names

W = np.array([[1.0, 2.0], [3.0, 4.0]])
X = np.array([0.5, -1.0])


def computed(graph):
    """Return the nodes that a call made."""
    return [node for node in graph.nodes if node.op not in (None, "constant")]


def names(f, *args):
    return [node.name for node in computed(trace(f, *args))]


def sources(f, *args):
    return [str(node.source) for node in computed(trace(f, *args))]


def scopes(f, *args):
    return [node.scope for node in computed(trace(f, *args))]


def run_source(text, name="<made for a test>"):
    """Execute source text that has a file's worth of lines, and return its names."""
    text = textwrap.dedent(text)
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    namespace = {"np": np, "sigmoid": sigmoid}
    exec(compile(text, name, "exec"), namespace)
    return namespace


# --- names from assignments ---------------------------------------------------


def test_a_plain_assignment_names_the_value():
    def f(x):
        z = W @ x
        total = np.sum(z)
        return total * 2

    assert names(f, X) == ["z", "total", "f"]


def test_an_inner_expression_has_a_number_in_place_of_a_name():
    def f(x):
        z = np.exp(x) * x + 1
        return np.sum(z)

    assert names(f, X) == ["v1", "v2", "z", "f"]


def test_annotated_walrus_chained_and_conditional_assignments_name_the_value():
    def f(x):
        a: np.ndarray = x + 1
        b = (c := a * 2) - 1
        d = e = b * c
        g = e + 1 if d.ndim else e - 1
        return np.sum(g)

    assert names(f, X) == ["a", "c", "b", "d", "g", "f"]


def test_the_targets_of_a_tuple_name_the_values():
    def f(x):
        a, (b, c) = x + 1, (x + 2, x + 3)
        [d, e] = [x + 4, x + 5]
        return a + b + c + d + e

    assert names(f, 1.0)[:5] == ["a", "v1", "v2", "d", "e"]


def test_unpacking_names_the_pieces():
    def f(theta):
        w, (b, c), *rest = theta
        return w[0] * b + c + rest[0][0]

    graph = trace(f, np.arange(8.0).reshape(4, 2))
    assert [node.name for node in computed(graph)][:7] == ["w", "v1", "v2", "v3", "b", "c", "v4"]
    assert [str(graph.node(name).source) for name in ("w", "b")] == ["theta", "(b, c)"]


def test_what_a_call_returns_is_named_by_what_it_is_unpacked_into():
    def gates(z):
        return np.split(z, 4)

    def f(z):
        i, f, o, g = gates(z)
        (a, b), c = np.split(i, 2), g[0]
        [Q, R] = np.linalg.qr(np.outer(f, o))
        first, *others = np.split(Q, 2)
        d, e = np.split(R, 2)[::-1]
        parts = np.split(b, 1)
        return a[0] + c + np.sum(first) + np.sum(others[0]) + d[0, 0] + e[0, 0] + parts[0][0]

    assert names(f, np.arange(1.0, 9.0))[:15] == [
        *("i", "f", "o", "g", "a", "b", "c", "v1", "Q", "R"),
        *("first", "v2", "v3", "v4", "parts"),
    ]


def test_an_augmented_assignment_names_every_version():
    def f(x):
        total = x * 1
        total += x
        total *= 2
        return total

    assert names(f, 1.0) == ["total1", "total2", "total3"]
    assert sources(f, 1.0) == ["x * 1", "total += x", "total *= 2"]


def test_an_attribute_and_an_item_name_the_value():
    class Layer:
        def __call__(self, x):
            self.z = W @ x
            f = {}
            f["out"] = np.exp(self.z)
            return np.sum(f["out"])

    assert names(Layer(), X) == ["z", "f", "Layer"]


def test_the_variable_of_a_loop_names_what_it_takes_out():
    def f(A, x):
        for row in A:
            x = x + row
        doubled = [2 * each for each in A]
        return np.sum(x + doubled[0] + doubled[1])

    graph = trace(f, W, X)
    assert [node.name for node in computed(graph)][:4] == ["row1", "x1", "row2", "x2"]
    taken = [node for node in graph.nodes if node.name.startswith("each")]
    assert [str(node.source) for node in taken] == ["A", "A"]


def test_a_name_assigned_again_is_numbered_from_1():
    def f(x):
        z = x + 1
        z = z * 2
        for _ in range(2):
            z = np.sin(z)
        return z

    assert names(f, 1.0) == ["z1", "z2", "z3", "z4"]


def test_a_name_that_ends_in_a_digit_keeps_it_apart_from_its_number():
    def f(x):
        z1 = x + 1
        z1 = z1 * 2
        z = z1 + 1
        z = z + z1
        return z * 2

    assert names(f, 1.0) == ["z1_1", "z1_2", "z2", "z3", "f"]


def test_a_parameter_assigned_again_keeps_its_own_name():
    def f(x):
        x = x * 2
        return np.sin(x)

    assert [node.name for node in trace(f, 1.0).nodes] == ["x", "x1", "f"]


def test_a_number_never_takes_a_name_that_the_learner_uses():
    def f(z2, v1):
        z = z2 + v1
        z = z * np.exp(z)
        c1 = z + 1
        return c1 * W

    found = [node.name for node in trace(f, 1.0, 2.0).nodes]
    assert found == ["z2", "v1", "z1", "v2", "z3", "c1", "W", "f"]


def test_the_output_takes_the_name_of_the_function_if_it_has_none():
    def loss(x):
        return np.sum(x * x)

    assert trace(loss, X).output.name == "loss"
    assert trace(lambda x: x * 2, 1.0).output.name == "v1"
    assert trace(functools.partial(loss), X).output.name == "loss"
    assert trace(np.exp, 1.0).output.name == "exp"


def test_the_output_leaves_the_functions_name_to_a_variable_that_has_it():
    def loss(x):
        loss = x * 2
        return loss + 1

    assert names(loss, 1.0) == ["loss", "v1"]


def test_a_hostile_function_name_is_not_taken():
    def f(x):
        return x * 2

    for hostile in ("import os", "lambda", "1st", ""):
        f.__name__ = hostile
        assert names(f, 1.0) == ["v1"]


def test_a_value_returned_at_once_takes_the_name_that_the_caller_gives_it():
    def affine(A, x):
        return A @ x

    def layer(A, x):
        return affine(A, x)

    def f(x):
        z = layer(W, x)
        y = (lambda v: v * 2)(z)
        return np.sum(y)

    assert names(f, X) == ["z", "y", "f"]


def test_a_value_returned_into_an_expression_has_no_name():
    def square(x):
        return x * x

    def f(x):
        y = square(x) + 1
        return y * 2

    assert names(f, 2.0) == ["v1", "y", "f"]


def test_what_is_returned_conditionally_counts_as_returned():
    def relu(x):
        return x * 1.0 if x > 0 else x * 0.0

    def f(x):
        h = relu(x)
        return h + 1

    assert names(f, 2.0) == ["h", "f"]
    assert names(f, -2.0) == ["h", "f"]


def test_constants_are_called_what_the_learner_calls_them():
    class Model:
        bias = np.ones(2)

    def f(x):
        return np.sum(np.outer(W[0], b=x) @ Model.bias + x * X * np.float64(3.0) + [1.0, 2.0])

    constants = [node for node in trace(f, X).nodes if node.op == "constant"]
    assert [node.name for node in constants] == ["c1", "bias", "X", "c2", "c3"]
    assert [str(node.source) for node in constants] == [
        "W[0]", "Model.bias", "X", "np.float64(3.0)", "[1.0, 2.0]"
    ]  # fmt: skip


def test_a_constant_inside_another_functions_loop_is_not_named_after_it():
    def f(x):
        return np.sum(functools.reduce(np.matmul, [W, W.T, x]))

    constants = [node for node in trace(f, X).nodes if node.op == "constant"]
    assert [(node.name, node.source) for node in constants] == [("c1", None)]


def test_a_constant_is_named_in_every_form_of_call():
    def f(x):
        y = x.dot(W) + np.dot(V, x) + np.concatenate([x, U])[0]
        return np.sum(y.clip(LOW, HIGH)) + np.sum(np.einsum("i,i", x, E))

    V, U, E, LOW, HIGH = X * 1, X * 2, X * 3, X - 9, X + 9
    constants = [node.name for node in trace(f, X).nodes if node.op == "constant"]
    assert constants == ["W", "V", "U", "LOW", "HIGH", "E"]

    def joined(x):
        parts = [X, x]
        return np.sum(np.concatenate(parts)) + np.sum(np.outer(*parts))

    constants = [node for node in trace(joined, X).nodes if node.op == "constant"]
    assert [(node.name, node.source) for node in constants] == [("c1", None)]


def test_names_are_unique_whatever_the_learner_chooses():
    wanted = ["z", "z1", "z", None, "v1", None, "v", "v", "z1", "z1_1", "a", "a1"]
    inputs = ["z2", "v2", "a"]

    class Call:
        row = None

    found = unique_names(inputs, wanted, [Call()] * (len(inputs) + len(wanted)))
    assert len(found) == len(set(found)) == len(inputs) + len(wanted)
    assert found[:3] == inputs
    assert all(name.isidentifier() for name in found)


# --- the exact expression -----------------------------------------------------


def test_the_source_is_the_exact_expression_and_where_it_stands():
    namespace = run_source("def f(x):\n    y = 2 * np.exp(x); return y - 1\n", "<two statements>")
    f = namespace["f"]
    assert sources(f, 1.0) == ["np.exp(x)", "2 * np.exp(x)", "y - 1"]
    source = trace(f, 1.0).nodes[1].source
    assert source.filename == "<two statements>"
    assert (source.start, source.end) == ((2, 12), (2, 21))
    assert source.block == (1, 2)


def test_an_expression_over_several_lines_keeps_its_lines():
    def f(x):
        # fmt: off
        return (x * 2
                + np.sum(
                    W))
        # fmt: on

    line = f.__code__.co_firstlineno + 2
    output = trace(f, 1.0).output
    assert output.source == "x * 2\n                + np.sum(\n                    W)"
    assert (output.source.start, output.source.end) == ((line, 16), (line + 2, 22))


def test_methods_on_lines_of_their_own_have_the_whole_chain():
    def f(x):
        # fmt: off
        y = (x
             .reshape(1, 2)
             .T
             .sum(
                 axis=0))
        # fmt: on
        return y[0]

    assert [" ".join(text.split()) for text in sources(f, X)] == [
        "x .reshape(1, 2)",
        "x .reshape(1, 2) .T",
        "x .reshape(1, 2) .T .sum( axis=0)",
        "y[0]",
    ]
    assert names(f, X)[2] == "y"


def test_columns_count_characters_where_letters_take_several_bytes():
    line = '    σ = "äöü"; 值 = größe * 2; return 值 + len(σ)'
    f = run_source(f"def f(größe):\n{line}\n", "<letters>")["f"]
    graph = trace(f, 1.0)
    assert sources(f, 1.0) == ["größe * 2", "值 + len(σ)"]
    assert [node.name for node in graph.nodes] == ["größe", "值", "f"]
    for node in computed(graph):
        assert line[node.source.start[1] : node.source.end[1]] == node.source


def test_functions_on_one_line_are_told_apart():
    namespace = run_source("f = lambda x: x * 2; g = lambda x: x * 2\n", "<two lambdas>")
    graph = trace(lambda x: namespace["f"](x) + namespace["g"](x), 1.0)
    assert [node.source.start for node in computed(graph)[:2]] == [(1, 14), (1, 35)]


def test_every_kind_of_call_has_its_own_expression():
    def f(A, x):
        y = -A @ x
        y += A.T @ x
        y = y[::-1].reshape(2, 1)
        return np.mean(y, axis=0)[0]

    assert sources(f, W, X) == [
        "-A",
        "-A @ x",
        "A.T",
        "A.T @ x",
        "y += A.T @ x",
        "y[::-1]",
        "y[::-1].reshape(2, 1)",
        "np.mean(y, axis=0)",
        "np.mean(y, axis=0)[0]",
    ]


def test_a_loop_finds_one_expression_for_all_its_rounds():
    def f(x):
        for _ in range(3):
            x = np.sin(x)
        return x

    assert sources(f, 1.0) == ["np.sin(x)"] * 3


def test_the_block_is_the_function_around_the_expression():
    def f(x):
        def inner(v):
            return v * 2

        double = (lambda v: inner(v))(x)
        return double + 1

    first = f.__code__.co_firstlineno
    assert [node.source.block for node in computed(trace(f, 1.0))] == [
        (first + 1, first + 2), (first, first + 5)
    ]  # fmt: skip


def test_inputs_have_no_source():
    assert trace(lambda x: x + 1, 1.0).inputs[0].source is None


def test_code_without_source_text_traces_all_the_same():
    namespace = {}
    exec("def f(x):\n    z = x * 2\n    return z + 1", namespace)
    graph = trace(namespace["f"], 3.0)
    assert [(node.name, node.source) for node in graph.nodes] == [
        ("x", None), ("v1", None), ("f", None)
    ]  # fmt: skip
    assert graph.backward().gradients == (2.0,)


# --- the calls around it ------------------------------------------------------


def layer(x, k=2.0):
    z = x * k
    return sigmoid(z)


def test_a_value_of_the_traced_function_itself_has_no_scope():
    assert scopes(layer, 1.0) == [(), ()]


def test_each_call_is_a_scope_and_several_of_one_function_are_numbered():
    def f(x):
        h = layer(x)
        return layer(h) + 1

    assert scopes(f, 1.0) == [("layer 1",), ("layer 1",), ("layer 2",), ("layer 2",), ()]


def test_a_single_call_needs_no_number():
    assert scopes(lambda x: layer(x) + 1, 1.0) == [("layer",), ("layer",), ()]


def test_scopes_nest_as_the_calls_do():
    def block(x):
        y = layer(x)
        return y * 3

    def f(x):
        x = block(x)
        return block(x)

    first = [("block 1", "layer 1")] * 2 + [("block 1",)]
    second = [("block 2", "layer 2")] * 2 + [("block 2",)]
    assert scopes(f, 1.0) == first + second


def test_a_call_within_a_call_is_left_again():
    def outer(x):
        a = x + 1
        b = layer(a)
        return a * b

    assert scopes(lambda x: outer(x), 1.0) == [
        ("outer",), ("outer", "layer"), ("outer", "layer"), ("outer",)
    ]  # fmt: skip


def test_recursion_opens_a_scope_for_every_call():
    def power(x, n):
        return x if n == 0 else x * power(x, n - 1)

    graph = trace(lambda x: power(x, 3), 2.0)
    depths = [len(node.scope) for node in computed(graph)]
    assert depths == [3, 2, 1]
    assert graph.backward().gradients == (32.0,)


def test_comprehensions_and_generator_expressions_are_transparent():
    def f(x):
        parts = [x * k for k in range(2)] + list({k: x + k for k in range(2)}.values())
        return sum(part * 2 for part in parts)

    assert set(scopes(f, 1.0)) == {()}


def test_a_call_inside_a_comprehension_is_a_scope():
    def f(x):
        return sum([layer(x, k) for k in (1.0, 2.0)])

    assert scopes(f, 1.0)[:4] == [("layer 1",)] * 2 + [("layer 2",)] * 2


def test_a_generator_is_one_call_however_often_it_is_left():
    def activations(x):
        for k in (1.0, 2.0):
            x = np.sin(x * k)
            yield x

    def f(x):
        return sum(layer(each) for each in activations(x))

    found = scopes(f, 1.0)
    assert {scope[0] for scope in found if scope} == {"activations", "layer 1", "layer 2"}


def test_a_method_a_lambda_and_a_callable_object_name_their_scopes():
    class Net:
        def __call__(self, x):
            return x * 2

        def forward(self, x):
            return self(x) + 1

    net = Net()
    assert scopes(lambda x: (lambda v: net.forward(v))(x), 1.0) == [
        ("λ", "forward", "Net"), ("λ", "forward")
    ]  # fmt: skip


def test_a_library_function_between_two_of_the_learners_adds_no_wrong_scope():
    def f(x):
        return np.sum(functools.reduce(lambda a, b: a * b, [x, x, x]))

    assert scopes(f, X) == [("λ 1",), ("λ 2",), ()]


def test_a_trace_inside_a_trace_shows_the_learners_line_and_none_of_the_tracers():
    def slope(x):
        g = trace(lambda a: a**3, x).backward().gradients[0]
        return g * g

    nodes = computed(trace(slope, 2.0))
    assert {node.source.filename for node in nodes} == {__file__}
    assert {node.scope for node in nodes} == {(), ("λ",)}
    assert "result" not in [node.name for node in nodes]


def test_a_lambda_in_a_decorator_stands_in_its_own_block():
    traced = []

    def keep(f):
        traced.append(trace(f, 2.0))
        return lambda g: g

    @keep(lambda x: x * 3.0)
    def decorated():
        pass

    source = traced[0].output.source
    assert source == "x * 3.0"
    assert source.block[0] <= source.start[0] <= source.end[0] <= source.block[1]


# --- assignments to entries and in place ---------------------------------------


class Buffer:
    """Notes each instruction that stores into it or reads from it, in order."""

    def __init__(self):
        self.spots = []

    def note(self, *args):
        frame = sys._getframe(1)
        self.spots.append((frame.f_code, frame.f_lasti))
        return self

    __setitem__ = __getitem__ = __iadd__ = __itruediv__ = __call__ = note
    T = property(lambda self: self)
    reshape = property(lambda self: lambda *shape: self)


def labelled(f):
    """Return the name and source of a record at every instruction that ``f`` has noted."""
    buffer = Buffer()
    f(buffer)
    scope = Scope(None, f.__code__, 0)
    records = [Record(None, (), (), {}, 0.0, None, -1)]
    records += [Record("op", (), (), {}, 0.0, scope, lasti) for _, lasti in buffer.spots]
    labels = label_records(records, ["x"], 0, "f")
    return [(label.name, label.source) for label in labels[1:]]


def test_an_assignment_to_entries_has_the_buffers_name_and_the_statement():
    def f(out):
        out[0, 1] = out(2)
        out[1:2] = 3

    assert labelled(f) == [
        ("v1", "out(2)"),
        ("out1", "out[0, 1] = out(2)"),
        ("out2", "out[1:2] = 3"),
    ]


def test_what_is_stored_keeps_its_own_name():
    def f(out):
        a = out[0] = out(1)
        out[1], b = out(2), out(3)
        return a, b

    assert labelled(f) == [
        ("a", "out(1)"),
        ("out1", "a = out[0] = out(1)"),
        ("v1", "out(2)"),
        ("b", "out(3)"),
        ("out2", "out[1], b = out(2), out(3)"),
    ]


def test_an_entry_changed_in_place_is_read_computed_and_stored():
    def f(out):
        out[0] += 1
        out[1:2] /= 2

    assert labelled(f) == [
        ("v1", "out[0]"), ("v2", "out[0] += 1"), ("out1", "out[0] += 1"),
        ("v3", "out[1:2]"), ("v4", "out[1:2] /= 2"), ("out2", "out[1:2] /= 2"),
    ]  # fmt: skip


def test_a_swap_is_one_statement_with_two_stores():
    def f(u):
        u[0], u[-1] = u[-1], u[0]

    swap = "u[0], u[-1] = u[-1], u[0]"
    assert labelled(f) == [("v1", "u[-1]"), ("v2", "u[0]"), ("u1", swap), ("u2", swap)]


def test_a_store_through_a_view_has_the_name_of_what_is_viewed():
    def f(M):
        self = SimpleNamespace(W=M)
        M.T[0] = 1
        M.reshape(2, -1)[0] = 1
        self.W[0] = 1
        self.W.T[0] = 1

    assert [name for name, _ in labelled(f)] == ["M1", "M2", "W1", "W2"]


def test_the_source_of_an_assignment_to_entries_is_its_statement():
    def f(out):
        out[0] = 1
        out += 2
        # fmt: off
        (out
            [2]) = out(
                3)
        # fmt: on
        for out[3] in [1]:
            pass

    sources = [source for _, source in labelled(f)]
    assert [" ".join(each.split()) for each in sources] == [
        "out[0] = 1", "out += 2", "out( 3)", "(out [2]) = out( 3)", "out[3]"
    ]  # fmt: skip
    assert sources[0].start == (f.__code__.co_firstlineno + 1, 8)


def test_a_dictionarys_entry_still_names_what_is_kept_in_it():
    def f(x):
        cache = {}
        cache["z"] = x * 2
        return cache["z"]

    assert names(f, 1.0) == ["cache"]


def test_the_next_version_of_an_array_has_its_name_whatever_it_is_written_through():
    def f(M):
        row = M[1]
        row += 1
        M.T[0] = 2

    buffer = Buffer()
    f(buffer)
    scope = Scope(None, f.__code__, 0)
    assigned = SimpleNamespace(statement=True, bind=None, parameters=())
    spots = [lasti for _, lasti in buffer.spots]
    records = [
        Record(None, (), (), {}, 0.0, None, -1),
        Record("getitem", (), (0,), {}, 0.0, scope, spots[0]),
        Record(assigned, (), (0,), {}, 0.0, scope, spots[1]),
        Record(CONSTANT, (), (), {}, 0.0, None, -1),
        Record(assigned, (), (3,), {}, 0.0, scope, spots[2]),
    ]
    labels = label_records(records, ["A"], 0, "f")
    assert [(label.name, label.source) for label in labels[1:]] == [
        ("row", "M[1]"), ("A1", "row += 1"), ("M1", "M"), ("M2", "M.T[0] = 2")
    ]  # fmt: skip
