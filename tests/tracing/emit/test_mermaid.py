"""Mermaid: each line has one of few forms, and says what the diagram says."""

import re

import pytest
from hard_graphs import GRAPHS
from nonempty import nonempty

import backprop_nb as bp
from backprop_nb.tracing.emit.diagram import TEXT, Diagram

NODE = re.compile(r' +(n\d+)\["([^"\[\]<>`*_]*(?:<br/>[^"\[\]<>`*_]*)*)"\]:::(\w+)')
EDGE = re.compile(r"  (n\d+) --> (n\d+)")
OTHER = re.compile(
    r'flowchart LR| +subgraph g\d+\["[^"\[\]<>`*_]*"\]| +end|  classDef \w+ [\w#,: -]+'
)


def meant(text):
    """The lines that Mermaid shows for a text."""
    return [
        re.sub(r"#(\d+);", lambda found: chr(int(found[1])), line) for line in text.split("<br/>")
    ]


@pytest.mark.parametrize("graph", GRAPHS.values(), ids=list(GRAPHS))
def test_it_says_what_the_diagram_says(graph):
    diagram = Diagram(graph, TEXT, True, None, "right")
    lines = graph.to_mermaid().splitlines()
    nodes = [found.groups() for line in lines if (found := NODE.fullmatch(line))]
    edges = [found.groups() for line in lines if (found := EDGE.fullmatch(line))]
    others = [line for line in lines if OTHER.fullmatch(line)]
    assert len(nodes) + len(edges) + len(others) == len(lines)
    said = {(card.id, card.kind): list(card.lines) for card in diagram.cards}
    assert {(each, kind): meant(text) for each, text, kind in nodes} == said
    assert edges == [(tail.id, head.id) for tail, head in diagram.edges]


def test_each_kind_that_occurs_has_its_style_and_each_frame_its_end():
    text = GRAPHS["loop"].to_mermaid()
    kinds = re.findall(r":::(\w+)", text)
    assert set(nonempty(kinds)) == set(re.findall(r"classDef (\w+)", text))
    assert len(re.findall(r"\bsubgraph\b", text)) == text.count("  end\n") == 3


def test_the_direction_is_that_of_the_chart():
    assert GRAPHS["loop"].to_mermaid(direction="down").startswith("flowchart TB\n")


def test_a_chart_that_mermaid_would_refuse_warns():
    def long(x):
        for _ in range(501):
            x = x + 1.0
        return x

    with pytest.warns(bp.BackpropWarning, match=r"501 edges .* `maxEdges`") as caught:
        bp.trace(long, 0.0).to_mermaid()
    assert caught[0].filename == __file__
