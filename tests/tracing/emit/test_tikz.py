"""TikZ: read here, and compiled where there is a TeX."""

import re
import shutil
import subprocess

import numpy as np
import pytest
from hard_graphs import GRAPHS
from nonempty import nonempty

import backprop_nb as bp

DIRECTIONS = ("right", "down")
DOCUMENT = r"""\documentclass{article}
\usepackage[paperwidth=300cm,paperheight=300cm,margin=1cm]{geometry}
\usepackage{amsmath,tikz}
\usetikzlibrary{arrows.meta}
\begin{document}
%s
\end{document}
"""


def places(text):
    """The row and the column of everything in the matrix of a picture."""
    rows = text.split("{\n", 1)[1].split("\n};\n", 1)[0].splitlines()
    cells = [line.removesuffix(r" \\").split(r" \& ") for line in rows]
    found = {}
    for row, line in enumerate(cells):
        for column, cell in enumerate(line):
            if name := re.match(r"\s*\\(?:node\[\w+\]|coordinate) \((\w+)\)", cell):
                assert name[1] not in found
                found[name[1]] = row, column
    return found


def arrows(text):
    """What each piece of an arrow goes from and to, and how far away it turns."""
    pattern = r"\\draw\[flow(?:, -)?\] \((\w+)[.\w]*\) --(?: \+\+\((.*?)\) \S+)? \((\w+)[.\w]*\);"
    return re.findall(pattern, text)


@pytest.fixture(scope="module", params=DIRECTIONS)
def direction(request):
    return request.param


@pytest.mark.parametrize("graph", GRAPHS.values(), ids=list(GRAPHS))
def test_each_arrow_goes_to_the_next_step_of_the_computation(graph, direction):
    text = graph.to_tikz(direction=direction)
    where = places(text)
    assert {f"n{node.index}" for node in graph.nodes} <= set(where)
    along = 1 if direction == "right" else 0
    pieces = arrows(text)
    assert len(pieces) == text.count(r"\draw[")
    steps = [where[there][along] - where[here][along] for here, _, there in pieces]
    assert set(steps) <= {1}
    pairs = {(here, there) for here, _, there in pieces}
    # Through the wires, each node is reached from its parents and from nothing else.
    for node in graph.nodes:
        reached = {here.partition("at")[0] for here, there in pairs if there == f"n{node.index}"}
        assert reached == {f"n{parent.index}" for parent in node.parents}


@pytest.mark.parametrize("graph", GRAPHS.values(), ids=list(GRAPHS))
def test_no_two_cards_turn_at_one_place(graph, direction):
    text = graph.to_tikz(direction=direction)
    where, along = places(text), 1 if direction == "right" else 0
    turns = {(where[here][along], turn, here) for here, turn, _ in arrows(text) if turn}
    assert len({(column, turn) for column, turn, _ in turns}) == len(turns)


def test_braces_are_balanced_and_texts_escaped():
    text = GRAPHS["hard"].to_tikz()
    plain = text.replace(r"\{", "").replace(r"\}", "")
    assert plain.count("{") == plain.count("}")
    assert r"\mathrm{my\_loss}" in text
    assert "θ" not in text
    assert r"\mathrm{stack}(\dots)" in text


def test_the_main_path_is_straight_and_what_is_given_stands_beside_it():
    graph = GRAPHS["network"]
    where = places(graph.to_tikz())
    straight = ["v1", "z1", "f1", "v2", "z2", "f2", "v3", "v4", "L"]
    assert {where[f"n{graph.node(name).index}"][0] for name in straight} == {0}
    [b1, v2] = (where[f"n{graph.node(name).index}"][1] for name in ("b1", "v2"))
    assert b1 == v2


def test_a_standalone_picture_is_a_document_and_the_other_is_none():
    graph = GRAPHS["loop"]
    picture, document = graph.to_tikz(), graph.to_tikz(standalone=True)
    assert picture in document
    assert document.startswith(r"\documentclass[border=4pt]{standalone}")
    assert "documentclass" not in picture


def test_what_no_page_has_room_for_is_refused_with_what_has():
    def long(x):
        for _ in range(151):
            x = x + 1.0
        return x

    with pytest.raises(bp.InvalidValueError, match="no room on a page") as caught:
        bp.trace(long, 0.0).to_tikz()
    assert caught.value.instead.startswith("graph.to_dot()")


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no pdflatex")
def test_tex_compiles_every_picture(tmp_path):
    pictures = [graph.to_tikz(direction=way) for graph in GRAPHS.values() for way in DIRECTIONS]
    text = DOCUMENT % "\n\\newpage\n".join(nonempty(pictures))
    (tmp_path / "pictures.tex").write_text(text, encoding="utf-8")
    command = [
        "pdflatex",
        "-draftmode",
        "-interaction=nonstopmode",
        "-halt-on-error",
        "pictures.tex",
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:]
    assert f"[{len(pictures)}" in done.stdout  # the number of the last page


def test_wide_and_tangled_graphs_have_a_place_for_each_card():
    rng = np.random.default_rng(0)

    def tangled(x):
        made = [x]
        for _ in range(40):
            first, second = rng.integers(len(made), size=2)
            made.append(made[first] * made[second])
        total = 0.0
        for each in made:
            total = total + each
        return total

    graph = bp.trace(tangled, 1.0)
    where = places(graph.to_tikz())
    assert len(set(where.values())) == len(where)
    assert {f"n{node.index}" for node in graph.nodes} <= set(where)
