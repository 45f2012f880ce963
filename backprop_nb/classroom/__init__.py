r"""A class of submissions: each graded in a process of its own, all of them summed up.

The command is ``backprop-nb grade SUBMISSIONS/ --out DIR``, the function :func:`grade`.

**What it writes.**  ``feedback/`` has for each student a text and a page, which can be mailed or
put on a course site: the report at the level of ``--hints``.  ``grades/`` has a line for each
student, in points, and the files that Moodle, Canvas and Blackboard import.  ``summary.html`` is
the class, ``summary.json`` and ``.csv`` are the same for programs, and ``results/`` is what the
next run knows already.  :func:`grade_one` writes what Gradescope and its kin read.

**What is run.** What Jupyter would run: IPython's own transformation finds the Python in a cell,
and in a file that was made from a notebook.  ``%time`` and its kin run what stands behind them,
``%%writefile`` writes into the submission's own folder, ``await`` waits; what is for a shell, for
the screen or in another language is left aside, and ``x = !ls`` is an empty list.  What was
defined counts: an error ends a statement, and so does ``--timeout``; the report names the line, and
the next statement gets its chance.  A statement that ends the process, or stays deaf, is left out
when the submission is run again.

**What a process of its own protects from.** Accidents, and idle tricks.  An endless loop ends
after ``--timeout`` seconds of the processor, mere waiting after three times as many on the clock
(all cells together after four times as many, the first three at full length), and everything that
a submission has started ends with it.  Each of its processes has a limit on
memory, on open files and on the size of a file, and it may have some thirty of them.  A crash,
``sys.exit`` and ``os._exit`` end that process alone.  A submission has no standard input, a folder
of its own that is removed afterwards, none of the grader's environment variables, and nobody reads
what it prints outside of its function.  It sends numbers and nothing else; they are checked, and
judged in the grader's own process, where nothing that it has patched, NumPy or this package, can
reach.

**What it does not protect from.** Malice.  The process belongs to the same user and sees the same
files: it can read them (other submissions too), change them, and use the network.  It can look
into the user's other processes and kill them; those that grade close their memory and environment
while they do (on Linux), and a worker of the cluster that is lost is replaced and its work done
again.  It can fill a disk with many small
files.  It can import this package, or another one that knows derivatives, and let that do the
work: whether that is allowed, a reader must judge.  As root, the system does not limit processes,
and nothing is out of reach.  On macOS memory and processes are not limited either, and one that
leaves its group may be left behind.  Windows has no way to copy a process, so there this refuses
to run.

**What needs a container**, therefore: submissions of people whom you would not give your own
account for a minute.  From the folder of this project, which the image is made of; without a
network, with a limit on everything, and the submissions read-only::

    docker build -t backprop-nb -f - . <<END
    FROM python:3.13-slim
    COPY . /backprop_nb
    RUN pip install --no-cache-dir "/backprop_nb[cluster]"
    END
    mkdir -p graded
    docker run --rm --network none --read-only --tmpfs /tmp:size=2g,mode=1777 \
        --memory 4g --pids-limit 256 --cap-drop ALL --security-opt no-new-privileges \
        --user "$(id -u):$(id -g)" --env HOME=/tmp \
        --volume "$PWD/submissions:/submissions:ro" --volume "$PWD/graded:/graded" \
        backprop-nb backprop-nb grade /submissions --out /graded --workers 2

Even there the submissions share one container, and one that tries hard can change ``graded/`` and
so the results of others.  Whoever fears that gives each its own container.

**Names.** ``results/``, ``feedback/`` and ``grades/`` have them, of course.  The summary does
not, unless asked: it has an id for each, made from path and content.
"""

from typing import TYPE_CHECKING

from backprop_nb.fronts import later

if TYPE_CHECKING:
    from backprop_nb.classroom.grading import Graded, grade, grade_one

__all__ = ["Graded", "grade", "grade_one"]
__getattr__ = later(__name__, {"grading": __all__})
