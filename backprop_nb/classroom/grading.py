"""A class of submissions, from a folder to results, feedback and a summary."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from backprop_nb.classroom.assignment import options_in
from backprop_nb.classroom.attempts import HandedIn, several_meant
from backprop_nb.classroom.formats import FORMATS, formatted
from backprop_nb.classroom.gather import gathered
from backprop_nb.classroom.gradebook import COLUMN, FULL, files_for
from backprop_nb.classroom.owners import ONE
from backprop_nb.classroom.page import summary_page
from backprop_nb.classroom.results import ResultStore, as_json, seed_of
from backprop_nb.classroom.roster import read_roster
from backprop_nb.classroom.running import run
from backprop_nb.classroom.sheet import check_points, sheet
from backprop_nb.classroom.submissions import Submission, read
from backprop_nb.classroom.summary import as_csv, in_numbers, summarise
from backprop_nb.classroom.verdict import examine, make_settings
from backprop_nb.display import progress_bar
from backprop_nb.errors import InvalidValueError
from backprop_nb.files import write
from backprop_nb.meant import one_of


@dataclass(frozen=True)
class Graded:
    """What came of grading a class.

    Attributes
    ----------
    summary : dict
        As in ``summary.json``.
    folder : Path
        Where everything lies.
    new, kept : int
        So many were graded now, and so many before.
    lost : dict
        For each submission without a result, why there is none.
    """

    summary: dict[str, Any]
    folder: Path
    new: int
    kept: int
    lost: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        kept = f", {self.kept} unchanged since the last run" if self.kept else ""
        lines = [f"Graded: {self.new}{kept}."]
        if numbers := in_numbers(self.summary):
            lines.append(f"{numbers}.")
        lines += self.summary["sentences"]
        if by_hand := sum(each["count"] for each in self.summary["by_hand"]):
            lines.append(f"To be looked at by hand: {by_hand}.")
            lines += [f"  {each['count']}: {each['why']}" for each in self.summary["by_hand"]]
        if left_out := self.summary["left_out"]:
            lines.append(f"Files that were not looked at: {sum(e['count'] for e in left_out)}.")
            lines += [f"  {each['count']}: {each['why']}" for each in left_out]
        if self.lost:
            lines.append(f"Not graded: {len(self.lost)}. The same command again tries them again.")
            lines += [f"  {name!a}: {why}" for name, why in self.lost.items()]
        lines.append(f"See {self.folder / 'summary.html'}, feedback/ and grades/ beside it.")
        return "\n".join(lines)


def grade(
    submissions: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    workers: int | None = None,
    scheduler: str | None = None,
    pattern: str = "*",
    attempts: str = "newest",
    layout: str | None = None,
    roster: str | os.PathLike[str] | None = None,
    points: float | None = None,
    column: str = COLUMN,
    course: str | os.PathLike[str] | None = None,
    with_names: bool = False,
    force: bool = False,
    progress: bool = True,
    **settings: Any,
) -> Graded:
    r"""Grade every submission in a folder, each in a process of its own.

    Results are written as they arrive, so an interrupt loses nothing: the same call
    again grades only what is missing or has changed.

    Parameters
    ----------
    submissions
        A folder, or a zip, as Moodle, Canvas, Blackboard or nbgrader deliver it; otherwise
        with a folder for each student, or a ``.py`` or ``.ipynb`` file.  Or one file.
    out
        The folder for ``summary.html``, ``.json`` and ``.csv``, and for ``grades/``,
        ``feedback/`` and ``results/``; it is made if it is not there.
    workers
        How many at the same time; None takes the processors of this machine.
    scheduler
        The address of an existing Dask cluster; None starts one on this machine, and
        ``"threads"`` does without.
    pattern
        Only submissions whose path in the folder matches, as ``"*/backprop.ipynb"``.
    attempts
        Which of several of a student's counts: ``"newest"``, ``"first"``, ``"best"``, or
        ``"all"``, where files that are called alike are not of one student.
        :mod:`backprop_nb.classroom.gather` says how they are told.
    layout
        ``"moodle"``, ``"canvas"``, ``"blackboard"``, ``"folders"`` (one for each student),
        ``"files"`` (each a student's) or ``"one"`` (all of it one student's); None sees it
        from the names.
    roster
        A CSV with a line for each student, such as Moodle's grading worksheet, or the gradebook
        of Canvas or Blackboard: it comes back with the points filled in.
    points
        What full marks are, in the tables for platforms (100).
    column
        What the column for the points is called in a gradebook of Canvas or Blackboard.
    course
        A ``.py`` or ``.ipynb`` file, such as the assignment: what its call of
        :func:`~backprop_nb.check_backward` says holds here, too.
    with_names
        Whether the summary says whose is whose.
    force
        Whether to grade what has not changed, too.
    progress
        Whether to show a bar, if there is a terminal.
    **settings
        All options of :func:`~backprop_nb.check_backward` but its ``seconds``, of which ``seed``
        is one of the class unless it is given, made from all that is handed in; ``function``,
        the name to look for (``"backward"``); for each statement, and for the function,
        ``timeout`` in seconds of the processor (10; on the clock three times as many); for each
        submission ``memory`` in megabytes (1024);
        ``own_work``, whether a gradient that a library or differences have computed is worth
        nothing (it is noted in any case).

    Returns
    -------
    Graded

    Raises
    ------
    NotFoundError
        No folder, no submission in it, no cluster at the address, no such call in ``course``.
    InvalidValueError
        An option that cannot be; ``out`` is no folder to write in, or another run uses it.
    UnsupportedError
        Dask is asked for and not installed; no option has such a name; this is Windows.

    Notes
    -----
    What a process protects from, and what needs a container, is said in
    :mod:`backprop_nb.classroom`.  A script that calls this needs the customary
    ``if __name__ == "__main__":``, since Dask starts processes that import it.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "ada.py").write_text("def backwards(A, b, x, y): ...")
    >>> graded = grade(folder, folder / "out", scheduler="threads", progress=False)
    >>> graded.new, graded.summary["right"]
    (1, 0)
    >>> print((folder / "out/feedback/ada.py.txt").read_text().splitlines()[-1])
    It does not define `backward`. It defines backwards. Rename backwards to `backward`.
    """
    said = {} if course is None else options_in(course)
    chosen = make_settings(**said | settings)
    if workers is not None and workers < 1:
        raise InvalidValueError("`workers` must be at least 1.", given=f"workers={workers}")
    check_points(points)
    listed = None if roster is None else read_roster(Path(roster))
    folder = Path(out)
    whole = gathered(
        submissions,
        function=chosen.function,
        pattern=pattern,
        attempts=attempts,
        layout=layout,
        apart=folder,
    )
    with whole as handed_in:
        found = [_read(each) for each in handed_in.submissions]
        store = ResultStore(folder, chosen)
        with store.locked():
            if "seed" not in settings:
                chosen = store.settings = chosen.with_seed(store.seed(found))
            loaded = {} if force else {n: store.load(each) for n, each in enumerate(found)}
            done = {number: result for number, result in loaded.items() if result is not None}
            missing = {number: each for number, each in enumerate(found) if number not in done}
            kept = len(done)
            lost: dict[str, str] = {}
            arriving = closing(run(missing, chosen, workers, scheduler))
            with _bar(len(found), kept, progress) as advance, arriving as results:
                for number, result in results:
                    if isinstance(result, str):
                        lost[found[number].name] = result
                    else:
                        done[number] = store.save(found[number], result)
                    advance()
            counting, lines = sheet(
                handed_in, [*done.values()], lost, listed, points or FULL, chosen.course, folder
            )
            summary = summarise(
                counting,
                chosen,
                with_names,
                len(lost),
                points,
                handed_in.left_out,
                {str(each.student): each.look for each in lines if each.look},
                len({each.student for each in handed_in.submissions} | {*handed_in.without}),
            )
            write_summary(summary, folder)
            for name, data in files_for(lines, f"{points or FULL:g}", listed, column):
                write(folder / "grades" / name, data)
            store.forget_others(found)
    return Graded(summary, folder, len(done) - kept, kept, lost)


@contextmanager
def _bar(total: int, kept: int, progress: bool) -> Iterator[Callable[[], object]]:
    """Give what advances a bar, if there is a terminal or a notebook to show one."""
    is_seen = (sys.stderr is not None and sys.stderr.isatty()) or "ipykernel" in sys.modules
    if not (progress and is_seen):
        yield lambda: None
        return
    with progress_bar(total, initial=kept, unit="submission") as bar:
        yield bar.update


def grade_one(
    path: str | os.PathLike[str],
    *,
    format: str = "text",
    points: float | None = None,
    attempts: str = "newest",
    course: str | os.PathLike[str] | None = None,
    **settings: Any,
) -> str:
    r"""Grade what one student has handed in, for a system that runs a grader for each.

    Parameters
    ----------
    path
        A ``.py`` or ``.ipynb`` file, with what lies beside it; or a folder or zip that is all
        one student's.
    format
        ``"text"``, ``"gradescope"``, ``"prairielearn"``, ``"coderunner"``,
        ``"coderunner-test"``, ``"vpl"`` or ``"junit"``.
    points
        What full marks are.
    attempts, course, **settings
        As in :func:`grade`.

    Returns
    -------
    str
        What the system reads; also of what cannot be graded.

    Raises
    ------
    NotFoundError
        There is nothing there, or no such call in ``course``.
    InvalidValueError, UnsupportedError
        An option that cannot be, or that does not exist; this is Windows.
    OSError
        There is no room for a process, which says nothing on the submission.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> file = Path(tempfile.mkdtemp(), "ada.py")
    >>> _ = file.write_text("def backwards(A, b, x, y): ...")
    >>> print(grade_one(file, format="vpl", points=6).splitlines()[-1])
    Grade :=>>0.00
    """
    one_of("format", format, FORMATS)
    check_points(points)
    said = {} if course is None else options_in(course)
    chosen = make_settings(**said | settings)
    layout = None if Path(path).is_file() and Path(path).suffix.lower() != ".zip" else ONE
    with gathered(path, function=chosen.function, attempts=attempts, layout=layout) as handed_in:
        found = [_read(each) for each in handed_in.submissions]
        if not found:
            why = " ".join(handed_in.without.values())
            found = [Submission("", "", problem=why)]
        if "seed" not in settings:
            chosen = chosen.with_seed(seed_of(found))
        results = [(each.name, examine(each, chosen)) for each in found]
    name, best = max(results, key=lambda each: each[1]["score"])
    others = [other for other, _ in results if other != name]
    if unsure := several_meant(name, others) if others else handed_in.unsure.get(name):
        best = {**best, "text": f"{unsure}\n\n{best['text']}"}
    return formatted(best, format, points)


def _read(handed_in: HandedIn) -> Submission:
    """Read a submission; what lies beside it changes what it is."""
    one = read(handed_in.file, handed_in.root)
    beside = tuple((name, str(path.absolute())) for name, path in handed_in.beside)
    digest = f"{one.digest}{handed_in.digest()}"
    return replace(one, name=handed_in.name, digest=digest, place=handed_in.place, beside=beside)


def write_summary(summary: Mapping[str, Any], folder: Path) -> None:
    """Write a summary as JSON, as a table and as a page."""
    write(folder / "summary.json", as_json(summary))
    write(folder / "summary.csv", as_csv(summary))
    write(folder / "summary.html", summary_page(summary))
