"""Every printed name knows its node, in code and in formulas, however it looks."""

import numpy as np
import pytest

import backprop_nb as bp
from backprop_nb.views.explorer.scene import graph_scene
from backprop_nb.views.formula import filled, mathml
from backprop_nb.views.links import mark, read


def network(A, b, x):
    f = bp.sigmoid(A @ x + b)
    return np.sum((1.0 - f) ** 2)


def alike(x):
    h1 = np.exp(x)
    h_1 = np.sin(x)  # in a formula both are h with the subscript 1
    d_x = h1 * h_1  # and this looks like the adjoint of x
    return d_x * x


@pytest.fixture(params=[network, alike], ids=lambda f: f.__name__)
def graph(request):
    arguments = (np.ones((3, 2)), np.zeros(3), np.ones(2)) if request.param is network else (0.7,)
    return bp.trace(request.param, *arguments)


def whole(element):
    """Return tag, text, attributes and children of an element, which leaves out an empty rest."""
    return [*element, *["", "", {}, []][len(element) :]]


def elements(formula):
    yield whole(formula)
    for child in whole(formula)[3]:
        yield from elements(child)


def formula_of(scene, formula):
    """A formula of a scene, with its shape."""
    shape, *texts = formula
    return filled(scene["shapes"][shape], texts)


def linked(formula):
    return [element[2]["data-link"] for element in elements(formula) if "data-link" in element[2]]


def text(element):
    _, own, _, children = whole(element)
    return own + "".join(map(text, children))


scene_of = graph_scene


def assert_names(graph, text, names):
    """Each link's node has the name that stands there; no two places overlap."""
    for start, end, link in names:
        node = graph.nodes[int(link[1:])]
        assert text[start:end] == (node.adjoint_name if link[0] == "a" else node.name)
    starts = [start for start, _, _ in names]
    assert starts == sorted(starts)


def test_a_name_in_code_knows_its_node(graph):
    scene = scene_of(graph)
    for node, shown in zip(graph.nodes, scene["nodes"], strict=True):
        assert_names(graph, shown["text"], shown["names"])
        links = [int(link[1:]) for _, _, link in shown["names"]]
        assert links == [parent.index for parent in node.parents]
    assert any(frame["contributions"] for frame in scene["frames"])
    for frame in scene["frames"]:
        for one in frame["contributions"]:
            assert_names(graph, one["line"], one["names"])
            assert one["names"][0][2] == f"a{one['parent']}"
            assert f"a{frame['node']}" in [link for _, _, link in one["names"]]
            for factor in one["factors"]:
                assert_names(graph, factor["text"], factor["names"])


def test_a_term_of_a_formula_knows_its_node(graph):
    scene = scene_of(graph)
    for node, shown in zip(graph.nodes, scene["nodes"], strict=True):
        assert linked(formula_of(scene, shown["title"])) == [f"v{node.index}"]
        if shown["formula"]:
            assert linked(formula_of(scene, shown["formula"])) == [
                f"v{parent.index}" for parent in node.parents
            ]
    assert any(frame["contributions"] for frame in scene["frames"])
    for frame in scene["frames"]:
        for one in frame["contributions"]:
            target = linked(formula_of(scene, one["target"]))
            assert target == [f"a{one['parent']}"]
            terms = target + linked(formula_of(scene, one["rule"]))
            assert sorted(terms) == sorted(link for *_, link in one["names"])


def test_names_that_look_alike_are_told_apart():
    graph = bp.trace(alike, 0.7)
    scene = scene_of(graph)
    h1, h_1, d_x = (graph.node(name).index for name in ("h1", "h_1", "d_x"))
    titles = [text(formula_of(scene, scene["nodes"][node]["title"])) for node in (h1, h_1)]
    assert titles[0] == titles[1]
    assert linked(formula_of(scene, scene["nodes"][d_x]["formula"])) == [f"v{h1}", f"v{h_1}"]
    given = [one for frame in scene["frames"] for one in frame["contributions"]]
    to_d_x = next(one for one in given if one["parent"] == d_x)
    assert to_d_x["line"].startswith("d_d_x = ")
    values = [
        factor["family"] for one in given for factor in one["factors"] if factor["text"] == "d_x"
    ]
    assert set(values) == {"value"}  # not an adjoint, though it is called like one


def test_a_mark_leaves_no_trace_in_a_text():
    node = bp.trace(alike, 0.7).nodes[1]
    assert read(mark("h1", node, False) + " * " + mark("d_h1", node, True)) == (
        "h1 * d_h1",
        [(0, 2, "v1"), (5, 9, "a1")],
    )
    assert read("1 + 2") == ("1 + 2", [])


def test_the_whole_fraction_of_an_adjoint_is_one_term():
    node = bp.trace(alike, 0.7).nodes[1]
    formula = mathml("2 " + mark(r"\frac{\partial L}{\partial h_{1}}", node, True))
    (term,) = [element for element in elements(formula) if element[2].get("data-link")]
    assert (term[0], term[2]["data-link"]) == ("mfrac", "a1")


def test_the_words_are_free_of_marks(graph):
    scene = scene_of(graph)
    said = [part for frame in scene["frames"] for part in frame["words"] if isinstance(part, str)]
    said += [node["text"] for node in scene["nodes"]]
    assert not any("\ue000" <= character <= "\ue002" for each in said for character in each)
