"""How objects are shown: the registry, and what the package itself registers."""

import importlib
import pkgutil
import subprocess
import sys

import numpy as np
import pytest

import backprop_nb as bp
from backprop_nb import display
from backprop_nb.errors import UnsupportedError
from backprop_nb.views.numbers import words


class Shape:
    def __init__(self, corners):
        self.corners = corners


def drawn(shape, *, colour="black"):
    return f"{shape.corners} corners in {colour}"


@pytest.fixture
def registry(monkeypatch):
    importlib.import_module("backprop_nb.views")  # or it would fill the empty one
    monkeypatch.setattr(display, "_handlers", {})


def named(value):
    return f"{value.__module__}:{value.__qualname__}"


def test_a_type_is_shown_by_what_is_registered_for_it(registry):
    display.register(named(Shape), draw=named(drawn))
    assert display.draw(Shape(3), colour="red") == "3 corners in red"


def test_a_type_is_shown_as_the_one_it_derives_from(registry):
    class Square(Shape):
        pass

    display.register(named(Shape), draw=named(drawn))
    assert display.draw(Square(4)) == "4 corners in black"


def test_what_is_registered_later_adds_to_what_was_before(registry):
    display.register(named(Shape), draw=named(drawn))
    display.register(named(Shape), describe=named(drawn))
    assert display.draw(Shape(3)) == display.describe(Shape(3)) == "3 corners in black"


@pytest.mark.parametrize("action", ["draw", "explore", "describe", "mimebundle"])
def test_what_nobody_registered_is_refused(registry, action):
    with pytest.raises(UnsupportedError, match=r"No view is registered .* a Shape\."):
        getattr(display, action)(Shape(3))


def test_every_view_of_the_package_exists():
    importlib.import_module("backprop_nb.views")
    assert len(display._handlers) >= 4
    for kind, handlers in display._handlers.items():
        assert named(pkgutil.resolve_name(kind)) == kind
        assert handlers
        assert all(callable(pkgutil.resolve_name(handler)) for handler in handlers.values())


def test_what_has_no_bundle_of_its_own_shows_its_interactive_view():
    data, _ = bp.trace(lambda x: x**2, 3.0)._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in data


def test_a_text_twin_loads_no_widget_and_no_figure():
    code = (
        "import sys, backprop_nb as bp; bp.trace(abs, 1.0).describe();"
        "print({'matplotlib', 'anywidget', 'backprop_nb.checking'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


class Shell:
    kernel = None


@pytest.mark.parametrize(("shell", "place"), [(Shell(), "out"), (None, "err")])
def test_a_bar_is_a_text_which_in_a_notebook_is_no_warning(shell, place, monkeypatch, capsys):
    monkeypatch.setattr("IPython.get_ipython", lambda: shell)
    with display.progress_bar(3, desc="fit") as bar:
        bar.update(3)
    shown = capsys.readouterr()
    assert "3/3" in getattr(shown, place)
    assert not shown.out or not shown.err
    with display.progress_bar(3, shown=False):
        assert capsys.readouterr() == ("", "")


def test_a_program_without_a_console_has_no_bar(monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)  # as pythonw has it
    monkeypatch.setattr("IPython.get_ipython", lambda: None)
    with display.progress_bar(3) as bar:
        bar.update(3)
    assert bar.disable


def test_long_words_of_arrays_fit_into_lines_and_lose_nothing():
    rng = np.random.default_rng(0)
    operation = f"  d_v1 += np.where({' + '.join(['v1 * v2'] * 20)}): "
    for shape in ((12,), (3, 4), (150, 5), (40, 12), (30, 1), ()):
        array = words(rng.normal(size=shape))
        several = ", ".join(f"dW{k} = {array}" for k in range(4))
        for text in (operation + array, f"  W = {array}", f"{array}", f"Gradients: {several}."):
            lines = display.folded([text]).splitlines()
            assert max(map(len, lines)) <= 100
            rejoined = " ".join(line.strip() for line in lines)
            assert rejoined.replace(": [ ", ": [") == text.strip()
    assert display.folded(["  x = input, (2,): [1, 2]"]) == "  x = input, (2,): [1, 2]"


def test_each_array_of_a_long_line_begins_a_line_and_keeps_its_rows_whole():
    row = ", ".join(["0.25"] * 11)
    assert display.folded([f"Gradients: dA = [{row}; {row}], db = [{row}]."]) == (
        f"Gradients:\n  dA = [{row};\n        {row}],\n  db = [{row}]."
    )


def test_a_long_sentence_goes_on_below_its_beginning():
    line = "  " + "word " * 30 + "end"
    first, second = display.folded([line]).splitlines()
    assert (first[:6], second[:8]) == ("  word", "    word")
    assert display.folded([line], "").splitlines()[1].startswith("word")


DEEP = (8, 12, 12, 12, 12, 10)


def every_text():
    """Yield every kind of text twin, of what is large, and of what a view has been asked for."""
    rng = np.random.default_rng(0)
    for widths in (DEEP, (40, 30, 10), (3,) + (6,) * 14 + (2,)):
        net = bp.SigmoidNetwork(widths, seed=0)
        x, y = rng.normal(size=(5, widths[0])), rng.random((5, widths[-1]))
        yield from (bp.GradientFlow(net, rows, y[: len(rows)]) for rows in (x, x[:1]))
        yield from (bp.ChainRule(net, x[0], y[0]), net.chain(x[0], y[0], 0), net.trace(x, y))
        yield net.fit(x, y, learning_rate=0.1, epochs=3, seed=0, progress=False)
        yield bp.document.residuals(net, x[0], y[0])
    yield from (bp.document.equation(tag) for tag in ("chain-last", "chain-second"))
    yield from (
        bp.SigmoidExplorer(activation="tanh", z=-5.2),
        bp.Playground(widths=(2, *[6] * 4, 1)),
    )
    for course in ("document", "rows", "recurrent"):
        game = bp.FindTheBug(course=course, level="easy")
        game.measured, game.hints = True, 2
        game.given_up = True
        yield game


def test_no_line_of_a_text_twin_is_too_long_for_a_cell():
    texts = [each.describe() for each in every_text()]
    assert [line for text in texts for line in text.splitlines() if len(line) > 100] == []


def test_no_line_of_a_report_is_too_long_for_a_cell():
    def loss(parameters):
        return sum(np.sum(each**2) for each in parameters.values())

    def gradient(parameters):
        return {name: 3 * each for name, each in parameters.items()}

    names = ("weights_of_the_hidden_layer_before_the_last", "b")
    report = bp.check_gradient(loss, gradient, {name: np.ones((3, 2)) for name in names})
    lines = str(report).splitlines()
    assert max(map(len, lines)) <= 100
    assert "is 3, expected 2 (relative error 0.5)" in " ".join(str(report).split())
