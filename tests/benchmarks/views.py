"""What it costs to show a graph: a GPT block in plain NumPy, small and large.

    python tests/benchmarks/views.py

`explore()` is the widget before it reaches the browser, `draw()` the figure on
paper, `describe()` the text twin.  Names, source and rules are worked out anew for
each: every run has a trace of its own.
"""

import numpy as np
from timing import medians, table

import backprop_nb as bp

SIZES = {"2 layers": (2, 2), "8 layers": (8, 2)}
"""Layers and heads."""


def gelu(x):
    return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


def softmax(x):
    e = np.exp(x - np.max(x, axis=-1, keepdims=True))
    return e / np.sum(e, axis=-1, keepdims=True)


def layer_norm(x, g, b):
    mean = np.mean(x, axis=-1, keepdims=True)
    variance = np.var(x, axis=-1, keepdims=True)
    return g * (x - mean) / np.sqrt(variance + 1e-5) + b


def linear(x, w, b):
    return x @ w + b


def ffn(x, c_fc, c_proj):
    return linear(gelu(linear(x, **c_fc)), **c_proj)


def attention(q, k, v, mask):
    return softmax(q @ k.T / np.sqrt(q.shape[-1]) + mask) @ v


def mha(x, c_attn, c_proj, n_head):
    x = linear(x, **c_attn)
    qkv_heads = [np.split(part, n_head, axis=-1) for part in np.split(x, 3, axis=-1)]
    causal_mask = (1 - np.tri(x.shape[0])) * -1e10
    out_heads = [attention(q, k, v, causal_mask) for q, k, v in zip(*qkv_heads, strict=True)]
    return linear(np.hstack(out_heads), **c_proj)


def transformer_block(x, mlp, attn, ln_1, ln_2, n_head):
    x = x + mha(layer_norm(x, **ln_1), **attn, n_head=n_head)
    return x + ffn(layer_norm(x, **ln_2), **mlp)


def gpt2_loss(inputs, wte, wpe, blocks, ln_f, n_head):
    """The cross-entropy of the next token, as a course writes it."""
    x = wte[inputs[:-1]] + wpe[: len(inputs) - 1]
    for block in blocks:
        x = transformer_block(x, **block, n_head=n_head)
    probabilities = softmax(layer_norm(x, **ln_f) @ wte.T)
    return -np.mean(np.log(probabilities[np.arange(len(inputs) - 1), inputs[1:]]))


def parameters(layers, width=8, words=11, length=6):
    rng = np.random.default_rng(0)

    def weights(inputs, outputs):
        return {"w": rng.normal(0, 0.3, (inputs, outputs)), "b": np.zeros(outputs)}

    def norm():
        return {"g": np.ones(width), "b": np.zeros(width)}

    blocks = [
        {
            "attn": {"c_attn": weights(width, 3 * width), "c_proj": weights(width, width)},
            "mlp": {"c_fc": weights(width, 4 * width), "c_proj": weights(4 * width, width)},
            "ln_1": norm(),
            "ln_2": norm(),
        }
        for _ in range(layers)
    ]
    wte, wpe = rng.normal(0, 0.3, (words, width)), rng.normal(0, 0.3, (length, width))
    return wte, wpe, blocks, norm()


def gpt_graph(layers, heads):
    """Return the graph of the loss of a small GPT by all its parameters."""
    inputs = np.array([3, 1, 4, 1, 5, 9])
    return bp.trace(
        lambda wte, wpe, blocks, ln_f: gpt2_loss(inputs, wte, wpe, blocks, ln_f, heads),
        *parameters(layers),
    )


def main():
    for name, size in SIZES.items():
        count = len(gpt_graph(*size).nodes)
        views = {
            "explore()": lambda size=size: gpt_graph(*size).explore(),
            "draw()": lambda size=size: gpt_graph(*size).draw(),
            "describe()": lambda size=size: gpt_graph(*size).describe(),
        }
        times = medians(views, rounds=5, runs=1)
        print(table(f"A GPT of {count} nodes, {name}", times, "ms", 1e3, "describe()"), "\n")


if __name__ == "__main__":
    main()
