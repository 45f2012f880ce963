"""What is told of a gradient that is wrong: by its values alone, and of its line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from backprop_nb.checking.compare import (
    Array,
    agrees,
    factor_in_words,
    factor_of,
    fault_in_words,
    fault_of,
    which_entries,
    wrong_entries,
)
from backprop_nb.checking.given import GivenGradient
from backprop_nb.checking.lines.blame import Fault
from backprop_nb.checking.matching import INPUTS, TARGETS, Matched
from backprop_nb.checking.report import Checked, Finding, Hints
from backprop_nb.checking.unexplained import loss_in_words
from backprop_nb.errors import in_words
from backprop_nb.tracing import calling, pytree

ORDER = ": the order is that of the arguments."


def mistake_of(factor: float) -> str:
    """Return what a wrong factor alone gives away."""
    if -1 < factor < 0:
        return "step_returned"
    return {-1.0: "sign_flipped", 0.5: "missing_factor_2", 2.0: "extra_factor_2"}.get(
        factor, "not_recognised"
    )


def coarse(wrong: Sequence[Checked], hints: Hints) -> Finding:
    """Say that gradients are as far off as products in TF32 or bfloat16, and how to tell."""
    first = wrong[0].name
    names, verb = in_words([each.name for each in wrong]), "is" if len(wrong) == 1 else "are"
    if hints == "none":
        return Finding("coarse_products", first, 1, f"{names} {verb} wrong.")
    off = max(each.error for each in wrong)
    text = (
        f"{names} {verb} off by {off:.1g} at most, with both signs. So are products of float32 "
        "that a library rounds to TF32 or bfloat16, as JAX does on a GPU and on a TPU: then "
        "the gradient is right to the precision that such products have. To know, compute it "
        'again after jax.config.update("jax_default_matmul_precision", "highest"), or with '
        "torch.backends.cuda.matmul.allow_tf32 = False. What is off then is wrong."
    )
    return Finding("coarse_products", first, 1, text)


def explain(checked: Checked, parameters: Sequence[Checked], hints: Hints) -> Finding:
    """Say what is wrong with one parameter, as far as that shows in its values alone."""
    name, given, expected = checked.name, checked.given, checked.expected
    kind, reason = fault_of(checked)
    right_as = next((each.name for each in parameters if _is_that_of(each, given)), "")
    order = f"would be right as {right_as}{ORDER}"
    if right_as and kind == "wrong_shape":
        reason = f"It {order}"
    text = fault_in_words(checked, kind, reason)
    if given is not None and kind == "not_recognised":
        factor = factor_of(given, expected)
        if right_as:
            text = f"{name} {order}"
        elif factor is None:
            text = which_entries(checked, wrong_entries(given, expected))
        else:
            kind = mistake_of(factor)
            text = f"{name} {factor_in_words(factor)}."
    return Finding(kind, name, 1, f"{name} is wrong." if hints == "none" else text)


def _is_that_of(other: Checked, given: Array | None) -> bool:
    """Whether what was given is the gradient by another parameter, whose own is wrong, too."""
    return given is not None and not other.ok and agrees(given, other.expected)


def is_known(finding: Finding, parameters: Sequence[Checked]) -> bool:
    """Whether a finding says no more than that a gradient is wrong, or than the table does."""
    in_table = {f"{each.name}: {each.remark}." for each in parameters}
    return finding.mistake == "not_recognised" or finding.message in in_table


def fault_sentence(fault: Fault, hints: Hints, several: bool = False) -> str:
    """Say which line is wrong, and what makes it right, as far as the hints allow.

    ``several`` says whether there are other mistakes beside it.
    """
    if hints == "none":
        return ""
    if hints == "vague":
        if fault.is_part:
            return "More than one expression seems to be wrong."
        if several:
            return "Two expressions together explain all that is wrong."
        if not fault.proved:
            return "One line seems to be where it goes wrong first."
        return "One expression explains all that is wrong."
    text = f"Line {fault.line}, {' '.join((fault.source or '').split())}:"
    wrong = "this is where it goes wrong first" if fault.proved else "it seems to go wrong here"
    if hints == "clear":
        return f"{text} {wrong}."
    should = "should be" if fault.proved else "should probably be"
    text += f" {fault.of or 'this'} {should} {fault.quantity}" if fault.quantity else f" {wrong}"
    text += f"; {fault.repair}." if fault.repair else "."
    if fault.is_part:
        return f"{text} More may be wrong: mend it, and check again."
    if not (fault.proved or several):
        return text
    return f"{text} With {'both mended' if several else 'it'}, every gradient is right."


# --- what else deserves to be said -----------------------------------------------


def about_loss(given: GivenGradient, hints: Hints) -> tuple[str, ...]:
    """Say that the loss that is returned beside the gradients is another one, if so."""
    assert isinstance(given.matched, Matched)
    if given.matched.loss is None:
        return ()
    said = float(np.asarray(given.matched.loss))
    words = loss_in_words([said], [given.point.value()], [{}], hints)
    return (words,) if words else ()


def about_data(given: GivenGradient) -> tuple[str, ...]:
    """Say by what the gradients are, if an input without a target was taken for data."""
    assert isinstance(given.matched, Matched)
    data = [given.argument_names[k] for k in given.matched.data]
    if TARGETS.intersection(data) or not INPUTS.intersection(data):
        return ()
    kept = [each for each in given.argument_names if each not in data]
    count = "counts" if len(data) == 1 else "count"
    return (f"These are the gradients by {in_words(kept)}; {in_words(data)} {count} as data.",)


def about_order(given: GivenGradient) -> tuple[str, ...]:
    """Say in which order the gradients came, if shapes alone told which is which."""
    assert isinstance(given.matched, Matched)
    if _has_keys(given.answer):
        return ()
    leaves = given.matched.leaves
    known = {id(leaves[k]): name for k, name in zip(given.point.places, given.names, strict=True)}
    came = [known[id(each)] for each in pytree.flatten(given.answer) if id(each) in known]
    if any(given.matched.spelled) or came == given.names or sorted(came) != sorted(given.names):
        return ()
    came_as = f"The gradients came as {in_words(came)}, in another order than the arguments"
    return (f"{came_as}; their shapes told which is which.",)


def _has_keys(answer: object) -> bool:
    """Whether an answer is a dict or has one in it, whose keys tell which is which."""
    if isinstance(answer, list | tuple):
        return any(_has_keys(each) for each in answer)
    return isinstance(answer, dict)


def or_data(given: GivenGradient, k: int, finding: Finding, others_right: bool) -> Finding:
    """Add to what is said of a missing gradient what to do if its argument is data."""
    if finding.mistake != "missing_gradient" or finding.message[-11:] != "is missing.":
        return finding
    kept = [name for j, name in enumerate(given.argument_names) if j not in given.without()]
    if not kept or len(kept) == len(given.argument_names):
        return finding
    assert isinstance(given.matched, Matched)
    own, everything = ", ".join(kept), ", ".join(given.argument_names)
    name = given.point.names[k]
    is_only = len(kept) == len(given.argument_names) - 1 and not given.matched.misspelt
    alone = is_only and others_right
    found = f"{finding.message[:-1]}, and all others are right."
    advice = (
        f" Return it, too; or if {name} is data, by which nobody differentiates, hand the two "
        f"functions over without it: lambda {own}: {calling.function_name(given.f)}"
        f"({everything})."
    )
    return replace(finding, message=(found if alone else finding.message) + advice)
