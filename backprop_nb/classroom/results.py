"""Results on disk: one file a submission, kept from run to run."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

import backprop_nb
from backprop_nb.classroom.page import feedback_page
from backprop_nb.classroom.submissions import Submission
from backprop_nb.classroom.verdict import GradingSettings
from backprop_nb.errors import InvalidValueError
from backprop_nb.files import write

_FORMAT = 6
"""To be raised when what stands in a result changes."""
_MAX_NAME = 200
_FEEDBACK = (".txt", ".html")


class ResultStore:
    """The results in a folder, found with some settings: one that was found with others is none."""

    def __init__(self, folder: Path, settings: GradingSettings) -> None:
        self.folder, self.settings = folder, settings

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep the folder from other runs; it is made, and free again however this one ends.

        Raises ``InvalidValueError``: it cannot be written in, or another run uses it.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.folder):
                pass
            fd = os.open(self.folder, os.O_RDONLY)
        except OSError as error:
            why = "it is a file" if isinstance(error, FileExistsError) else error.strerror
            raise InvalidValueError(
                f"`out` must be a folder to write in, or one that can be made: {why}.",
                given=f"out={str(self.folder)!r}",
            ) from error
        try:
            _lock(fd, self.folder)
            yield
        finally:
            os.close(fd)

    def seed(self, submissions: Sequence[Submission]) -> int:
        """Return the seed of a class, the same from its first run on.

        It is made from all that was handed in then: nobody can have a table of the right numbers.
        """
        place = self.folder / "results" / "seed"
        with contextlib.suppress(OSError, ValueError):
            return int(place.read_text("ascii"))
        seed = seed_of(submissions)
        write(place, str(seed).encode("ascii"))
        return seed

    def load(self, submission: Submission) -> dict[str, Any] | None:
        """Return the result of a submission if it is there, whole, and still holds."""
        try:
            result = json.loads(self._place(submission).read_bytes())
        except (OSError, ValueError, RecursionError):
            return None
        if not isinstance(result, dict) or result.pop("key", None) != self._key(submission, result):
            return None
        return result if all(path.exists() for path in self.feedback(submission)) else None

    def save(self, submission: Submission, result: dict[str, Any]) -> dict[str, Any]:
        """Write the result of a submission, with the feedback for who wrote it, and return it."""
        text, page = self.feedback(submission)
        name = submission.place or submission.name  # as who wrote it knows it
        write(text, f"{name}\n\n{result['text']}\n".encode())
        write(page, feedback_page(name, result["html"], self.settings.course))
        kept = {
            "submission": submission.name,
            "id": identity(submission),
            "feedback": page.relative_to(self.folder).as_posix(),
            **{name: value for name, value in result.items() if name != "html"},
        }
        # Last: a result that is there says that the feedback has been written, too.
        keyed = {"key": self._key(submission, kept), **kept}
        write(self._place(submission), as_json(keyed, indent=None))
        return kept

    def forget_others(self, submissions: Iterable[Submission]) -> None:
        """Remove the results and the feedback of what is not handed in any more."""
        kept = {self._place(each) for each in submissions}
        for place in self.folder.joinpath("results").glob("*.json"):
            if place in kept:
                continue
            with contextlib.suppress(OSError, ValueError, KeyError, TypeError, RecursionError):
                name = json.loads(place.read_bytes())["submission"]
                gone = Submission(str(name), "")
                if self._place(gone) == place:  # nobody has written another name into it
                    for path in self.feedback(gone):
                        path.unlink(missing_ok=True)
            place.unlink(missing_ok=True)

    def feedback(self, submission: Submission) -> tuple[Path, Path]:
        """Return where the feedback on a submission lies, as text and as a page."""
        *folders, file = PurePosixPath(submission.name).parts
        place = self.folder.joinpath("feedback", *map(_folder_name, folders))
        text, page = (place / (_short(file) + ending) for ending in _FEEDBACK)
        return text, page

    def _place(self, submission: Submission) -> Path:
        name = hashlib.sha256(submission.name.encode()).hexdigest()[:32]
        return self.folder / "results" / f"{name}.json"

    def _key(self, submission: Submission, result: dict[str, Any]) -> str:
        """Return what changes with code, settings and version, and when the result is spoilt."""
        parts = [
            result,
            submission.digest,
            submission.problem,
            self.settings.to_dict(),
            backprop_nb.__version__,
            _FORMAT,
        ]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _lock(fd: int, folder: Path) -> None:
    import fcntl  # not on Windows, where this module can be imported all the same

    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise InvalidValueError(
            "Another run is writing to this folder.",
            given=f"out={str(folder)!r}",
            instead="wait for it, or write to another folder",
        ) from error
    except OSError:  # a file system that has no locks, as some in a network
        return


def seed_of(submissions: Sequence[Submission]) -> int:
    """Return a seed that changes with every byte that was handed in."""
    parts = sorted(f"{each.name}\0{each.digest}" for each in submissions)
    return int(hashlib.sha256("\0".join(parts).encode()).hexdigest()[:8], 16)


def identity(submission: Submission) -> str:
    """Return what a submission is called where names are not wanted.

    It is made from path and content: who knows the names alone cannot work it out.
    """
    digest = hashlib.sha256(f"{submission.name}\0{submission.digest}".encode()).hexdigest()
    return f"s{digest[:10]}"  # with a letter first, no spreadsheet takes it for a number


def as_json(data: Mapping[str, Any], indent: int | None = 1) -> bytes:
    """Return JSON that is the same for the same data; without an indent it takes far less time."""
    return (json.dumps(data, ensure_ascii=False, indent=indent, allow_nan=False) + "\n").encode()


def _folder_name(part: str) -> str:
    # A folder of the name that some file's feedback will have would be in its way.
    return _short(part) + ("_" if part.endswith(_FEEDBACK) else "")


def _short(part: str) -> str:
    """Return a name that leaves room for an ending, still one of its own."""
    data = part.encode()
    if len(data) <= _MAX_NAME:
        return part
    return f"{data[:150].decode(errors='ignore')}-{hashlib.sha256(data).hexdigest()[:16]}"
