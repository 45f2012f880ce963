"""Parameters in a file: NumPy's ``.npz``, without pickle, so that opening one runs nothing."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from backprop_nb.errors import InvalidValueError
from backprop_nb.files import with_ending, written_whole
from backprop_nb.network.validation import FloatArray

_FORMAT = "backprop_nb network 1"


def write_parameters(
    path: str | os.PathLike[str],
    A: Sequence[FloatArray],
    b: Sequence[FloatArray],
    about: dict[str, str],
) -> Path:
    """Write the parameters and what else makes the network, all or nothing; return the path.

    ``.npz`` is added unless it is there.  An interrupted write leaves the old file.
    """
    path = with_ending(path, ".npz")
    arrays: dict[str, Any] = {"format": np.array(_FORMAT)}
    arrays |= {f"about_{key}": np.array(text) for key, text in about.items()}
    arrays |= {f"A{i}": A_i for i, A_i in enumerate(A)}
    arrays |= {f"b{i}": b_i for i, b_i in enumerate(b)}
    with written_whole(path) as stream:
        np.savez(stream, **arrays)
    return path


def read_parameters(
    path: str | os.PathLike[str],
) -> tuple[list[FloatArray], list[FloatArray], dict[str, str]]:
    """Return what :func:`write_parameters` was given, or raise if it did not write the file."""
    path = path if Path(path).exists() else with_ending(path, ".npz")
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        if str(arrays["format"]) != _FORMAT:
            raise KeyError("format")
        A, b = (
            [arrays[f"{letter}{i}"] for i in range(sum(n[0] == letter for n in arrays))]
            for letter in "Ab"
        )
    except (KeyError, TypeError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise InvalidValueError(
            "This file does not hold a network.",
            given=os.fspath(path),
            expected="a file that net.save(path) has written",
        ) from error
    about = {name[6:]: str(text) for name, text in arrays.items() if name.startswith("about_")}
    return A, b, about
