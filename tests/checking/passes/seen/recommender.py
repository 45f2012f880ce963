"""Ratings as a product of two arrays, where some are missing."""

import numpy as np

DATA = 2


def loss(X, Theta, Y, R):
    return 0.5 * np.sum(R * (X @ Theta.T - Y) ** 2) + 0.4 * (np.sum(X**2) + np.sum(Theta**2))


def arguments(rng):
    R = np.array([[1, 0, 1], [1, 1, 0], [0, 1, 1], [1, 1, 1]])
    return rng.normal(size=(4, 3)), rng.normal(size=(3, 3)), rng.normal(size=(4, 3)), R


def gradient(X, Theta, Y, R):
    lambda_ = 0.8
    X_grad = np.zeros(X.shape)
    Theta_grad = np.zeros(Theta.shape)
    for i in range(R.shape[0]):
        idx = np.where(R[i, :] == 1)[0]
        Theta_temp = Theta[idx, :]
        Y_temp = Y[i, idx]
        X_grad[i, :] = (
            np.dot(np.dot(X[i, :], Theta_temp.T) - Y_temp, Theta_temp) + lambda_ * X[i, :]
        )
    for j in range(R.shape[1]):
        jdx = np.where(R[:, j] == 1)[0]
        X_temp = X[jdx, :]
        error = np.dot(X_temp, Theta[j, :]) - Y[jdx, j]
        Theta_grad[j, :] = np.dot(error, X_temp) + lambda_ * Theta[j, :]
    return X_grad, Theta_grad


def gradient_masked(X, Theta, Y, R):
    D = (X @ Theta.T - Y) * R
    return np.concatenate([(D @ Theta + 0.8 * X).ravel(), (D.T @ X + 0.8 * Theta).ravel()])


WRONG = {
    "gradient": [
        ("X_temp = X[jdx, :]", "X_temp = X[jdx - 1, :]", "index"),
        ("idx = np.where(R[i, :] == 1)[0]", "idx = np.where(R[i, :] >= 0)[0]", "mask"),
        ("lambda_ * Theta[j, :]", "lambda_ * Theta[0, :]", "index"),
        ("X_temp, Theta[j, :]", "X_temp, Theta[:, j]", "forward"),
    ],
    "gradient_masked": [
        ("D = (X @ Theta.T - Y) * R", "D = X @ Theta.T - Y", "mask"),
        ("D = (X @ Theta.T - Y) * R", "D = (X @ Theta - Y) * R", "forward"),
    ],
}
