"""A class with the weights and what it saw as attributes, no biases, half of the squares."""

import numpy as np

rng = np.random.default_rng(21)
X = rng.uniform(size=(3, 2))
y = rng.uniform(size=(3, 1))


def loss(W1, W2):
    hidden = 1 / (1 + np.exp(-(X @ W1)))
    return 0.5 * np.sum((y - 1 / (1 + np.exp(-(hidden @ W2)))) ** 2)


def arguments(rng):
    return rng.normal(size=(2, 3)), rng.normal(size=(3, 1))


class Neural_Network:
    def __init__(self, W1, W2):
        self.W1 = W1
        self.W2 = W2

    def forward(self, X):
        self.z2 = np.dot(X, self.W1)
        self.a2 = self.sigmoid(self.z2)
        self.z3 = np.dot(self.a2, self.W2)
        return self.sigmoid(self.z3)

    def sigmoid(self, z):
        return 1 / (1 + np.exp(-z))

    def sigmoidPrime(self, z):
        return np.exp(-z) / ((1 + np.exp(-z)) ** 2)

    def costFunctionPrime(self, X, y):
        self.yHat = self.forward(X)
        delta3 = np.multiply(-(y - self.yHat), self.sigmoidPrime(self.z3))
        dJdW2 = np.dot(self.a2.T, delta3)
        delta2 = np.dot(delta3, self.W2.T) * self.sigmoidPrime(self.z2)
        dJdW1 = np.dot(X.T, delta2)
        return dJdW1, dJdW2

    def computeGradients(self, X, y):
        dJdW1, dJdW2 = self.costFunctionPrime(X, y)
        return np.concatenate((dJdW1.ravel(), dJdW2.ravel()))


def gradient(W1, W2):
    NN = Neural_Network(W1, W2)
    return NN.costFunctionPrime(X, y)


def gradient_flat(W1, W2):
    return Neural_Network(W1, W2).computeGradients(X, y)


WRONG = {
    "gradient": [
        (
            "delta3 = np.multiply(-(y - self.yHat), self.sigmoidPrime(self.z3))",
            "delta3 = np.multiply(y - self.yHat, self.sigmoidPrime(self.z3))",
            "sign",
        ),
        ("sigmoidPrime(self.z3)", "sigmoidPrime(self.yHat)", "slope"),
        ("exp(-z) / ((1 + np.exp(-z)) ** 2)", "exp(-z) / (1 + np.exp(-z) ** 2)", "slope"),
        ("exp(-z) / ((1 + np.exp(-z)) ** 2)", "exp(z) / (1 + np.exp(-z)) ** 2", "slope"),
        ("dJdW2 = np.dot(self.a2.T, delta3)", "dJdW2 = np.dot(self.z2.T, delta3)", "operand"),
        ("self.z3 = np.dot(self.a2, self.W2)", "self.z3 = np.dot(self.z2, self.W2)", "forward"),
        ("return self.sigmoid(self.z3)", "return self.z3", "forward"),
    ],
    "gradient_flat": [
        (
            "delta2 = np.dot(delta3, self.W2.T) * self.sigmoidPrime(self.z2)",
            "delta2 = np.dot(delta3, self.W2.T)",
            "slope missing",
        ),
        ("dJdW1.ravel()", 'dJdW1.ravel("F")', "transpose"),
    ],
}
