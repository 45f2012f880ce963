"""``FindTheBug``: watch and measure a broken backward pass, and name its mistake."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from numbers import Integral
from typing import Any, Literal

import traitlets

from backprop_nb import display
from backprop_nb.checking.line_puzzle import COURSES
from backprop_nb.checking.puzzle import checked_mistakes
from backprop_nb.errors import InvalidValueError, counted
from backprop_nb.views.bug.answers import reveal
from backprop_nb.views.bug.rounds import LineRound, MistakeRound, Round
from backprop_nb.views.bug.scene import HINTS, LEVELS
from backprop_nb.views.bug.schema import BugFound
from backprop_nb.views.live_view import Replay
from backprop_nb.views.page import packed
from backprop_nb.views.paper import Drawing, draw_pictures
from backprop_nb.views.state import State, flag, integer, one_of, text
from backprop_nb.views.style import module, style_sheet

# --- what the state may be ----------------------------------------------------
# In a round there is no way back; where a round begins, everything goes back.


def _once_true(view: FindTheBug, name: str, value: Any) -> bool:
    asked = flag(view, name, value)
    if not (asked or view.beginning) and getattr(view, name):
        raise InvalidValueError(
            f"`{name}` cannot be taken back in this round.",
            given=f"{name} = {value!r}",
            instead="round += 1",
        )
    return asked


def _hints(view: FindTheBug, name: str, value: Any) -> int:
    least = 0 if view.beginning else view.hints
    return int(integer(least, HINTS)(view, name, value))


PASSES = ("document", *COURSES, "any")
"""Whose pass can be asked for."""


def _course(view: FindTheBug, name: str, value: Any) -> str:
    course = str(one_of(PASSES)(view, name, value))
    if course != "document" and view.has_named_mistakes:
        raise InvalidValueError(
            "`mistakes` are those of the document's pass, and no other has them.",
            given=f"{name} = {value!r} with `mistakes`",
            instead=f"bp.FindTheBug(course={value!r})",
        )
    return course


def _answer(view: FindTheBug, name: str, value: Any) -> str:
    if view.beginning:
        return text(view, name, value)
    if isinstance(value, Integral) and str(value) in view.offered:
        value = str(value)  # the number of a line
    answer = str(one_of(view.offered)(view, name, value))
    if view.over and answer not in view.tried:
        raise InvalidValueError(
            "This round is over: its mistake has been told.",
            given=f"answer = {answer!r}",
            instead="round += 1",
        )
    return answer


class FindTheBug(Replay):
    """Find the mistake in a backward pass: what it is, or in a course's own pass at which line.

    Each round has a small network and a backward pass with one mistake.  What can
    be seen is the loss in training beside that of the right pass, the length of
    the gradient of each layer, and the gradients themselves; the gradient can be
    measured, and there are hints.  A right answer is worth 6 points, less 1 for
    measuring, 1 for each hint and 2 for each wrong answer, but never less than 1.

    With a ``course`` the pass is written as that course writes it, one line of it is
    wrong, and that line is to be clicked.  A line that is fine says what it computes; of
    the wrong one is told what ``bp.check_gradient`` finds: what it gives, what it
    should give, and how to repair it.

    Parameters
    ----------
    level : "easy", "medium" or "hard"
        "easy" shows the pass as NumPy, with six mistakes to choose from; "medium" does
        not show it; "hard" has all mistakes to choose from.  With a course there are six
        lines to choose from, all lines, or all lines with mistakes in the forward pass, too.
    course : str
        Whose pass it is: "document"; "rows" has ``X @ W``, ReLU and a softmax (cs231n, d2l);
        "columns" a dict of parameters, tanh and ``/ m`` (deeplearning.ai); "lists" a loop over
        the layers (Nielsen); "layers" a function for each kind of layer (*Deep Learning from
        Scratch*); "ones" the biases beside a column of ones (Ng); "recurrent" goes back through
        time (min-char-rnn); "any" mixes these six.
    seed : int
        Where the rounds come from: the same seed gives the same rounds.
    mistakes : sequence of str, optional
        The ids of the mistakes that there may be, from
        ``backprop_nb.checking.mistakes``; only with the document's pass.
    round : int
        The round to start with.
    step : int
        The epoch to start with; with a course there is no training.

    Attributes
    ----------
    round, level, course
        Assign them to go to another round, or to begin the round anew.
    measured : bool
        Whether the gradient has been measured.
    hints : int
        How many hints have been asked for, from 0 to 3.
    answer : str
        The last answer, the id of a mistake or the number of a line; assign it to answer.
    given_up : bool
        Whether the mistake has been told.
    score : int
        The points of all rounds.
    verdict : str
        What was said to the last answer.
    step, last_step, playing, interval
        The epoch that is shown, and the replay.

    Raises
    ------
    NotFoundError
        A mistake that does not exist.
    InvalidValueError
        A level, a course, a round, an epoch or an answer that does not exist; a mistake
        that needs other data, or one that is named with a course; an answer after the round
        is over.  Nothing is changed then.

    Notes
    -----
    In a notebook the answer stays with the kernel until it is given.  A page that
    :meth:`to_html` writes has no kernel, so the answer travels in it, scrambled so
    that nobody reads it by chance.  It is no secret to who looks for it.  Such a page
    holds the round that is shown, and no other.

    Examples
    --------
    >>> import backprop_nb as bp
    >>> game = bp.FindTheBug("easy", seed=0, mistakes=["sign_flipped", "missing_factor_2"])
    >>> game
    FindTheBug('easy', seed=0, round 1, 0 points)
    >>> game.measured = True
    >>> game.answer = "sign_flipped"
    >>> print(game.verdict)
    Right: the sign is flipped.
    >>> game.score
    5
    >>> game = bp.FindTheBug(course="rows", seed=1)
    >>> game.answer = 3
    >>> print(game.verdict)
    Line 3, z1 = X @ W1 + b1, is fine. It gives z1, as it should.
    """

    _esm = module("bug")
    _css = style_sheet("bug", "find_the_bug")

    course = State(_course, "document", "Whose pass it is.")
    level = State(one_of(LEVELS), "medium", "How much is shown.")
    round = State(integer(1), 1, "The round.")
    measured = State(_once_true, False, "Whether the gradient is measured.")
    hints = State(_hints, 0, "How many hints are shown.")
    answer = State(_answer, "", "The last answer: a mistake's id, or a line.")
    given_up = State(_once_true, False, "Whether the mistake is told.")
    tried: Any = traitlets.List(help="The answers of this round.").tag(sync=True)
    found: Any = traitlets.Dict(help="What has been asked for, and told.").tag(sync=True)
    courses: Any = traitlets.List(help="The courses to choose from.").tag(sync=True)
    score = traitlets.Int(0, help="The points of all rounds.").tag(sync=True)
    sealed = traitlets.Unicode("", help="What a page without a kernel may tell.").tag(sync=True)

    def __init__(
        self,
        level: str = "medium",
        *,
        course: str = "document",
        seed: int = 0,
        mistakes: Sequence[str] | None = None,
        round: int = 1,
        step: int = 0,
        **kwargs: Any,
    ) -> None:
        self._mistakes = checked_mistakes(mistakes)
        self.has_named_mistakes = mistakes is not None
        self._seed = integer(0)(self, "seed", seed)
        self._points: dict[Hashable, int] = {}
        self.beginning = True
        state = {"course": course, "level": level, "round": round}
        super().__init__(**{**state, "interval": 120, **kwargs})
        self.courses = [] if self.has_named_mistakes else list(PASSES)
        self._begin()
        self.observe(lambda _: self._begin(), ["course", "level", "round"])
        self.observe(self._on_asked, ["measured", "hints", "answer", "given_up"])
        self.step = step

    def _begin(self) -> None:
        """Make the round: nothing asked for, nothing told."""
        self._task = self._made_round()
        self._secret, self.hint = self._task.secret, self._task.keys
        self.beginning = True  # only now may traits go back
        try:
            with self.hold_sync():
                self.playing = False
                self.answer, self.tried = "", []
                self.measured, self.hints, self.given_up = False, 0, False
                self.found = self._told()
                self.set_trait("scene", self._task.scene)
                self.step = 0
        finally:
            self.beginning = False

    def _made_round(self) -> Round:
        if self.course == "document":
            return MistakeRound(self.level, self._seed, self.round, self._mistakes)
        courses = list(COURSES) if self.course == "any" else [self.course]
        return LineRound(self.level, self._seed, self.round, courses)

    # -- asking and answering ----------------------------------------------------

    def _on_asked(self, change: Any) -> None:
        if self.beginning:
            return
        if change["name"] == "answer" and self.answer not in self.tried:
            self.tried = [*self.tried, self.answer]
        self.found = self._told()
        if self.over:
            # A round that comes again has been told: its points stay as they are.
            self._points.setdefault(self._task.key, self.worth if self.found["solved"] else 0)
        self.score = sum(self._points.values())

    def _told(self) -> BugFound:
        """Return what has been asked for, and nothing else."""
        return reveal(
            self._secret,
            measured=self.measured,
            hints=self.hints,
            tried=self.tried,
            given_up=self.given_up,
        )

    @property
    def over(self) -> bool:
        """Whether the mistake has been told."""
        return self.found["solution"] is not None

    @property
    def offered(self) -> list[str]:
        """The ids of the mistakes to choose from."""
        return list(self._secret["verdicts"])

    @property
    def worth(self) -> int:
        """What a right answer is worth by now."""
        return int(self.found["worth"])

    @property
    def verdict(self) -> str:
        """What was said to the last answer; "" before there is one."""
        return self._secret["verdicts"][self.tried[-1]]["words"] if self.tried else ""

    # -- the same in words, on paper, on a page ------------------------------------

    @display.words
    def describe(self) -> str:
        """Return the text twin: what is seen, what has been told, and the answer once it is."""
        head = f"Find the bug, level {self.level}, round {self.round}: {self._task.asked}."
        notes = [note for note in self.found["notes"] if note["kind"] != "measured"]  # said above
        told = display.folded(f"{note['title']} {note['words']}" for note in notes)
        now = "over" if self.over else f"worth {counted(self.worth, 'point')}"
        lines = [head, *self._task.describe(measured=self.measured), *filter(None, [told])]
        return "\n".join([*lines, f"This round is {now}; the score is {self.score}."])

    def draw(
        self, *, theme: Literal["light", "dark"] = "light", step: int | None = None
    ) -> Drawing:
        """Return the round as a matplotlib figure, at the shown epoch or at another one.

        Raises
        ------
        InvalidValueError
            If `step` or `theme` is none of these.
        """
        pictures = self._task.pictures(self.found, self.tried, self._step_or_shown(step))
        return draw_pictures(pictures, alt=self._task.alt(), theme=theme)

    def heading(self) -> str:
        """Return what a page of its own is called."""
        return self._task.heading

    def _own_state(self) -> dict[str, Any]:
        # No secret, but not to be read by chance.
        return super()._own_state() | {"sealed": packed(self._secret)}

    def __repr__(self) -> str:
        course = "" if self.course == "document" else f"course={self.course!r}, "
        return (
            f"FindTheBug({self.level!r}, {course}seed={self._seed}, round {self.round}, "
            f"{self.score} points)"
        )
