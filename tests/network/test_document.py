"""The document's equations: they hold as corrected, and the errata fail as printed."""

import pickle
import re

import numpy as np
import pytest
from examples import error_of, example

import backprop_nb as bp
from backprop_nb.errors import (
    BackpropWarning,
    InvalidValueError,
    NotFoundError,
    ShapeError,
    UnsupportedError,
)
from backprop_nb.network import SigmoidNetwork, document
from backprop_nb.network.document import EQUATIONS, ERRATA, equation, residuals

TAGS = [
    "composition",
    "layer",
    "sigmoid",
    "loss",
    "theta",
    "chain-last",
    "chain-second",
    "chain-general",
]
WIDTHS = [(3, 3), (4, 1), (4, 3, 1), (1, 1, 1), (3, 3, 3), (2, 5, 1, 3), (3, 3, 3, 3)]
ROWS = [None, 1, 5]


# --- what is there ----------------------------------------------------------


def test_the_equations_are_in_the_documents_order():
    assert [each.tag for each in EQUATIONS] == TAGS
    assert [erratum.tag for erratum in ERRATA] == ["title", "loss", "chain-second"]
    assert bp.document is document


def test_an_equation_is_found_by_its_tag():
    assert [equation(tag) for tag in TAGS] == list(EQUATIONS)


def test_an_unknown_tag_is_answered_with_all_tags():
    assert error_of(lambda: equation("chain-secnd"), NotFoundError) == (
        "The document has no equation 'chain-secnd'.\n"
        "  given:    tag = 'chain-secnd'\n"
        f"  expected: one of {', '.join(TAGS)}\n"
        '  instead:  equation("chain-second")'
    )
    assert "instead" not in error_of(lambda: equation("xyz"), NotFoundError)
    assert "no equation 3" in error_of(lambda: equation(3), NotFoundError)


def test_only_the_errata_have_a_corrected_form():
    assert [each.tag for each in EQUATIONS if each.corrected] == ["loss", "chain-second"]
    for each in EQUATIONS:
        assert each.latex == (each.corrected or each.printed)
        assert each.corrected != each.printed
        assert each.reason.endswith(".")


def test_the_errata_as_printed_and_as_corrected():
    title, loss, second = ERRATA
    assert (title.printed, title.corrected) == ("Backpropogation", "Backpropagation")
    assert loss.printed.endswith(r"f_K(\theta, x)^2 \rVert")
    assert loss.corrected.endswith(r"f_K(\theta, x) \rVert^2")
    left, right = r"\frac{\partial L}{\partial \theta_{K-1}} = ", second.printed.split(" = ")[1]
    assert second.printed == left + right
    assert second.corrected == left.replace("K-1", "K-2") + right
    assert right.endswith(r"\frac{\partial f_{K-1}}{\partial \theta_{K-2}}")


@pytest.mark.parametrize("each", EQUATIONS, ids=TAGS)
def test_the_latex_is_balanced(each):
    assert each.printed
    for latex in {each.printed, each.latex}:
        assert latex.count("{") == latex.count("}")
        assert latex.count("(") == latex.count(")")
        assert len(re.findall(r"\\frac(?=\{)", latex)) == latex.count(r"\frac")


# --- every equation holds ---------------------------------------------------

CASES = [
    pytest.param(tag, widths, rows, id=f"{tag} {'-'.join(map(str, widths))} N={rows}")
    for tag in TAGS
    for widths in WIDTHS
    for rows in ROWS
    if tag != "chain-second" or len(widths) > 2
]


@pytest.mark.parametrize(("tag", "widths", "rows"), CASES)
def test_an_equation_holds_as_corrected(tag, widths, rows):
    residual = equation(tag).check(*example(widths, rows))
    assert type(residual) is float
    assert residual < 1e-12


@pytest.mark.parametrize("tag", [tag for tag in TAGS if tag not in {"loss", "chain-second"}])
def test_a_right_equation_holds_as_printed(tag):
    data = example((4, 3, 2))
    assert equation(tag).check(*data, form="printed") == equation(tag).check(*data) < 1e-12


@pytest.mark.parametrize("tag", TAGS)
def test_an_equation_holds_in_float32(tag):
    assert equation(tag).check(*example((4, 3, 2), dtype=np.float32)) < 1e-5


def test_saturated_units_overflow_nowhere():
    net = SigmoidNetwork.from_parameters([[[1000.0], [-1000.0]], [[1.0, 1.0]]], [[0, 0], [0]])
    assert residuals(net, [5.0], [1.0]).rows[2].corrected < 1e-12


# --- the errata fail ---------------------------------------------------------


@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize("widths", WIDTHS)
def test_the_printed_loss_fails_by_value(widths, rows):
    net, x, y = example(widths, rows)
    printed = [
        np.linalg.norm(y_row - net(x_row) ** 2)
        for x_row, y_row in zip(np.atleast_2d(x), np.atleast_2d(y), strict=True)
    ]
    residual = equation("loss").check(net, x, y, form="printed")
    assert residual == pytest.approx(abs(net.loss(x, y) - np.mean(printed)))
    assert residual > 1e-3


@pytest.mark.parametrize("rows", ROWS)
def test_the_printed_second_line_fails_by_shape_on_unequal_widths(rows):
    data = example((4, 3, 3, 2), rows)
    second = equation("chain-second")
    assert error_of(lambda: second.check(*data, form="printed"), ShapeError) == (
        "The two sides of equation [chain-second] differ in shape, so they cannot be equal.\n"
        "  given:    (1, 8) on the left, (1, 12) on the right\n"
        "  expected: one shape\n"
        '  instead:  form="corrected"'
    )


@pytest.mark.parametrize("widths", [(3, 3, 3), (3, 3, 3, 3)])
@pytest.mark.parametrize("rows", ROWS)
def test_the_printed_second_line_fails_by_value_on_equal_widths(widths, rows):
    net, x, y = example(widths, rows)
    gradient, K = net.backward(x, y), net.K
    apart = [
        np.max(np.abs(gradient.A[K - 1] - gradient.A[K - 2])),
        np.max(np.abs(gradient.b[K - 1] - gradient.b[K - 2])),
    ]
    residual = equation("chain-second").check(net, x, y, form="printed")
    assert residual == pytest.approx(max(apart))
    assert residual > 1e-3


@pytest.mark.parametrize("form", ["printed", "corrected"])
def test_one_layer_has_no_second_line(form):
    data = example((4, 2))
    assert error_of(lambda: equation("chain-second").check(*data, form=form), NotFoundError) == (
        "A network of one layer has no equation [chain-second]: there is no θ_{K−2}.\n"
        "  given:    K = 1\n"
        "  expected: K = 2 or more"
    )


# --- a check can fail -------------------------------------------------------


class Wrong(SigmoidNetwork):
    """A network with a mistake in one of its methods."""

    def forward(self, x):
        forward = super().forward(x)
        for i in forward.z:
            forward.z[i] += 0.1
        return type(forward)((*forward.f[:-1], forward.f[-1] + 0.1), forward.z)

    def __call__(self, x):
        return super().__call__(x) + 0.1

    def loss(self, x, y):
        return super().loss(x, y) + 0.1

    def backward(self, x, y):
        gradient = super().backward(x, y)
        return type(gradient)(tuple(1.1 * g for g in gradient.A), gradient.b, gradient.delta)


@pytest.mark.parametrize("tag", ["composition", "layer", "loss", "theta", *TAGS[5:]])
@pytest.mark.parametrize("rows", ROWS)
def test_a_check_finds_a_mistake_of_the_network(tag, rows):
    net, x, y = example((4, 3, 2), rows)
    net.__class__ = Wrong
    assert equation(tag).check(net, x, y) > 1e-4


def test_a_check_finds_a_mistake_of_the_sigmoid(monkeypatch):
    monkeypatch.setattr(document, "sigma", lambda z: np.tanh(z))
    assert equation("sigmoid").check(*example((4, 3, 2))) > 1e-2


@pytest.mark.parametrize("more", [0.5, np.nan])
@pytest.mark.parametrize("i", [0, 1, 2])
def test_the_general_line_is_checked_for_every_layer(i, more, monkeypatch):
    right = SigmoidNetwork.backward

    def wrong(self, x, y):
        gradient = right(self, x, y)
        gradient.b[i][0] += more
        return gradient

    monkeypatch.setattr(SigmoidNetwork, "backward", wrong)
    residual = equation("chain-general").check(*example((2, 5, 1, 3)))
    assert residual == pytest.approx(more, nan_ok=True)


def test_data_with_nan_warn():
    net, x, y = example((4, 3, 2))
    y[1] = np.nan
    with pytest.warns(BackpropWarning, match=r"`y\[1\]` is nan"):
        assert np.isnan(equation("loss").check(net, x, y))


# --- what does not fit ------------------------------------------------------


def test_an_equation_has_two_forms():
    data = example((4, 2))
    assert error_of(lambda: equation("loss").check(*data, form="right"), InvalidValueError) == (
        '`form` must be "corrected" or "printed".\n  given:    form = \'right\''
    )


@pytest.mark.parametrize("call", [lambda *data: equation("sigmoid").check(*data), residuals])
def test_data_that_do_not_fit_are_an_error_and_no_residual(call):
    net, x, y = example((4, 3, 2))
    for data in [(x[:3], y), (x, y[:1]), (np.stack([x, x]), y)]:
        expected = error_of(lambda data=data: net.loss(*data), ShapeError)
        assert error_of(lambda data=data: call(net, *data), ShapeError) == expected


def test_nothing_given_is_changed():
    net, x, y = example((4, 3, 2), 5)
    before = [array.copy() for array in (*net.A, *net.b, x, y)]
    residuals(net, x, y)
    for array, kept in zip((*net.A, *net.b, x, y), before, strict=True):
        assert np.array_equal(array, kept)


def test_a_network_with_other_choices_is_refused():
    net, x, y = bp.Network((4, 3, 2), seed=0, activation="tanh"), np.ones(4), np.ones(2)
    for call in (equation("layer").check, residuals):
        message = error_of(lambda call=call: call(net, x, y), UnsupportedError)
        assert message.startswith("An equation of the document holds for the document's network:")


# --- the table --------------------------------------------------------------


def test_the_table_on_unequal_widths():
    table = residuals(*example((4, 3, 3, 2)))
    assert [row.tag for row in table.rows] == TAGS
    assert all(row.corrected < 1e-12 for row in table.rows)
    assert isinstance(table.rows[6].printed, ShapeError)
    loss = f"{table.rows[3].printed:.3g}"
    shape = "shape: (1, 8) on the left, (1, 12) on the right"
    cells = ["< 1e-12", "< 1e-12", "< 1e-12", loss, "< 1e-12", "< 1e-12", shape, "< 1e-12"]
    lines = [f"{'equation':15}  {'as printed':47}  as corrected"]
    lines += [f"{f'[{tag}]':15}  {cell:47}  < 1e-12" for tag, cell in zip(TAGS, cells, strict=True)]
    assert str(table) == table.describe() == "\n".join(lines)


def test_the_table_on_equal_widths():
    table = residuals(*example((3, 3, 3, 3)))
    wrong = {row.tag: row.printed for row in table.rows if row.printed > 1e-12}
    assert list(wrong) == ["loss", "chain-second"]
    assert f"[chain-second]   {wrong['chain-second']:.3g} " in table.describe()


def test_the_table_of_one_layer():
    assert "[chain-second]   none: K = 1  none: K = 1\n" in residuals(*example((4, 2))).describe()


def test_the_table_of_a_network_with_jacobians_of_gigabytes():
    net = SigmoidNetwork((1024, 1024, 1), seed=0)
    rows = {row.tag: row for row in residuals(net, np.ones(1024), [1.0]).rows}
    assert rows["chain-last"].corrected < 1e-12
    assert isinstance(rows["chain-general"].corrected, InvalidValueError)
    text = document.Residuals((rows["chain-general"],), net.widths, np.dtype(float)).describe()
    assert "too large: shape (1024, 1049600), 1,074,790,400 entries" in text


def test_the_table_in_float32_knows_what_rounding_is():
    text = residuals(*example((3, 3, 3), dtype=np.float32)).describe()
    assert text.count("< 1e-4") == 2 * len(TAGS) - 2


def test_the_table_displays_as_markdown():
    lines = residuals(*example((4, 3, 3, 2)))._repr_markdown_().splitlines()
    assert lines[0] == "| equation | as printed | as corrected |"
    assert lines[2] == "| &#91;composition&#93; | &lt; 1e-12 | &lt; 1e-12 |"
    assert len(lines) == 2 + len(TAGS)
    assert repr(residuals(*example((3, 3)))) == "<Residuals of 8 equations, widths (3, 3)>"


# --- what is to be seen -----------------------------------------------------


def test_an_equation_displays_with_its_tag():
    loss, layer = equation("loss"), equation("layer")
    assert loss._repr_latex_() == rf"$${loss.corrected} \tag{{loss}}$$"
    assert layer._repr_markdown_().split("\n\n") == [
        "**One layer**",
        rf"$${layer.printed} \tag{{layer}}$$",
        layer.reason,
    ]


def test_an_erratum_displays_both_forms():
    loss = equation("loss")
    assert loss._repr_markdown_().split("\n\n") == [
        "**The loss**",
        "As printed:",
        f"$${loss.printed}$$",
        "As corrected:",
        rf"$${loss.corrected} \tag{{loss}}$$",
        loss.reason,
    ]


def test_a_reason_shows_its_symbols_as_formulas():
    reason = equation("chain-second")._repr_markdown_().split("\n\n")[-1]
    assert reason.startswith(r"The right side ends in $\theta_{K-2}$, so it is")


def test_an_equation_in_words():
    loss = equation("loss")
    assert str(loss) == loss.describe()
    assert str(loss) == (
        "[loss] The loss\n"
        r"  as printed:   L(\theta) = \lVert y - f_K(\theta, x)^2 \rVert" + "\n"
        r"  as corrected: L(\theta) = \lVert y - f_K(\theta, x) \rVert^2" + "\n"
        "  The square belongs outside of the norm. Inside, it squares the output and not the\n"
        "  distance: an output equal to y would cost something, and one equal to √y nothing."
    )
    assert "as printed" not in equation("layer").describe()
    assert [repr(each) for each in EQUATIONS[2:4]] == [
        "<Equation [sigmoid]: The sigmoid>",
        "<Equation [loss]: The loss, corrected>",
    ]


def test_the_spelling_in_words():
    title = ERRATA[0]
    assert str(title) == title.describe()
    assert title.describe().splitlines()[:3] == [
        "[title] The spelling",
        "  as printed:   Backpropogation",
        "  as corrected: Backpropagation",
    ]
    assert title._repr_markdown_().startswith("**The spelling**\n\nAs printed: Backpropogation. ")


@pytest.mark.parametrize("each", ERRATA, ids=lambda erratum: erratum.tag)
def test_text_reaches_the_page_as_text(each):
    marked = type(each)(**{**vars(each), "title": "<b>", "reason": "<script>|*x*"})
    markdown = marked._repr_markdown_()
    assert "**&lt;b&gt;**" in markdown
    assert markdown.endswith("&lt;script&gt;&#124;&#42;x&#42;")


def test_equations_and_tables_can_be_pickled():
    data = example((4, 3, 3, 2))
    again, table = pickle.loads(pickle.dumps((EQUATIONS, residuals(*data))))
    assert again[3].check(*data) < 1e-12
    assert "shape: (1, 8)" in table.describe()


@pytest.mark.parametrize("each", EQUATIONS, ids=lambda each: each.tag)
def test_an_equation_can_be_read_without_latex(each):
    assert re.search(r"[\\$]|_{\w}", each.text) is None
