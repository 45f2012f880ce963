"""What was meant by a name that an object or a function does not have.

First what the field, and other libraries, call the thing; then what is spelled alike.
"""

from __future__ import annotations

import difflib
import functools
import inspect
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from backprop_nb.errors import NotFoundError, UnsupportedError, either, must_be

P = ParamSpec("P")
R = TypeVar("R")

_GRAPH = {
    "graph.backward().gradients": "d derivative derivatives grad gradient gradients grads",
    "graph.backward()": "backprop backpropagate backwards reverse vjp",
    "graph.backward().steps": "steps",
    "graph.backward().adjoint(name)": "adjoint adjoints",
    "graph.explore().animate(path)": "animate film gif",
    "graph.explore().to_html(path)": "html to_html",
    "graph.draw()": "figure image picture plot render savefig show visualise visualize",
    "graph.draw().savefig(path)": "save to_pdf to_png to_svg",
    "graph.evaluate(…)": "call forward predict run",
    "graph.to_latex()": "derivation latex tex to_tex",
    "graph.to_numpy()": "code program source to_code to_python",
    "graph.value": "data item loss numpy out result",
    "graph.describe()": "print summary text",
}
_NETWORK = {
    "net.A": "W coef_ coefs_ weight weights",
    "net.b": "bias_ biases intercept_ intercepts_",
    "net.A and net.b": "params theta",
    "net(x)": "call output_of predict predict_proba transform",
    "net.fit(x, y)": "gradient_descent learn optimize sgd step train",
    "net.backward(x, y)": "backprop backpropagate backwards",
    "net.loss_and_gradient(x, y)": "grad gradient gradients grads value_and_grad",
    "net.loss(x, y)": "cost evaluate score",
    "net.widths": "layer_sizes layers shape sizes",
    "net.K": "L depth",
    "net.trace(x, y)": "graph",
    "net.forward(x)": "feedforward forward_pass",
    "net.trace(x, y).explore()": "describe draw explore plot show",
}
_MEANT = {
    "backprop_nb": {
        "bp.grad": "derivative diff elementwise_grad gradient gradients",
        "bp.trace(f, x).backward()": "backprop backpropagate backward backwards reverse",
        "bp.trace(f, x)": "Tape Tensor Value Variable graph make_jaxpr tensor",
        "bp.trace(f, x).explore()": "draw explore plot show visualise visualize",
        "bp.trace(f, x).compile()": "compile jit",
        "bp.check_gradient": "check check_grad check_grads gradcheck test_gradient",
        "bp.SigmoidNetwork, or bp.Network": "MLP Model Net NeuralNetwork Sequential",
        "bp.stop_gradient": "detach no_grad stop_grad",
        "bp.jacobian(bp.grad(f))": "hessian",
        "bp.jacobian": "jacfwd jacrev",
        "bp.sigmoid": "expit logistic sigma",
        "np.maximum(z, 0)": "ReLU relu",
        "np.tanh": "tanh",
        "e / np.sum(e), with e = np.exp(z - np.max(z))": "softmax",
        "bp.define_rule": "custom_gradient custom_vjp defvjp primitive",
        "from backprop_nb.data import load_iris": "load_iris iris",
        "from backprop_nb.data import load_digits": "load_digits digits mnist",
    },
    "Graph": _GRAPH,
    "Backward": {
        "backward.gradients": "d grad gradient grads",
        "backward.adjoint(name)": "adjoints delta deltas node",
        "backward.graph": "nodes trace value",
        "backward.graph.explore()": "describe draw explore show",
    },
    "Node": {
        "graph.backward().adjoint(node)": "adjoint d delta derivative grad gradient",
        "node.op": "function operation",
        "node.value": "data numpy output",
        "node.parents": "children inputs prev",
        "node.source": "code expression line",
    },
    "Network": _NETWORK,
    "Gradient": {
        "gradient.A": "W dA dW weights",
        "gradient.b": "biases db",
        "gradient.delta": "adjoint deltas error",
    },
    "Forward": {"forward.f": "a activations output", "forward.z": "preactivations"},
    "History": {
        "history.loss": "history losses train_loss",
        "history.validation_loss": "val_loss val_losses",
        "history.draw()": "plot show",
    },
    "Report": {
        "report.ok": "correct is_correct is_ok is_right passed right success",
        "report.findings": "errors failures mistakes problems",
        "report.findings[0].line": "line lines",
        "report.score": "grade mark points",
        "print(report)": "describe draw print show summary text",
        "report.raise_if_wrong()": "assert_ok check raise_for_status",
    },
    "LiveView": {
        "view.draw()": "figure plot savefig show",
        "view.to_html(path)": "html save to_file",
        "view.animate(path)": "film gif to_gif to_mp4",
        "view.figures(path)": "pdf to_pdf to_png to_svg",
        "view.describe()": "text words",
        "view.graph.backward().gradients": "gradient gradients",
    },
    "SigmoidNetwork": {
        "bp.Network, where that is to be chosen": "activation output loss bias",
    },
    "choices": {
        "relu": "rectifier",
        "leaky relu": "lrelu leakyrelu",
        "identity": "linear logits none",
        "sigmoid": "expit logistic",
        "squared error": "l2 meansquarederror mse quadratic sse",
        "cross-entropy": "bce binarycrossentropy ce logloss logistic nll",
    },
    "arguments": {
        "learning_rate": "alpha eta lr rate step_size",
        "epochs": "iterations max_iter n_epochs n_iter num_epochs steps",
        "batch_size": "batch minibatch mini_batch_size",
        "widths": "dims layer_dims layer_sizes shape sizes units",
        "seed": "random_seed random_state rng",
        "progress": "verbose",
        "validation": "validation_data validation_split",
        "patience": "early_stopping",
        "samples": "data layout",
        "output": "output_activation",
        "loss": "cost criterion",
        "argnums": "argnum wrt",
        "hints": "verbosity",
        "l2": "lambda_ lambd reg weight_decay",
        "xp": "backend lib library",
        "axis": "axes dim dims",
        "keepdims": "keep_dims keepdim",
    },
}
_BY_NAME = {
    owner: {word: meant for meant, words in table.items() for word in words.split()}
    for owner, table in _MEANT.items()
}


class NoAttributeError(NotFoundError, AttributeError):
    """A name that an object does not have."""


class Suggesting:
    """An object that says what was probably meant by a name that it does not have."""

    __slots__ = ()
    if not TYPE_CHECKING:  # for which an attribute of any name would exist

        def __getattr__(self, name: str) -> Any:
            if any(name in vars(kind) for kind in type(self).__mro__):  # a property that has failed
                return object.__getattribute__(self, name)
            kinds = [kind.__name__ for kind in type(self).__mro__]
            raise no_attribute(f"{kinds[0]!r} object", kinds, name, lambda: dir(self))


def no_attribute(
    owner: str, kinds: list[str], name: str, known: Callable[[], list[str]]
) -> AttributeError:
    """Return the error for a name that an object does not have.

    ``kinds`` are the names under which its synonyms stand.  Programs ask for names that begin
    with an underscore, and a person for others.

    >>> print(no_attribute("'Graph' object", ["Graph"], "gradients", list))
    'Graph' object has no attribute 'gradients'.
      instead:  graph.backward().gradients
    """
    problem = f"{owner} has no attribute {name!r}"
    if name.startswith("_"):
        return AttributeError(problem)
    return NoAttributeError(f"{problem}.", instead=_meant(kinds, name, known()))


def _meant(kinds: list[str], name: str, known: list[str]) -> str | None:
    for kind in kinds:
        synonyms = _BY_NAME.get(kind, {})
        found = synonyms.get(name) or synonyms.get(name.lower())
        if found:
            return found
    public = [each for each in known if not each.startswith("_")]
    same = [each for each in public if each.lower() == name.lower()]
    close = same or difflib.get_close_matches(name, public, n=2)
    return f"did you mean {' or '.join(close)}?" if close else None


def no_argument(
    owner: str, names: list[str], key: str, value: Any, at: str | None = None
) -> UnsupportedError:
    """Return the error for a keyword that a function does not have."""
    known = [each for each in names if each not in ("self", "cls")]
    other = _BY_NAME.get(owner, {}).get(key)
    meant = _BY_NAME["arguments"].get(key)
    close = [meant] if meant in names else difflib.get_close_matches(key, known, n=1)
    instead = other or (f"{close[0]}=…" if close else None)
    return UnsupportedError(
        f"{owner} has no argument `{key}`.",
        given=f"{key} = {value!r:.60}",
        expected=None if instead else ", ".join(known),
        instead=instead,
        at=at,
    )


def one_of(name: str, value: object, known: Iterable[str]) -> str:
    """Return a choice among names, or say which one is meant by another word.

    >>> one_of("loss", "MSE", ["squared error", "cross-entropy"])
    Traceback (most recent call last):
    ...
    backprop_nb.errors.InvalidValueError: `loss` must be "squared error" or "cross-entropy".
      given:    loss = 'MSE'
      instead:  loss="squared error"
    """
    known = list(known)
    if isinstance(value, str) and value in known:
        return value
    plain = {"".join(filter(str.isalnum, each.lower())): each for each in known}
    word = "".join(filter(str.isalnum, str(getattr(value, "__name__", value)).lower()))
    found = plain.get(word) or _BY_NAME["choices"].get(word)
    if found not in known:  # and an elu is no relu: short names have neighbours
        close = difflib.get_close_matches(word, plain, n=1, cutoff=0.75) if len(word) > 4 else []
        found = plain[close[0]] if close else None
    instead = {"instead": f'{name}="{found}"'} if found else {}
    raise must_be(either(known), name, value, **instead)


def suggesting(function: Callable[P, R]) -> Callable[P, R]:
    """Let a function say what was meant by a keyword that it does not have.

    >>> suggesting(lambda learning_rate: None)(lr=1)
    Traceback (most recent call last):
    ...
    backprop_nb.errors.UnsupportedError: <lambda> has no argument `lr`.
      given:    lr = 1
      instead:  learning_rate=…
    """
    names = list(inspect.signature(function).parameters)
    owner = function.__qualname__.removesuffix(".__init__")

    @functools.wraps(function)
    def called(*args: P.args, **kwargs: P.kwargs) -> R:
        for key, value in kwargs.items():
            if key not in names:
                raise no_argument(owner, names, key, value)
        return function(*args, **kwargs)

    return called
