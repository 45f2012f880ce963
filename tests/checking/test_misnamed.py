import numpy as np
import pytest

import backprop_nb as bp

TEXT = """import numpy as np


def loss(W1, W2, X, Y):
    return np.sum((np.maximum(X @ W1, 0) @ W2 - Y) ** 2)


def gradient(W1, W2, X, Y):
    z1 = X @ W1
    h = np.maximum(z1, 0)
    z2 = h @ W2
    dz2 = 2 * (z2 - Y)
    dW2 = h.T @ dz2
    dh = dz2 @ W2.T
    dz1 = dh * (z1 > 0)
    dW1 = X.T @ dz1
    return dW1, dW2
"""
RNG = np.random.default_rng(0)
ARGUMENTS = [RNG.normal(size=shape) for shape in ((4, 5), (5, 3), (6, 4), (6, 3))]


def checked(written, old, new, hints="plain"):
    module = written(TEXT.replace(old, new))
    return bp.check_gradient(module.loss, module.gradient, *ARGUMENTS, hints=hints)


@pytest.mark.parametrize("name", ["z", "Z1", "z_1", "dz1_"])
def test_a_mistyped_name_is_told_alone_and_as_the_one_with_which_all_is_right(written, name):
    [finding] = checked(written, "(z1 > 0)", f"({name} > 0)").findings
    said = f"Line 15, {name}, raised NameError: name {name!r} is not defined (did you mean z1?)."
    assert (finding.message, finding.line, str(finding.source)) == (said, 15, name)
    assert len(checked(written, "(z1 > 0)", f"({name} > 0)", "vague").findings) == 1


def test_what_is_spelled_like_nothing_is_told_with_the_line_written_otherwise(written):
    line, raised = checked(written, "X.T @ dz1", "X.T @ dz1 * strength").findings
    assert (line.line, line.repair) == (16, "leave out * strength")
    assert raised.message == "It raised NameError: name 'strength' is not defined."


def test_where_more_is_wrong_the_closest_name_is_offered(written):
    [finding] = checked(written, "dh * (z1 > 0)", "-dh * (z1_ > 0)").findings
    assert "(did you mean z1?)" in finding.message
