"""Any number of layers in lists, one sample as a column, a linear output."""

import numpy as np

rng = np.random.default_rng(14)
net_input = rng.normal(size=(2, 1))
target = rng.normal(size=(1, 1))


def loss(all_weights, all_biases):
    h = net_input
    for omega, beta in zip(all_weights[:-1], all_biases[:-1]):
        h = np.maximum(beta + omega @ h, 0)
    return np.sum((all_biases[-1] + all_weights[-1] @ h - target) ** 2)


def arguments(rng):
    sizes = [2, 5, 5, 5, 1]
    all_weights = [rng.normal(0.1, 0.6, (n, m)) for m, n in zip(sizes, sizes[1:])]
    return all_weights, [rng.uniform(-0.3, 1.0, (n, 1)) for n in sizes[1:]]


def ReLU(preactivation):
    activation = preactivation.clip(0.0)
    return activation


def indicator_function(x):
    x_in = np.array(x)
    x_in[x_in > 0] = 1
    x_in[x_in <= 0] = 0
    return x_in


def gradient(all_weights, all_biases):
    K = len(all_weights) - 1
    all_f = [None] * (K + 1)
    all_h = [None] * (K + 1)
    all_h[0] = net_input
    for layer in range(K):
        all_f[layer] = all_biases[layer] + np.matmul(all_weights[layer], all_h[layer])
        all_h[layer + 1] = ReLU(all_f[layer])
    all_f[K] = all_biases[K] + np.matmul(all_weights[K], all_h[K])
    all_dl_dweights = [None] * (K + 1)
    all_dl_dbiases = [None] * (K + 1)
    dl_df = 2 * (all_f[K] - target)
    for layer in range(K, -1, -1):
        all_dl_dbiases[layer] = np.array(dl_df)
        all_dl_dweights[layer] = np.matmul(dl_df, all_h[layer].transpose())
        dl_dh = np.matmul(all_weights[layer].transpose(), dl_df)
        if layer > 0:
            dl_df = indicator_function(all_f[layer - 1]) * dl_dh
    return all_dl_dweights, all_dl_dbiases


def gradient_recursive(all_weights, all_biases):
    weight_grads, bias_grads = [], []

    def through(k, h):
        f = all_weights[k] @ h + all_biases[k]
        if k == len(all_weights) - 1:
            d = 2 * (f - target)
        else:
            d = through(k + 1, np.where(f > 0, f, 0))
            d = np.where(f > 0, d, 0)
        weight_grads.append(d @ h.T)
        bias_grads.append(d)
        return all_weights[k].T @ d

    through(0, net_input)
    return weight_grads[::-1], bias_grads[::-1]


WRONG = {
    "gradient": [
        ("layer - 1", "0", "index"),
        ("dl_df = indicator_function(all_f[layer - 1]) * dl_dh", "dl_df = dl_dh", "slope missing"),
        ("indicator_function(all_f[layer - 1])", "all_h[layer]", "slope"),
        ("dl_df, all_h[layer]", "dl_df, all_h[layer - 1]", "index"),
        ("x_in[x_in <= 0] = 0", "x_in[x_in <= 0] = -1", "mask"),
        ("dl_df = 2 * (all_f[K] - target)", "dl_df = all_f[K] - target", "factor"),
        ("for layer in range(K, -1, -1):", "for layer in range(K, 0, -1):", "index"),
        ("all_h[layer + 1] = ReLU(all_f[layer])", "all_h[layer + 1] = all_f[layer]", "forward"),
        ("activation = preactivation.clip(0.0)", "activation = preactivation.clip(0.1)", "forward"),
    ],
    "gradient_recursive": [
        ("d = np.where(f > 0, d, 0)", "d = np.where(f > 0, d, f)", "mask"),
        ("return all_weights[k].T @ d", "return all_weights[k].T @ d * h", "product"),
    ],
}
