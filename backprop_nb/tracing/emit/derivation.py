"""The derivation as LaTeX: one aligned line for each step forward and back."""

from __future__ import annotations

from collections.abc import Iterator

from backprop_nb.tracing.emit.latex import adjoint_to_latex, name_to_latex, number_to_latex
from backprop_nb.tracing.emit.program import Program
from backprop_nb.tracing.emit.statements import Printer
from backprop_nb.tracing.graph import Trace


def to_latex(graph: Trace) -> str:
    """Return the derivation of every gradient; see :meth:`Graph.to_latex`."""
    program = Program(graph)
    printer = Printer(program, _names(program), "latex", number_to_latex)
    lines = [f"{s.name} &= {s.text}" for s in (*printer.forward, *printer.backward)]
    lines += _other_gradients(program, printer)
    return "\n".join([r"\begin{aligned}", " \\\\\n".join(lines), r"\end{aligned}"])


def _names(program: Program) -> dict[int, str]:
    """Return each name in LaTeX; an adjoint is a derivative of the output."""
    output = program.graph.output.name
    names = {index: name_to_latex(name) for index, name in program.names.items()}
    for index, node in program.adjoint_of.items():
        if index in names:
            names[index] = adjoint_to_latex(output, node.name)
    return names


def _other_gradients(program: Program, printer: Printer) -> Iterator[str]:
    """Yield the gradients that are equal to something which has a line already."""
    graph = program.graph
    for node, gradient in zip(graph.inputs, program.gradients, strict=True):
        known = isinstance(gradient, int) and program.adjoint_of.get(gradient) is node
        if not known:
            text = "0" if gradient is None else printer.text(gradient)
            yield f"{adjoint_to_latex(graph.output.name, node.name)} &= {text}"
