"""``GradientFlow``: why a gradient vanishes, and what one weight does to the loss."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy
from typing import Any, cast

import numpy as np
import traitlets
from numpy.typing import ArrayLike

from backprop_nb import display
from backprop_nb.errors import InvalidValueError, NotFoundError, ShapeError, UnsupportedError
from backprop_nb.network import Network, SigmoidNetwork
from backprop_nb.network.activations import ACTIVATIONS
from backprop_nb.views.flow.figure import flow_pictures
from backprop_nb.views.flow.flow import Flow, norm
from backprop_nb.views.flow.parameter import Parameter, parameter_named, parameters
from backprop_nb.views.flow.scene import flow_curve, flow_scene
from backprop_nb.views.flow.schema import FlowScene
from backprop_nb.views.flow.weight_curve import marks_at
from backprop_nb.views.flow.words import describe_flow
from backprop_nb.views.live_view import Replay
from backprop_nb.views.overflow import must_be_finite
from backprop_nb.views.paper import Drawing, draw_pictures
from backprop_nb.views.picture import patched
from backprop_nb.views.state import State, flag, integer, number, one_of
from backprop_nb.views.style import module, style_sheet

DEEPEST, WIDEST, LARGEST = 50, 64, 1000.0
_DEFAULT_SCALE = 1.0
CURVES_ON_A_PAGE = 160
"""A page without a kernel carries the curve of every weight if there are no more of them."""

_in_range = number(-LARGEST, LARGEST)


def _epsilon(view: Any, name: str, value: Any) -> float:
    return float(_in_range(view, name, value)) + 0.0  # no minus sign at zero


def _weight(view: Any, name: str, value: Any) -> float:
    """Any number that a network had before, else one in the range."""
    return float(value if view._quiet else _in_range(view, name, value))


def _selected(view: Any, name: str, value: Any) -> str:
    return str(parameter_named(view._flow.net, value))


def _input(view: Any, name: str, value: Any) -> list[float]:
    count = view._flow.net.widths[0]
    try:
        entries = np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        entries = np.full(0, math.nan)
    if entries.shape != (count,):
        raise ShapeError(
            f"`input` must be a list of {count} numbers, as many as the network has inputs.",
            given=f"input = {value!r}",
            expected=f"a list of {count} numbers",
        )
    if not np.isfinite(entries).all():
        raise InvalidValueError(
            "`input` must not hold NaN or infinity.", given=f"input = {value!r}"
        )
    return [float(entry) for entry in entries]


def _follows(*names: str) -> Callable[[Callable[[Any, Any], None]], Any]:
    """Call a method with what is assigned; what it assigns then belongs to the same change."""

    def observed(method: Callable[[Any, Any], None]) -> Any:
        def observer(view: Any, change: Any) -> None:
            if not view._quiet:
                with view._assigning():
                    method(view, change["new"])

        return traitlets.observe(*names)(observer)

    return observed


class GradientFlow(Replay):
    """See a gradient on its way back through a network, and what makes it vanish.

    Parameters
    ----------
    net : Network, optional
        It is not modified: the view works on a copy in double precision.  By
        default eight layers of sigmoids with random weights, through which the
        gradient vanishes.
    x, y : array_like, optional
        One input and its target, or a batch with one per row.  They must be
        given with ``net``.
    **state
        Any of the attributes below.

    Attributes
    ----------
    step
        Forward layer by layer, the loss, then backward layer by layer.
    last_step
        The last step, when all is known.
    more
        Whether more is shown than the network, a sentence and the bars.  At first it is if a weight
        is ``selected`` or moved.
    detail
        What it is: ``"settings"``, ``"one weight"`` or ``"layer by layer"``, a table.
    edges
        What the edges show: ``"weight"`` or ``"gradient"``, that of the mean
        loss if there is a batch.
    row
        Which input of a batch the units show.
    input
        The entries of the shown input, as a list; assign them to change it.
    depth, width, scale, activation, seed
        The number of layers, the units of each hidden layer, the standard
        deviation of the weights, the activation of the hidden layers and where
        the random weights come from.  Assigning one draws a new network with
        as many inputs and outputs as before.
    given
        Whether the given network and input are shown as they were given; assign
        True to return to them.
    selected
        The weight or bias that can be dragged, such as ``"A_0[1, 2]"`` or
        ``"b_1[0]"``, or as a tuple ``(0, 1, 2)``, ``(1, 0)``.
    epsilon
        How far it is dragged; the loss shown beside its linear estimate is
        that at weight + epsilon.
    weight
        Its value.  Assign it to change the network that is shown.

    Raises
    ------
    ShapeError
        If ``x`` and ``y`` do not fit ``net``.
    InvalidValueError, NotFoundError, UnsupportedError
        For a value that is not possible; nothing is changed then.

    Notes
    -----
    From layer to layer ‖δ‖ is multiplied by ‖Aᵀδ‖ / ‖δ‖ and then by what σ′
    leaves of that; the bars show these two factors, so that they lead exactly
    from one ‖δ‖ to the next.  In a batch the norms are those over all rows.

    By keyboard: ``[`` and ``]`` step, Home and End jump, Space plays; in the
    network the arrow keys choose a weight, + and − move it.

    Examples
    --------
    >>> import backprop_nb as bp
    >>> view = bp.GradientFlow()
    >>> view
    GradientFlow(3-4-4-4-4-4-4-4-2, sigmoid, one input, step 17 of 17)
    >>> view.activation, view.scale = "tanh", 2.0
    >>> print(view.describe().splitlines()[1])
    The gradient arrives: ‖δ₁‖ is 0.5408 of ‖δ₈‖.
    """

    _esm = module("flow")
    _css = style_sheet("flow", "gradient_flow")
    hint = (
        "[ and ] step, Home and End jump, Space plays. In the network the arrow keys choose a "
        "weight, + and − move it, Escape moves it back."
    )

    depth = State(
        integer(1, lambda view: max(DEEPEST, view._given[0].K)), 8, "The number of layers."
    )
    width = State(
        integer(1, lambda view: max(WIDEST, *view._given[0].widths)), 4, "The units of a layer."
    )
    scale = State(
        number(0, lambda view: max(LARGEST, view._looks["scale"])),
        1.0,
        "The standard deviation of the weights.",
    )
    activation = State(one_of(ACTIVATIONS), "sigmoid", "That of the hidden layers.")
    seed = State(integer(0, 2**32 - 1), 0, "Where the random weights come from.")
    given = State(flag, True, "Whether all is as it was given.")
    row = State(integer(0, lambda view: view._flow.rows - 1), 0, "The input of a batch.")
    input = State(_input, (), "The entries of the shown input.")
    edges = State(one_of(("weight", "gradient")), "weight", "What the edges show.")
    more = State(flag, False, 'Whether what is behind "more" is shown.')
    detail = State(
        one_of(("settings", "one weight", "layer by layer")), "settings", "What that is."
    )
    selected = State(_selected, "A_0[0, 0]", "The weight to drag.")
    weight = State(_weight, 0.0, "Its value.")
    epsilon = State(_epsilon, 0.0, "How far it is dragged.")
    curves = traitlets.Dict(help="The loss along weights, the selected one among them.").tag(
        sync=True
    )

    _quiet = True  # while this class itself assigns state

    def __init__(
        self,
        net: Network | None = None,
        x: ArrayLike | None = None,
        y: ArrayLike | None = None,
        **state: Any,
    ) -> None:
        state = self._in_order(state)
        self._given = _copies(net, x, y)
        self._flow = Flow(*_copies(*self._given))  # which may be changed
        self._looks = _looks(self._given[0]) | ({} if net else {"scale": _DEFAULT_SCALE})
        first, own = Parameter(0, 0, 0), self._flow.net
        super().__init__(
            flow_scene(self._flow),
            curves={str(first): flow_curve(self._flow, first)},
            weight=first.of(own.A, own.b),
            input=self._shown_input(),
            **self._looks,
        )
        self._quiet = False
        if {"selected", "weight", "epsilon"} & state.keys():
            state = {"more": True, "detail": "one weight"} | state
        # Seeing the whole is the first thing; stepping comes after.
        for name, value in state.items():
            if name != "step":
                setattr(self, name, value)
        self.step = state.get("step", self.last_step)

    # -- what follows from an assignment -------------------------------------------

    @_follows("depth", "width", "scale", "activation", "seed")
    def _on_look(self, _value: Any) -> None:
        self._change(self._drawn(), self._flow.x)

    @_follows("given")
    def _on_given(self, given: bool) -> None:
        if not given:
            self._change(self._drawn(), self._flow.x)
            return
        net, x, y = _copies(*self._given)
        for name, value in self._looks.items():
            self.set_trait(name, value)
        self._flow = Flow(net, x, y, self.row)
        self.input = self._shown_input()
        self._show()

    @_follows("input")
    def _on_input(self, entries: list[float]) -> None:
        x = self._flow.x.copy()
        np.atleast_2d(x)[self.row] = entries
        self._change(self._flow.net, x)

    @_follows("row")
    def _on_row(self, row: int) -> None:
        self._flow = Flow(self._flow.net, self._flow.x, self._flow.y, row)
        self.input = self._shown_input()
        self._show()

    @_follows("weight")
    def _on_weight(self, value: float) -> None:
        self._parameter.set(self._flow.net.A, self._flow.net.b, value)
        self._change(self._flow.net, self._flow.x)

    @_follows("selected")
    def _on_selected(self, _name: str) -> None:
        self._show_weight()

    @_follows("epsilon")
    def _on_epsilon(self, epsilon: float) -> None:
        if epsilon not in self.curves[self.selected]["epsilons"]:
            self._show_curve()

    # -- what is shown ---------------------------------------------------------

    @property
    def _parameter(self) -> Parameter:
        return parameter_named(self._flow.net, self.selected)

    @contextmanager
    def _assigning(self) -> Iterator[None]:
        """Assign several pieces of state as one change, of which nothing else follows."""
        before, self._quiet = self._quiet, True
        try:
            with self.hold_sync():
                yield
        finally:
            self._quiet = before

    def _drawn(self) -> Network:
        """Return a network with new weights."""
        given, hidden = self._given[0], (self.width,) * (self.depth - 1)
        return Network(
            (given.widths[0], *hidden, given.widths[-1]),
            seed=self.seed,
            scale=self.scale,
            activation=self.activation,
            output=given.output,
            loss=given.loss_name,
            bias=given.bias,
        )

    def _change(self, net: Network, x: Any) -> None:
        """Show another network or input than was given."""
        self.given = False
        self._flow = Flow(net, x, self._flow.y, self.row)
        self._show()

    def _show(self) -> None:
        """Make the scene of the present flow; what no longer exists is let go."""
        at_end = self.step == self.last_step
        try:
            self.selected = self.selected
        except NotFoundError:
            self.selected = "A_0[0, 0]"
        self.set_trait("scene", flow_scene(self._flow))
        self._show_weight()
        self.step = self.last_step if at_end else min(self.step, self.last_step)

    def _show_weight(self) -> None:
        self.epsilon = 0.0
        self.weight = self._parameter.of(self._flow.net.A, self._flow.net.b)
        self._show_curve()

    def _show_curve(self) -> None:
        self.curves = {self.selected: flow_curve(self._flow, self._parameter, self.epsilon)}

    def _shown_input(self) -> list[float]:
        return [float(entry) for entry in self._flow.shown(self._flow.x)]

    # -- what stands in for it -------------------------------------------------

    @display.words
    def describe(self) -> str:
        """Return the text twin: every number that the view can show."""
        return describe_flow(self._flow, self._parameter, self.epsilon)

    def draw(self, *, step: int | None = None, theme: Any = "light") -> Drawing:
        """Return the picture as a matplotlib figure.

        Parameters
        ----------
        step
            The step of the replay; by default the one that is shown.
        theme
            ``"light"`` or ``"dark"``.
        """
        shown = self._step_or_shown(step)
        curve = self.curves[self.selected]
        place = curve["places"][curve["epsilons"].index(self.epsilon)]
        picture = patched(curve["picture"], marks_at(place, curve["base"]))
        scene = cast(FlowScene, self.scene)
        pictures = flow_pictures(scene, picture, self.edges, self._parameter, shown)
        return draw_pictures(pictures, alt=self.scene["alt"], theme=theme)

    def static_figure(self) -> Drawing:
        """Return the picture when all is known."""
        return self.draw(step=self.last_step)

    def heading(self) -> str:
        """Return what a page of its own is called."""
        return f"Gradient flow through a network {self._flow.about}"

    def _own_state(self) -> dict[str, Any]:
        state, every = super()._own_state(), list(parameters(self._flow.net))
        if len(every) <= CURVES_ON_A_PAGE:
            curves = {str(each): flow_curve(self._flow, each) for each in every}
            state["curves"] = curves | state["curves"]
        return state

    def __repr__(self) -> str:
        return f"GradientFlow({self._flow.about}, step {self.step} of {self.last_step})"


# --- what is given --------------------------------------------------------------


def _copies(
    net: Network | None, x: ArrayLike | None, y: ArrayLike | None
) -> tuple[Network, Any, Any]:
    """Return a network of its own, in double precision, with its x and y."""
    if net is None:
        if x is not None or y is not None:
            raise ShapeError(
                "`x` and `y` are given without a network that they fit.",
                given="net = None",
                expected="net, x and y, or none of them",
                instead="bp.GradientFlow(bp.SigmoidNetwork(widths, seed=0), x, y)",
            )
        net = SigmoidNetwork((3, 4, 4, 4, 4, 4, 4, 4, 2), seed=0, scale=_DEFAULT_SCALE)
        x, y = [0.5, -1.0, 2.0], [1.0, 0.0]
    if not isinstance(net, Network):
        raise UnsupportedError(
            "`net` must be a network of this package.",
            given=f"a {type(net).__name__}",
            expected="a bp.SigmoidNetwork or another bp.Network",
        )
    if x is None or y is None:
        raise ShapeError(
            f"`{'x' if x is None else 'y'}` is missing: without it there is no gradient.",
            given=f"net of widths {net.widths}",
            expected="net, x and y",
        )
    own = copy(net)
    own.A, own.b = ([np.array(each, dtype=float) for each in both] for both in (net.A, net.b))
    _, _, x, y = own.checked(x, y)
    must_be_finite(own, x, y)
    return own, x.copy(), y.copy()


def _looks(net: Network) -> dict[str, Any]:
    """Return what the sliders say of a network."""
    weights = np.concatenate([A.ravel() for A in net.A])
    return {
        "depth": net.K,
        "width": max(net.widths[1:-1], default=1),
        "scale": float(f"{norm(weights) / math.sqrt(weights.size):.3g}"),
        "activation": net.activation,
    }
