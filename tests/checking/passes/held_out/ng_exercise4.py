"""Everything in one flat vector, a column of ones for the biases, L2 on all but those."""

import numpy as np

DATA = 2
HIDDEN = 4
LABELS = 3
LAMBDA = 0.7


def loss(nn_params, X, y):
    split = HIDDEN * (X.shape[1] + 1)
    first = nn_params[:split].reshape(HIDDEN, -1)
    second = nn_params[split:].reshape(LABELS, -1)
    hidden = 1 / (1 + np.exp(-(X @ first[:, 1:].T + first[:, 0])))
    out = 1 / (1 + np.exp(-(hidden @ second[:, 1:].T + second[:, 0])))
    Y = np.eye(LABELS)[y]
    J = -np.sum(Y * np.log(out) + (1 - Y) * np.log(1 - out)) / len(y)
    penalty = np.sum(first[:, 1:] ** 2) + np.sum(second[:, 1:] ** 2)
    return J + LAMBDA / (2 * len(y)) * penalty


def arguments(rng):
    size = HIDDEN * 4 + LABELS * (HIDDEN + 1)
    return rng.normal(size=size), rng.normal(size=(5, 3)), np.array([0, 1, 2, 1, 0])


def sigmoid(z):
    return 1.0 / (1.0 + np.exp(-z))


def sigmoidGradient(z):
    g = sigmoid(z) * (1 - sigmoid(z))
    return g


def gradient(nn_params, X, y):
    n = X.shape[1]
    m = X.shape[0]
    Theta1 = np.reshape(nn_params[: HIDDEN * (n + 1)], (HIDDEN, n + 1))
    Theta2 = np.reshape(nn_params[HIDDEN * (n + 1) :], (LABELS, HIDDEN + 1))
    Theta1_grad = np.zeros(Theta1.shape)
    Theta2_grad = np.zeros(Theta2.shape)
    y_matrix = np.eye(LABELS)[y]
    for t in range(m):
        a_1 = np.concatenate([[1], X[t]])
        z_2 = Theta1 @ a_1
        a_2 = np.concatenate([[1], sigmoid(z_2)])
        z_3 = Theta2 @ a_2
        a_3 = sigmoid(z_3)
        delta_3 = a_3 - y_matrix[t]
        delta_2 = (Theta2.T @ delta_3)[1:] * sigmoidGradient(z_2)
        Theta1_grad += np.outer(delta_2, a_1)
        Theta2_grad += np.outer(delta_3, a_2)
    Theta1_grad /= m
    Theta2_grad /= m
    Theta1_grad[:, 1:] += LAMBDA / m * Theta1[:, 1:]
    Theta2_grad[:, 1:] += LAMBDA / m * Theta2[:, 1:]
    return np.concatenate([Theta1_grad.ravel(), Theta2_grad.ravel()])


def gradient_in_arrays(nn_params, X, y):
    m, n = X.shape
    Theta1 = nn_params[: HIDDEN * (n + 1)].reshape(HIDDEN, n + 1)
    Theta2 = nn_params[HIDDEN * (n + 1) :].reshape(LABELS, HIDDEN + 1)
    A1 = np.column_stack([np.ones(m), X])
    Z2 = A1.dot(Theta1.T)
    A2 = np.column_stack([np.ones(m), sigmoid(Z2)])
    A3 = sigmoid(A2.dot(Theta2.T))
    D3 = A3 - (np.arange(LABELS) == y[:, None])
    D2 = D3.dot(Theta2[:, 1:]) * sigmoidGradient(Z2)
    reg1 = np.hstack([np.zeros((HIDDEN, 1)), Theta1[:, 1:]])
    reg2 = np.hstack([np.zeros((LABELS, 1)), Theta2[:, 1:]])
    G1 = D2.T.dot(A1) / m + LAMBDA / m * reg1
    G2 = D3.T.dot(A2) / m + LAMBDA / m * reg2
    return np.r_[G1.ravel(), G2.ravel()]


WRONG = {
    "gradient": [
        ("[1:] * sigmoidGradient(z_2)", "[1:]", "slope missing"),
        ("sigmoidGradient(z_2)", "sigmoidGradient(a_2[1:])", "slope"),
        ("delta_2 = (Theta2.T @ delta_3)[1:]", "delta_2 = (Theta2.T @ delta_3)[:-1]", "index"),
        ("Theta1_grad +=", "Theta1_grad =", "accumulation"),
        ("Theta2_grad /= m", "Theta2_grad /= n", "factor"),
        (
            "Theta1_grad[:, 1:] += LAMBDA / m * Theta1[:, 1:]",
            "Theta1_grad += LAMBDA / m * Theta1",
            "penalty",
        ),
        ("concatenate([[1], sigmoid(z_2)])", "concatenate([[0], sigmoid(z_2)])", "forward"),
        ("a_3 = sigmoid(z_3)", "a_3 = z_3", "forward"),
    ],
    "gradient_in_arrays": [
        ("LAMBDA / m * reg2", "LAMBDA * reg2", "penalty"),
        ("dot(A1) / m", "dot(A1)", "factor"),
        ("dot(Theta2[:, 1:])", "dot(Theta2[:, :-1])", "index"),
        ("Z2 = A1.dot(Theta1.T)", "Z2 = X.dot(Theta1[:, 1:].T)", "forward"),
    ],
}
