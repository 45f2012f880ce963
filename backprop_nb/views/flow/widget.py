"""``GradientFlow``: why a gradient vanishes, and what one weight does to the loss."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from typing import Any

import numpy as np
import traitlets
from numpy.typing import ArrayLike

from backprop_nb.errors import InvalidValueError, ShapeError, UnsupportedError
from backprop_nb.network import Network, SigmoidNetwork
from backprop_nb.network.activations import ACTIVATIONS
from backprop_nb.views.flow.flow import Parameter, parameter_named
from backprop_nb.views.flow.scene import (
    Passes,
    curve_scene,
    describe_flow,
    flow_scene,
    parameters,
    still_pictures,
)
from backprop_nb.views.live_view import Replay, Setting
from backprop_nb.views.paper import Drawing, draw_pictures
from backprop_nb.views.style import module, style_sheet

EDGES = ("weight", "gradient")
DEEPEST, WIDEST, LARGEST = 50, 64, 1000.0
_DEFAULT_SCALE = 1.0
CURVES_ON_A_PAGE = 160
"""A page without a kernel carries the curve of every weight if there are no more of them."""


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

    edges = Setting("weight", help="What the edges show.").tag(sync=True)
    row = Setting(0, help="The input of a batch that the units show.").tag(sync=True)
    input = Setting((), help="The entries of the shown input.").tag(sync=True)
    depth = Setting(8, help="The number of layers.").tag(sync=True)
    width = Setting(4, help="The units of a hidden layer.").tag(sync=True)
    scale = Setting(1.0, help="The standard deviation of the weights.").tag(sync=True)
    activation = Setting("sigmoid", help="That of the hidden layers.").tag(sync=True)
    seed = Setting(0, help="Where the random weights come from.").tag(sync=True)
    given = Setting(True, help="Whether all is as it was given.").tag(sync=True)
    selected = Setting("A_0[0, 0]", help="The weight to drag.").tag(sync=True)
    epsilon = Setting(0.0, help="How far it is dragged.").tag(sync=True)
    weight = Setting(0.0, help="Its value.").tag(sync=True)
    curves = traitlets.Dict(help="The loss along weights, the selected one among them.").tag(
        sync=True
    )

    _quiet = True  # while this class itself assigns traits

    def __init__(
        self,
        net: Network | None = None,
        x: ArrayLike | None = None,
        y: ArrayLike | None = None,
        **state: Any,
    ) -> None:
        self._given = _copies(net, x, y)
        self._net, self._x, self._y = _copies(*self._given)  # which may be changed
        self._passes = Passes(self._net, self._x, self._y)
        self._looks = _looks(self._net) | ({} if net else {"scale": _DEFAULT_SCALE})
        first = Parameter(0, 0, 0)
        super().__init__(
            flow_scene(self._passes),
            curves=_curves(self._passes, first),
            weight=first.of(self._net.A, self._net.b),
            input=_row_of(self._x, 0),
            **self._looks,
        )
        self._quiet = False
        # Seeing the whole is the first thing; stepping comes after.
        state = {"step": None} | state
        for name in sorted(state, key=_order):
            if name == "scene" or not self.has_trait(name):
                self._refuse(name, state[name])
            setattr(self, name, self.last_step if state[name] is None else state[name])

    # -- what may be assigned --------------------------------------------------

    @traitlets.validate("edges")
    def _check_edges(self, proposal: Any) -> str:
        return _one_of("edges", proposal["value"], EDGES)

    @traitlets.validate("activation")
    def _check_activation(self, proposal: Any) -> str:
        return _one_of("activation", proposal["value"], tuple(ACTIVATIONS))

    @traitlets.validate("row")
    def _check_row(self, proposal: Any) -> int:
        return _whole("row", proposal["value"], 0, self._passes.rows - 1)

    @traitlets.validate("depth")
    def _check_depth(self, proposal: Any) -> int:
        return _whole("depth", proposal["value"], 1, max(DEEPEST, self._given[0].K))

    @traitlets.validate("width")
    def _check_width(self, proposal: Any) -> int:
        return _whole("width", proposal["value"], 1, max(WIDEST, *self._given[0].widths))

    @traitlets.validate("seed")
    def _check_seed(self, proposal: Any) -> int:
        return _whole("seed", proposal["value"], 0, 2**32 - 1)

    @traitlets.validate("scale")
    def _check_scale(self, proposal: Any) -> float:
        return _number("scale", proposal["value"], 0.0, LARGEST)

    @traitlets.validate("epsilon")
    def _check_epsilon(self, proposal: Any) -> float:
        return _number("epsilon", proposal["value"], -LARGEST, LARGEST) + 0.0

    @traitlets.validate("weight")
    def _check_weight(self, proposal: Any) -> float:
        if self._quiet:
            return float(proposal["value"])
        return _number("weight", proposal["value"], -LARGEST, LARGEST)

    @traitlets.validate("given")
    def _check_given(self, proposal: Any) -> bool:
        if not isinstance(proposal["value"], bool):
            raise UnsupportedError(
                "given is not True or False.",
                given=f"given = {proposal['value']!r}",
                expected="True, to return to what was given",
            )
        return proposal["value"]

    @traitlets.validate("selected")
    def _check_selected(self, proposal: Any) -> str:
        return str(parameter_named(self._net, proposal["value"]))

    @traitlets.validate("input")
    def _check_input(self, proposal: Any) -> list[float]:
        return _entries(proposal["value"], self._net.widths[0])

    # -- what follows from an assignment -------------------------------------------

    @traitlets.observe("depth", "width", "scale", "activation", "seed")
    def _on_looks(self, _change: Any) -> None:
        if not self._quiet:
            self._draw_network()

    @traitlets.observe("given")
    def _on_given(self, change: Any) -> None:
        if self._quiet:
            return
        if not change["new"]:
            self._draw_network()
            return
        self._net, self._x, self._y = _copies(*self._given)
        with self._assigning():
            self.input = _row_of(self._x, self.row)
            for name, value in self._looks.items():
                self.set_trait(name, value)
            self._show()

    @traitlets.observe("input")
    def _on_input(self, change: Any) -> None:
        if self._quiet:
            return
        np.atleast_2d(self._x)[self.row] = change["new"]
        with self._assigning():
            self.given = False
            self._show()

    @traitlets.observe("row")
    def _on_row(self, change: Any) -> None:
        if self._quiet:
            return
        with self._assigning():
            self.input = _row_of(self._x, change["new"])
            self._show()

    @traitlets.observe("selected")
    def _on_selected(self, _change: Any) -> None:
        if self._quiet:
            return
        with self._assigning():
            self.epsilon = 0.0
            self.weight = self._parameter.of(self._net.A, self._net.b)
            self._show_curve()

    @traitlets.observe("epsilon")
    def _on_epsilon(self, change: Any) -> None:
        curve = self.curves.get(self.selected)
        sampled = curve and any(place[0] == change["new"] for place in curve["places"])
        if not (self._quiet or sampled):
            self._show_curve()

    @traitlets.observe("weight")
    def _on_weight(self, change: Any) -> None:
        if self._quiet:
            return
        self._parameter.set(self._net, change["new"])
        with self._assigning():
            self.given, self.epsilon = False, 0.0
            self._show()

    # -- what is shown ---------------------------------------------------------

    @property
    def _parameter(self) -> Parameter:
        return parameter_named(self._net, self.selected)

    @contextmanager
    def _assigning(self) -> Iterator[None]:
        """Assign several traits as one change, of which nothing else follows."""
        before, self._quiet = self._quiet, True
        try:
            with self.hold_sync():
                yield
        finally:
            self._quiet = before

    def _draw_network(self) -> None:
        """Draw new weights; x and y stay."""
        given, widths = self._given[0], self._net.widths
        hidden = (self.width,) * (self.depth - 1)
        self._net = Network(
            (widths[0], *hidden, widths[-1]),
            seed=self.seed,
            scale=self.scale,
            activation=self.activation,
            output=given.output,
            loss=given.loss_name,
            bias=given.bias,
        )
        with self._assigning():
            self.given = False
            self._show()

    def _show(self) -> None:
        """Make the scene of the present network and input; what no longer exists is let go."""
        at_end = self.step == self.last_step
        self._passes = Passes(self._net, self._x, self._y, self.row)
        if not _has(self._net, self.selected):
            self.selected = "A_0[0, 0]"
        self.epsilon = 0.0
        self.weight = self._parameter.of(self._net.A, self._net.b)
        self.set_trait("scene", flow_scene(self._passes))
        self._show_curve()
        self.step = self.last_step if at_end else min(self.step, self.last_step)

    def _show_curve(self) -> None:
        """Make the curve of the selected weight; all else is as before."""
        self.curves = _curves(self._passes, self._parameter, self.epsilon)

    def describe(self) -> str:
        """Return the text twin: every number that the view can show."""
        return describe_flow(self._passes, self._parameter, self.epsilon)

    def draw(self, *, step: int | None = None, theme: Any = "light") -> Drawing:
        """Return the picture as a matplotlib figure.

        Parameters
        ----------
        step
            The moment of the replay; by default the one that is shown.
        theme
            ``"light"`` or ``"dark"``.
        """
        shown = self._step_or_shown(step)
        curve = curve_scene(self._passes, self._parameter, self.epsilon)["picture"]
        pictures = still_pictures(
            self.scene, curve, edges=self.edges, selected=self.selected, step=shown
        )
        return draw_pictures(pictures, alt=self.scene["alt"], theme=theme)

    def static_figure(self) -> Drawing:
        """Return the picture when all is known."""
        return self.draw(step=self.last_step)

    def heading(self) -> str:
        """Return what a page of its own is called."""
        return f"Gradient flow through a network {self._passes.about}"

    def _own_state(self) -> dict[str, Any]:
        state = super()._own_state()
        every = list(parameters(self._net))
        if len(every) <= CURVES_ON_A_PAGE:
            for parameter in every:
                state["curves"] = _curves(self._passes, parameter) | state["curves"]
        return state

    def __repr__(self) -> str:
        return f"GradientFlow({self._passes.about}, step {self.step} of {self.last_step})"


_STATE = (
    *("depth", "width", "scale", "activation", "seed", "row", "input", "edges"),
    *("selected", "weight", "epsilon", "step", "playing", "interval"),
)


def _order(name: str) -> int:
    """Return when a trait is assigned: what draws a network before what looks at it."""
    return _STATE.index(name) if name in _STATE else len(_STATE)


# --- what is given --------------------------------------------------------------


def _copies(
    net: Network | None, x: ArrayLike | None, y: ArrayLike | None
) -> tuple[Network, Any, Any]:
    """Return a network of its own, in double precision, with its x and y."""
    if net is None:
        if x is not None or y is not None:
            raise ShapeError(
                "x and y are given without a network that they fit.",
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
            f"{'x' if x is None else 'y'} is missing: without it there is no gradient.",
            given=f"net of widths {net.widths}",
            expected="net, x and y",
        )
    broken = next((a for a in (*net.A, *net.b) if not np.isfinite(a).all()), None)
    if broken is not None:
        raise InvalidValueError(
            "A weight or a bias of net is NaN or infinite: there is no gradient to be seen.",
            given=f"{broken[~np.isfinite(broken)][0]} among the parameters",
            expected="finite numbers",
        )
    own = _copy(net)
    _, _, x, y = own.checked(x, y)
    return own, x.copy(), y.copy()


def _copy(net: Network) -> Network:
    own = copy(net)
    own.A, own.b = ([np.array(each, dtype=float) for each in both] for both in (net.A, net.b))
    return own


def _looks(net: Network) -> dict[str, Any]:
    """Return what the sliders say of a network."""
    weights = np.concatenate([A.ravel() for A in net.A])
    return {
        "depth": net.K,
        "width": max(net.widths[1:-1], default=1),
        "scale": float(f"{np.sqrt(np.mean(weights**2)):.3g}"),
        "activation": net.activation,
    }


def _curves(passes: Passes, parameter: Parameter, epsilon: float = 0.0) -> dict[str, Any]:
    return {str(parameter): curve_scene(passes, parameter, epsilon)}


def _row_of(x: Any, row: int) -> list[float]:
    return [float(entry) for entry in np.atleast_2d(x)[row]]


def _has(net: Network, name: str) -> bool:
    try:
        parameter_named(net, name)
    except LookupError:
        return False
    return True


# --- checks -----------------------------------------------------------------------


def _one_of(name: str, value: Any, known: tuple[str, ...]) -> str:
    if not isinstance(value, str) or value not in known:
        raise InvalidValueError(
            f"There is no such {name}.",
            given=f"{name} = {value!r}",
            expected=" or ".join(f'"{each}"' for each in known),
        )
    return str(value)


def _whole(name: str, value: Any, low: int, high: int) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise UnsupportedError(
            f"{name} is not a whole number.",
            given=f"{name} = {value!r}",
            expected=f"a whole number from {low} to {high}",
        )
    if not low <= value <= high:
        raise InvalidValueError(
            f"There is no such {name}.", given=f"{name} {value}", expected=f"{low} to {high}"
        )
    return int(value)


def _number(name: str, value: Any, low: float, high: float) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise UnsupportedError(
            f"{name} is not a number.",
            given=f"{name} = {value!r}",
            expected=f"a number from {low:g} to {high:g}",
        )
    if not low <= value <= high:  # NaN too
        raise InvalidValueError(
            f"{name} is out of its range.",
            given=f"{name} = {value!r}",
            expected=f"a number from {low:g} to {high:g}",
        )
    return float(value)


def _entries(value: Any, count: int) -> list[float]:
    try:
        entries = np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        entries = np.full(0, math.nan)
    if entries.shape != (count,):
        raise ShapeError(
            "That does not fit the network's input.",
            given=f"input = {value!r}",
            expected=f"a list of {count} numbers",
        )
    if not np.isfinite(entries).all():
        raise InvalidValueError(
            "An input holds NaN or infinity.", given=f"input = {value!r}", expected="finite numbers"
        )
    return [float(entry) for entry in entries]
