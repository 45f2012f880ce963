"""What a user calls: ``trace`` and the graph that it returns.

Everything below computes; here stands what can be asked of a graph.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from backprop_nb import display
from backprop_nb.errors import BackpropError, learners_lines
from backprop_nb.tracing import calling
from backprop_nb.tracing.backward import Backward
from backprop_nb.tracing.collector import young_only
from backprop_nb.tracing.evaluate import evaluate, refuse_keywords
from backprop_nb.tracing.graph import Trace
from backprop_nb.tracing.tracer import record

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from backprop_nb.tracing.emit.diagram import Direction


class Graph(Trace):
    """A computation that has been traced once, with all that can be asked of it.

    Made by :func:`backprop_nb.trace`.  Its data are those of
    :class:`~backprop_nb.tracing.graph.Trace`: ``nodes``, ``inputs``, ``output``,
    ``value`` and ``node(name)``.
    """

    def backward(self, seed: Any = None) -> Backward:
        """Run the chain rule from the output back to every input.

        Parameters
        ----------
        seed
            The adjoint of the output, of its shape.  Without one the output
            must be a single number, and the seed is 1.

        Returns
        -------
        Backward
            Adjoints, gradients and the replayable steps.  Calling it twice
            gives the same numbers; nothing accumulates in the graph.

        Raises
        ------
        ShapeError
            If the output is not a number and no seed is given, or the seed has
            another shape.

        Examples
        --------
        >>> import backprop_nb as bp
        >>> bp.trace(lambda x: x**2 + x, 3.0).backward().gradients
        (np.float64(7.0),)
        """
        return Backward(self, seed)

    def to_numpy(self) -> str:
        """Return Python source that runs with NumPy alone.

        Its last function takes the arguments of the traced function and returns
        ``(value, gradients)``, one gradient per argument.  Names are the
        learner's; the gradient with respect to ``z1`` is ``d_z1`` (and ``d_z1_``
        where that is a name of the learner's).  Masks and
        indices are computed anew, as the learner wrote them.  Where Python took a
        decision, such as ``if np.sum(x) > 0``, the program checks that it falls out
        the same, and raises ValueError with the line if not.  A captured array of more than
        10,000 entries is not printed: before the program runs, it must be there under its
        name, and a comment says how; another one raises NameError.  Captured indices and
        masks, and arguments that are not traced, are printed whole, however long.

        Raises
        ------
        ShapeError
            If the output is not a single number.
        UnsupportedError
            If it calls a function with a rule of your own that has no source text.

        Examples
        --------
        >>> import backprop_nb as bp
        >>> print(bp.trace(lambda x: x**2 * 3.0, 2.0).to_numpy())
        import numpy as np
        <BLANKLINE>
        <BLANKLINE>
        def f_and_gradient(x):
            x = np.float64(x)
            # forward
            v2 = x ** 2 * 3.0
            # back through v2 = x ** 2 * 3.0
            d_x = 6.0 * x
            return v2, (d_x,)
        <BLANKLINE>
        """
        from backprop_nb.tracing.emit.numpy_code import to_numpy

        with young_only():
            return to_numpy(self)

    def to_latex(self) -> str:
        r"""Return the derivation in LaTeX, one aligned line a step.

        Each line is also accepted by matplotlib's mathtext, without the ``&``.

        Raises
        ------
        ShapeError
            If the output is not a single number.

        Examples
        --------
        >>> import backprop_nb as bp
        >>> print(bp.trace(lambda x: x**2, 3.0).to_latex())
        \begin{aligned}
        v_{1} &= x^{2} \\
        \frac{\partial v_{1}}{\partial x} &= 2 \, x
        \end{aligned}
        """
        from backprop_nb.tracing.emit.derivation import to_latex

        with young_only():
            return to_latex(self)

    def to_tikz(
        self,
        *,
        values: bool = True,
        adjoints: bool | None = None,
        direction: Direction = "right",
        standalone: bool = False,
    ) -> str:
        r"""Return the graph as a ``tikzpicture`` for lecture notes and for slides in beamer.

        Each node says its formula, its value and, in violet, the derivative of the output
        by it.  Of an array with more than 3 × 4 entries the shape is told.  The preamble needs
        ``\usepackage{amsmath,tikz}`` and ``\usetikzlibrary{arrows.meta}``; the styles at the
        head of the picture are there to be changed.  A picture that is too wide fits with
        ``\resizebox{\textwidth}{!}{…}`` around it, or with ``direction="down"``.

        Parameters
        ----------
        values
            Whether the nodes say their values.
        adjoints
            Whether they say the derivatives; by default where the output is a single number.
        direction
            Where the computation goes, ``"right"`` or ``"down"``.
        standalone
            Whether it is a document of its own, of the class ``standalone``.

        Raises
        ------
        InvalidValueError
            For another direction, and for more than 150 nodes, which no page has room for.
        ShapeError
            If ``adjoints`` is True and the output is not a single number.

        Examples
        --------
        >>> import backprop_nb as bp
        >>> print(bp.trace(lambda x: x**2, 3.0).to_tikz(adjoints=False))
        % Needs \usepackage{amsmath,tikz} and \usetikzlibrary{arrows.meta}.
        \begin{tikzpicture}[
        ...
          \node[input] (n0) {$x = 3$}; \& \node[output] (n1) {$v_{1} = x^{2}$ \\ $= 9$}; \\
        };
        \draw[flow] (n0.east) -- (n1.west);
        \end{tikzpicture}
        <BLANKLINE>
        """
        from backprop_nb.tracing.emit.tikz import to_tikz

        return to_tikz(self, values, adjoints, direction, standalone)

    def to_mermaid(
        self,
        *,
        values: bool = True,
        adjoints: bool | None = None,
        direction: Direction = "right",
    ) -> str:
        """Return the graph as a flowchart of Mermaid, which GitHub and MyST draw by themselves.

        Each node says its formula, its value and the derivative of the output by it; of an
        array with more than 3 × 4 entries the shape is told.  Nodes that a function of the
        learner's computes stand in a frame with its name.

        Options and errors are those of :meth:`to_tikz`; there may be any number of nodes.

        Warns
        -----
        BackpropWarning
            If the graph is larger than what Mermaid draws by itself, 500 edges.

        Examples
        --------
        >>> import backprop_nb as bp
        >>> print(bp.trace(lambda x: x + 1, 3.0).to_mermaid())
        flowchart LR
          n0["x = 3<br/>∂v1/∂x = 1"]:::input
          n1["v1 = x + 1<br/>= 4<br/>∂v1/∂v1 = 1"]:::output
          ...
          n0 --> n1
        <BLANKLINE>
        """
        from backprop_nb.tracing.emit.mermaid import to_mermaid

        return to_mermaid(self, values, adjoints, direction)

    def to_dot(
        self,
        *,
        values: bool = True,
        adjoints: bool | None = None,
        direction: Direction = "right",
    ) -> str:
        r"""Return the graph in DOT, the language of Graphviz, which draws it at any size.

        Each node says its formula, its value and the derivative of the output by it; of an
        array with more than 3 × 4 entries the shape is told.  Nodes that a function of the
        learner's computes stand in a frame with its name.

        Options and errors are those of :meth:`to_tikz`; there may be any number of nodes.

        Examples
        --------
        >>> import backprop_nb as bp
        >>> print(bp.trace(lambda x: x**2, 3.0).to_dot(adjoints=False))
        digraph "<lambda>" {
          rankdir=LR
          ...
          n1 [label="v1 = x ** 2\n= 9" penwidth=2]
          n0 -> n1
        }
        <BLANKLINE>
        """
        from backprop_nb.tracing.emit.dot import to_dot

        return to_dot(self, values, adjoints, direction)

    def evaluate(self, *args: Any, **options: Any) -> Any:
        """Return the value of the same function on new arguments of the same shapes.

        Masks, indices and comparisons are computed anew.  The function itself runs again
        where Python decides otherwise than in the trace, where it draws random numbers, and
        for arrays of another float type, or that lie otherwise in memory and are written to.

        Raises
        ------
        ShapeError
            If the arguments do not have the structure and shapes of the trace.
        UnsupportedError
            If an argument stands by its name, or is not made of real numbers.

        Examples
        --------
        >>> import backprop_nb as bp
        >>> bp.trace(lambda x, y: x * y, 2.0, 3.0).evaluate(4.0, 5.0)
        np.float64(20.0)
        """
        refuse_keywords(self, options, "graph.evaluate")
        return evaluate(self, args)

    def compile(self, xp: ModuleType = np) -> Callable[..., tuple[Any, tuple[Any, ...]]]:
        """Return a fast function ``(*args) -> (value, gradients)``.

        It runs the program of :meth:`to_numpy`, with one gradient per argument.
        Python's numbers, integers and lists become what they are in the trace.  It is
        right on any arguments: for other shapes, types, flags or structures, or where Python
        decides otherwise, the function is traced once more, and that path is kept.

        The function runs twice more to see whether it is the same each time.  One that
        draws random numbers, counts its calls, reads a clock, or computes with text made
        of a value (not only to ``print`` it) is traced at every call, with a warning.
        Arrays that it captures are those of the trace.

        Parameters
        ----------
        xp
            The library that computes: NumPy, or one that follows NumPy or the Array API,
            such as ``jax.numpy``, ``cupy``, ``dask.array`` or ``array_api_compat.torch``.
            The arguments may be its arrays; value and gradients are.  Captured arrays are
            converted once.  What a program of another library writes in place, NumPy's
            own way, is written in the library's way.  JAX computes in float64 only after
            ``jax.config.update("jax_enable_x64", True)``, and ``jax.jit`` takes the function
            if no decision of Python depends on the arguments.  Of Dask's arrays the matrices of
            linear algebra, and rows to be sorted, are gathered into one block.  Eigenvectors and
            singular vectors may come out with the opposite sign, value and gradients alike.

        Raises
        ------
        ShapeError
            If the output is not a single number.
        UnsupportedError
            If the library lacks a function of the program, which is named; if the function
            draws random numbers and is to run elsewhere than in NumPy.

        Examples
        --------
        >>> import backprop_nb as bp
        >>> f = bp.trace(lambda x: x**2, 3.0).compile()
        >>> f(5.0)
        (np.float64(25.0), (np.float64(10.0),))
        """
        from backprop_nb.tracing.compiled import compiled

        with young_only():
            return compiled(self, xp)

    @display.words
    def describe(self) -> str:
        """Return the text twin of the picture: every node with its value, in order."""
        with young_only():
            return display.describe(self)

    def draw(self, **options: Any) -> Figure:
        """Return the computation graph as a matplotlib figure; see ``draw_graph``."""
        with young_only():
            figure: Figure = display.draw(self, **options)
        return figure

    def explore(self, **options: Any) -> Any:
        """Return the interactive view, a ``GraphExplorer``; see there for the options."""
        with young_only():
            return display.explore(self, **options)

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        # A graph left as a cell's last line shows itself.
        return display.mimebundle(self, **kwargs)


def trace(f: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Graph:
    """Run ``f`` once on the given arguments and return its computation graph.

    Parameters
    ----------
    f
        A function written in plain NumPy that returns one number or one array.
    *args
        Its arguments: numbers, arrays, or lists, tuples and dicts of them.
        Integers count as floats; float32 stays float32.  Arrays are copied, so
        later changes do not reach the trace.
    **kwargs
        Floats and float arrays among them are traced; everything else (axes,
        counts, names, flags) is passed on as it is.

    Returns
    -------
    Graph
        One node per input, per captured array and per NumPy call.

    Notes
    -----
    Assignment in place follows NumPy, aliases included, on traced arrays and on arrays of
    floats that are made in ``f``: ``out = np.zeros(3)``, then ``out[i] = …``.  For that
    ``np.zeros``, ``np.array`` and their kin are replaced in the module ``numpy`` while
    ``f`` runs; only calls from the learner's own code in this thread see the difference,
    and each costs about a microsecond more.  So are the ufuncs, which take lists of traced
    values then and cost about a third of a microsecond more.  An array imported or made
    elsewhere stays plain: what is assigned to it is refused at its line.  What one
    assignment filled is read as such; where several entries are read at a time between
    assignments, as in ``out[i] = np.sum(out[:i])``, each round keeps the array as it then
    is: n² numbers for n rounds.  A list of values, and ``np.stack`` of it, keeps n.

    Raises
    ------
    UnsupportedError
        If ``f`` calls a function without a rule, at the line of the call, or if
        an argument or the result is not made of real numbers.
    DetachedError, InPlaceError, ShapeError
        If ``f`` leaves NumPy, writes a traced value where the trace cannot follow, or
        shapes do not fit.

    Examples
    --------
    >>> import numpy as np
    >>> import backprop_nb as bp
    >>> def f(x):
    ...     u = x**2
    ...     v = u + np.exp(u)
    ...     return np.sqrt(v) + np.cos(v)
    >>> graph = bp.trace(f, 1.0)
    >>> print(f"{graph.value:.4f}")
    1.0900
    >>> print(f"{graph.backward().gradients[0]:.4f}")
    5.9831
    """
    try:
        calling.check_objects(f, args)
        return record(f, args, kwargs, Graph)
    except Exception as error:
        _shorten(error)
        raise


def _shorten(error: Exception) -> None:
    """Let the traceback go from the call to the learner's line, without the tracer in between.

    That of a typo, too, which looks as it would without the tracer.
    """
    short = learners_lines(error)
    if isinstance(error, BackpropError):
        error.__cause__, error.__suppress_context__ = None, True
    if isinstance(error, BackpropError) or short is not None:
        error.__traceback__ = short
