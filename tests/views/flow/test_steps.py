"""When something becomes known: forward, the loss, backward, each at its own step."""

from backprop_nb.views.flow.steps import Moments


def test_every_step_has_one_thing_to_show():
    moments = Moments(4)
    forward = [moments.forward(i) for i in range(5)]
    backward = [moments.backward(i) for i in range(4, 0, -1)]
    assert [*forward, moments.loss, *backward] == list(range(moments.last + 1))
