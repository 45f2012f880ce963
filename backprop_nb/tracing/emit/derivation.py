"""The derivation as LaTeX: one aligned line for each step forward and back."""

from __future__ import annotations

from collections.abc import Iterator

from backprop_nb.tracing.emit.notation import LATEX
from backprop_nb.tracing.emit.program import Program
from backprop_nb.tracing.emit.statements import Printer
from backprop_nb.tracing.graph import Trace


def to_latex(trace: Trace) -> str:
    """Return the derivation of every gradient; see :meth:`Graph.to_latex`."""
    program = Program(trace)
    names = {each: LATEX.name(name) for each, name in program.names.items()}
    for each, node in program.adjoint_of.items():
        if each in names:
            names[each] = LATEX.adjoint(trace.output.name, node)
    printer = Printer(program, names, LATEX)
    lines = [f"{s.name} &= {s.text}" for s in (*printer.forward, *printer.backward)]
    lines += _other_gradients(program, printer)
    return "\n".join([r"\begin{aligned}", " \\\\\n".join(lines), r"\end{aligned}"])


def _other_gradients(program: Program, printer: Printer) -> Iterator[str]:
    """Yield the gradients that are equal to something which has a line already."""
    trace = program.trace
    for node, gradient in zip(trace.inputs, program.gradients, strict=True):
        if gradient is None or program.adjoint_of.get(gradient) is not node:
            text = "0" if gradient is None else printer.text(gradient)
            yield f"{LATEX.adjoint(trace.output.name, node)} &= {text}"
