"""What a notebook may hold besides Python, as far as a function depends on it."""

import pytest

from backprop_nb.checking.convention import Course
from backprop_nb.classroom.host import ask
from backprop_nb.classroom.limits import Limits

QUICK = Limits(timeout=1.0, memory=1024)


def asked(*sources, file="hw.ipynb"):
    names = [f"cell {k}" if file.endswith(".ipynb") else file for k in range(1, len(sources) + 1)]
    cells = list(zip(names, sources, strict=True))
    return ask(cells, "backward", Course(), QUICK, file=file)


@pytest.fixture
def needs(right):
    """A right submission that is so only where ``one`` is 1."""
    return right.replace("delta = 2 *", "delta = 2 * one *")


GIVES_ONE = [
    "%time one = 1",
    "%%time\none = 1",
    "\n%%time\n\none = 1",
    "%%capture\none = 1",
    "%%capture out\n%%time\nprint('a')\none = len(out_before := [1])",
    "%%prun -s cumulative\none = 1",
    "%prun -q one = 1",
    "%memit one = 1",
    "one = %time 1",
    "def f():\n    one = %time 1\n    return one\none = f()",
    "two = 2\ndef f(two):\n    %time two\n    x = %time two - 2\n    return x\none = f(3)",
    "one = 2\n%timeit -n 10 -r3 one = 3\none = 1",
    "one = 1\n%%timeit",
    "one = 1\n%timeit one.real",
    "%%writefile back.py\none = 1\n~from back import one",
    "%%writefile back.py\none = (\n~%%writefile -a back.py\n1)\n~%run back.py",
    "%%file sub/back.py\nONE = 1\n~from sub.back import ONE as one",
    "%%writefile a.py\none = 1\n~%run a",
    "%%writefile 'my a.py'\none = 1\n~%run -i \"my a.py\"",
    "%mkdir -p a/b\n%cd a/b\n%pwd\nopen('x', 'w').close()\nimport os\none = len(os.listdir('.'))",
    "%env ONE=1\nimport os\none = int(os.environ['ONE'])",
    "%pylab inline\none = int(np.ones(1)[0])",
    "x = !ls\none = 1 + len(x)",
    "x = %sx ls\none = 1 + len(x.grep('a'))",
    "!pip install numpy \\\n   scipy\none = 1",
    "%pip install numpy\none = 1",
    "pip install numpy~one = 1",
    "ls~one = 1",
    "time one = 1",
    "%matplotlib inline\n%load_ext autoreload\n%autoreload 2\n%config A.b = 'c'\none = 1",
    "one = 1\none?\n?one\none??",
    "one = 1~%reset -f",
    "%%bash\none=2~one = 1",
    "%%html\n<b>1</b>~one = 1",
    "%%javascript\nalert(1)~one = 1",
    "import asyncio\nasync def f():\n    await asyncio.sleep(0)\n    return 1\none = await f()",
    "import asyncio\nasync with asyncio.Lock() as lock:\n    one = 1",
    "1~one = _",
    "from __future__ import annotations~def f(x: nowhere): ...\none = 1",
    "from IPython import get_ipython\nget_ipython().run_line_magic('time', 'one = 1')",
    "from IPython.display import HTML, clear_output, display\n"
    "display(HTML('a'))\nclear_output()\none = 1",
    "get_ipython().run_line_magic('time', 'one = 1')",
    "get_ipython().magic('time one = 1')",
    "get_ipython().run_cell_magic('time', '', 'one = 1\\n')",
    "get_ipython().run_cell_magic('writefile', 'b.py', 'one = 1\\n')~from b import one",
    "get_ipython().run_cell('one = 1')",
    "get_ipython().ex('one = 1')",
    "one = get_ipython().ev('1')",
    "get_ipython().push({'one': 1})",
    "get_ipython().user_ns['one'] = 1",
    "from IPython.core.magic import register_line_magic\n@register_line_magic\n"
    "def give(line): return int(line)\none = %give 1",
    "one = int('__file__' not in globals())",
    "one = 1 if __name__ == '__main__' else 2",
    "if __name__ == '__main__':\n    one = 1",
    "import pickle\nclass A: pass\none = int(isinstance(pickle.loads(pickle.dumps(A())), A))",
    "from dataclasses import dataclass\n@dataclass\nclass A:\n    one: int = 1\none = A().one",
    "import matplotlib.pyplot as plt\nplt.plot([1])\nplt.show()\none = 1",
    "import warnings\nwarnings.simplefilter('error')\none = 1",
    "import numpy as np\nnp.seterr(all='raise')\none = 1",
]


def notes_of(reply):
    """What is noted of a right submission."""
    assert reply.outcome == "answered", reply.problem
    assert not reply.answers.answers[0].failure
    return reply.notes


@pytest.mark.parametrize("source", GIVES_ONE)
def test_what_runs_in_jupyter_runs_here(source, needs):
    assert notes_of(asked(*source.split("~"), needs)) == ()


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("%%tutor\none = 1", "cell 1: %%tutor is not known here, and what is below it runs"),
        ("%%sparql\nSELECT 1 ?a\n~one = 1", "%%sparql is not known here, and what is below it is"),
        ("one = 1\n%run nowhere.py", "No such file or directory"),
    ],
)  # fmt: skip
def test_what_cannot_be_run_is_said(source, words, needs):
    (note,) = notes_of(asked(*source.split("~"), needs))
    assert words in note


@pytest.mark.parametrize(
    "source",
    [
        "!pip install numpy\none = 1",
        "# %%\n%%time\none = 1\n# %%\n%%bash\nls\n# %%\n",
        "# In[1]:\n\n\nget_ipython().run_line_magic('time', 'one = 1')\n",
        "one = int('__file__' in globals())",
        "from pathlib import Path\none = int(Path(__file__).parent.is_dir())",
        "from pathlib import Path\none = int(Path(__file__).name == 'hw.py')",
        "one = 1 if __name__ != '__main__' else 2",
        "import sys\none = len(sys.argv)",
        "async def f(): return 1\none = await f()",
    ],
)
def test_a_file_made_from_a_notebook_runs_like_it(source, needs):
    assert notes_of(asked(f"{source}\n{needs}", file="hw.py")) == ()


def test_what_a_file_does_only_as_a_program_is_looked_at_last(right):
    inside = "\n".join(f"    {line}" for line in right.split("\n"))
    assert asked(f"if __name__ == '__main__':\n{inside}", file="hw.py").outcome == "answered"


def test_what_lies_beside_it_can_be_imported_and_read(needs, tmp_path):
    (tmp_path / "h.py").write_text("one = int(open('data/n.txt').read())")
    (tmp_path / "n.txt").write_text("1")
    beside = [("week 2/h.py", str(tmp_path / "h.py")),
              ("week 2/data/n.txt", str(tmp_path / "n.txt"))]  # fmt: skip
    cells = [("cell 1", f"from h import one\n{needs}")]
    reply = ask(cells, "backward", Course(), QUICK, file="week 2/hw.ipynb", beside=beside)
    assert (reply.outcome, reply.notes) == ("answered", ())
