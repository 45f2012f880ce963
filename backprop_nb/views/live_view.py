"""What every live view can do: check its state, be a figure, and go on a page of its own."""

from __future__ import annotations

import base64
import difflib
import functools
import inspect
import os
import threading
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar, Final, Literal, NoReturn

import anywidget
import traitlets

from backprop_nb.errors import BackpropError, UnsupportedError, must_be
from backprop_nb.files import with_ending, written_whole
from backprop_nb.meant import Suggesting
from backprop_nb.tracing.collector import young_only
from backprop_nb.views import cells
from backprop_nb.views.export import Step, Story, write_animation, write_figures
from backprop_nb.views.page import Snapshot, as_json, es_module, packed, page
from backprop_nb.views.paper import Drawing, as_html, png
from backprop_nb.views.state import State, flag, integer
from backprop_nb.views.still import Bundle, publish_still, still

TURN: Final = threading.RLock()
"""Held by whoever asks or changes a view: what a page says may come on another thread than that of
the cell that runs.  There is one for all views, since linked views change each other."""

_SEGMENT: Final = 2**16
"""So many bytes leave at once on the way to a page from the same machine.  With fewer, Jupyter's
server waits, as Nagle's algorithm has it, up to 40 ms until the browser has confirmed "busy"."""

_LARGE: Final = 2**18
"""More than so many bytes are deflated for any page."""


def in_turn(method: Callable[..., Any]) -> Callable[..., Any]:
    """Make a method of a view wait for its turn."""

    @functools.wraps(method)
    def waiting(*args: Any, **kwargs: Any) -> Any:
        with TURN:
            return method(*args, **kwargs)

    return waiting


class LiveView(Suggesting, anywidget.AnyWidget):
    """A widget with a text twin and a static figure.

    A subclass declares its state, each piece as a :class:`~backprop_nb.views.state.State`,
    and defines ``describe``, ``draw`` and ``heading``.  The scene, plain data that
    ``schema.py`` describes, follows from the state: ``set_trait("scene", …)`` replaces it.

    Every public method and property of it waits for its turn, and so does every assignment:
    what a cell asks of a view is of one moment, whatever the page does meanwhile.

    It closes, with its layout, when the cells that have shown it have run again without it, and
    the page shows it nowhere else.  Whoever shows it later, from a list or from ``Out``, opens it.

    Attributes
    ----------
    presenting
        Whether it fills the window in large type, for a projector; a button of it does that too,
        and fills the screen.  Escape leaves it.
    """

    hint = ""
    """What the keys do, in a sentence or two."""

    formats: ClassVar[dict[str, Callable[[LiveView], Any]]] = {}
    """What a notebook stores of every view besides, by media type, for a program that runs it."""

    scene = traitlets.Dict(help="The scene as plain data.").tag(
        sync=True, to_json=lambda scene, view: view._sent(scene)
    )

    presenting = State(flag, False, "Whether it fills the window, for a projector.")

    _identity = traitlets.Unicode(
        "", help="Its own name, by which its module finds the model."
    ).tag(sync=True)

    _near = traitlets.Bool(False, help="Whether its page has come from this machine.").tag(
        sync=True
    )

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        for name, value in list(vars(cls).items()):
            if name.startswith("_"):
                continue
            if inspect.isfunction(value):
                setattr(cls, name, in_turn(value))
            elif isinstance(value, property) and value.fget:
                setattr(cls, name, property(in_turn(value.fget), doc=value.__doc__))

    def __init__(self, scene: Mapping[str, Any] | None = None, /, **state: Any) -> None:
        state = self._in_order(state)
        self._own_layout = "layout" not in state
        self.set_trait("scene", scene or {})
        try:
            super().__init__(**state)
        except BackpropError as error:
            # The learner's line matters, the machinery between it and the check does not.
            raise error.with_traceback(None) from None
        self.set_trait("_identity", self.model_id)
        self._shown_by.clear()
        self._made = True

    @functools.cached_property
    def _shown_by(self) -> dict[str, str]:
        """By the cell's id, in which of its runs; by no id, that it is to stay."""
        return {}

    @in_turn
    def cell_has_run(self, run: cells.Run) -> None:
        """Close if that cell has shown it, does so no more, and nobody else does."""
        if self._shown_by.get(run.cell, run.message) != run.message:
            del self._shown_by[run.cell]
            self._close_unless_shown()

    @traitlets.observe("_view_count")  # which the page keeps
    def _close_unless_shown(self, change: Any = None) -> None:
        if not (self._shown_by or self._view_count):
            self.close()

    @property
    @in_turn
    def model_id(self) -> str:
        """Its name in the page.  A box asks that holds it, or a link: it is to stay for them."""
        self._shown_by[""] = ""
        self.open()
        name: str = super().model_id
        return name

    @in_turn
    def open(self) -> None:
        """Appear in the page, unless it is there."""
        self.layout.open()
        super().open()

    @in_turn
    def close(self) -> None:
        """Leave the page, and the kernel unless somebody holds it."""
        if self.comm is not None:
            super().close()
            if self._own_layout:
                self.layout.close()
            self._shown_by.clear()
            self.set_trait("_view_count", None)
            self.__dict__.pop("_repr_mimebundle_", None)  # shown again, it opens

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise UnsupportedError(
            "A view cannot be pickled: it lives in its notebook.",
            given=repr(self),
            instead='view.to_html("view.html"), or what the view shows: the network, the arrays',
        )

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "scene":
            self._refuse(name, value)
        known = name.startswith("_") or hasattr(type(self), name) or name in self.__dict__
        if not known and "_made" in self.__dict__:
            self._refuse(name, value)
        try:
            with TURN:
                super().__setattr__(name, value)
        except BackpropError as error:
            raise error.with_traceback(None) from None
        except traitlets.TraitError:  # of what follows from the state
            raise must_be(self.traits()[name].info(), name, value) from None

    def set_trait(self, name: str, value: Any) -> None:
        """Set a trait, be it one that cannot be assigned."""
        with TURN:
            super().set_trait(name, value)

    def get_state(self, key: Any = None, drop_defaults: bool = False) -> Any:
        """Return traits as they would go to the page."""
        with TURN:
            return super().get_state(key, drop_defaults)

    def set_state(self, sync_data: Any) -> None:
        """Take over what the page has changed."""
        with TURN:
            super().set_state(sync_data)

    def _sent(self, scene: Mapping[str, Any]) -> bytes:
        """Return the scene as it goes to the page."""
        text = as_json(scene)
        if self._near and len(text) < _LARGE:  # a notebook may store it
            return text.ljust(_SEGMENT)
        return zlib.compress(text, level=3)  # which is quick

    @contextmanager
    def hold_sync(self) -> Iterator[None]:
        """Send what is assigned meanwhile in one message."""
        with TURN, super().hold_sync():
            yield

    @contextmanager
    def hold_trait_notifications(self) -> Iterator[None]:
        """Let nothing follow from what is assigned meanwhile until its end."""
        with TURN, super().hold_trait_notifications():
            yield

    def _in_order(self, state: Mapping[str, Any]) -> dict[str, Any]:
        """Return state in the order in which classes declare it, this one first; refuse others."""
        for name, value in state.items():
            if name == "scene" or not self.has_trait(name):
                self._refuse(name, value)
        declared = [name for kind in type(self).__mro__ for name in vars(kind)]
        return {name: state[name] for name in sorted(state, key=declared.index)}

    def _refuse(self, name: str, value: Any) -> NoReturn:
        """Raise for what is no state of this view; traitlets would pass over it."""
        arguments = inspect.signature(type(self)).parameters.values()
        named = {each.name for each in arguments if each.kind is not each.VAR_KEYWORD}
        state = {name for name, trait in self.traits().items() if isinstance(trait, State)}
        known = sorted(named | state)
        close = difflib.get_close_matches(name, known, n=1)
        raise UnsupportedError(
            f"`{name}` cannot be assigned: it follows from the state."
            if self.has_trait(name)
            else f"{type(self).__name__} has no `{name}`.",
            given=f"{name}={value!r:.60}",
            expected=", ".join(known),
            instead=close[0] if close else None,
        )

    def describe(self) -> str:
        """Return the text twin."""
        raise NotImplementedError

    def draw(self, *args: Any, **options: Any) -> Drawing:
        """Return the picture as a matplotlib figure."""
        raise NotImplementedError

    def static_figure(self) -> Drawing:
        """Return the figure that stands in where nothing can move, by default what is shown."""
        return self.draw()

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
        return _written(with_ending(path, ".html"), page(self.snapshot(title=title)))

    def to_mjs(self, path: str | os.PathLike[str]) -> Path:
        """Write the view, as it is now, as an ES module for MyST's ``{anywidget}`` directive.

        The module has the view's state and style within it, so the directive needs no more
        than its name.  It is live without a kernel and fetches nothing.

        Parameters
        ----------
        path
            ``.mjs`` is added unless it is there.

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
        ...     explorer.to_mjs(f"{folder}/square").name
        'square.mjs'

        On a page of MyST or Jupyter Book 2, beside that file:

        .. code-block:: text

            ```{anywidget} square.mjs
            ```
        """
        return _written(with_ending(path, ".mjs"), es_module(self.snapshot()))

    def animate(
        self,
        path: str | os.PathLike[str],
        *,
        seconds_per_step: float | None = None,
        theme: Literal["light", "dark"] = "light",
        progress: bool = True,
    ) -> Path:
        """Write the steps of the view as an animation: a frame a step, with its words below.

        What stands for the pictures where they cannot be seen, a line a step, is written
        beside it: ``steps.gif.txt`` beside ``steps.gif``.

        Parameters
        ----------
        path
            A name that ends in ``.gif``, or in ``.mp4`` where the program ffmpeg is found.
        seconds_per_step
            From 0.02 to 60; by default as long as the view plays a step.
        theme
            ``"light"`` or ``"dark"``.
        progress
            Whether a bar shows how far it is, if it takes longer than a second.

        Returns
        -------
        Path
            The file.

        Raises
        ------
        UnsupportedError
            If the view has no steps.
        InvalidValueError
            For another ending, time or theme, for an MP4 without ffmpeg, and for a GIF of
            more than 500 steps.  Nothing is written then.
        FileNotFoundError
            If the folder does not exist.

        Examples
        --------
        >>> import tempfile
        >>> import backprop_nb as bp
        >>> explorer = bp.trace(lambda x: x**2, 3.0).explore()
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     explorer.animate(f"{folder}/steps.gif", seconds_per_step=2).name
        'steps.gif'
        """
        options: Any = {"seconds": seconds_per_step, "theme": theme, "progress": progress}
        with TURN:
            return write_animation(self._story_or_error(), path, **options)

    def figures(
        self,
        path: str | os.PathLike[str],
        *,
        format: Literal["svg", "pdf", "png"] = "svg",
        theme: Literal["light", "dark"] = "light",
        progress: bool = True,
    ) -> Path:
        """Write a figure for each step of the view: a folder of them, or a PDF with a page each.

        In a folder the figure of ``step=3`` is ``step-3.svg``, or ``step-03.svg`` where there
        are more than ten; what stands for the pictures is ``steps.txt``.  Beside ``steps.pdf``
        it is ``steps.pdf.txt``.  Texts in an SVG and in a PDF are texts, which can be found
        and edited.

        Parameters
        ----------
        path
            The name of a folder, or one that ends in ``.pdf``.  A folder that an earlier
            export has written is replaced.
        format
            ``"svg"``, ``"pdf"`` or ``"png"``, of the files in a folder.
        theme
            ``"light"`` or ``"dark"``.
        progress
            Whether a bar shows how far it is, if it takes longer than a second.

        Returns
        -------
        Path
            The folder, or the PDF.  The same view gives the same bytes.

        Raises
        ------
        UnsupportedError
            If the view has no steps.
        InvalidValueError
            For another format or theme, for the name of a picture, and for a file or a
            folder that holds something else.  Nothing is written then.
        FileNotFoundError
            If the folder around it does not exist.

        Examples
        --------
        >>> import tempfile
        >>> import backprop_nb as bp
        >>> explorer = bp.trace(lambda x: x**2, 3.0).explore()
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     sorted(each.name for each in explorer.figures(f"{folder}/steps").iterdir())
        ['step-0.svg', 'step-1.svg', 'step-2.svg', 'step-3.svg', 'steps.txt']
        """
        options: Any = {"format": format, "theme": theme, "progress": progress}
        with TURN:
            return write_figures(self._story_or_error(), path, **options)

    def _story(self) -> Story | None:
        """Return what the view tells step by step; ``None`` where it has no steps."""
        return None

    def _story_or_error(self) -> Story:
        story = self._story()
        if story is None or len(story.steps) < 2:
            raise UnsupportedError(
                f"This {type(self).__name__} has no steps to go through.",
                given=repr(self),
                expected="a view with two steps or more",
                instead='view.draw().savefig("picture.svg"), its one picture',
            )
        return story

    def snapshot(self, *, title: str | None = None) -> Snapshot:
        """Return the view, as it is now, as what a page without Python is made of."""
        with TURN:
            figure = self.static_figure()
            return Snapshot(
                kind=type(self).__name__,
                title=self.heading() if title is None else title,
                state=packed(self._own_state()),
                module=self._esm,
                style=self._css,
                picture=base64.b64encode(png(figure)).decode("ascii"),
                alt=figure.alt,
                words=str(self.describe()),
                hint=self.hint,
            )

    def _own_state(self) -> dict[str, Any]:
        """Return the traits that the view reads, without those that every widget has.

        They are in the form in which they would go to a browser; but the scene is as it is.
        """
        state: dict[str, Any] = self.get_state(sorted(self._own_names() - {"scene"}))
        return {**state, "scene": self.scene}

    def _own_names(self) -> set[str]:
        names = self.trait_names(sync=True) - anywidget.AnyWidget.class_traits().keys()
        return {name for name in names if not name.startswith("_")}

    # IPython would ask this one first, and show the live view alone; ipywidgets 7 has it.
    _ipython_display_ = None

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        # Where no widget can run (GitHub, a PDF), the stored picture and the text stand in for it.
        run = None if any(kwargs.values()) else cells.running()  # some forms alone are as they are
        shown_by = self._shown_by | ({run.cell: run.message} if run else {"": ""})
        bundle: Any = super()._repr_mimebundle_(**kwargs)
        self._shown_by = shown_by
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
        if not run:
            picture, about = self._picture(as_html)
            return {**data, **picture}, metadata | about
        cells.follow(self)
        self.set_trait("_view_count", self._view_count or 0)
        publish_still(functools.partial(self._picture, still))
        # Its picture and its text stand before it.
        return {**data, "text/plain": "", "text/html": ""}, metadata

    def _picture(self, html: Callable[[bytes, str], str]) -> Bundle:
        """Return what stands in for a live view."""
        with TURN, young_only():
            figure, text = self.static_figure(), repr(self)
            further = {kind: make(self) for kind, make in self.formats.items()}
            picture = png(figure)
        shown = {"image/png": picture, "text/html": html(picture, figure.alt), "text/plain": text}
        return shown | further, {"image/png": {"alt": figure.alt}}


def _written(path: Path, content: bytes) -> Path:
    """Write a file all or nothing, and return its path."""
    with written_whole(path) as stream:
        stream.write(content)
    return path


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

    step = State(integer(0, lambda view: view.last_step), 0, "The frame that is shown.")
    playing = State(flag, False, "Whether it steps by itself.")
    interval = State(integer(100), 1200, "Milliseconds a step.")

    @property
    def frames(self) -> Sequence[Any]:
        """What is replayed; nothing while there is no scene yet."""
        frames: Sequence[Any] = self.scene.get("frames", ())
        return frames

    @property
    def last_step(self) -> int:
        """The last frame; 0 while there is none."""
        return max(len(self.frames) - 1, 0)

    def _step_or_shown(self, step: int | None) -> int:
        """Return a step to draw, if there is such a one; without one that which is shown."""
        asked = self.step if step is None else step
        checked: int = integer(0, self.last_step)(self, "step", asked)
        return checked

    def _story(self) -> Story:
        return Story(
            title=self.heading(),
            alt=self.static_figure().alt,
            steps=[Step(step, self._words_at(step)) for step in self._stops()],
            draw=lambda step, theme: self.draw(step=step, theme=theme),
            seconds=self.interval / 1000,
        )

    def _stops(self) -> Iterable[int]:
        """Return the steps at which something new is to be seen."""
        return range(self.last_step + 1)

    def _words_at(self, step: int) -> str:
        """Return what happens in a step."""
        return str(self.frames[step]["words"])
