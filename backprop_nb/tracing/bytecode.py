"""Which function an instruction calls, read from the bytecode alone.

Code that was made by ``exec``, at a prompt or by ``python -c`` has no source text.  What
``np.zeros(…)`` loads before it calls can be followed through the instructions all the
same; where they branch in between, the answer is that nothing is known.
"""

from __future__ import annotations

import dis
import functools
from collections.abc import Mapping
from types import CodeType

_Label = str | tuple[str, str] | None
"""A name, an attribute of a name, or anything else."""

_NAMES = ("LOAD_GLOBAL", "LOAD_NAME", "LOAD_FAST", "LOAD_DEREF", "LOAD_CLASSDEREF")
_ATTRIBUTES = ("LOAD_ATTR", "LOAD_METHOD")
_CALLS = ("CALL", "CALL_KW")
_LEAVING_THE_TOP = ("POP", "STORE", "RESUME", "NOP", "RETURN", "JUMP")
_OF_THE_CALL = ("PRECALL", "KW_NAMES")  # Python 3.11 counts a call's arguments off here


@functools.lru_cache(maxsize=1024)
def called_attributes(code: CodeType) -> Mapping[int, tuple[str, str]]:
    """Return, by the offsets of each call such as ``np.zeros(3)``, what it calls.

    Where the owner is no name, as in ``f(X).dot(w)``, its place is empty.

    While the call runs, ``f_lasti`` is one of them: it may point behind the instruction,
    into what the interpreter keeps there for itself, or to the ``PRECALL`` before it, which
    calls a method of a class in C.

    >>> code = compile("np.zeros(3) + f(np.ones(2))", "<text>", "eval")
    >>> sorted({*called_attributes(code).values()})
    [('np', 'ones'), ('np', 'zeros')]
    >>> code = compile("f(X).dot(w)", "<text>", "eval")
    >>> {*called_attributes(code).values()}
    {('', 'dot')}
    """
    found: dict[int, tuple[str, str]] = {}
    stack: list[_Label] = []
    instructions = [*dis.get_instructions(code)]
    ends = [each.offset for each in instructions[1:]] + [len(code.co_code)]
    start, before = 0, ""
    for each, end in zip(instructions, ends, strict=True):
        if before != "PRECALL":
            start = each.offset
        before = each.opname
        if each.opname in _CALLS:
            arguments = (each.arg or 0) + (each.opname == "CALL_KW")
            near = stack[len(stack) - arguments - 2 : len(stack) - arguments]
            labels = [label for label in near if isinstance(label, tuple)]
            if len(labels) == 1:
                found |= dict.fromkeys(range(start, end, 2), labels[0])
            del stack[-arguments - 2 :]
            stack.append(None)
        elif each.opname not in _OF_THE_CALL:
            _follow(each, stack)
    return found


def _follow(each: dis.Instruction, stack: list[_Label]) -> None:
    """Do to the labels on the stack what an instruction does to the values."""
    argument = each.arg if each.opcode >= dis.HAVE_ARGUMENT else None
    effect = dis.stack_effect(each.opcode, argument, jump=False)
    if each.opname.startswith(_NAMES) and isinstance(each.argval, str):
        stack += [None] * (effect - 1)  # beside a function that is called stands a NULL
        stack.append(each.argval)
    elif each.opname in _ATTRIBUTES and stack:
        owner = stack[-1]
        stack[-1] = (owner if isinstance(owner, str) else "", each.argval)
        stack += [None] * effect
    else:
        if effect < 0:
            del stack[effect:]
        if stack and effect <= 0 and not each.opname.startswith(_LEAVING_THE_TOP):
            stack[-1] = None
        stack += [None] * effect
