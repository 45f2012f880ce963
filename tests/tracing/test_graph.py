"""The graph as data: nodes, their order, how they are found and how they print."""

import copy
import dataclasses
import pickle

import numpy as np
import pytest

import backprop_nb as bp
from backprop_nb.errors import NotFoundError
from backprop_nb.tracing import Graph, Node, Source, trace
from backprop_nb.tracing.graph import read_only

A, x = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), np.array([1.0, 0.5, -1.0])


def loss(A, x):
    z = A @ x
    return np.sum(np.tanh(z) ** 2, axis=0)


@pytest.fixture
def graph():
    return trace(loss, A, x)


def test_nodes_stand_in_the_order_of_computation(graph):
    assert [node.index for node in graph.nodes] == list(range(len(graph.nodes)))
    edges = [(parent.index, node.index) for node in graph.nodes for parent in node.parents]
    assert edges == [(0, 2), (1, 2), (2, 3), (3, 4), (4, 5)]
    assert [node.name for node in graph.nodes] == ["A", "x", "z", "v1", "v2", "loss"]


def test_inputs_and_output_are_nodes_of_the_graph(graph):
    assert graph.inputs == graph.nodes[:2]
    assert graph.output is graph.nodes[-1]
    assert graph.value == graph.output.value == loss(A, x)
    assert (graph.input_count, graph.output_index) == (2, 5)


def test_the_output_need_not_be_the_last_node():
    def f(x):
        y = x * 2
        x + 1
        return y

    graph = trace(f, 3.0)
    assert [node.name for node in graph.nodes] == ["x", "y", "v1"]
    assert graph.output.name == "y"
    assert graph.backward().gradients == (2.0,)


def test_a_node_knows_how_it_was_made(graph):
    node = graph.node("z")
    assert isinstance(node, Node)
    assert (node.op, node.shape, node.source, node.scope) == ("matmul", (2,), "A @ x", ())
    assert node.parents == graph.inputs
    assert isinstance(node.source, Source)


def test_inputs_and_constants_have_ops_of_their_own():
    graph = trace(lambda v: v * x, x)
    assert [node.op for node in graph.nodes] == [None, "constant", "multiply"]
    assert [node.parents for node in graph.nodes[:2]] == [(), ()]


def test_a_value_used_twice_in_one_call_is_a_parent_twice():
    graph = trace(lambda v: v * v, 2.0)
    assert graph.output.parents == (graph.inputs[0],) * 2


def test_a_node_is_found_by_its_name_and_is_always_the_same_object(graph):
    assert graph.node("z") is graph.node("z") is graph.nodes[2]


def test_a_name_that_does_not_exist_is_answered_with_the_closest(graph):
    with pytest.raises(NotFoundError) as caught:
        graph.node("zz")
    assert isinstance(caught.value, LookupError)
    assert str(caught.value) == (
        "The graph has no node 'zz'.\n"
        "  expected: one of A, x, z, v1, v2, loss\n"
        "  instead:  did you mean z?"
    )


def test_a_name_in_capitals_is_answered_with_the_one_that_exists(graph):
    with pytest.raises(NotFoundError) as caught:
        graph.node("LOSS")
    assert caught.value.instead == "did you mean loss?"


def test_a_long_list_of_names_is_cut():
    def f(x):
        for _ in range(20):
            x = x + 1
        return x

    with pytest.raises(NotFoundError) as caught:
        trace(f, 1.0).node("Q")
    assert caught.value.expected.endswith("x11, …")
    assert caught.value.instead is None


def test_no_more_than_three_names_are_suggested():
    def f(loss1, loss2, loss3, loss4):
        return loss1 + loss2 + loss3 + loss4

    with pytest.raises(NotFoundError) as caught:
        trace(f, 1.0, 2.0, 3.0, 4.0).node("loss")
    assert caught.value.instead == "did you mean loss4 or loss3 or loss2?"


def test_a_position_is_no_name(graph):
    with pytest.raises(NotFoundError, match="The graph has no node 2"):
        graph.node(2)


def test_nodes_and_records_are_frozen(graph):
    with pytest.raises(dataclasses.FrozenInstanceError):
        graph.node("z").value = 0
    with pytest.raises(AttributeError):
        graph.records[0].value = 0
    assert isinstance(graph.nodes, tuple)
    assert isinstance(graph.records, tuple)


def test_the_nodes_that_the_learner_named_are_told_apart(graph):
    assert [graph.nodes[index].name for index in sorted(graph.named)] == ["A", "x", "z", "loss"]


def test_a_graph_prints_as_a_program():
    graph = trace(lambda A, x: np.sum((A @ x) * 2 - x[0], axis=0), A, x)
    assert str(graph) == (
        "A = input()  (2, 3)\n"
        "x = input()  (3,)\n"
        "v1 = matmul(A, x)  (2,)\n"
        "v2 = multiply(v1, 2)  (2,)\n"
        "v3 = getitem(x, index=0)  ()\n"
        "v4 = subtract(v2, v3)  (2,)\n"
        "v5 = sum(v4, axis=0)  ()"
    )


def test_short_forms_are_deterministic(graph):
    assert repr(graph) == "<Graph of loss: 2 inputs, 6 nodes, output shape ()>"
    assert repr(graph.node("z")) == "<Node z = matmul(A, x), shape (2,)>"
    assert repr(graph.node("A")) == "<Node A = input(), shape (2, 3)>"


def test_a_source_is_text_with_a_place():
    source = Source("a + b", "file.py", (1, 2), (1, 7), (1, 3))
    assert source == "a + b"
    assert source.upper() == "A + B"
    assert (source.filename, source.start, source.end, source.block) == (
        "file.py", (1, 2), (1, 7), (1, 3)
    )  # fmt: skip


def test_an_array_of_a_graph_is_read_only_and_a_number_is_a_number():
    array = np.ones(2)
    assert read_only(array) is array
    assert not array.flags.writeable
    assert read_only(np.float64(1.0)) == 1.0


def test_the_public_names_are_the_same_objects():
    assert (bp.Graph, bp.Node, bp.trace) == (Graph, Node, trace)


def product(x, y):
    return x * y


def test_a_graph_says_what_to_pickle_in_its_place():
    graph = bp.trace(product, 2.0, 3.0)
    backward = graph.backward()
    for what in (graph, graph.output, backward, backward.steps[0], [graph]):
        with pytest.raises(bp.UnsupportedError, match="cannot be pickled") as caught:
            pickle.dumps(what)
        assert "graph.to_numpy(), which is text" in caught.value.instead
    kept = pickle.loads(pickle.dumps((graph.to_numpy(), graph.value, backward.gradients)))
    space = {}
    exec(kept[0], space)
    assert space["product_and_gradient"](2.0, 3.0) == (kept[1], kept[2])


def test_a_copy_of_a_graph_is_the_graph():
    graph = bp.trace(product, 2.0, 3.0)
    assert copy.copy(graph) is graph
    assert copy.deepcopy(graph) is graph
    assert copy.deepcopy({"z": graph.output})["z"] is graph.output
