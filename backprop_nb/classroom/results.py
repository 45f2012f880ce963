"""Results on disk: one file a submission, kept from run to run."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path, PurePosixPath
from typing import Any

import backprop_nb
from backprop_nb.classroom.submissions import Submission
from backprop_nb.classroom.verdict import Settings
from backprop_nb.files import written_whole

_FORMAT = 1
"""To be raised when what stands in a result changes."""
_LONGEST = 200


class Results:
    """The results in a folder.

    Parameters
    ----------
    folder : Path
        It is made if it is not there.
    settings : Settings
        A result that was found with others is none.
    """

    def __init__(self, folder: Path, settings: Settings) -> None:
        self.folder, self.settings = folder, settings

    def load(self, submission: Submission) -> dict[str, Any] | None:
        """Return the result of a submission if it is there and still holds."""
        try:
            result = json.loads(self._place(submission).read_bytes())
        except (OSError, ValueError):
            return None
        holds = isinstance(result, dict) and result.get("key") == self._key(submission)
        return result if holds else None

    def save(self, submission: Submission, result: dict[str, Any]) -> dict[str, Any]:
        """Write the result of a submission, with the feedback for who wrote it, and return it."""
        whole = {
            "key": self._key(submission),
            "submission": submission.name,
            "id": identity(submission),
            **result,
        }
        write(self.feedback(submission), f"{submission.name}\n\n{result['text']}\n".encode())
        # Last: a result that is there says that the feedback is, too.
        write(self._place(submission), as_json(whole))
        return whole

    def feedback(self, submission: Submission) -> Path:
        """Return where the feedback on a submission lies."""
        *folders, file = PurePosixPath(submission.name).parts
        return self.folder.joinpath("feedback", *map(_folder_name, folders), _short(file) + ".txt")

    def _place(self, submission: Submission) -> Path:
        name = hashlib.sha256(submission.name.encode()).hexdigest()[:32]
        return self.folder / "results" / f"{name}.json"

    def _key(self, submission: Submission) -> str:
        """Return what changes when the result may: code, settings, version."""
        parts = [
            submission.digest,
            submission.problem,
            self.settings.to_dict(),
            backprop_nb.__version__,
            _FORMAT,
        ]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def identity(submission: Submission) -> str:
    """Return what a submission is called where names are not wanted.

    It is made from path and content: who knows the names alone cannot work it out.
    """
    digest = hashlib.sha256(f"{submission.name}\0{submission.digest}".encode()).hexdigest()
    return f"s{digest[:10]}"  # with a letter first, no spreadsheet takes it for a number


def write(path: Path, data: bytes) -> None:
    """Write a file whole, with the folders that it needs."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(path) as stream:
        stream.write(data)


def as_json(data: dict[str, Any]) -> bytes:
    """Return JSON that is the same for the same data."""
    return (json.dumps(data, ensure_ascii=False, indent=1, allow_nan=False) + "\n").encode()


def _folder_name(part: str) -> str:
    # A folder of the name that some file's feedback will have would be in its way.
    return _short(part) + ("_" if part.endswith(".txt") else "")


def _short(part: str) -> str:
    """Return a name that leaves room for an ending, still one of its own."""
    data = part.encode()
    if len(data) <= _LONGEST:
        return part
    return f"{data[:150].decode(errors='ignore')}-{hashlib.sha256(data).hexdigest()[:16]}"
