"""Distances to centres through a bell curve, and a margin between the similarities of vectors."""

import numpy as np

DATA = 2


def loss(centres, width, weights, x, t):
    squares = np.sum((x[:, None, :] - centres) ** 2, axis=2)
    return np.mean((np.exp(-squares / (2 * width**2)) @ weights - t) ** 2)


def arguments(rng):
    return (
        rng.normal(size=(3, 2)),
        float(rng.uniform(0.8, 1.2)),
        rng.normal(size=3),
        rng.normal(size=(5, 2)),
        rng.normal(size=5),
    )


def gradient(centres, width, weights, x, t):
    diff = x[:, None, :] - centres[None, :, :]
    dist2 = (diff**2).sum(axis=-1)
    phi = np.exp(-dist2 / (2 * width**2))
    dout = 2 * (phi @ weights - t) / len(t)
    dweights = phi.T @ dout
    dphi = np.outer(dout, weights)
    ddist2 = -dphi * phi / (2 * width**2)
    dwidth = np.sum(dphi * phi * dist2 / width**3)
    dcentres = np.sum(-2 * diff * ddist2[:, :, None], axis=0)
    return dcentres, dwidth, dweights


def gradient_in_loops(centres, width, weights, x, t):
    d_c, d_s, d_w = np.zeros_like(centres), 0.0, np.zeros_like(weights)
    for point, aim in zip(x, t):
        bells = []
        for centre in centres:
            gap = point - centre
            bells.append(np.exp(-0.5 * gap.dot(gap) / width**2))
        out = sum(w * bell for w, bell in zip(weights, bells))
        e = 2 * (out - aim) / len(x)
        for j, bell in enumerate(bells):
            gap = point - centres[j]
            d_w[j] += e * bell
            d_c[j] += e * weights[j] * bell * gap / width**2
            d_s += e * weights[j] * bell * gap.dot(gap) / width**3
    return d_c, d_s, d_w


WRONG = {
    "gradient": [
        ("ddist2 = -dphi * phi / (2 * width**2)", "ddist2 = dphi * phi / (2 * width**2)", "sign"),
        ("ddist2 = -dphi * phi", "ddist2 = -dphi", "slope missing"),
        ("width**3", "width**2", "factor"),
        ("diff * ddist2", "diff * dist2", "operand"),
        ("dist2 = (diff**2).sum(axis=-1)", "dist2 = np.sqrt((diff**2).sum(axis=-1))", "forward"),
    ],
    "gradient_in_loops": [
        ("d_w[j] += e * bell", "d_w[j] += e * weights[j] * bell", "operand"),
        ("gap = point - centres[j]", "gap = point - centres[0]", "index"),
        ("d_c[j] +=", "d_c[j] =", "accumulation"),
        ("0.5 * gap", "gap", "forward"),
    ],
}
