"""Frames of something that goes on and on: a few are kept, spread over all of it."""

from __future__ import annotations

from typing import Final

from backprop_nb.views.playground.schema import PlaygroundFrame

MAX_FRAMES: Final = 60


class Recording:
    """The frames of a training, thinned as it gets longer, the first and the last among them.

    Whenever there are too many, every second one goes, and from then on only
    half as many are kept.

    Attributes
    ----------
    frames : list of PlaygroundFrame
        Oldest first.  The last one goes with the next unless it is far enough from the
        one before.

    >>> recording = Recording(limit=4)
    >>> for epoch in range(10):
    ...     recording.add({"epoch": epoch})
    >>> recording.epochs
    [0, 4, 8, 9]
    """

    def __init__(self, limit: int = MAX_FRAMES) -> None:
        self.frames: list[PlaygroundFrame] = []
        self._limit = limit
        self._stride = 1

    @property
    def epochs(self) -> list[int]:
        """The epochs of the frames."""
        return [frame["epoch"] for frame in self.frames]

    def wants(self, epoch: int) -> bool:
        """Return whether a frame of this epoch would stay when the next one comes."""
        kept = self.epochs[:-1] if self._last_is_extra() else self.epochs
        return not kept or epoch - kept[-1] >= self._stride

    def add(self, frame: PlaygroundFrame) -> None:
        """Add a frame that is later than all before."""
        if self._last_is_extra():
            self.frames.pop()
        self.frames.append(frame)
        if len(self.frames) > self._limit:
            first, second, *_ = self.epochs
            self._stride = 2 * max(self._stride, second - first)
            last = self.frames[-1:] if len(self.frames) % 2 == 0 else []
            self.frames = self.frames[::2] + last

    def _last_is_extra(self) -> bool:
        return len(self.frames) > 1 and self.epochs[-1] - self.epochs[-2] < self._stride

    def at(self, epoch: int) -> PlaygroundFrame:
        """Return the frame that is nearest to an epoch."""
        return min(self.frames, key=lambda frame: abs(frame["epoch"] - epoch))
