"""``Playground``: watch a network learn points in the plane, and its gradient flow."""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
import traitlets
from numpy.typing import ArrayLike

from backprop_nb.errors import DivergenceError, InvalidValueError
from backprop_nb.network import Network
from backprop_nb.network.activations import ACTIVATIONS
from backprop_nb.network.history import History
from backprop_nb.network.losses import LOSSES
from backprop_nb.views.live_view import LiveView, Setting
from backprop_nb.views.paper import Drawing, draw_pictures
from backprop_nb.views.playground import scene as scenes
from backprop_nb.views.playground.plane_data import PLANE_DATA, plane_data
from backprop_nb.views.playground.recording import Frame, Recording
from backprop_nb.views.playground.training import Setup, WatchedTraining
from backprop_nb.views.style import module, style_sheet

OWN: Final = "own"
"""The name of data that are no set of ours."""
MOST_EPOCHS: Final = 10_000
"""A run ends after so many, so that nothing grows without bound."""
PAGE: Final = 250_000
"""The frames on a page take so many characters at most."""
NOISE: Final = 0.5
PER_FRAME: Final = 100
LAYERS, UNITS = 6, 8
"""How many hidden layers and units the sliders go to; a program may ask for more."""

# What is remembered of a run when the setting changes: nothing, or all.
_ANEW = ("data", "noise", "widths", "activation", "loss", "seed")
_ON_THE_WAY = ("learning_rate", "batch_size")


def _number(value: Any, low: float, high: float) -> float | None:
    fine = isinstance(value, numbers.Real) and not isinstance(value, bool)
    return float(value) if fine and low <= float(value) <= high else None


def _integer(value: Any, low: int, high: float = math.inf) -> int | None:
    fine = isinstance(value, numbers.Integral) and not isinstance(value, bool)
    return int(value) if fine and low <= int(value) <= high else None


def _widths(value: Any) -> list[int] | None:
    if not isinstance(value, (list, tuple)) or len(value) < 2:
        return None
    widths = [_integer(n, 1) for n in value]
    fine = None not in widths and widths[0] == 2 and widths[-1] == 1
    return [n for n in widths if n is not None] if fine else None


def _one_of(names: Sequence[str]) -> tuple[str, Callable[[Any], Any]]:
    expected = ", ".join(f'"{name}"' for name in names)
    return expected, lambda value: value if isinstance(value, str) and value in names else None


def _batch_size(value: Any) -> int | None:
    """0 stands for all rows, as None is no answer of a slider."""
    return 0 if value is None else _integer(value, 0)


_RULES: Final[dict[str, tuple[str, Callable[[Any], Any]]]] = {
    "noise": (f"a number from 0 to {NOISE}", lambda v: _number(v, 0, NOISE)),
    "widths": ("two inputs, any layers, one output, such as (2, 4, 1)", _widths),
    "activation": _one_of(list(ACTIVATIONS)),
    "loss": _one_of(list(LOSSES)),
    "seed": ("an integer that is not negative", lambda v: _integer(v, 0)),
    "learning_rate": ("a positive number", lambda v: _number(v, 5e-324, 1e308)),
    "batch_size": ("a positive integer, or None for all rows", _batch_size),
    "epochs_per_frame": (
        f"an integer from 1 to {PER_FRAME}",
        lambda v: _integer(v, 1, PER_FRAME),
    ),
}


class Playground(LiveView):
    """Watch a network learn to tell two classes of points in the plane apart.

    The output over the plane, what each unit makes of the plane, the loss, and the
    gradient that arrives at each layer: all of one moment.  Every frame is
    computed by the kernel, and asked for when the one before is being painted.

    Parameters
    ----------
    data : "blobs", "xor", "circles", "moons", "spiral", or (x, y)
        What to learn: one of five sets, or points of shape (N, 2) with their
        classes, 0 or 1, of shape (N,).  Of either, 30 % are held out.
    widths : sequence of int
        The network's: 2 inputs, any hidden layers, 1 output.
    activation : "sigmoid", "tanh", "relu", "leaky relu" or "identity"
        What the hidden layers apply; the output keeps σ.
    loss : "squared error" or "cross-entropy"
    learning_rate : float
    batch_size : int or None
        Rows a step; None for all of them.
    seed : int
        Where the initial weights, the held-out points and the order of the rows come from.
    noise : float
        By how much points are moved from their places, from 0 to 0.5.
    points, data_seed : int
        How many points, and where they come from.
    epochs_per_frame : int
        So many epochs are trained between two frames, 1 to 100.

    Attributes
    ----------
    data, widths, activation, loss, seed, noise
        As above; assigning one begins a new run.  ``data`` is ``"own"`` for arrays.
    learning_rate, batch_size
        As above; the run goes on with the new one, from the next epoch.  A run that
        has diverged begins anew.
    epochs_per_frame
        As above.
    playing
        Whether it trains by itself, as long as a display of it is open.
    epoch
        The epoch that is shown; assign it to look back.  Of a long run some frames
        are kept, and the nearest one is shown.
    last_epoch
        How many epochs have been trained.
    problem
        What went wrong with the run, or ``""``.
    net
        The network as it is now, after ``last_epoch``.
    history
        What training has recorded.

    Raises
    ------
    InvalidValueError
        If one of them is outside of its range; nothing is changed then.
    ShapeError
        If ``x`` and ``y`` do not fit.

    Notes
    -----
    By keyboard: Space plays and pauses, ``]`` goes one frame on, at the end by
    training one epoch, ``[`` one frame back, Home and End go to the first and to the
    last frame, R rewinds to the same initial weights.

    The same settings give the same run, to the last bit, be it played, stepped or
    trained by a program.

    Examples
    --------
    >>> import backprop_nb as bp
    >>> playground = bp.Playground("circles", widths=(2, 6, 1), learning_rate=2)
    >>> playground.train(60)
    >>> playground
    Playground(circles, widths (2, 6, 1), epoch 60)
    >>> playground.rewind()
    >>> playground.last_epoch
    0
    """

    _esm = module("playground")
    _css = style_sheet("playground", "playground", "field")
    hint = (
        "Space plays and pauses, [ and ] go one frame back and on, Home and End to the first "
        "and to the last frame, R rewinds to the same initial weights."
    )

    data = Setting("circles", help="What is learned.").tag(sync=True)
    noise = Setting(0.1, help="How far points are moved.").tag(sync=True)
    widths = Setting((2, 6, 1), help="The network's widths.").tag(sync=True)
    activation = Setting("sigmoid", help="Of the hidden layers.").tag(sync=True)
    loss = Setting("squared error", help="What is made small.").tag(sync=True)
    seed = Setting(0, help="Where all that is random comes from.").tag(sync=True)
    learning_rate = Setting(1.0, help="The length of a step.").tag(sync=True)
    batch_size = Setting(10, help="Rows a step; 0 for all.").tag(sync=True)
    epochs_per_frame = Setting(1, help="Epochs between two frames.").tag(sync=True)
    playing = traitlets.Bool(False, help="Whether it trains by itself.").tag(sync=True)
    epoch = Setting(0, help="The epoch that is shown.").tag(sync=True)

    frame = traitlets.Dict(help="The latest frame.").tag(sync=True)
    curves = traitlets.Dict(help="The charts, without their lines.").tag(sync=True)
    lines = traitlets.Dict(help="The lines of the run so far.").tag(sync=True)
    recorded = traitlets.List(traitlets.Int(), help="The epochs whose frames are kept.").tag(
        sync=True
    )
    problem = traitlets.Unicode("", help="What went wrong.").tag(sync=True)

    def __init__(
        self,
        data: str | tuple[ArrayLike, ArrayLike] = "circles",
        widths: Sequence[int] = (2, 6, 1),
        *,
        points: int = 200,
        data_seed: int = 0,
        **settings: Any,
    ) -> None:
        self._own = None if isinstance(data, str) else _own_data(data)
        self._points, self._data_seed = points, data_seed
        self._serial = self._runs = 0
        super().__init__(data=data if isinstance(data, str) else OWN, widths=widths, **settings)
        self.rewind()
        self.observe(self._begin_anew, names=list(_ANEW))
        self.observe(self._change_steps, names=list(_ON_THE_WAY))
        self.observe(self._on_playing, names="playing")
        self.on_msg(self._on_message)

    # -- what is asked for

    @traitlets.validate(*_RULES)
    def _check(self, proposal: Any) -> Any:
        name, given = proposal["trait"].name, proposal["value"]
        expected, checked = _RULES[name]
        return _unless_none(checked(given), name, given, expected)

    @traitlets.validate("data")
    def _check_data(self, proposal: Any) -> Any:
        given = proposal["value"]
        known = [*PLANE_DATA, *([OWN] if self._own else [])]
        expected, checked = _one_of(known)
        if not isinstance(given, str):
            given, expected = type(given).__name__, f"{expected}, or a new Playground((x, y))"
        return _unless_none(checked(given), "data", given, expected)

    @traitlets.validate("epoch")
    def _check_epoch(self, proposal: Any) -> int:
        given = proposal["value"]
        epoch = _integer(given, 0, self.last_epoch)
        _unless_none(epoch, "epoch", given, f"an epoch from 0 to {self.last_epoch}")
        return int(self._recording.at(epoch or 0)["epoch"]) if self._serial else 0

    # -- what a program can do

    @property
    def last_epoch(self) -> int:
        """How many epochs have been trained."""
        return self._run.epoch if self._serial else 0

    @property
    def net(self) -> Network:
        """The network as it is now."""
        return self._run.net

    @property
    def history(self) -> History:
        """What training has recorded; it draws itself."""
        return self._run.history

    def train(self, epochs: int = 1) -> None:
        """Train for some epochs, and show the last one.

        Raises
        ------
        DivergenceError
            Training has lost its sense; ``problem`` then says why, and ``rewind``, or
            another setting, begins anew.
        InvalidValueError
            If ``epochs`` is not a positive integer, or more than a run can have.
        """
        left = MOST_EPOCHS - self.last_epoch
        expected = f"an integer from 1 to {left}; a run has {MOST_EPOCHS} epochs at most"
        count = _unless_none(_integer(epochs, 1, left), "epochs", epochs, expected)
        self._train(count, along_the_way=True)

    def rewind(self) -> None:
        """Go back to the same initial weights, from which the same training follows."""
        run = WatchedTraining(*self._xy(), self._setup())
        self._run, self._stage, self._recording = run, scenes.Stage(run), Recording()
        self._runs += 1
        self._record()
        with self.hold_sync():
            self.set_trait("scene", self._stage.scene() | {"options": self._options()})
            self.problem = ""
            self._show()

    def _xy(self) -> tuple[Any, Any]:
        if self._own and self.data == OWN:
            return self._own
        return plane_data(self.data, self._points, noise=self.noise, seed=self._data_seed)

    def _setup(self) -> Setup:
        return Setup(
            self.widths, self.activation, self.loss, self.seed, self.learning_rate, self._rows
        )

    @property
    def _rows(self) -> int | None:
        return self.batch_size or None

    def _options(self) -> dict[str, Any]:
        """Return what can be chosen."""
        return {
            "data": [*PLANE_DATA, *([OWN] if self._own else [])],
            "activation": list(ACTIVATIONS),
            "loss": list(LOSSES),
            "layers": list(range(LAYERS + 1)),
            "units": list(range(1, UNITS + 1)),
            "noise": [round(0.05 * k, 2) for k in range(round(NOISE / 0.05) + 1)],
            "rates": [float(f"{k}e{power}") for power in range(-3, 2) for k in (1, 2, 5)] + [100.0],
            "batches": [1, 5, 10, 20, 50, 0],
            "perFrame": [1, 2, 5, 10, 20, 50, PER_FRAME],
        }

    # -- training

    def _train(self, epochs: int, *, along_the_way: bool = False) -> None:
        """Train, and record the last epoch, or those that a recording wants."""
        try:
            for _ in range(epochs):
                self._run.advance()
                if along_the_way and self._recording.wants(self._run.epoch):
                    self._record()
        except DivergenceError as error:
            self.playing = False
            self.problem = f"{error.problem} Try {error.instead}."
            raise
        finally:
            if not self._run.ended and self._run.epoch != self._recording.epochs[-1]:
                self._record()
            self._show()

    def _record(self) -> None:
        self._serial += 1
        frame = self._stage.frame(self._run.measures[-1], self._run.epoch)
        self._recording.add(frame | {"serial": self._serial, "run": self._runs})

    def _show(self) -> None:
        """Show the latest frame, in one message."""
        with self.hold_sync():
            self.frame = self._recording.frames[-1]
            self.recorded = self._recording.epochs
            self.curves, self.lines = scenes.curves(self._run.measures)
            self.epoch = self.frame["epoch"]

    def _step(self, epochs: int) -> None:
        """Train, and let the view say what goes wrong."""
        if self.last_epoch + epochs > MOST_EPOCHS:
            self.playing, self.problem = False, f"A run ends after {MOST_EPOCHS} epochs: rewind it."
            return
        try:
            self._train(epochs)
        except DivergenceError:
            return  # which `problem` tells

    # -- what follows from a change

    def _begin_anew(self, _: Any = None) -> None:
        self.rewind()

    def _change_steps(self, _: Any = None) -> None:
        if self._run.ended:
            self.rewind()
        else:
            self._run.change(self.learning_rate, self._rows)

    def _on_playing(self, change: Any) -> None:
        if change["new"]:
            if self._run.ended:
                self.rewind()
            self._step(self.epochs_per_frame)

    def _on_message(self, _: Any, content: Any, buffers: Any) -> None:
        """Hear a view: it paints a frame, lacks frames, or a button was pressed."""
        if not isinstance(content, dict):
            return
        # Two views paint the same frame, and only the first one gets the next.
        if content.get("paints") == self._serial and self.playing:
            self._step(self.epochs_per_frame)
        wanted = content.get("wants")
        if isinstance(wanted, list):
            self.send({"frames": [f for f in self._recording.frames if f["epoch"] in wanted]})
        if content.get("do") == "rewind":
            self.playing = False
            self.rewind()
        epochs = _integer(content.get("train"), 1, PER_FRAME)
        if epochs and not self.playing:
            self._step(epochs)

    # -- what stands in for the view

    def describe(self) -> str:
        """Return the text twin: the settings, and the numbers of the epoch that is shown."""
        rows = self.batch_size or "all"
        settings = (
            f"{self.data}, {self.activation}, {self.loss}, learning rate {self.learning_rate:g}, "
            f"batches of {rows}, seed {self.seed}."
        )
        parts = [scenes.describe_run(self._run, self.epoch), settings, self.problem]
        return "\n".join(part for part in parts if part)

    def draw(self, *, theme: Any = "light") -> Drawing:
        """Return the picture of the shown epoch as a matplotlib figure.

        ``theme`` is light or dark.
        """
        frame, stage = self._shown(), self._stage
        rows = [
            [stage.plane_picture(frame).data(), stage.network_picture(frame).data()],
            scenes.curve_pictures(self.curves, self.lines, self.epoch),
        ]
        return draw_pictures(rows, alt=f"{self.scene['alt']} {frame['words']}", theme=theme)

    def static_figure(self) -> Drawing:
        """Return the picture of the shown epoch."""
        return self.draw()

    def heading(self) -> str:
        """Return what a page of its own is called."""
        return "A network learns points in the plane"

    def _shown(self) -> Frame:
        return self._recording.at(self.epoch)

    def _own_state(self) -> dict[str, Any]:
        frames = self._recording.within(PAGE)
        epochs = [frame["epoch"] for frame in frames]
        shown = min(epochs, key=lambda epoch: abs(epoch - self.epoch))
        replay = {"frames": frames, "recorded": epochs, "epoch": shown, "playing": False}
        return super()._own_state() | replay

    def __repr__(self) -> str:
        return f"Playground({self.data}, widths {tuple(self.widths)}, epoch {self.epoch})"


def _unless_none(value: Any, name: str, given: Any, expected: str) -> Any:
    if value is None:
        raise InvalidValueError(
            f"This {name} cannot be used.", given=f"{name} = {given!r}", expected=expected
        )
    return value


def _own_data(data: Any) -> tuple[Any, Any]:
    """Return points and classes, one row each; what is wrong with them a run will say."""
    if not isinstance(data, (tuple, list)) or len(data) != 2:
        raise InvalidValueError(
            "These data cannot be used.",
            given=type(data).__name__,
            expected=f"{_one_of(list(PLANE_DATA))[0]}, or a pair (x, y)",
        )
    x, y = data
    y = np.asarray(y)
    return x, y[:, None] if y.ndim == 1 else y
