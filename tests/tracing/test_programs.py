"""Programs as courses write them: right in every way that a graph is asked, and never stale."""

import warnings

import numpy as np
import pytest
from checks import CHECKS, figure, outcome
from corpus import PROGRAMS
from program import Program, normal

import backprop_nb as bp

RIGHT = [program for program in PROGRAMS if not program.instead]
REFUSED = [program for program in PROGRAMS if program.instead]


def test_there_are_many_and_few_are_refused():
    assert len(RIGHT) >= 200
    assert len(REFUSED) == 1


@pytest.mark.parametrize("program", REFUSED, ids=lambda program: program.name)
def test_a_refused_program_is_told_what_works(program):
    with pytest.raises(bp.BackpropError) as caught:
        bp.trace(program.function, *program.args(0))
    assert caught.value.instead.startswith(program.instead)


@pytest.mark.parametrize("program", RIGHT, ids=lambda program: program.name)
def test_a_program_is_right(program):
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r".*traced anew at every call")
        for check in CHECKS:
            check(program)


def test_the_draws_of_many_flip_masks_and_decisions():

    def decisions(program, k):
        graph = bp.trace(program.function, *program.args(k))
        masks = [node.value for node in graph.nodes if np.asarray(node.value).dtype.kind in "bi"]
        return masks, [(guard.lasti, guard.answer) for guard in graph.guards]

    flipped = [
        program.name
        for program in RIGHT
        if len({repr(decisions(program, k)) for k in (0, 1, 2)}) > 1
    ]
    assert len(flipped) >= 40


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lambda x: np.sum(x**2), "right"),
        (lambda x: float(np.sum(x)), "refused"),
        (lambda x: np.sum(bp.stop_gradient(x) * x), "wrong"),
    ],
    ids=["right", "refused", "wrong"],
)
def test_the_figure_can_tell(function, expected, capsys):
    program = Program("f", function, (normal(3),))
    assert outcome(program)[0] == expected
    assert figure([program])[expected] == 1
    assert f"1 {expected}" in capsys.readouterr().out
