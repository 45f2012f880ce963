"""Frames of something that goes on and on: a few are kept, spread over all of it."""

from __future__ import annotations

import json
from typing import Any, Final

Frame = dict[str, Any]
"""A moment as plain data; ``"epoch"`` says which one."""

MOST: Final = 60
"""So many frames are kept at most."""


class Recording:
    """The frames of a training, thinned as it gets longer, the first and the last among them.

    Whenever there are too many, every second one goes, and from then on only
    half as many are kept.

    Examples
    --------
    >>> recording = Recording(limit=4)
    >>> for epoch in range(10):
    ...     recording.add({"epoch": epoch})
    >>> recording.epochs
    [0, 4, 8, 9]
    """

    def __init__(self, limit: int = MOST) -> None:
        self._limit = limit
        self._stride = 1
        self._kept: list[Frame] = []
        self._last: list[Frame] = []

    @property
    def frames(self) -> list[Frame]:
        """The frames that there are, oldest first."""
        return self._kept + self._last

    @property
    def epochs(self) -> list[int]:
        """Their epochs."""
        return [frame["epoch"] for frame in self.frames]

    def wants(self, epoch: int) -> bool:
        """Return whether a frame of this epoch would be kept for more than a moment."""
        return not self._kept or epoch >= self._kept[-1]["epoch"] + self._stride

    def add(self, frame: Frame) -> None:
        """Add a frame that is later than all before."""
        if not self.wants(frame["epoch"]):
            self._last = [frame]
            return
        self._kept.append(frame)
        self._last = []
        if len(self._kept) >= self._limit:
            self._stride = 2 * max(self._stride, self._kept[1]["epoch"] - self._kept[0]["epoch"])
            self._last = self._kept[-1:] if len(self._kept) % 2 == 0 else []
            self._kept = self._kept[::2]

    def at(self, epoch: int) -> Frame:
        """Return the frame that is nearest to an epoch."""
        return min(self.frames, key=lambda frame: abs(frame["epoch"] - epoch))

    def within(self, characters: int) -> list[Frame]:
        """Return frames that together are at most so long as JSON, spread over all of them."""
        frames = self.frames
        lengths = [len(json.dumps(frame, separators=(",", ":"))) for frame in frames]
        for count in range(len(frames), 2, -1):
            chosen = [round(k * (len(frames) - 1) / (count - 1)) for k in range(count)]
            if sum(lengths[k] for k in chosen) <= characters:
                return [frames[k] for k in chosen]
        return [*frames[:-1][:1], frames[-1]]
