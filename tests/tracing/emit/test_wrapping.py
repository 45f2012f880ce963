"""Long lines break inside of brackets, and mean what they meant."""

import ast
import textwrap

import pytest

from backprop_nb.tracing.emit.wrapping import WIDTH, wrapped

NAMES = ", ".join(f"a_name_{k}" for k in range(40))


@pytest.mark.parametrize(
    "line",
    [
        f"    return loss, ({NAMES})",
        f"    total = {NAMES.replace(',', ' +')}",
        f"    total = f({NAMES}) - g({NAMES.replace(',', ' @')})[0]",
        f"    total = f(g({NAMES}), 'a text, with ( and = in it', x)",
        f"    {NAMES} = map(np.float64, ({NAMES}))",
        f"    {NAMES} = parameters",
        f"    x = np.asarray([{', '.join(['[1.0, -2.0, 1e-07]'] * 20)}], dtype=np.float64)",
        f"    return {{'a, b': {NAMES.replace(',', ' *')}, 'c': [{NAMES}]}}",
        f"x = a[{' + '.join(['-b'] * 60)}, 2:3, None]",
        f"    d_x[:, 0, 2:4] += f(a, {NAMES})",
        f"    d_x[0] -= {NAMES.replace(',', ' *')}",
        f"    np.add.at(d_x, (i, j), f({NAMES}))",
    ],
    ids=[
        "return",
        "sum",
        "calls",
        "nested",
        "map",
        "targets",
        "array",
        "dict",
        "index",
        "added",
        "taken",
        "at",
    ],
)
def test_a_long_line_means_what_it_meant(line):
    text = wrapped(line)
    assert max(map(len, text.splitlines())) <= WIDTH
    body = f"def f():\n    {line.strip()}"
    lines = text.splitlines()
    indented = lines if lines[0].startswith(" ") else [f"    {each}" for each in lines]
    assert ast.dump(ast.parse(body)) == ast.dump(ast.parse("\n".join(["def f():", *indented])))


MASK = "np.asarray([True, True, False, True, True, False, True, True], dtype=np.bool)"


@pytest.mark.parametrize("sign", ["=", "+=", "-="])
@pytest.mark.parametrize("name", ["d_p", "d_the_hidden_layer"])
@pytest.mark.parametrize("place", [MASK, f"{MASK}, 0", f"{MASK}, {MASK}, ::2", "-1, 2, :, 0, None"])
@pytest.mark.parametrize(
    "value",
    [
        "-1 / 6 * c / v6 + 1 / 6 * c2 / v2",
        "f(v5 * np.sin(v2), v4)",
        f"v5[{MASK}]",
        " + ".join(["a * b"] * 20),
    ],
)
def test_a_long_change_in_place_means_what_it_meant(sign, name, place, value):
    line = f"    {name}[{place}] {sign} {value}"
    text = wrapped(line)
    assert max(map(len, text.splitlines())) <= WIDTH
    assert ast.dump(ast.parse(text.strip())) == ast.dump(ast.parse(line.strip()))


def test_an_index_opens_in_its_own_brackets_where_it_leaves_no_room():
    assert wrapped(f"    d_p[{MASK}] += -1 / 6 * c / v").splitlines() == [
        f"    d_p[{MASK}] += (",
        "        -1 / 6 * c / v",
        "    )",
    ]
    assert wrapped(f"    d_the_hidden_layer[{MASK}] += -1 / 6 * c / v").splitlines() == [
        "    d_the_hidden_layer[",
        f"        {MASK}",
        "    ] += -1 / 6 * c / v",
    ]


def test_a_short_line_stays_as_it_is():
    assert wrapped("    x = f(a, b)") == "    x = f(a, b)"


@pytest.mark.parametrize(
    "condition",
    [
        f"not ({NAMES.replace(',', ' +')} > 0)",
        f"not (a_name > 0) and f({NAMES}) and (b)",
        f"f({NAMES}) != (2, 3)",
    ],
)
def test_a_long_condition_means_what_it_meant(condition):
    text = wrapped(f"    if {condition}:")
    assert max(map(len, text.splitlines())) <= WIDTH
    assert ast.dump(ast.parse(f"{text.strip()} pass")) == ast.dump(
        ast.parse(f"if {condition}: pass")
    )


@pytest.mark.parametrize(
    "quoted", ["f(x) + " * 20, """a["b"] + c['d']  + """ * 9, "-f" * 60, "f(a,\tb)  \\n " * 9]
)
def test_a_long_message_is_raised_in_pieces_and_says_the_same(quoted):
    message = f"another decision: out[negative] = {quoted}(line 5)"
    line = f"        raise ValueError({message!r})"
    text = wrapped(line)
    assert ast.dump(ast.parse(text.strip())) == ast.dump(ast.parse(line.strip()))
    assert len(text.splitlines()) > 3
    assert max(map(len, text.splitlines())) <= WIDTH or " " not in quoted


def test_a_long_comment_goes_on_as_a_comment():
    lines = wrapped(f"    # back through {NAMES}").splitlines()
    assert len(lines) > 1
    assert {line[:5] for line in lines} == {"    #"}


def test_a_long_comment_is_broken_between_words_as_textwrap_breaks_it():
    words = ["# back through"] + ["a" * (3 + 7 * k % 60) for k in range(60)]
    line = f"    {' '.join(words)}"
    assert wrapped(line) == textwrap.fill(line, WIDTH, subsequent_indent="    #     ")
    assert wrapped(f"# {'a' * 200} b {'c' * 200}").splitlines() == [
        f"# {'a' * 200}",
        "#     b",
        f"#     {'c' * 200}",
    ]


def test_what_cannot_be_broken_stays():
    line = f"x = '{'a b' * 50}'"
    assert wrapped(line).splitlines()[1].strip() == line.removeprefix("x = ")
