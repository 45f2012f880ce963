"""Probabilistic models, clusters, kernels."""

import numpy as np
from program import normal, positive, program

rng = np.random.default_rng(3)
data = rng.normal(size=(7, 2))
x_train = np.linspace(-1, 1, 5)
y_train = np.sin(3 * x_train)


@program(normal(3, 2))
def kmeans_assignments(centroids):
    d = np.linalg.norm(data[:, None] - centroids, axis=2)
    closest = np.argmin(d, axis=1)
    J = 0
    for k in range(3):
        members = data[closest == k]
        if len(members) > 0:
            J += np.sum((members - centroids[k]) ** 2)
    return J


@program(normal(7, 2))
def kmeans_one_step(points):
    centroids = points[:2].copy()
    labels = np.array([np.argmin([np.sum((p - c) ** 2) for c in centroids]) for p in points])
    new = np.array([points[labels == k].mean(axis=0) for k in range(2)])
    return np.sum((new - centroids) ** 2)


@program(normal(2, 2), normal(2, 2, 2))
def gmm_full_covariance(means, L):
    resp = np.zeros((len(data), 2))
    for k in range(2):
        Sigma = L[k] @ L[k].T + 0.5 * np.eye(2)
        diff = data - means[k]
        maha = np.einsum("ij,jk,ik->i", diff, np.linalg.inv(Sigma), diff)
        resp[:, k] = -0.5 * maha - 0.5 * np.log(np.linalg.det(Sigma))
    top = resp.max(axis=1, keepdims=True)
    return np.sum(top[:, 0] + np.log(np.exp(resp - top).sum(axis=1)))


@program(normal(3))
def gaussian_process_likelihood(theta):
    ell, sf, sn = np.exp(theta * 0.5)
    n = len(x_train)
    K = np.zeros((n, n))
    for i in range(n):
        for j in range(n):
            K[i, j] = sf**2 * np.exp(-0.5 * (x_train[i] - x_train[j]) ** 2 / ell**2)
    K += (sn**2 + 0.1) * np.eye(n)
    L = np.linalg.cholesky(K)
    alpha = np.linalg.solve(L.T, np.linalg.solve(L, y_train))
    return 0.5 * y_train.dot(alpha) + np.sum(np.log(np.diag(L))) + 0.5 * n * np.log(2 * np.pi)


@program(normal(), normal())
def kernel_ridge(log_gamma, log_lam):
    gamma, lam = np.exp(log_gamma), np.exp(log_lam)
    sq = (x_train[:, None] - x_train[None, :]) ** 2
    K = np.exp(-gamma * sq)
    alpha = np.linalg.inv(K + lam * np.eye(len(K))).dot(y_train)
    x_new = np.array([0.1, 0.7])
    k = np.exp(-gamma * (x_new[:, None] - x_train) ** 2)
    return np.sum((k.dot(alpha) - np.sin(3 * x_new)) ** 2)


@program(normal(4), normal(4), positive())
def rbf_network(centres, weights, width):
    error = 0
    for x, target in zip(x_train, y_train):
        phi = np.array([np.exp(-((x - c) ** 2) / (2 * width**2)) for c in centres])
        error += (weights @ phi - target) ** 2
    return error / 2


@program(normal(2))
def pca_objective(w):
    w = w / np.linalg.norm(w)
    centred = data - data.mean(axis=0)
    C = np.cov(centred.T)
    return -w.T @ C @ w


@program(normal(2, 1))
def pca_reconstruction(V):
    V = V / np.sqrt(np.sum(V**2))
    Z = (data - data.mean(0)) @ V
    return np.mean(np.sum((data - data.mean(0) - Z @ V.T) ** 2, axis=1))


@program(normal(2, 2), normal(2), normal(2, 2))
def vae_loss(We, be, Wd):
    eps = np.random.default_rng(7).normal(size=(7, 2))
    h = np.tanh(data @ We + be)
    mu, log_var = h[:, :1], h[:, 1:]
    z = mu + np.exp(0.5 * log_var) * eps
    recon = z @ Wd
    mse = np.sum((recon - data) ** 2, axis=1)
    kl = -0.5 * np.sum(1 + log_var - mu**2 - np.exp(log_var), axis=1)
    return np.mean(mse + kl)


@program(normal(4))
def entropy_and_kl(logits):
    p = np.exp(logits) / sum(np.exp(logits))
    q = np.ones(4) / 4
    H = -sum(pi * np.log2(pi) for pi in p)
    kl = np.sum(np.where(p > 0, p * np.log(p / q), 0))
    return H + kl


@program(normal(7, 2, scale=0.5))
def tsne_kl(Y):
    D = np.zeros((7, 7))
    P = np.zeros((7, 7))
    for i in range(7):
        for j in range(7):
            D[i, j] = np.sum((Y[i] - Y[j]) ** 2)
            P[i, j] = np.exp(-np.sum((data[i] - data[j]) ** 2))
    Q = 1 / (1 + D)
    np.fill_diagonal(Q, 0)
    np.fill_diagonal(P, 0)
    P = P / P.sum()
    Q = Q / Q.sum()
    Q = np.maximum(Q, 1e-12)
    return np.sum(P[P > 0] * np.log(P[P > 0] / Q[P > 0]))


@program(positive(4, low=0.2, high=1.0))
def beta_bernoulli(p):
    p = p / 1.5
    flips = [1, 0, 0, 1, 1]
    like = np.ones_like(p)
    for f in flips:
        like *= p if f else 1 - p
    return np.log(like).sum()


@program(normal(6))
def median_and_mad(x):
    m = np.median(x)
    return np.sum((x - m) ** 2) + np.median(np.abs(x - m))


@program(normal(6))
def order_statistics(x):
    s = np.sort(x)
    trimmed = s[1:-1]
    iqr = np.percentile(x, 75) - np.percentile(x, 25)
    return trimmed.mean() ** 2 + iqr
