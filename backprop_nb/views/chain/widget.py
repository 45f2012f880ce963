"""``ChainRule``: the document's last equation, factor by factor, multiplied from either side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, cast

import numpy as np
import traitlets
from numpy.typing import ArrayLike

from backprop_nb import display
from backprop_nb.errors import NotFoundError, UnsupportedError, must_be
from backprop_nb.network import Network, SigmoidNetwork, validation
from backprop_nb.network.chain import Chain, Side
from backprop_nb.views.chain.figure import draw_chain
from backprop_nb.views.chain.scene import SECTIONS, SIDES, Sample, chain_scene
from backprop_nb.views.chain.schema import ChainFrame, ChainProduct, ChainScene
from backprop_nb.views.chain.words import describe_chain
from backprop_nb.views.live_view import Replay
from backprop_nb.views.overflow import must_be_finite
from backprop_nb.views.paper import Drawing
from backprop_nb.views.state import State, integer, one_of
from backprop_nb.views.style import module, style_sheet


def _row(view: Any, name: str, value: Any) -> int:
    if not view._rows and value != 0:
        raise must_be("0, for `x` is a single input", name, value)
    return int(integer(0, max(view._rows - 1, 0))(view, name, value))


def _layer(view: Any, name: str, value: Any) -> int:
    return validation.checked_layer(value, view._data[0].K)


def _selected(view: Any, name: str, value: Any) -> str:
    names = view._names
    if not isinstance(value, str) or value not in ("", *names):
        raise NotFoundError(
            "`selected` must be the name of a factor that is shown.",
            given=f"selected = {value!r}",
            expected=f'one of {", ".join(names)}, or ""',
        )
    return value


class ChainRule(Replay):
    """See the chain rule for θ_i as matrices, and multiply them from the left or from the right.

    Equation [chain-general]: each factor with its symbol, its shape and its heat
    map, lit in the network; the product step by step, with what it costs; why
    programs build none of these matrices; and where the transpose comes from.

    Parameters
    ----------
    net : SigmoidNetwork
        It is copied: what is learned later does not reach the view.
    x : array_like of shape (n_0,) or (N, n_0)
    y : array_like of shape (n_K,) or (N, n_K)
        Of a batch one row is shown; the gradient of a batch is the mean over its rows.

    Attributes
    ----------
    i
        Which θ_i, from 0 to K−1.
    side
        Where the product begins: ``"left"`` or ``"right"``.
    section
        ``"product"``, or ``"transposes"`` for the steps from Jacobians to code.
    row
        Which row of a batch.
    selected
        The name of the factor that stays lit, such as ``"∂f_2/∂f_1"``, or ``""``.
    step
        The step that is shown; assign it to go there.
    last_step
        The last step.
    playing
        Whether it steps by itself, every ``interval`` milliseconds.
    chain : Chain
        What ``net.chain`` gives for the shown row and i.

    Raises
    ------
    ShapeError
        Data that do not fit the network.
    UnsupportedError
        A network with other choices than the document's, or what is no network.
    NotFoundError
        No θ_i, or no factor of that name; nothing is changed then.
    InvalidValueError
        NaN or infinity in the network or the data; another side, section, row or step.
        Nothing is changed then.

    Notes
    -----
    A matrix of more than 1,048,576 entries is not built: its symbol, its shape
    and its cost are shown.

    Examples
    --------
    >>> import backprop_nb as bp
    >>> net = bp.SigmoidNetwork((2, 3, 2), seed=0)
    >>> rule = bp.ChainRule(net, [1, 2], [0, 1])
    >>> rule
    ChainRule(widths (2, 3, 2), i=0, from the left, step 0 of 3)
    >>> rule.side = "right"
    >>> rule.step = rule.last_step
    """

    _esm = module("chain")
    _css = style_sheet("chain", "chain_rule")
    hint = (
        "[ and ] step, Home and End jump, Space plays; Tab reaches each factor, the arrow keys "
        "walk from one to the next, Enter keeps it lit and Escape lets go of it."
    )

    row = State(_row, 0, "Which row of a batch.")
    i = State(_layer, 0, "Which θ_i.")
    side = State(one_of(SIDES), "left", "Where the product begins.")
    section = State(one_of(SECTIONS), "product", "The product, or the transposes.")
    selected = State(_selected, "", "The factor that stays lit.")

    def __init__(
        self,
        net: SigmoidNetwork,
        x: ArrayLike,
        y: ArrayLike,
        *,
        row: int = 0,
        i: int = 0,
        step: int = 0,
        **state: Any,
    ) -> None:
        self._data = _checked(net, x, y)
        sample = self._sample(_row(self, "row", row))
        super().__init__(chain_scene(sample, _layer(self, "i", i)), row=row, i=i, **state)
        self.step = step  # now that its section is chosen, which begins at 0

    # --- what is shown --------------------------------------------------------

    @property
    def chain(self) -> Chain:
        """The chain of the shown row and i."""
        return self._sample(self.row).chain(self.i)

    @property
    def frames(self) -> list[ChainFrame]:
        """The frames of the shown i, side and section."""
        return list(self._shown()["frames"][self._way])

    @property
    def _way(self) -> str:
        return str(self.side if self.section == "product" else self.section)

    @property
    def _rows(self) -> int:
        x = self._data[1]
        return len(x) if x.ndim == 2 else 0

    @property
    def _names(self) -> Sequence[str]:
        shown = self._shown()
        return shown["factors"] if self.section == "product" else shown["steps"]

    def _sample(self, row: int) -> Sample:
        net, x, y = self._data
        return Sample(net, x[row], y[row], row, self._rows) if self._rows else Sample(net, x, y)

    def _shown(self) -> ChainProduct:
        """Return the chain of the shown row and i; unless it is in the scene it is made now."""
        if self.scene["row"] != self.row or str(self.i) not in self.scene["chains"]:
            self.set_trait("scene", chain_scene(self._sample(self.row), self.i))
        shown: ChainProduct = self.scene["chains"][str(self.i)]
        return shown

    @traitlets.observe("row", "i", "side", "section")
    def _other_frames(self, change: Any) -> None:
        if self.selected not in self._names:
            self.selected = ""
        self.step = 0 if change["name"] == "section" else min(self.step, self.last_step)

    # --- what stands in for it ------------------------------------------------

    @display.words
    def describe(self) -> str:
        """Return the text twin: every factor and every step with its numbers and its cost."""
        side: Side = "right" if self.side == "right" else "left"
        return describe_chain(self._sample(self.row), self.i, side)

    def draw(
        self, *, step: int | None = None, theme: Literal["light", "dark"] = "light", **state: Any
    ) -> Drawing:
        """Return the picture as a matplotlib figure.

        Parameters
        ----------
        step
            The step of the replay; by default the one that is shown.
        theme
            ``"light"`` or ``"dark"``.
        **state
            Another ``i``, ``side``, ``section`` or ``row`` than is shown.
        """
        if state:
            shown = {name: getattr(self, name) for name in ("row", "i", "side", "section", "step")}
            return ChainRule(*self._data, **(shown | state)).draw(step=step, theme=theme)
        return draw_chain(
            cast(ChainScene, self.scene), self.i, self._way, self._step_or_shown(step), theme
        )

    def static_figure(self) -> Drawing:
        """Return the whole product, at its end."""
        return self.draw(step=self.last_step)

    def heading(self) -> str:
        """Return what a page of its own is called."""
        return self._sample(self.row).alt.rstrip(".")

    def __repr__(self) -> str:
        way = f"from the {self.side}" if self.section == "product" else "transposes"
        row = f", row {self.row}" if self._rows else ""
        return (
            f"ChainRule(widths {self._data[0].widths}, i={self.i}{row}, {way}, "
            f"step {self.step} of {self.last_step})"
        )


def _checked(
    net: SigmoidNetwork, x: ArrayLike, y: ArrayLike
) -> tuple[SigmoidNetwork, np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Return a copy of the network, and the data if they fit it."""
    if not (isinstance(net, Network) and net.is_document):
        raise UnsupportedError(
            "`net` must be the document's network: of another one there is no chain to show.",
            given=f"net of type {type(net).__name__}",
            expected="a SigmoidNetwork",
        )
    A, b = validation.used_parameters(net.A, net.b, net.widths)
    x = validation.checked_input(x, A)
    y = validation.checked_target(y, x, A)
    must_be_finite(net, x, y)
    return SigmoidNetwork.from_parameters(A, b), x.copy(), y.copy()
