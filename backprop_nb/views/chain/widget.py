"""``ChainRule``: the document's last equation, factor by factor, multiplied from either side."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import traitlets
from numpy.typing import ArrayLike

from backprop_nb.errors import InvalidValueError, NotFoundError, UnsupportedError
from backprop_nb.network import Network, SigmoidNetwork, validation
from backprop_nb.network.chain import Chain, Side
from backprop_nb.views.chain.figure import draw_chain
from backprop_nb.views.chain.scene import SECTIONS, SIDES, Sample, chain_scene
from backprop_nb.views.chain.words import describe_chain
from backprop_nb.views.live_view import Replay, Setting
from backprop_nb.views.paper import Drawing
from backprop_nb.views.style import module, style_sheet


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
        The moment that is shown; assign it to go there.
    last_step
        The last moment.
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
        Another side, section, row or step; nothing is changed then.

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

    i = traitlets.Int(0, help="Which θ_i.").tag(sync=True)
    side = Setting("left", help="Where the product begins.").tag(sync=True)
    section = Setting("product", help="The product, or the transposes.").tag(sync=True)
    row = traitlets.Int(0, help="Which row of a batch.").tag(sync=True)
    selected = traitlets.Unicode("", help="The factor that stays lit.").tag(sync=True)

    def __init__(
        self,
        net: SigmoidNetwork,
        x: ArrayLike,
        y: ArrayLike,
        *,
        row: int = 0,
        step: int = 0,
        **kwargs: Any,
    ) -> None:
        self._data = _checked(net, x, y)
        self._check_there("row", row, self._rows)
        i = validation.checked_layer(kwargs.get("i", 0), self._data[0].K)
        super().__init__(self._scene(row, i), row=row, **kwargs)
        self.step = step  # now that its section is chosen, which begins at 0

    # --- what is shown --------------------------------------------------------

    @property
    def chain(self) -> Chain:
        """The chain of the shown row and i."""
        return self._sample(self.row).chain(self.i)

    @property
    def frames(self) -> list[dict[str, Any]]:
        """The frames of the shown i, side and section."""
        frames: list[dict[str, Any]] = self._shown()[self._way]
        return frames

    @property
    def last_step(self) -> int:
        """The last step."""
        return len(self.frames) - 1

    @property
    def _way(self) -> str:
        return str(self.side if self.section == "product" else self.section)

    @property
    def _rows(self) -> int:
        x = self._data[1]
        return len(x) if x.ndim == 2 else 0

    def _sample(self, row: int) -> Sample:
        net, x, y = self._data
        return Sample(net, x[row], y[row], row, self._rows) if self._rows else Sample(net, x, y)

    def _scene(self, row: int, i: int) -> dict[str, Any]:
        return chain_scene(self._sample(row), i)

    def _shown(self) -> dict[str, Any]:
        """Return the chain of the shown i in the scene; of a large network it is made now."""
        if str(self.i) not in self.scene["chains"]:
            self.set_trait("scene", self._scene(self.row, self.i))
        shown: dict[str, Any] = self.scene["chains"][str(self.i)]
        return shown

    # --- what may be assigned -------------------------------------------------

    @staticmethod
    def _check_there(name: str, value: int, count: int) -> None:
        if not (isinstance(value, int | np.integer) and 0 <= value < max(count, 1)):
            only = f"{name} 0: x is a single input" if count == 0 else f"{name} 0"
            raise InvalidValueError(
                f"There is no such {name}.",
                given=f"{name} {value!r}",
                expected=f"a {name} from 0 to {count - 1}" if count > 1 else only,
            )

    @traitlets.validate("i")
    def _check_i(self, proposal: Any) -> int:
        return validation.checked_layer(proposal["value"], self._data[0].K)

    @traitlets.validate("row")
    def _check_row(self, proposal: Any) -> int:
        self._check_there("row", int(proposal["value"]), self._rows)
        return int(proposal["value"])

    @traitlets.validate("side")
    def _check_side(self, proposal: Any) -> str:
        return _one_of(
            "side", proposal["value"], SIDES, "A product begins at one of its two sides."
        )

    @traitlets.validate("section")
    def _check_section(self, proposal: Any) -> str:
        return _one_of("section", proposal["value"], SECTIONS, "There are two sections.")

    @traitlets.validate("selected")
    def _check_selected(self, proposal: Any) -> str:
        name, names = str(proposal["value"]), self._names()
        if name and name not in names:
            raise NotFoundError(
                "No such factor is shown.",
                given=f"selected = {name!r}",
                expected=f'one of {", ".join(names)}, or ""',
            )
        return name

    def _names(self) -> list[str]:
        names: list[str] = self._shown()["factors" if self.section == "product" else "steps"]
        return names

    # --- what follows from it -------------------------------------------------

    @traitlets.observe("row")
    def _new_row(self, change: Any) -> None:
        self.set_trait("scene", self._scene(change["new"], self.i))

    @traitlets.observe("i", "side", "section")
    def _other_frames(self, change: Any) -> None:
        if self.selected not in self._names():
            self.selected = ""
        self.step = 0 if change["name"] == "section" else min(self.step, self.last_step)

    # --- what stands in for it ------------------------------------------------

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
        return draw_chain(self.scene, self.i, self._way, self._step_or_shown(step), theme)

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


def _one_of(name: str, value: Any, values: tuple[str, ...], problem: str) -> str:
    if value not in values:
        raise InvalidValueError(
            problem, given=f"{name} = {value!r}", expected=" or ".join(f'"{v}"' for v in values)
        )
    return str(value)


def _checked(
    net: SigmoidNetwork, x: ArrayLike, y: ArrayLike
) -> tuple[SigmoidNetwork, np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Return a copy of the network, and the data if they fit it."""
    if not (isinstance(net, Network) and net.is_document):
        raise UnsupportedError(
            "The chain rule is shown for the document's network.",
            given=f"net of type {type(net).__name__}",
            expected="a SigmoidNetwork",
        )
    A, b = validation.used_parameters(net.A, net.b, net.widths)
    x = validation.checked_input(x, A)
    y = validation.checked_target(y, x, A)
    return SigmoidNetwork.from_parameters(A, b), x.copy(), y.copy()
