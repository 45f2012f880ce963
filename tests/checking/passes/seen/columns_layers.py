"""Any number of layers, samples in columns, a cache for each, and the gradients of A kept too."""

import numpy as np

DATA = 2


def loss(parameters, X, Y):
    signal = X
    for l in (1, 2):
        signal = np.maximum(0, parameters[f"W{l}"] @ signal + parameters[f"b{l}"])
    logits = parameters["W3"] @ signal + parameters["b3"]
    return np.mean(np.log(1 + np.exp(logits)) - Y * logits)


def arguments(rng):
    sizes = [4, 5, 3, 1]
    parameters = {}
    for l in range(1, 4):
        parameters["W" + str(l)] = rng.normal(size=(sizes[l], sizes[l - 1]))
        parameters["b" + str(l)] = rng.normal(0.3, 0.5, (sizes[l], 1))
    return parameters, rng.normal(size=(4, 6)), np.array([[1, 0, 1, 1, 0, 0]])


def linear_forward(A, W, b):
    Z = W.dot(A) + b
    cache = (A, W, b)
    return Z, cache


def linear_activation_forward(A_prev, W, b, activation):
    Z, linear_cache = linear_forward(A_prev, W, b)
    if activation == "sigmoid":
        A = 1 / (1 + np.exp(-Z))
    else:
        A = np.maximum(0, Z)
    return A, (linear_cache, Z)


def L_model_forward(X, parameters):
    caches = []
    A = X
    L = len(parameters) // 2
    for l in range(1, L):
        A_prev = A
        W, b = parameters["W" + str(l)], parameters["b" + str(l)]
        A, cache = linear_activation_forward(A_prev, W, b, "relu")
        caches.append(cache)
    W, b = parameters["W" + str(L)], parameters["b" + str(L)]
    AL, cache = linear_activation_forward(A, W, b, "sigmoid")
    caches.append(cache)
    return AL, caches


def linear_backward(dZ, cache):
    A_prev, W, b = cache
    m = A_prev.shape[1]
    dW = 1.0 / m * np.dot(dZ, A_prev.T)
    db = 1.0 / m * np.sum(dZ, axis=1, keepdims=True)
    dA_prev = np.dot(W.T, dZ)
    return dA_prev, dW, db


def relu_backward(dA, Z):
    dZ = np.array(dA, copy=True)
    dZ[Z <= 0] = 0
    return dZ


def sigmoid_backward(dA, Z):
    s = 1 / (1 + np.exp(-Z))
    dZ = dA * s * (1 - s)
    return dZ


def linear_activation_backward(dA, cache, activation):
    linear_cache, Z = cache
    dZ = relu_backward(dA, Z) if activation == "relu" else sigmoid_backward(dA, Z)
    return linear_backward(dZ, linear_cache)


def L_model_backward(AL, Y, caches):
    grads = {}
    L = len(caches)
    Y = Y.reshape(AL.shape)
    dAL = -(np.divide(Y, AL) - np.divide(1 - Y, 1 - AL))
    back = linear_activation_backward(dAL, caches[L - 1], "sigmoid")
    grads["dA" + str(L - 1)], grads["dW" + str(L)], grads["db" + str(L)] = back
    for l in reversed(range(L - 1)):
        current_cache = caches[l]
        back = linear_activation_backward(grads["dA" + str(l + 1)], current_cache, "relu")
        grads["dA" + str(l)], grads["dW" + str(l + 1)], grads["db" + str(l + 1)] = back
    return grads


def gradient(parameters, X, Y):
    AL, caches = L_model_forward(X, parameters)
    return L_model_backward(AL, Y, caches)


def gradient_in_batches(parameters, X, Y):
    total = {"d" + key: np.zeros_like(value) for key, value in parameters.items()}
    for start in range(0, X.shape[1], 2):
        A = [X[:, start : start + 2]]
        for l in range(1, 4):
            Z = parameters[f"W{l}"] @ A[-1] + parameters[f"b{l}"]
            A.append(Z * (Z > 0) if l < 3 else 1 / (1 + np.exp(-Z)))
        delta = A[3] - Y[:, start : start + 2]
        for l in (3, 2, 1):
            total[f"dW{l}"] += delta @ A[l - 1].T
            total[f"db{l}"] += delta.sum(axis=1, keepdims=True)
            delta = (parameters[f"W{l}"].T @ delta) * (A[l - 1] > 0)
    return {key: value / X.shape[1] for key, value in total.items()}


WRONG = {
    "gradient": [
        ("dA_prev = np.dot(W.T, dZ)", "dA_prev = 1.0 / m * np.dot(W.T, dZ)", "factor"),
        ("db = 1.0 / m * np.sum(dZ, axis=1, keepdims=True)", "db = 1.0 / m * np.sum(dZ)", "sum"),
        ("dZ[Z <= 0] = 0", "dZ[dA <= 0] = 0", "mask"),
        ("dZ = dA * s * (1 - s)", "dZ = dA * Z * (1 - Z)", "slope"),
        ("dZ = dA * s * (1 - s)", "dZ = dA * s", "slope"),
        ('current_cache, "relu"', 'current_cache, "sigmoid"', "slope"),
        ("dAL = -(np.divide(Y, AL) - np.divide(1 - Y, 1 - AL))", "dAL = AL - Y", "operand"),
        ("m * np.dot", "len(dZ) * np.dot", "factor"),
        ("A = np.maximum(0, Z)", "A = np.maximum(0, -Z)", "forward"),
        ('b, "relu"', 'b, "sigmoid"', "forward"),
        ("A = 1 / (1 + np.exp(-Z))", "A = 1 / (1 + np.exp(Z))", "forward"),
    ],
    "gradient_in_batches": [
        ('total[f"dW{l}"] +=', 'total[f"dW{l}"] =', "accumulation"),
        (
            'delta = (parameters[f"W{l}"].T @ delta) * (A[l - 1] > 0)',
            'delta = parameters[f"W{l}"].T @ delta',
            "slope missing",
        ),
        ("delta = A[3] - Y[:, start : start + 2]", "delta = A[3] - Y[:, :2]", "index"),
        ("3 else", "2 else", "forward"),
    ],
}
