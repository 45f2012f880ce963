"""What a frame of the explorer says, which the scene keeps in parts."""

from typing import Any


def frame_words(scene: dict[str, Any], step: int) -> str:
    """Return the words of a step as a reader hears them."""
    parts = scene["frames"][step]["words"]
    return "".join(p if isinstance(p, str) else scene["tensors"][p]["words"] for p in parts)
