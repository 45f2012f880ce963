"""Plant faults in a copy of the tree, one at a time, and see which of them the tests catch.

    python tests/mutants.py               # all, about a quarter of an hour on two cores
    python tests/mutants.py rules seed-is-two   # those of a wing, or by name

Each fault is a line that somebody could have written.  ``tests/test_mutants.py`` holds that
all of them can still be planted; this script, that the tests named beside a fault fail with
it.  It ends with 1 if one survives.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import NamedTuple

ROOT = Path(__file__).parent.parent


class Mutant(NamedTuple):
    """A fault: in which file what stands in place of what, and the tests that should see it."""

    name: str
    wing: str
    file: str
    right: str
    wrong: str
    tests: tuple[str, ...]

    @property
    def path(self) -> Path:
        return Path("backprop_nb", self.file)

    def plant(self, tree: Path) -> None:
        path = tree / self.path
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace(self.right, self.wrong), encoding="utf-8")


def of(wing: str, file: str, *tests: str):
    """Return a function that makes the mutants of one file."""

    def make(name: str, right: str, wrong: str) -> Mutant:
        return Mutant(name, wing, file, right, wrong, tests)

    return make


# --- rules ----------------------------------------------------------------------

RULES = "tests/tracing/rules"
MARKS = "tests/tracing/test_health.py"  # and what a rule does at a tip or a kink
elementwise = of("rules", "tracing/rules/elementwise.py", MARKS, RULES, "tests/tracing/emit")
row = of("rules", "tracing/rules/row.py", RULES)
choosing = of("rules", "tracing/rules/choosing.py", RULES)
products = of("rules", "tracing/rules/products.py", RULES)

# --- the reverse pass -----------------------------------------------------------

reverse = of("reverse", "tracing/reverse.py", "tests/tracing/test_backward.py", RULES)
backward = of("reverse", "tracing/backward.py", "tests/tracing/test_backward.py")
graph = of(
    "reverse", "tracing/graph.py", "tests/tracing/test_graph.py", "tests/tracing/test_tracer.py"
)

# --- printing -------------------------------------------------------------------

algebra = of("printing", "tracing/emit/algebra.py", "tests/tracing/emit")
notation = of("printing", "tracing/emit/notation.py", "tests/tracing/emit")
numpy_code = of("printing", "tracing/emit/numpy_code.py", "tests/tracing/emit", RULES)
form = of("printing", "tracing/rules/form.py", "tests/tracing/emit", RULES)

# --- the network ----------------------------------------------------------------

passes = of(
    "network", "network/passes.py", "tests/network/test_passes.py", "tests/network/test_sigmoid.py"
)
fast = of(
    "network", "network/fast.py", "tests/network/test_fast.py", "tests/network/test_sigmoid.py"
)
training = of("network", "network/training.py", "tests/network/test_training.py")

# --- catalogue and diagnosis ----------------------------------------------------

reference = of("checking", "checking/reference.py", "tests/checking/test_reference.py")
catalogued = ("tests/checking/test_mistakes.py", "tests/checking/test_diagnosis.py")
batch = of("checking", "checking/catalogue/batch.py", *catalogued)
mistake = of("checking", "checking/mistake.py", *catalogued)
search = of("checking", "checking/search.py", "tests/checking/test_diagnosis.py")
diagnosis = of("checking", "checking/diagnosis.py", "tests/checking/test_diagnosis.py")
compare = of("checking", "checking/compare.py", "tests/checking")
gradient = of("checking", "checking/gradient.py", "tests/checking/test_gradient.py")
judging = of("checking", "checking/judging.py", "tests/checking/test_judging.py")
differences = of("checking", "checking/differences.py", "tests/checking")

# --- scenes ---------------------------------------------------------------------

numbers = of("scenes", "views/numbers.py", "tests/views/test_numbers.py")
description = of("scenes", "views/explorer/description.py", "tests/views/explorer")
cost = of("scenes", "views/explorer/cost.py", "tests/views/explorer")
explorer = of("scenes", "views/explorer/folding.py", "tests/views/explorer")
waterfall = of("scenes", "views/flow/waterfall.py", "tests/views/flow")
playground = of("scenes", "views/playground/scene.py", "tests/views/playground")

# --- ES modules -----------------------------------------------------------------

steps_mjs = of("modules", "views/explorer/steps.mjs", "tests/test_javascript.py")
folding_mjs = of("modules", "views/explorer/folding.mjs", "tests/test_javascript.py")
answers_mjs = of("modules", "views/explorer/answers.mjs", "tests/test_javascript.py")
pictures_mjs = of("modules", "views/pictures.mjs", "tests/test_javascript.py")

# --- grading --------------------------------------------------------------------

submissions = of(
    "grading",
    "classroom/submissions.py",
    "tests/classroom/test_submissions.py",
    "backprop_nb/classroom/submissions.py",
)
jupyter = of(
    "grading",
    "classroom/jupyter.py",
    "tests/classroom/test_jupyter.py",
    "backprop_nb/classroom/jupyter.py",
)
gradebook = of("grading", "classroom/gradebook.py", "tests/classroom/test_gradebook.py")
summary = of(
    "grading",
    "classroom/summary.py",
    "tests/classroom/test_summary.py",
    "backprop_nb/classroom/summary.py",
)
running = of("grading", "classroom/running.py", "tests/classroom/test_running.py")
limits = of("grading", "classroom/limits.py", "tests/classroom")
verdict = of("grading", "classroom/verdict.py", "tests/classroom")

MUTANTS = (
    elementwise(
        "subtract-sign",
        'lambda g, ans, x, y: -g,\n        numpy=infix("#1 - #2"',
        'lambda g, ans, x, y: g,\n        numpy=infix("#1 - #2"',
    ),
    row(
        "second-stays-stretched",
        "return g if type(g) is np.float64 or g.shape == y.shape else unbroadcast(g, y)",
        "return g",
    ),
    elementwise(
        "multiply-by-itself",
        'lambda g, ans, x, y: g * x,\n        numpy=infix("#1 * #2"',
        'lambda g, ans, x, y: g * y,\n        numpy=infix("#1 * #2"',
    ),
    elementwise("divide-loses-a-factor", "-g * ans / y", "-g * ans"),
    elementwise("power-of-zero", "np.log(np.where(x == 0, 1.0, x))", "np.log(x)"),
    elementwise(
        "hypot-at-the-tip", "return g * x / np.where(ans == 0, 1.0, ans)", "return g * x / ans"
    ),
    elementwise("root-kink-not-marked", "(x == 0) & (y > 0) & (y < 1)", "(x == 0) & (y > 1)"),
    elementwise(
        "precedence-of-power",
        'numpy=Template("#1 ** #2", POWER, (ATOM, UNARY))',
        'numpy=Template("#1 ** #2", POWER, (UNARY, UNARY))',
    ),
    elementwise(
        "latex-of-quotient",
        r'Template(r"\frac{#1}{#2}", POWER)',
        r'Template(r"\frac{#2}{#1}", POWER)',
    ),
    choosing(
        "clip-edge-excluded",
        "np.logical_and(x >= low, x <= high)",
        "np.logical_and(x > low, x < high)",
    ),
    choosing("clip-high-ignores-crossing", "np.logical_or(x > high, low > high)", "x > high"),
    products(
        "tensordot-order",
        "np.tensordot(x, g, axes=shared), partners + kept",
        "np.tensordot(x, g, axes=shared), kept + partners",
    ),
    reverse(
        "contributions-overwrite",
        "contribution if known is None else known + contribution",
        "contribution",
    ),
    reverse("adjoint-keeps-wide-dtype", "contribution = typed_like(args[k], contribution)", "pass"),
    reverse("seed-is-two", "return np.ones_like(value)[()]", "return 2 * np.ones_like(value)[()]"),
    reverse("seed-shape-unchecked", "if seed.shape != value.shape:", "if False:"),
    backward("unused-input-silent", "if unused:  #", "if False:  #"),
    backward(
        "gradient-is-shared",
        "[np.array(g) if isinstance(g, np.ndarray) else g for g in leaves]",
        "leaves",
    ),
    backward("constant-has-adjoint", "if found.op == CONSTANT:", "if False:"),
    graph("trace-can-be-written", "value.flags.writeable = False", "pass"),
    algebra("double-negative", "    if x.calls(np.negative):\n        return x.operands[0]\n", ""),
    algebra(
        "transpose-twice-stays", "    if _is_transpose(x):\n        return x.operands[0]\n", ""
    ),
    algebra(
        "constants-folded-wrong",
        "first = factor * rest.operands[0].value",
        "first = factor + rest.operands[0].value",
    ),
    numpy_code("view-returned-as-gradient", ' + ".copy()" * self._is_shared(expression)', ""),
    notation(
        "missing-brackets", "if precedence < template.operand(k) else text", "if False else text"
    ),
    notation("name-not-escaped", r'letters.append(r"\_")', "letters.append(letter)"),
    form("tuple-of-one", 'f"({items},)" if len(tree) == 1 else f"({items})"', 'f"({items})"'),
    passes("factor-two", "delta[K] = 2 / N *", "delta[K] = 1 / N *"),
    passes(
        "slope-of-the-layer-below",
        "(delta[i + 1] @ A[i]) * sigma_slope(f[i])",
        "(delta[i + 1] @ A[i]) * sigma_slope(f[i]) ** 2",
    ),
    passes("batch-not-averaged", "N = len(y) if y.ndim == 2 else 1", "N = 1"),
    fast(
        "fast-blocks-drop-loss",
        "loss, finite = loss + part, finite and finite_part",
        "loss, finite = part, finite and finite_part",
    ),
    fast("fast-buffer-escapes", "self.delta[i].copy, ()", "np.asarray, (self.delta[i],)"),
    training(
        "last-batch-lost",
        "for start in range(0, len(x), size):\n",
        "for start in range(0, len(x) - size, size):\n",
    ),
    training("momentum-ignored", "self.velocity *= self.options.momentum", "self.velocity *= 0"),
    training(
        "best-not-restored",
        "        self.theta[:] = self.proven\n        cause",
        "        cause",
    ),
    training(
        "patience-off-by-one",
        "self.history.epochs_since_best() < patience",
        "self.history.epochs_since_best() <= patience",
    ),
    reference(
        "right-pass-averages-bias",
        "db[i] = delta[i + 1].sum(axis=1, keepdims=True)",
        "db[i] = delta[i + 1].mean(axis=1, keepdims=True)",
    ),
    batch(
        "mistake-is-no-mistake",
        '"bias_gradient": "delta[i + 1][:, :1]"',
        '"bias_gradient": "delta[i + 1].sum(axis=1, keepdims=True)"',
    ),
    batch(
        "last-sample-is-the-first",
        "delta[i + 1][:, -1:] @ inputs[:, -1:].T",
        "delta[i + 1][:, :1] @ inputs[:, :1].T",
    ),
    mistake(
        "step-replaced-twice", "return self.steps.keys().isdisjoint(other.steps)", "return True"
    ),
    search(
        "one-network-is-enough",
        "not self._fits_on(k, expected):\n                return False",
        "not self._fits_on(k, expected):\n                continue",
    ),
    diagnosis("swapped-not-tried", "if self.search.fits_as(swapped):", "if False:"),
    judging("kink-accepts-anything", "low - room <= given[index] <= high + room", "True"),
    compare(
        "coarse-tolerance",
        "off = ~(_errors(given, expected) < TOLERANCE)",
        "off = ~(_errors(given, expected) < 1e4 * TOLERANCE)",
    ),
    compare("small-entry-beside-a-large-one", "_SMALLEST = 1e-2", "_SMALLEST = 1.0"),
    compare("whole-numbers-for-float32", "np.any(parts != np.round(parts))", "array.any()"),
    differences(
        "leaf-not-put-back",
        "        finally:\n            leaf[index] = at\n",
        "        finally:\n            pass\n",
    ),
    gradient(
        "stderr-of-a-check", 'warnings.simplefilter("ignore")  # in a grader', "pass  # in a grader"
    ),
    numbers(
        "minus-sign-lost",
        'return text.replace("-", MINUS)\n\n\ndef _for_a',
        'return text.replace("-", "")\n\n\ndef _for_a',
    ),
    numbers(
        "five-digits-are-an-exponent", 'if exponent == "+04" else', 'if exponent == "+05" else'
    ),
    numbers("sign-at-zero", "(np.ravel(numbers) + 0.0).tolist()", "np.ravel(numbers).tolist()"),
    numbers("omitted-miscounted", "omitted = size - shown.size", "omitted = size"),
    numbers("heats-shifted", "b64encode(found[start:end]", "b64encode(found[: end - start]"),
    description("first-line-adds", '"=" if self.number == 1 else "+="', '"+="'),
    description("sum-never-complete", "return self.count == self.number > 1", "return False"),
    cost(
        "cost-of-one-input",
        "forward += products * behind[given.parent.index]",
        "forward += products",
    ),
    explorer(
        "folded-states-forget-all-open",
        "queue.append((none, none))",
        "",
    ),
    waterfall(
        "saturation-bar-hidden",
        'self._bar(at_slope, floor, step.after, "saturation", step.layer)',
        'self._bar(at_slope, floor, floor, "saturation", step.layer)',
    ),
    playground("boundary-elsewhere", ".lines(_HALF)", ".lines(_HALF / 2)"),
    steps_mjs(
        "js-adjoint-too-early",
        "findLast((one) => one.step <= step)",
        "findLast((one) => one.step <= step + 1)",
    ),
    steps_mjs(
        "js-lineage-forgets-below",
        "return new Set([...above, ...below]);",
        "return new Set([...above]);",
    ),
    folding_mjs("js-fold-steps-singly", "while (isSame(frames[last + 1])) last++;", ""),
    folding_mjs("js-turn-only-opens", "if (!now.delete(id)) now.add(id);", "now.delete(id);"),
    answers_mjs("js-comma-is-no-decimal", '",": ".", ', ""),
    answers_mjs("js-tolerance", "const TOLERANCE = 0.01;", "const TOLERANCE = 0.1;"),
    answers_mjs(
        "js-first-try-score",
        'record.done === "right" && record.tries === 1',
        'record.done === "right"',
    ),
    pictures_mjs(
        "js-patch-cut", "shape.points.slice(0, change.cut)", "shape.points.slice(0, change.cut + 1)"
    ),
    submissions(
        "grading-follows-links",
        "if not path.resolve().is_relative_to(root.resolve()):",
        "if False:",
    ),
    jupyter("magic-moves-lines", 'new[at + 1 : at + 1] = ["\\n"] * lost', "pass"),
    submissions(
        "empty-code-is-asked", "if not any(source.strip() for _, source in cells):", "if False:"
    ),
    limits("no-limit-on-memory", '_limit("RLIMIT_AS"', '_limit("RLIMIT_NONE"'),
    summary("percent-rounds-to-zero", "if 0 < share < 0.5:", "if False:"),
    summary(
        "summary-in-order-of-names",
        'each["submission"] if names else (each["score"], each["id"])',
        'each["submission"]',
    ),
    gradebook("formula-in-csv", 'Final = ("=", "+",', 'Final = ("+",'),
    running(
        "error-of-a-worker-lost",
        "return _described(outcome) if isinstance(outcome, BaseException) else outcome",
        "return {} if isinstance(outcome, BaseException) else outcome",
    ),
    verdict("notes-of-the-grader-lost", "notes=(*report.notes, *notes)", "notes=report.notes"),
)


# --- planting them --------------------------------------------------------------


def copy_of_the_tree(folder: Path) -> Path:
    """Return a copy of what git knows of, without its history."""
    tree = folder / "tree"
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    for name in filter(None, listed.split("\0")):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tree / name)
    return tree


def is_caught(mutant: Mutant, tree: Path) -> bool:
    """Plant a fault, run the tests that should see it, and take it out again."""
    environment = os.environ | {"PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    mutant.plant(tree)
    try:
        command = [sys.executable, "-m", "pytest", "-qx", "-p", "no:cacheprovider", *mutant.tests]
        done = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True)
    finally:
        shutil.copy(ROOT / mutant.path, tree / mutant.path)
    if done.returncode not in (0, 1):  # neither all passed nor some failed
        raise RuntimeError(f"{mutant.name}: pytest could not run\n{done.stdout}{done.stderr}")
    return done.returncode == 1


def main(wanted: set[str]) -> int:
    chosen = [each for each in MUTANTS if not wanted or wanted & {each.name, each.wing}]
    trees: SimpleQueue[Path] = SimpleQueue()

    def judge(mutant: Mutant) -> tuple[Mutant, bool]:
        tree = trees.get()
        try:
            return mutant, is_caught(mutant, tree)
        finally:
            trees.put(tree)

    survived = 0
    workers = os.cpu_count() or 1
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(workers) as pool:
        for worker in range(workers):
            trees.put(copy_of_the_tree(Path(folder, str(worker))))
        for mutant, caught in pool.map(judge, chosen):
            survived += not caught
            print(
                f"{'caught  ' if caught else 'SURVIVED'} {mutant.wing:8} {mutant.name}", flush=True
            )
    print(f"{len(chosen) - survived} of {len(chosen)} caught")
    return int(survived > 0)


if __name__ == "__main__":
    sys.exit(main(set(sys.argv[1:])))
