"""What every live view can do besides being live: stand still, and go on a page of its own."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from backprop_nb.errors import InvalidValueError, UnsupportedError
from backprop_nb.files import with_ending, written_whole
from backprop_nb.views.figures import Drawing, png
from backprop_nb.views.widgets.page import page


class Setting(traitlets.TraitType[Any, Any]):
    """State of which the widget's own validator says, in the package's words, what it may be.

    Any value reaches that validator: a type of traitlets would refuse some before,
    and ``traitlets.Any`` let None pass.
    """


class LiveView(anywidget.AnyWidget):
    """A widget with a text twin and a picture, to which a subclass adds the three below."""

    hint = ""
    """What the keys do, in a sentence or two."""

    scene = traitlets.Dict(help="The scene as plain data.").tag(sync=True)

    def __init__(self, **state: Any) -> None:
        for name in sorted(state.keys() - set(self.trait_names())):
            raise UnsupportedError(
                f"{type(self).__name__} has no {name!r}.",
                given=f"{name}={state[name]!r}",
                expected=", ".join(self._settings()),
            )
        super().__init__(**state)

    @classmethod
    def _settings(cls) -> list[str]:
        """Return the names that a program may give; data as a whole are the view's own."""
        own = cls.class_traits(sync=True).keys() - anywidget.AnyWidget.class_traits().keys()
        data = (traitlets.Dict, traitlets.List)
        return [name for name in sorted(own) if not isinstance(getattr(cls, name), data)]

    def describe(self) -> str:
        """Return the text twin."""
        raise NotImplementedError

    def still(self) -> Drawing:
        """Return the picture that stands in where nothing can move."""
        raise NotImplementedError

    def heading(self) -> str:
        """Return what a page of its own is called."""
        raise NotImplementedError

    def to_html(self, path: str | os.PathLike[str], *, title: str | None = None) -> Path:
        """Write the view, as it is now, as one HTML page for a course site.

        The page is live without a kernel and without a network, follows the
        reader's light or dark theme, and carries the text twin and the picture.
        It is written all or nothing: an interrupted write leaves the old file.

        Parameters
        ----------
        path
            ``.html`` is added unless it is there.
        title
            The heading; by default it says what is shown.

        Returns
        -------
        Path
            The file.  The same view gives the same bytes.

        Examples
        --------
        >>> import tempfile
        >>> import backprop_nb as bp
        >>> explorer = bp.trace(lambda x: x**2, 3.0).explore()
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     explorer.to_html(f"{folder}/square", title="The square").name
        'square.html'
        """
        path = with_ending(path, ".html")
        content = page(
            title=self.heading() if title is None else title,
            state=self._own_state(),
            module=self._esm,
            style=self._css,
            picture=self.still(),
            words=self.describe(),
            hint=self.hint,
        )
        with written_whole(path) as stream:
            stream.write(content)
        return path

    def _own_state(self) -> dict[str, Any]:
        """Return the traits that the view reads, without those that every widget has."""
        names = self.trait_names(sync=True) - anywidget.AnyWidget.class_traits().keys()
        # In the form in which they would go to a browser.
        state: dict[str, Any] = self.get_state(
            [name for name in sorted(names) if not name.startswith("_")]
        )
        return state

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        # Where no widget can run (GitHub, a PDF, a reopened notebook), the stored
        # picture and the text stand in for it.
        bundle: Any = super()._repr_mimebundle_(**kwargs)
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
        picture = self.still()
        data = dict(data) | {"image/png": png(picture), "text/plain": repr(self)}
        return data, metadata | {"image/png": {"alt": picture.alt}}


class Replay(LiveView):
    """A view of a scene with ``frames``, of which one is shown.

    Attributes
    ----------
    step
        The frame that is shown; assign it to go there.
    last_step
        The last frame.
    playing
        Whether it steps by itself, every ``interval`` milliseconds.
    """

    step = traitlets.Int(0, help="The moment that is shown.").tag(sync=True)
    playing = traitlets.Bool(False, help="Whether it steps by itself.").tag(sync=True)
    interval = traitlets.Int(1200, min=100, help="Milliseconds a step.").tag(sync=True)

    @property
    def last_step(self) -> int:
        """The last moment."""
        return len(self.scene["frames"]) - 1

    @traitlets.validate("step")
    def _check_step(self, proposal: Any) -> int:
        step = int(proposal["value"])
        if not 0 <= step <= self.last_step:
            raise InvalidValueError(
                "There is no such step.",
                given=f"step {step}",
                expected=f"a step from 0 to {self.last_step}",
            )
        return step
