"""A weight or a bias is found by its name, or it is said what there is."""

import numpy as np
import pytest

import backprop_nb as bp
from backprop_nb.views.flow.parameter import Parameter, parameter_named, parameters


def network():
    return bp.Network((3, 4, 5, 4, 2), seed=1)


@pytest.mark.parametrize(
    "name", ["A_1[2, 3]", "A1[2,3]", " A_1[ 2 , 3 ] ", (1, 2, 3), [np.int64(1), 2, 3]]
)
def test_a_weight_may_be_named_in_many_ways(name):
    assert parameter_named(network(), name) == Parameter(1, 2, 3)


@pytest.mark.parametrize(
    "name", ["w", "", "A_1[2]", "b_1[2, 3]", 3, None, (1,), (1, -1), (1, 0.5), (True, 0)]
)
def test_what_is_no_name_is_refused(name):
    with pytest.raises(bp.NotFoundError) as caught:
        parameter_named(network(), name)
    assert str(caught.value) == (
        "That is not the name of a weight or a bias.\n"
        f"  given:    {name!r}\n"
        '  expected: "A_1[0, 2]" or (1, 0, 2) for a weight, "b_1[0]" or (1, 0) for a bias'
    )


def test_a_parameter_that_does_not_exist_is_refused_with_what_there_is():
    with pytest.raises(bp.NotFoundError) as caught:
        parameter_named(network(), "A_1[0, 4]")
    assert str(caught.value) == (
        "This network has no A_1[0, 4].\n"
        "  given:    'A_1[0, 4]'\n"
        "  expected: an entry of A_1, of shape (5, 4), counted from 0"
    )
    with pytest.raises(bp.NotFoundError, match=r"no b_4\[0\]") as caught:
        parameter_named(network(), (4, 0))
    assert caught.value.expected == "A_0 to A_3, or b_0 to b_3"


def test_every_parameter_has_a_name_that_leads_back_to_it():
    net = network()
    every = list(parameters(net))
    assert len(every) == sum(a.size for a in (*net.A, *net.b))
    assert [parameter_named(net, str(each)) for each in every] == every


def test_a_network_without_biases_has_none_to_be_named():
    net = bp.Network((3, 4, 2), seed=0, bias=False)
    assert not [each for each in parameters(net) if each.k is None]
    with pytest.raises(bp.NotFoundError, match="This network has no biases"):
        parameter_named(net, "b_0[0]")
