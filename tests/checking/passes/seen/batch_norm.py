"""Batch normalisation, in stages and by the short formula."""

import numpy as np

DATA = 1
EPS = 1e-5


def loss(x, gamma, beta, target):
    normal = (x - np.mean(x, axis=0)) / np.sqrt(np.var(x, axis=0) + EPS)
    return np.sum((gamma * normal + beta - target) ** 2)


def arguments(rng):
    return rng.normal(size=(5, 3)), rng.normal(size=3), rng.normal(size=3), rng.normal(size=(5, 3))


def batchnorm_forward(x, gamma, beta):
    N, D = x.shape
    mu = 1.0 / N * np.sum(x, axis=0)
    xmu = x - mu
    sq = xmu**2
    var = 1.0 / N * np.sum(sq, axis=0)
    sqrtvar = np.sqrt(var + EPS)
    ivar = 1.0 / sqrtvar
    xhat = xmu * ivar
    gammax = gamma * xhat
    out = gammax + beta
    return out, (xhat, gamma, xmu, ivar, sqrtvar, var)


def batchnorm_backward(dout, cache):
    xhat, gamma, xmu, ivar, sqrtvar, var = cache
    N, D = dout.shape
    dbeta = np.sum(dout, axis=0)
    dgamma = np.sum(dout * xhat, axis=0)
    dxhat = dout * gamma
    divar = np.sum(dxhat * xmu, axis=0)
    dxmu1 = dxhat * ivar
    dsqrtvar = -1.0 / (sqrtvar**2) * divar
    dvar = 0.5 * 1.0 / np.sqrt(var + EPS) * dsqrtvar
    dsq = 1.0 / N * np.ones((N, D)) * dvar
    dxmu2 = 2 * xmu * dsq
    dx1 = dxmu1 + dxmu2
    dmu = -1 * np.sum(dxmu1 + dxmu2, axis=0)
    dx2 = 1.0 / N * np.ones((N, D)) * dmu
    dx = dx1 + dx2
    return dx, dgamma, dbeta


def gradient(x, gamma, beta, target):
    out, cache = batchnorm_forward(x, gamma, beta)
    dout = 2 * (out - target)
    return batchnorm_backward(dout, cache)


def gradient_short(x, gamma, beta, target):
    N = len(x)
    sigma = np.sqrt(x.var(axis=0) + EPS)
    xn = (x - x.mean(axis=0)) / sigma
    g = 2 * (gamma * xn + beta - target)
    dgamma = (g * xn).sum(0)
    dbeta = g.sum(0)
    dx = gamma / (N * sigma) * (N * g - dbeta - xn * dgamma)
    return dx, dgamma, dbeta


WRONG = {
    "gradient": [
        ("dxmu2 = 2 * xmu * dsq", "dxmu2 = xmu * dsq", "factor"),
        ("dx = dx1 + dx2", "dx = dx1", "term"),
        ("dmu = -1 * np.sum(dxmu1 + dxmu2, axis=0)", "dmu = np.sum(dxmu1 + dxmu2, axis=0)", "sign"),
        ("dsqrtvar = -1.0 / (sqrtvar**2) * divar", "dsqrtvar = -1.0 / sqrtvar * divar", "slope"),
        ("dxhat = dout * gamma", "dxhat = dout", "term"),
        ("dsq = 1.0 / N * np.ones((N, D)) * dvar", "dsq = np.ones((N, D)) * dvar", "factor"),
        ("dgamma = np.sum(dout * xhat, axis=0)", "dgamma = np.sum(dout * xmu, axis=0)", "operand"),
        ("var = 1.0 / N", "var = 1.0 / (N - 1)", "forward"),
    ],
    "gradient_short": [
        ("N * g - dbeta", "g - dbeta", "factor"),
        ("sigma = np.sqrt(x.var(axis=0) + EPS)", "sigma = np.sqrt(x.var() + EPS)", "forward"),
    ],
}
