"""Linear algebra by hand."""

import numpy as np
from program import normal, positive, program


@program(normal(4, 3))
def gram_schmidt(A):
    Q = np.zeros_like(A)
    for j in range(A.shape[1]):
        v = A[:, j].copy()
        for k in range(j):
            v -= (Q[:, k] @ A[:, j]) * Q[:, k]
        Q[:, j] = v / np.linalg.norm(v)
    return np.sum(Q[:2] ** 3)


@program(normal(4, 3))
def modified_gram_schmidt_in_place(A):
    V = A.copy()
    n = V.shape[1]
    R = np.zeros((n, n))
    for i in range(n):
        R[i, i] = np.sqrt(np.sum(V[:, i] ** 2))
        V[:, i] /= R[i, i]
        for j in range(i + 1, n):
            R[i, j] = V[:, i].dot(V[:, j])
            V[:, j] -= R[i, j] * V[:, i]
    return np.sum(R**2) + np.trace(R)


@program(normal(4))
def gram_schmidt_list(v):
    basis = []
    for u in [v, np.array([1.0, 2.0, 0.0, 1.0]), np.array([0.0, 1.0, -1.0, 3.0])]:
        w = u - sum(np.dot(u, b) * b for b in basis)
        if np.linalg.norm(w) > 1e-10:
            basis.append(w / np.linalg.norm(w))
    B = np.array(basis)
    return B[2] @ np.arange(4)


@program(normal(3, 3))
def cholesky_loops(M):
    A = M @ M.T + 2 * np.eye(3)
    n = len(A)
    L = np.zeros((n, n))
    for i in range(n):
        for j in range(i + 1):
            s = sum(L[i, k] * L[j, k] for k in range(j))
            if i == j:
                L[i, j] = np.sqrt(A[i, i] - s)
            else:
                L[i, j] = (A[i, j] - s) / L[j, j]
    return np.sum(np.log(np.diag(L)))


@program(normal(4, 4))
def lu_with_pivoting(A):
    U = A.copy()
    n = U.shape[0]
    L = np.eye(n)
    P = np.eye(n)
    sign = 1
    for k in range(n - 1):
        p = k + np.argmax(np.abs(U[k:, k]))
        if p != k:
            U[[k, p]] = U[[p, k]]
            P[[k, p]] = P[[p, k]]
            L[[k, p], :k] = L[[p, k], :k]
            sign = -sign
        for i in range(k + 1, n):
            L[i, k] = U[i, k] / U[k, k]
            U[i, k:] -= L[i, k] * U[k, k:]
    assert np.allclose(P @ A, L @ U)
    return sign * np.prod(np.diag(U))


@program(normal(3, 3), normal(3))
def gaussian_elimination(A, b):
    M = np.hstack([A + 3 * np.eye(3), b.reshape(-1, 1)])
    n = len(b)
    for i in range(n):
        M[i] = M[i] / M[i, i]
        for j in range(i + 1, n):
            M[j] = M[j] - M[j, i] * M[i]
    x = np.zeros(n)
    for i in range(n - 1, -1, -1):
        x[i] = M[i, -1] - np.dot(M[i, i + 1 : n], x[i + 1 :])
    return np.sum(x**2)


def back_substitution(U, b):
    n = b.size
    x = np.zeros(n)
    x[n - 1] = b[n - 1] / U[n - 1, n - 1]
    for i in range(n - 2, -1, -1):
        bb = 0
        for j in range(i + 1, n):
            bb += U[i, j] * x[j]
        x[i] = (b[i] - bb) / U[i, i]
    return x


@program(normal(4, 4), normal(4))
def triangular_solves(A, b):
    U = np.triu(A) + 3 * np.eye(4)
    L = np.tril(A, -1) + np.eye(4)
    y = np.zeros(4)
    for i in range(4):
        y[i] = b[i] - L[i, :i] @ y[:i]
    return np.linalg.norm(back_substitution(U, y))


@program(normal(3, 3))
def power_iteration(M):
    A = M.T @ M
    v = np.ones(3)
    for _ in range(8):
        v = A.dot(v)
        v /= np.linalg.norm(v)
    return v @ A @ v


@program(normal(4, 4))
def pagerank(weights):
    W = np.exp(weights)
    np.fill_diagonal(W, 0)
    M = W / W.sum(axis=0)
    r = np.ones(4) / 4
    for _ in range(10):
        r = 0.85 * M.dot(r) + 0.15 / 4
    return -np.sum(r * np.log(r))


@program(normal(3, 3), normal(3))
def jacobi_iteration(A, b):
    A = 0.2 * A + 2 * np.eye(3)
    x = np.zeros_like(b)
    D = np.diag(A)
    R = A - np.diagflat(D)
    for _ in range(6):
        x = (b - np.dot(R, x)) / D
    return x @ x


@program(normal(3, 3), normal(3))
def gauss_seidel(A, b):
    A = 0.3 * A + 2 * np.eye(3)
    x = np.zeros(3)
    for _ in range(4):
        for i in range(3):
            s = 0
            for j in range(3):
                if j != i:
                    s += A[i, j] * x[j]
            x[i] = (b[i] - s) / A[i, i]
    return np.max(np.abs(x))


@program(normal(4, 4))
def determinant_recursive(A):
    def det(M):
        if M.shape == (1, 1):
            return M[0, 0]
        total = 0
        for j in range(M.shape[1]):
            minor = np.delete(M[1:], j, axis=1)
            total += (-1) ** j * M[0, j] * det(minor)
        return total

    return det(A)


@program(normal(3, 4), normal(4, 2))
def matmul_three_loops(A, B):
    C = np.zeros((3, 2))
    for i in range(3):
        for j in range(2):
            for k in range(4):
                C[i, j] += A[i, k] * B[k, j]
    return np.sum(np.sin(C))


@program(normal(4, 4), normal(4))
def householder_reflection(A, b):
    R = A.copy()
    y = b.copy()
    for k in range(3):
        x = R[k:, k]
        e = np.zeros_like(x)
        e[0] = np.linalg.norm(x) * (1 if x[0] >= 0 else -1)
        u = x + e
        u = u / np.linalg.norm(u)
        R[k:, k:] -= 2 * np.outer(u, u @ R[k:, k:])
        y[k:] -= 2 * u * (u @ y[k:])
    return np.abs(np.diag(R)).sum() + y[0]


@program(normal(3, 3))
def givens_rotation(A):
    c = A[0, 0] / np.hypot(A[0, 0], A[1, 0])
    s = A[1, 0] / np.hypot(A[0, 0], A[1, 0])
    G = np.eye(3)
    G[0, 0] = G[1, 1] = c
    G[0, 1], G[1, 0] = s, -s
    B = G @ A
    return np.sum(np.abs(B))


@program(normal(5, 5))
def graph_laplacian(W):
    A = (W + W.T) ** 2
    A[np.diag_indices(5)] = 0
    D = np.zeros((5, 5))
    for i in range(5):
        D[i, i] = A[i].sum()
    L = D - A
    f = np.array([1.0, 0.5, -1.0, 2.0, 0.0])
    return f @ L @ f / (f @ f)


@program(positive(3, 3))
def sinkhorn(C):
    K = np.exp(-C / 0.5)
    u = np.ones(3)
    a, b = np.array([0.2, 0.3, 0.5]), np.array([0.4, 0.4, 0.2])
    for _ in range(10):
        v = b / K.T.dot(u)
        u = a / K.dot(v)
    P = np.diag(u) @ K @ np.diag(v)
    return np.sum(P * C)


@program(normal(3, 3))
def inverse_newton_schulz(M):
    A = M @ M.T + np.eye(3)
    X = A.T / (np.linalg.norm(A, 1) * np.linalg.norm(A, np.inf))
    for _ in range(12):
        X = X @ (2 * np.eye(3) - A @ X)
    return np.trace(X)
