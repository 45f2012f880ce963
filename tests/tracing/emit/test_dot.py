"""DOT, read back by Graphviz' own reader."""

import pytest
from hard_graphs import GRAPHS
from nonempty import nonempty

import backprop_nb as bp
from backprop_nb.tracing.emit.diagram import TEXT, Diagram

pygraphviz = pytest.importorskip("pygraphviz")


@pytest.mark.parametrize("graph", GRAPHS.values(), ids=list(GRAPHS))
def test_graphviz_reads_what_the_diagram_says(graph):
    diagram = Diagram(graph, TEXT, True, None, "right")
    read = pygraphviz.AGraph(string=graph.to_dot())
    labels = {node: node.attr["label"] for node in read.nodes()}
    said = {
        card.id: r"\n".join(line.replace("\\", r"\\") for line in card.lines)
        for card in diagram.cards
    }
    assert labels == said
    assert {*read.edges()} == {(tail.id, head.id) for tail, head in diagram.edges}


def test_a_call_is_a_cluster_around_its_nodes():
    graph = GRAPHS["loop"]
    read = pygraphviz.AGraph(string=graph.to_dot())
    clusters = read.subgraphs()  # which `read` has to outlive
    names = {f"n{node.index}": node.scope for node in graph.nodes}
    assert [each.graph_attr["label"] for each in clusters] == ["cell 1", "cell 2", "cell 3"]
    for each in nonempty(clusters):
        assert {names[node] for node in nonempty(each.nodes())} == {(each.graph_attr["label"],)}


def test_the_direction_is_that_of_the_ranks():
    assert "rankdir=LR" in GRAPHS["loop"].to_dot()
    assert "rankdir=TB" in GRAPHS["loop"].to_dot(direction="down")


def test_a_long_computation_is_written_too():
    def long(x):
        for _ in range(2000):
            x = x + 1.0
        return x

    assert bp.trace(long, 0.0).to_dot().count(" -> ") == 2000
