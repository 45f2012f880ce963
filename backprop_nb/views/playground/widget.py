"""``Playground``: watch a network learn points in the plane, and its gradient flow."""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import traitlets
from numpy.typing import ArrayLike

from backprop_nb import display
from backprop_nb.errors import DivergenceError, InvalidValueError, either, must_be
from backprop_nb.network import Network
from backprop_nb.network.activations import ACTIVATIONS
from backprop_nb.network.history import History
from backprop_nb.network.losses import LOSSES
from backprop_nb.views.export import Step, Story
from backprop_nb.views.live_view import LiveView, in_turn
from backprop_nb.views.paper import Drawing, draw_pictures
from backprop_nb.views.playground import scene as scenes
from backprop_nb.views.playground.plane_data import PLANE_DATA, plane_data
from backprop_nb.views.playground.recording import Recording
from backprop_nb.views.playground.training import WatchedTraining
from backprop_nb.views.state import State, flag, integer, is_real, is_whole, number, one_of
from backprop_nb.views.style import module, style_sheet

OWN: Final = "own"
"""The name of data that are no set of ours."""
MAX_EPOCHS: Final = 10_000
"""A run ends after so many, so that nothing grows without bound."""
PAGE: Final = 250_000
"""The frames on a page take so many characters at most."""

_PACE: Final = 0.2
"""So many seconds an epoch is shown in an animation."""

_OPTIONS: Final[dict[str, list[Any]]] = {
    "data": list(PLANE_DATA),
    "activation": list(ACTIVATIONS),
    "loss": list(LOSSES),
    "noise": [round(0.05 * k, 2) for k in range(11)],
    "layers": list(range(7)),
    "units": list(range(1, 9)),
    "learning_rate": [float(f"{k}e{power}") for power in range(-3, 2) for k in (1, 2, 5)] + [100.0],
    "batch_size": [1, 5, 10, 20, 50, 0],
    "epochs_per_frame": [1, 2, 5, 10, 20, 50, 100],
}
"""What the controls offer; a program may ask for more layers, more units, and what is between."""


# --- what the state may be ------------------------------------------------------


def _data(view: Playground, name: str, value: Any) -> str:
    known = view.known_data
    if not isinstance(value, str) or value not in known:
        raise must_be(f"{either(known)}; arrays need a new Playground((x, y))", name, value)
    return value


def _widths(view: Playground, name: str, value: Any) -> list[int]:
    layers = value if isinstance(value, (list, tuple)) else ()
    fine = len(layers) > 1 and all(is_whole(n, 1) for n in layers)
    if not fine or layers[0] != 2 or layers[-1] != 1:
        raise must_be("two inputs, any layers, one output, such as (2, 4, 1)", name, value)
    return [int(n) for n in layers]


def _positive(view: Playground, name: str, value: Any) -> float:
    if not (is_real(value) and 0 < value < math.inf):
        raise must_be("a positive number", name, value)
    return float(value)


def _batch_size(view: Playground, name: str, value: Any) -> int:
    """0 stands for all rows, as None is no answer of a slider."""
    if value is not None and not is_whole(value, 0):
        raise must_be("a positive integer, or None for all rows", name, value)
    return int(value or 0)


def _recorded_epoch(view: Playground, name: str, value: Any) -> int:
    """Of a long run some epochs are kept: the nearest one is shown."""
    wanted = integer(0, lambda view: view.last_epoch)(view, name, value)
    return min(view.recorded, key=lambda epoch: abs(epoch - wanted), default=0)


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
        A copy of the network as it is now, after ``last_epoch``.
    history
        A copy of what training has recorded.

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
    _css = style_sheet("playground", "playground")
    hint = (
        "Space plays and pauses, [ and ] go one frame back and on, Home and End to the first "
        "and to the last frame, R rewinds to the same initial weights."
    )

    data = State(_data, "circles", "What is learned.")
    noise = State(number(0, max(_OPTIONS["noise"])), 0.1, "How far points are moved.")
    widths = State(_widths, (2, 6, 1), "The network's widths.")
    activation = State(one_of(ACTIVATIONS), "sigmoid", "Of the hidden layers.")
    loss = State(one_of(LOSSES), "squared error", "What is made small.")
    seed = State(integer(0), 0, "Where all that is random comes from.")
    learning_rate = State(_positive, 1.0, "The length of a step.")
    batch_size = State(_batch_size, 10, "Rows a step; 0 for all.")
    epochs_per_frame = State(
        integer(1, max(_OPTIONS["epochs_per_frame"])), 1, "Epochs between two frames."
    )
    playing = State(flag, False, "Whether it trains by itself.")
    epoch = State(_recorded_epoch, 0, "The epoch that is shown.")

    frame: Any = traitlets.Dict(help="The latest frame.").tag(sync=True)
    curves: Any = traitlets.Dict(help="The charts, without their lines.").tag(sync=True)
    lines: Any = traitlets.Dict(help="The lines of the run so far.").tag(sync=True)
    recorded: Any = traitlets.List(help="The epochs whose frames are kept.").tag(sync=True)
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
        self.observe(
            lambda _: self.rewind(), ["data", "noise", "widths", "activation", "loss", "seed"]
        )
        self.observe(self._change_steps, ["learning_rate", "batch_size"])
        self.observe(self._on_playing, "playing")
        self.on_msg(self._on_message)

    # -- what a program can do

    @property
    def last_epoch(self) -> int:
        """How many epochs have been trained."""
        return int(self.recorded[-1]) if self.recorded else 0

    @property
    def known_data(self) -> list[str]:
        """The names that ``data`` may have: the five sets, and that of arrays if it has some."""
        return [*PLANE_DATA, *([OWN] if self._own else [])]

    @property
    def net(self) -> Network:
        """A copy of the network as it is now: that of the run goes on while it plays."""
        return copy.deepcopy(self._run.net)

    @property
    def history(self) -> History:
        """What training has recorded so far; it draws itself."""
        return copy.deepcopy(self._run.history)

    def train(self, epochs: int = 1) -> None:
        """Train for some epochs, and show the last one; play pauses, so that it stays the last.

        Raises
        ------
        DivergenceError
            Training has lost its sense; ``problem`` then says why, and ``rewind``, or
            another setting, begins anew.
        InvalidValueError
            If ``epochs`` is not a positive integer, or more than a run can have.
        """
        left = MAX_EPOCHS - self.last_epoch
        if not is_whole(epochs, 1, left):
            limit = f"a run has at most {MAX_EPOCHS} epochs"
            raise must_be(f"an integer from 1 to {left}: {limit}", "epochs", epochs)
        self.playing = False
        self._train(epochs, along_the_way=True)

    def rewind(self) -> None:
        """Go back to the same initial weights, from which the same training follows."""
        run = WatchedTraining(
            Network(self.widths, self.seed, activation=self.activation, loss=self.loss),
            *self._xy(),
            learning_rate=self.learning_rate,
            batch_size=self._rows,
            seed=self.seed,
        )
        self._run, self._stage, self._recording = run, scenes.Stage(run), Recording()
        self._runs += 1
        self._record()
        with self.hold_sync():
            options = _OPTIONS | {"data": self.known_data}
            self.set_trait("scene", {**self._stage.scene(), "options": options})
            self.problem = ""
            self._show()

    def _xy(self) -> tuple[Any, Any]:
        if self._own and self.data == OWN:
            return self._own
        return plane_data(self.data, self._points, noise=self.noise, seed=self._data_seed)

    @property
    def _rows(self) -> int | None:
        return self.batch_size or None

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
        if self.last_epoch + epochs > MAX_EPOCHS:
            self.playing, self.problem = False, f"A run ends after {MAX_EPOCHS} epochs: rewind it."
            return
        try:
            self._train(epochs)
        except DivergenceError:
            return  # which `problem` tells

    # -- what follows from a change

    def _change_steps(self, _: Any) -> None:
        if self._run.ended:
            self.rewind()
        else:
            self._run.change(self.learning_rate, self._rows)

    def _on_playing(self, change: Any) -> None:
        if change["new"]:
            if self._run.ended:
                self.rewind()
            self._step(self.epochs_per_frame)

    @in_turn
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
        epochs: Any = content.get("train")
        if is_whole(epochs, 1, max(_OPTIONS["epochs_per_frame"])) and not self.playing:
            self._step(epochs)

    # -- what stands in for the view

    @display.words
    def describe(self) -> str:
        """Return the text twin: the settings, and the numbers of the epoch that is shown."""
        rows = self.batch_size or "all"
        settings = (
            f"{self.data}, {self.activation}, {self.loss}, learning rate {self.learning_rate:g}, "
            f"batches of {rows}, seed {self.seed}."
        )
        below = filter(None, [settings, self.problem])
        return f"{scenes.describe_run(self._run, self.epoch)}\n{display.folded(below)}"

    def draw(self, *, epoch: int | None = None, theme: Any = "light") -> Drawing:
        """Return the picture as a matplotlib figure.

        Parameters
        ----------
        epoch
            By default the one that is shown; of a long run the nearest one that is kept.
        theme
            ``"light"`` or ``"dark"``.
        """
        shown = self.epoch if epoch is None else _recorded_epoch(self, "epoch", epoch)
        frame, stage = self._recording.at(shown), self._stage
        rows: list[list[Any]] = [
            [stage.plane_picture(frame).data(), stage.network_picture(frame).data()],
            scenes.curve_pictures(self.curves, self.lines, shown),
        ]
        return draw_pictures(rows, alt=f"{self.scene['alt']} {frame['words']}", theme=theme)

    def _story(self) -> Story:
        return Story(
            title=self.heading(),
            alt=self.static_figure().alt,
            steps=[Step(frame["epoch"], frame["words"]) for frame in self._recording.frames],
            draw=lambda epoch, theme: self.draw(epoch=epoch, theme=theme),
            seconds=_PACE,
        )

    def heading(self) -> str:
        """Return what a page of its own is called."""
        return "A network learns points in the plane"

    def _own_state(self) -> dict[str, Any]:
        frames = self._recording.frames
        while len(frames) > 2 and len(json.dumps(frames)) > PAGE:
            frames = [*frames[:-1:2], frames[-1]]
        epochs = [frame["epoch"] for frame in frames]
        shown = min(epochs, key=lambda epoch: abs(epoch - self.epoch))
        replay = {"frames": frames, "recorded": epochs, "epoch": shown, "playing": False}
        return super()._own_state() | replay

    def __repr__(self) -> str:
        return f"Playground({self.data}, widths {tuple(self.widths)}, epoch {self.epoch})"


def _own_data(data: Any) -> tuple[Any, Any]:
    """Return points and classes, one row each; what is wrong with them a run will say."""
    if not isinstance(data, (tuple, list)) or len(data) != 2:
        raise InvalidValueError(
            f"`data` must be {either(PLANE_DATA)}, or a pair (x, y).", given=type(data).__name__
        )
    x, y = data
    y = np.asarray(y)
    return x, y[:, None] if y.ndim == 1 else y
