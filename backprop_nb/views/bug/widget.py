"""``FindTheBug``: watch and measure a broken backward pass, and name its mistake."""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal

import traitlets

from backprop_nb.checking.mistakes import find
from backprop_nb.checking.puzzle import PLAYABLE, checked_mistakes, choices, make_puzzle
from backprop_nb.errors import InvalidValueError
from backprop_nb.views.bug.scene import (
    POINTS,
    bug_scene,
    describe_round,
    measurement,
    solution,
    verdict,
)
from backprop_nb.views.live_view import Replay, Setting
from backprop_nb.views.paper import Drawing, draw_pictures
from backprop_nb.views.picture import patched
from backprop_nb.views.style import module, style_sheet

LEVELS = ("easy", "medium", "hard")
HINTS = 3


class FindTheBug(Replay):
    """Find the mistake in a backward pass: by its training, its gradients, and what is measured.

    Each round has a small network and a backward pass with one mistake.  What can
    be seen is the loss in training beside that of the right pass, the length of
    the gradient of each layer, and the gradients themselves; the gradient can be
    measured, and there are hints.  A right answer is worth 6 points, less 1 for
    measuring, 1 for each hint and 2 for each wrong answer, but never less than 1.

    Parameters
    ----------
    level : "easy", "medium" or "hard"
        "easy" shows the pass as NumPy, with six mistakes to choose from; "medium" does
        not show it; "hard" has all mistakes to choose from.
    seed : int
        Where the rounds come from: the same seed gives the same rounds.
    mistakes : sequence of str, optional
        The ids of the mistakes that there may be, from
        ``backprop_nb.checking.mistakes``.
    round : int
        The round to start with.
    step : int
        The epoch to start with.

    Attributes
    ----------
    round, level
        Assign them to go to another round, or to begin the round anew.
    measured : bool
        Whether the gradient has been measured.
    hints : int
        How many hints have been asked for, from 0 to 3.
    answer : str
        The last answer, the id of a mistake; assign it to answer.
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
        A level, a round, an epoch or an answer that does not exist; a mistake that
        needs other data; an answer after the round is over.  Nothing is changed then.

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
    """

    _esm = module("bug")
    _css = style_sheet("bug", "find_the_bug")
    hint = (
        "arrow keys choose a mistake and Enter answers; [ and ] step through the epochs, "
        "Home and End jump, Space plays."
    )

    level = Setting("medium", help="How much is shown.").tag(sync=True)
    round = traitlets.Int(1, help="The round, from 1.").tag(sync=True)
    measured = traitlets.Bool(False, help="Whether the gradient is measured.").tag(sync=True)
    hints = traitlets.Int(0, help="How many hints are shown.").tag(sync=True)
    answer = traitlets.Unicode("", help="The last answer: a mistake's id.").tag(sync=True)
    given_up = traitlets.Bool(False, help="Whether the mistake is told.").tag(sync=True)
    tried: Any = traitlets.List(help="The answers of this round.").tag(sync=True)
    found = traitlets.Dict(help="What has been asked for, and told.").tag(sync=True)
    score = traitlets.Int(0, help="The points of all rounds.").tag(sync=True)
    sealed = traitlets.Dict(help="What a page without a kernel may tell.").tag(sync=True)

    def __init__(
        self,
        level: str = "medium",
        *,
        seed: int = 0,
        mistakes: Sequence[str] | None = None,
        round: int = 1,
        step: int = 0,
        **kwargs: Any,
    ) -> None:
        self._mistakes = checked_mistakes(mistakes)
        self._seed = _checked_seed(seed)
        self._points: dict[int, int] = {}
        self._starting = True
        super().__init__(level=level, round=round, **{"interval": 120, **kwargs})
        self._begin()
        self.step = step

    # -- a round ---------------------------------------------------------------

    @traitlets.observe("level", "round")
    def _on_round(self, _: Any) -> None:
        if not self._starting:
            self._begin()

    def _begin(self) -> None:
        """Make the round: nothing asked for, nothing told."""
        self._puzzle = make_puzzle(self._seed, self.round, self._mistakes)
        count = len(PLAYABLE) if self.level == "hard" else 6
        offered = choices(self._puzzle, self._seed, self.round, count)
        with self._start(), self.hold_sync():
            self.playing = False
            self.answer, self.tried = "", []
            self.measured, self.hints, self.given_up = False, 0, False
            self.found = self._told()
            self.scene = bug_scene(self._puzzle, offered, code=self.level == "easy")
            self.step = 0

    @contextmanager
    def _start(self) -> Iterator[None]:
        """Let traits go back to where a round begins, which nobody else may."""
        self._starting = True
        try:
            yield
        finally:
            self._starting = False

    # -- asking and answering ----------------------------------------------------

    @traitlets.observe("measured", "hints", "answer", "given_up")
    def _on_asked(self, change: Any) -> None:
        if self._starting:
            return
        if change["name"] == "answer" and self.answer not in self.tried:
            self.tried = [*self.tried, self.answer]
        self.found = self._told()
        if self._over:
            # A round that comes again has been told: its points stay as they are.
            self._points.setdefault(self.round, self.worth if self._solved else 0)
        self.score = sum(self._points.values())

    @property
    def _solved(self) -> bool:
        return self._puzzle.mistake.id in self.tried

    @property
    def _over(self) -> bool:
        return self._solved or self.given_up

    @property
    def worth(self) -> int:
        """What a right answer is worth by now."""
        wrong = len(self.tried) - self._solved
        lost = POINTS["measure"] * self.measured + POINTS["hint"] * self.hints
        return max(POINTS["least"], POINTS["start"] - lost - POINTS["wrong"] * wrong)

    @property
    def verdict(self) -> str:
        """What was said to the last answer; "" before there is one."""
        return str(self.found["verdicts"][-1]["words"]) if self.tried else ""

    def _told(self) -> dict[str, Any]:
        """Return what has been asked for, and nothing else."""
        return {
            "measured": measurement(self._puzzle) if self.measured else None,
            "hints": list(self._puzzle.mistake.hints[: self.hints]),
            "verdicts": [verdict(self._puzzle, find(each)) for each in self.tried],
            "solution": solution(self._puzzle) if self._over else None,
        }

    # -- refusals ----------------------------------------------------------------

    @traitlets.validate("level")
    def _check_level(self, proposal: Any) -> str:
        level = proposal["value"]
        if not isinstance(level, str) or level not in LEVELS:
            raise InvalidValueError(
                "There is no such level.",
                given=f"level = {level!r}",
                expected=" or ".join(map(repr, LEVELS)),
            )
        return level

    @traitlets.validate("round")
    def _check_round(self, proposal: Any) -> int:
        number = int(proposal["value"])
        if number < 1:
            raise InvalidValueError(
                "There is no such round.", given=f"round = {number}", expected="1 or more"
            )
        return number

    @traitlets.validate("answer")
    def _check_answer(self, proposal: Any) -> str:
        answer = str(proposal["value"])
        if self._starting:
            return answer
        offered = [each["id"] for each in self.scene["choices"]]
        if answer not in offered:
            raise InvalidValueError(
                "This answer is not among the choices.",
                given=f"answer = {answer!r}",
                expected=f"one of {', '.join(offered)}",
            )
        if self._over and answer not in self.tried:
            raise InvalidValueError(
                "This round is over.", given=f"answer = {answer!r}", instead="round += 1"
            )
        return answer

    @traitlets.validate("measured", "given_up")
    def _check_asked(self, proposal: Any) -> bool:
        name, value = proposal["trait"].name, bool(proposal["value"])
        if not self._starting and getattr(self, name) and not value:
            raise InvalidValueError(
                "What has been told cannot be taken back in this round.",
                given=f"{name} = False",
                instead="round += 1",
            )
        return value

    @traitlets.validate("hints")
    def _check_hints(self, proposal: Any) -> int:
        hints = int(proposal["value"])
        least = 0 if self._starting else self.hints
        if not least <= hints <= HINTS:
            raise InvalidValueError(
                "There is no such hint.",
                given=f"hints = {hints}",
                expected=f"from {least}, as many as have been told, to {HINTS}",
            )
        return hints

    # -- the same in words, on paper, on a page ------------------------------------

    def describe(self) -> str:
        """Return the text twin: what is seen, what has been told, and the answer once it is."""
        head = f"Find the bug, level {self.level}, round {self.round}: one mistake is in this pass."
        lines = [head, *describe_round(self._puzzle, self.scene, measured=self.measured)]
        lines += [f"Hint {k}: {text}" for k, text in enumerate(self.found["hints"], start=1)]
        lines += [each["words"] for each in self.found["verdicts"]]
        if solved := self.found["solution"]:
            lines += [f"It is: {solved['title']}.", solved["explanation"], solved["first"]]
            if solved["equation"]:
                lines.append(f"It breaks equation [{solved['equation']['tag']}].")
        return "\n".join([*lines, self._points_in_words()])

    def _points_in_words(self) -> str:
        now = "over" if self._over else f"worth {self.worth} points"
        return f"This round is {now}; the score is {self.score}."

    def draw(
        self, *, theme: Literal["light", "dark"] = "light", step: int | None = None
    ) -> Drawing:
        """Return the round as a matplotlib figure, at the shown epoch or at another one.

        Raises
        ------
        InvalidValueError
            If there is no such theme.
        """
        patch = self.scene["frames"][self.step if step is None else step]["patch"]
        charts = [patched(self.scene[name], patch) for name in ("loss", "flow")]
        told = self.found["measured"]
        gradients = told["picture"] if told else self.scene["gradients"]
        return draw_pictures([charts, [gradients]], alt=self._alt(), theme=theme)

    def _alt(self) -> str:
        words = self.scene["frames"][self.last_step]["words"]
        return f"A backward pass with a mistake, round {self.round}. {words}"

    def still(self) -> Drawing:
        """Return the round as it is shown."""
        return self.draw()

    def heading(self) -> str:
        """Return what a page of its own is called."""
        return "Find the bug in this backward pass"

    def _own_state(self) -> dict[str, Any]:
        return super()._own_state() | {"sealed": self._seal()}

    def _seal(self) -> dict[str, str]:
        """Return what a page may tell later, scrambled: no secret, but not to be read by chance."""
        told = {
            "measured": measurement(self._puzzle),
            "hints": list(self._puzzle.mistake.hints),
            "verdicts": {
                each["id"]: verdict(self._puzzle, find(each["id"]))
                for each in self.scene["choices"]
            },
            "solution": solution(self._puzzle),
        }
        key = hashlib.sha256(f"{self._seed} {self.round}".encode()).digest()
        text = json.dumps(told).encode()
        mixed = bytes(a ^ b for a, b in zip(text, itertools.cycle(key), strict=False))
        return {"key": base64.b64encode(key).decode(), "text": base64.b64encode(mixed).decode()}

    def __repr__(self) -> str:
        return (
            f"FindTheBug({self.level!r}, seed={self._seed}, round {self.round}, "
            f"{self.score} points)"
        )


def _checked_seed(seed: int) -> int:
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise InvalidValueError(
            "seed does not start a random generator.",
            given=f"seed = {seed!r}",
            expected="an integer that is not negative",
        )
    return seed
