"""The traced losses of a general network show a learner's names, one group for each layer."""

import pytest

from backprop_nb.network import Network


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("rows", [None, 2])
def test_the_nodes_have_the_documents_names(rows, bias):
    net = Network((2, 3, 2), seed=0, activation="tanh", output="identity", bias=bias)
    x, y = ([1, 2], [0, 1]) if rows is None else ([[1, 2]] * rows, [[0, 1]] * rows)
    graph = net.trace(x, y)
    inputs = ["A0", "A1", "b0", "b1"] if bias else ["A0", "A1"]
    assert [node.name for node in graph.nodes if node.op is None] == inputs
    assert graph.node("z1").scope == ("layer",)
    assert graph.node("f").op == "tanh"
    assert graph.output.name == "L"


def test_a_sigmoid_is_one_node():
    graph = Network((2, 3, 1), seed=0, bias=False).trace([1, 2], [0])
    assert sum(node.op == "sigmoid" for node in graph.nodes) == 2
