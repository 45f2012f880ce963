"""What was meant: by the field's names for things, and by what is spelled alike."""

import copy
import pickle

import numpy as np
import pytest

import backprop_nb as bp
from backprop_nb import meant
from backprop_nb.meant import Suggesting
from backprop_nb.network.activations import OUTPUTS
from backprop_nb.network.losses import LOSSES

GRAPH = bp.trace(lambda x: np.sum(x * 2.0), np.ones(3))
NET = bp.SigmoidNetwork((2, 1), seed=0)
X, Y = [0.2, 0.4], [1.0]
NAMES = {
    "np": np,
    "print": print,
    "graph": GRAPH,
    "net": NET,
    "bp": bp,
    "backward": GRAPH.backward(),
    "X": X,
    "Y": Y,
}
NAMES |= {"gradient": NET.backward(X, Y), "report": bp.check_gradient(np.square, 3.0, 2.0)}
NAMES |= {"history": NET.fit([X], [Y], epochs=1, progress=False), "view": GRAPH.explore()}

SLIPS = {
    "graph.gradients": "graph.backward().gradients",
    "graph.backwards": "graph.backward()",
    "graph.animate": "graph.explore().animate(path)",
    "graph.to_tex": "graph.to_latex()",
    "graph.backwrad": "did you mean backward?",
    "graph.node('x').grad": "graph.backward().adjoint(node)",
    "backward.grads": "backward.gradients",
    "net.weights": "net.A",
    "net.predict": "net(x)",
    "net.Forward": "did you mean forward?",
    "gradient.dW": "gradient.A",
    "history.losses": "history.loss",
    "report.passed": "report.ok",
    "view.savefig": "view.draw()",
    "view.graph.plot": "graph.draw()",
    "bp.gradient": "bp.grad",
    "bp.check_backwards": "did you mean check_backward",
    "bp.relu": "np.maximum(z, 0)",
}


@pytest.mark.parametrize("slip", SLIPS)
def test_a_name_that_an_object_lacks_is_answered_with_what_was_meant(slip):
    with pytest.raises(AttributeError, match="has no attribute") as caught:
        eval(slip, NAMES)
    assert isinstance(caught.value, bp.NotFoundError)
    assert SLIPS[slip] in caught.value.instead


CALLS = {
    "net.fit([X], [Y], lr=0.1)": "learning_rate=…",
    "net.fit([X], [Y], epoch=1)": "epochs=…",
    "bp.SigmoidNetwork((2, 1), activation='tanh')": "bp.Network",
    "bp.Network(widths=(2, 1), random_state=0)": "seed=…",
    "bp.grad(np.sin, argnum=0)": "argnums=…",
    "bp.check_backward(print, sample='rows')": "samples=…",
    "graph.draw(steps=3)": "step=…",
}


@pytest.mark.parametrize("call", CALLS)
def test_a_keyword_that_a_function_lacks_is_answered_with_what_was_meant(call):
    with pytest.raises(bp.UnsupportedError, match="has no argument") as caught:
        eval(call, NAMES)
    assert CALLS[call] in caught.value.instead


def test_a_keyword_that_is_like_no_other_is_answered_with_all_of_them():
    with pytest.raises(bp.UnsupportedError) as caught:
        bp.grad(np.sin, zzz=1)
    assert caught.value.expected == "f, argnums"


def names_offered():
    """Yield every place that a synonym leads to and that can be looked up by itself."""
    for owner, table in meant._MEANT.items():
        yield from table if owner not in ("arguments", "choices") else ()


@pytest.mark.parametrize("text", [each for each in names_offered() if each[:4] != "from"])
def test_what_is_offered_exists(text):
    words = {
        "path": "x",
        "f": np.sin,
        "x": X,
        "y": Y,
        "z": 1.0,
        "name": "x",
        "node": "x",
    }
    head = text.split("(")[0].split(",")[0].split(" ")[0]
    if head.split(".")[0] in NAMES:
        eval(head, NAMES | words)
    else:
        assert head in (
            "e",
            "forward.f",
            "forward.z",
            "node.op",
            "node.value",
            "node.parents",
            "node.source",
        )


def test_choices_that_are_offered_exist():
    assert {*meant._MEANT["choices"]} <= {*OUTPUTS, *LOSSES}


def test_programs_that_ask_are_told_no():
    assert not hasattr(GRAPH, "gradients")
    assert getattr(NET, "_repr_html_", None) is None
    assert copy.copy(NET).widths == pickle.loads(pickle.dumps(NET)).widths


def test_a_property_that_fails_says_why():
    class Broken(Suggesting):
        @property
        def size(self):
            return self.nothing.size

    with pytest.raises(AttributeError, match="nothing"):
        Broken().size  # noqa: B018


def test_a_function_that_numpy_lacks_is_written_otherwise():
    with pytest.raises(AttributeError) as caught:
        bp.trace(lambda x: np.sigmoid(x), 1.0)
    assert "1 / (1 + np.exp(-x))" in caught.value.__notes__[-1]
    report = bp.check_backward(lambda A, b, x, y: np.sigmoid(x))
    assert "write 1 / (1 + np.exp(-x))" in str(report)
    assert "write 1 / (1 + np.exp(-x))" in str(
        bp.check_gradient(np.sin, lambda x: np.sigmoid(x), 1.0)
    )


POWER, PRODUCT = "** for a power", "* for a product, or [ ] for an entry"


@pytest.mark.parametrize(
    ("f", "instead"),
    [
        pytest.param(lambda x: np.sin(x) ^ 2, POWER, id="a power of an array"),
        pytest.param(lambda x: 0.5 ^ 2, POWER, id="a power of a number"),
        pytest.param(lambda x: len(np.shape(x))(x + 1), PRODUCT, id="a number called"),
        pytest.param(lambda x: np.ones(2)(x), PRODUCT, id="an array called"),
    ],
)
def test_what_python_reads_otherwise_than_mathematics_is_told(f, instead):
    for report in (
        bp.check_gradient(np.sin, f, 1.0),
        bp.check_backward(lambda A, b, x, y: f(np.ones(2))),
    ):
        assert f"write {instead}" in " ".join(str(report).split())
