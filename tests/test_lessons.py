"""A lesson waits for its learner; done from beginning to end, every check in it is content."""

import ast
import copy
import importlib.util
import itertools
import linecache
import re
import symtable
from collections import Counter
from pathlib import Path

import nbformat
import numpy as np
import pytest
from nonempty import nonempty

import backprop_nb as bp
from backprop_nb.data import QUESTIONS
from backprop_nb.network.document import EQUATIONS

FOLDER = Path(__file__).parent.parent / "notebooks"
LESSONS = sorted(FOLDER.glob("[0-9]*.ipynb"))
each_lesson = pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)

FOLDED = re.compile(r"<details>.*?</details>", re.DOTALL)
SOLUTION = re.compile(r"<summary>Solution</summary>\s*```python\n(.*?)```\s*</details>", re.DOTALL)
CHOICE = re.compile(r"`([^`]+)`")
OPEN = re.compile(r"not (answered|written) yet")


def read(path):
    return nbformat.read(path, as_version=4)


def visible(cell):
    """What is read without opening anything."""
    return FOLDED.sub("", cell.source).strip()


def is_open(node):
    """Whether dots wait for the learner, between quotation marks where a text is asked for."""
    constants = [each.value for each in ast.walk(node) if isinstance(each, ast.Constant)]
    return any(each is ... or each == " ... " for each in constants)


def answers_of(cell):
    """The calls in a cell that wait for an answer."""
    if cell.cell_type != "code":
        return []
    calls = [each for each in ast.walk(ast.parse(cell.source)) if isinstance(each, ast.Call)]
    return [
        call for call in calls if getattr(call.func, "id", "") == "check" and len(call.args) == 2
    ]


def frames_of(cell):
    """The functions in a cell that the learner is to fill in."""
    if cell.cell_type != "code":
        return []
    return [
        each
        for each in ast.parse(cell.source).body
        if isinstance(each, ast.FunctionDef) and any(map(is_open, each.body))
    ]


def solution_below(cells, k):
    """The folded solution between a cell and the next code."""
    for cell in cells[k + 1 :]:
        if cell.cell_type == "code":
            return ""
        if found := SOLUTION.search(cell.source):
            return found[1]
    return ""


def shown(cell):
    """The text of what comes out of a cell."""
    return "\n".join(
        output.get("text", "") or output.get("data", {}).get("text/plain", "")
        for output in cell.get("outputs", [])
    )


# --- what stands in the files ---------------------------------------------------


@each_lesson
def test_each_question_waits_for_an_answer_and_nothing_follows_it_in_sight(path):
    cells, answers = read(path).cells, bp.questions(path.stem)
    asked = [k for k, cell in enumerate(cells) if "**Question.**" in cell.source]
    for k in nonempty(asked):
        last = visible(cells[k]).split("\n\n")[-1]
        assert last.startswith("**Question.**"), last
        assert visible(cells[k]).count("**Question.**") == 1, last
        (call,) = answers_of(cells[k + 1])
        # With spaces, so that a double click on the dots selects nothing else.
        dots = ... if answers[call.args[0].value].is_in_numbers else " ... "
        assert ast.literal_eval(call.args[1]) == dots, cells[k + 1].source
        assert "not answered yet" in shown(cells[k + 1]), last


@each_lesson
def test_each_answer_cell_has_a_question_above_it_and_its_answer_in_the_file(path):
    cells = read(path).cells
    used = [call.args[0].value for cell in cells for call in answers_of(cell)]
    assert sorted(nonempty(used)) == sorted(bp.questions(path.stem).names)


@each_lesson
def test_no_reveal_is_read_in_its_own_code(path):
    answers, told = bp.questions(path.stem), []
    for cell in read(path).cells:
        code = re.sub(r"#.*", "", cell.source)
        for call in answers_of(cell):
            asked = answers[call.args[0].value]
            if isinstance(asked.right, str) and len(asked.right) > 3 and asked.right in code:
                # Where every choice is named, none is told.
                told += [asked.right] * any(each not in code for each in asked.wrong)
    assert told == []


@each_lesson
def test_what_is_expected_says_no_more_than_the_question_does(path):
    cells, answers, told = read(path).cells, bp.questions(path.stem), []
    for above, cell in itertools.pairwise(cells):
        for name in [call.args[0].value for call in answers_of(cell)]:
            asked, choices = answers[name], ("+", "-", "yes", "no")
            if isinstance(asked.right, str) and f'"{asked.right}"' in asked.form:
                told += [name] * (asked.right not in (*choices, *CHOICE.findall(visible(above))))
                # Whatever else is written is no answer, and is told nothing about another one.
                assert not asked.otherwise, name
    assert told == []


@each_lesson
def test_no_longer_number_that_is_asked_for_is_read_in_its_section(path):
    cells, answers, seen = read(path).cells, bp.questions(path.stem), []
    section, sections = 0, []
    for cell in cells:
        section += cell.cell_type == "markdown" and bool(re.search("^## ", cell.source, re.M))
        sections.append(section)
    for k, cell in enumerate(cells):
        for call in answers_of(cell):
            right = answers[call.args[0].value].right
            if not isinstance(right, int | float) or len(f"{right:g}".strip("-0.")) < 2:
                continue
            seen.append(right)
            number = re.compile(rf"(?<![\d.]){re.escape(f'{abs(right):g}')}")
            for other, where in zip(cells, sections, strict=True):
                if where == sections[k]:
                    text = visible(other) if other.cell_type == "markdown" else shown(other)
                    assert not number.search(text), (right, text)
    assert len(seen) <= len(answers.names)


@each_lesson
def test_the_learner_writes_code_twice_and_each_frame_has_its_folded_solution(path):
    cells = read(path).cells
    framed = [k for k, cell in enumerate(cells) if frames_of(cell)]
    assert len(framed) >= 2
    for k in framed:
        solved = ast.parse(solution_below(cells, k)).body
        names = {each.name for each in solved if isinstance(each, ast.FunctionDef)}
        assert {each.name for each in frames_of(cells[k])} <= names, cells[k].source
        assert not any(map(is_open, solved))
        assert OPEN.search(shown(cells[k])), cells[k].source
        if "bp.check_" in cells[k].source:  # which by default says all that it knows
            assert 'hints="clear"' in cells[k].source


def names_in(source):
    """The names of the notebook that a cell gives a value, and those that it reads."""
    table, given, used = symtable.symtable(source, "cell", "exec"), set(), set()
    for symbol in table.get_symbols():
        given |= {symbol.get_name()} if symbol.is_assigned() and not symbol.is_imported() else set()
        used |= {symbol.get_name()} if symbol.is_referenced() else set()
    tables = list(table.get_children())
    while tables:
        inner = tables.pop()
        used |= {each.get_name() for each in inner.get_symbols() if each.is_global()}
        tables += inner.get_children()
    return given, used


@each_lesson
def test_a_name_that_several_cells_give_a_value_is_read_in_these_alone(path):
    cells = [names_in(cell.source) for cell in read(path).cells if cell.cell_type == "code"]
    times = Counter(name for given, _ in nonempty(cells) for name in given)
    trap = {name for given, used in cells for name in used - given if times[name] > 1}
    assert trap == set()


@each_lesson
def test_a_lesson_says_what_it_is_for_and_how_long_it_takes(path):
    cells = read(path).cells
    first, texts = cells[0].source, "\n\n".join(cell.source for cell in cells)
    minutes = int(re.search(r"\*\*Time:\*\* (?:about )?(\d+) minutes", " ".join(first.split()))[1])
    answers = sum(len(answers_of(cell)) for cell in cells)
    frames = sum(bool(frames_of(cell)) for cell in cells)
    assert answers + 3 * frames <= minutes <= 5 * answers + 15 * frames
    assert "Afterwards you can" in first
    assert "**You need:**" in first
    assert re.search(r"^## What breaks if", texts, re.MULTILINE)
    (summary,) = re.findall(r"^## In three lines\n\n(.*?)(?=^## |\Z)", texts, re.M | re.S)
    assert len(re.findall(r"^- ", summary, re.MULTILINE)) == 3


@each_lesson
def test_no_text_says_where_a_picture_stands_or_that_it_is_black_on_white(path):
    """Pictures beside each other stand below each other in a narrow window; a theme may be dark."""
    place = re.compile(r"On the (left|right) (is|are)\b|In the middle (is|are)\b|Beside (it|the) |"
                       r"\b(black|white)\b")  # fmt: skip
    texts = [cell.source for cell in read(path).cells if cell.cell_type == "markdown"]
    assert [found[0] for text in texts for found in place.finditer(text)] == []


@each_lesson
def test_nothing_in_a_lesson_plays_for_the_learner(path):
    sources = [cell.source for cell in read(path).cells if cell.cell_type == "code"]
    played = re.compile(r"\.(measured|answer|answered|guess)\s*=|\.key\(\)|\.hint\(")
    assert [source for source in sources if played.search(source)] == []
    told = re.compile(r"print\(.*\.describe\(\)\)")
    assert [source for source in sources if told.search(source)] == []


# By its tag: the section of the derivation in which a statement of the page stands, and what
# proves it there, by number.
STATEMENTS = {
    "composition": ("1 · A function made of functions", 'check("order", '),
    "layer": ("4 · One layer", 'compare("z_1, code and pencil", '),
    "sigmoid": ("5 · The sigmoid", 'compare("f_K, our lines and the package", '),
    "loss": ("6 · The loss, and slip one", 'compare("L, here and in the package", '),
    "theta": ("7 · The parameters θ", 'check("theta_1", '),
    "chain-last": ("10 · The chain rule for the last layer", 'compare("∂L/∂θ_1 and the package", '),
    "chain-second": ("11 · One layer further back, and slip two", 'compare("∂L/∂θ_0 and the pac'),
    "chain-general": ("12 · The chain rule for any layer", 'compare(f"i = {i}, explicit", '),
}


def test_every_statement_of_the_page_has_its_place_and_its_check_in_the_derivation():
    assert list(STATEMENTS) == [each.tag for each in EQUATIONS]
    text = "\n\n".join(cell.source for cell in read(FOLDER / "01_derivation.ipynb").cells)
    before, *rest = re.split(r"^## ", text, flags=re.MULTILINE)
    sections = dict(each.split("\n", 1) for each in rest)
    shown_in = {
        tag: [name for name, text in sections.items() if f'document.equation("{tag}")' in text]
        for tag in STATEMENTS
    }
    assert shown_in == {tag: [name] for tag, (name, _) in STATEMENTS.items()}
    in_order = [name for name in sections if name in dict(STATEMENTS.values())]
    assert in_order == list(dict(STATEMENTS.values()))
    for name, proof in STATEMENTS.values():
        assert proof in sections[name], proof
    assert "*Backpropogation*" in before


def test_the_three_lines_of_the_chain_rule_have_words_picture_code_number_and_question():
    cells = read(FOLDER / "01_derivation.ipynb").cells
    texts = re.split(r"^## ", "\n".join(cell.source for cell in cells), flags=re.MULTILINE)
    for tag in ("chain-last", "chain-second", "chain-general"):
        (section,) = [text for text in texts if f'document.equation("{tag}")' in text]
        for part in ("bp.ChainRule(", "**Question.**", "check(", "compare("):
            assert part in section, (tag, part)
    pictures = [
        o for cell in cells for o in cell.get("outputs", []) if "image/png" in o.get("data", {})
    ]
    assert len(pictures) >= 5


def test_every_file_of_answers_belongs_to_a_lesson():
    assert {path.stem for path in QUESTIONS.glob("*.toml")} == {path.stem for path in LESSONS}


# --- done from the beginning to the end --------------------------------------------


def replaced(source, node, text):
    """Return a source with other text in the place of a node."""
    lines = source.encode().splitlines(keepends=True)
    before = b"".join(lines[: node.lineno - 1]) + lines[node.lineno - 1][: node.col_offset]
    after = lines[node.end_lineno - 1][node.end_col_offset :] + b"".join(lines[node.end_lineno :])
    return (before + text.encode() + after).decode()


def done(notebook, answers):
    """Return a lesson in which every answer is given and every frame is filled in."""
    notebook = copy.deepcopy(notebook)
    for k, cell in enumerate(notebook.cells):
        for call in answers_of(cell):
            if is_open(call.args[1]):
                right = answers[call.args[0].value].right
                cell.source = replaced(cell.source, call.args[1], repr(right))
        solved = {
            each.name: ast.unparse(each)
            for each in ast.parse(solution_below(notebook.cells, k)).body
            if isinstance(each, ast.FunctionDef)
        }
        for name in [each.name for each in frames_of(cell)]:
            (frame,) = [each for each in frames_of(cell) if each.name == name]
            cell.source = replaced(cell.source, frame, solved[name])
    return notebook


@pytest.fixture(scope="module")
def execute():
    spec = importlib.util.spec_from_file_location("execute", FOLDER / "execute.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.execute


@pytest.mark.slow
@each_lesson
def test_a_lesson_that_is_done_is_right_to_its_end(path, execute):
    lesson = read(path)
    notebook = done(lesson, bp.questions(path.stem))
    # Once more, each cell after those that follow it: what they left must not matter.
    again = [copy.deepcopy(cell) for cell in notebook.cells[:0:-1] if cell.cell_type == "code"]
    cells = notebook.cells
    notebook.cells = [*cells, *again]
    execute(notebook, FOLDER)
    first = [shown(cell) for cell in cells if cell.cell_type == "code" and cell is not cells[0]]
    assert [shown(cell) for cell in reversed(again)] == first
    for before, after in zip(lesson.cells, cells, strict=True):
        for _ in answers_of(after):
            assert re.search(r": right\.( |$)", shown(after), re.MULTILINE), shown(after)
        if frames_of(before):
            assert not OPEN.search(shown(after)), shown(after)
            assert "wrong" not in shown(after), shown(after)
        assert not any(output.get("name") == "stderr" for output in after.get("outputs", []))


# --- what is wrong is not accepted ----------------------------------------------------


def mistaken(solved, framed):
    """The solution of a frame with one factor or one term left out, in a line that is asked for.

    And without the last of the gradients that it returns.
    """
    given = {ast.unparse(each) for each in ast.walk(framed) if isinstance(each, ast.stmt)}
    for k, node in enumerate(ast.walk(solved)):
        if isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple):
            wrong = copy.deepcopy(solved)
            list(ast.walk(wrong))[k].value.elts.pop()
            yield ast.unparse(wrong)
        if not isinstance(node, ast.stmt) or ast.unparse(node) in given or hasattr(node, "body"):
            continue
        for j, each in enumerate(ast.walk(node)):
            if isinstance(each, ast.BinOp) and isinstance(each.op, ast.Mult | ast.Add):
                for side, left_out in (("left", each.right), ("right", each.left)):
                    if ast.unparse(left_out) == "d_L":  # which is 1
                        continue
                    wrong = copy.deepcopy(solved)
                    line = list(ast.walk(wrong))[k]
                    place = list(ast.walk(line))[j]
                    yield ast.unparse(ast.fix_missing_locations(kept(wrong, place, side)))


def kept(tree, place, side):
    """Return the tree with one side of an operation in its place."""

    class Keep(ast.NodeTransformer):
        def visit_BinOp(self, node):
            self.generic_visit(node)
            return getattr(node, side) if node is place else node

    return Keep().visit(tree)


def run(source, space):
    """Run a cell as Python finds it in a file; what its last line says of the learner's work."""
    name = f"<cell {len(linecache.cache)}>"
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    tree = ast.parse(source)
    last = tree.body.pop()
    exec(compile(tree, name, "exec"), space)
    shown = {ast.If: "test", ast.Expr: "value"}.get(type(last))
    if shown is None:
        exec(compile(ast.Module([last], []), name, "exec"), space)
        return None
    shown = getattr(last, shown)
    return eval(compile(ast.Expression(shown), name, "eval"), space)


@pytest.fixture
def usual_print_options():
    with np.printoptions():
        yield


@pytest.mark.slow
@each_lesson
@pytest.mark.usefixtures("usual_print_options")
def test_a_factor_or_a_term_left_out_is_never_right(path, capsys):
    notebook, space = read(path), {"__name__": "__main__"}
    cells, accepted, tried = notebook.cells, [], 0
    for k, cell in enumerate(cells):
        if cell.cell_type != "code":
            continue
        for framed in frames_of(cell):
            body = ast.parse(solution_below(cells, k)).body
            (solved,) = [each for each in body if getattr(each, "name", "") == framed.name]
            for wrong in mistaken(solved, framed):
                tried += 1
                report = run(replaced(cell.source, framed, wrong), dict(space))
                if getattr(report, "ok", bool(report)):
                    accepted.append(wrong)
        run(cell.source, space)
    capsys.readouterr()
    assert tried >= 2
    assert accepted == []


def test_what_the_first_lesson_asks_to_break_is_told_by_its_name(capsys):
    cells = read(FOLDER / "00_start_here.ipynb").cells
    text = next(cell.source for cell in cells if "that it must not?" in cell.source)
    new, old, name = CHOICE.findall(text)[:3]
    assert (new, old, name) == ("np.fft.fft(z1)", "z1", "f1")
    space = {}
    code = [cell.source for cell in cells if cell.cell_type == "code"]
    loss = next(source for source in code if "def loss(" in source)
    for source in code[: code.index(loss)]:
        run(source, space)
    broken = re.sub(rf"({name} = .*)\b{old}\b", rf"\1{new}", loss)
    run(broken, space)
    with pytest.raises(bp.UnsupportedError, match=r"np\.fft\.fft has no differentiation rule"):
        run(next(source for source in code if "bp.trace(loss" in source), space)
    capsys.readouterr()
