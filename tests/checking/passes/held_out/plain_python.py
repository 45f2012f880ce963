"""Without arrays: lists, math.exp and float(), one neuron at a time."""

import math

import numpy as np

inputs = [0.35, -0.9, 0.6]
wanted = [0.2, 0.8]


def loss(network):
    hidden = 1 / (1 + np.exp(-(network[0][:, :-1] @ np.array(inputs) + network[0][:, -1])))
    out = 1 / (1 + np.exp(-(network[1][:, :-1] @ hidden + network[1][:, -1])))
    return 0.5 * np.sum((out - np.array(wanted)) ** 2)


def arguments(rng):
    return [[rng.normal(size=(2, 4)), rng.normal(size=(2, 3))]]


def activate(weights, values):
    activation = float(weights[-1])
    for i in range(len(weights) - 1):
        activation += float(weights[i]) * values[i]
    return activation


def transfer(activation):
    return 1.0 / (1.0 + math.exp(-activation))


def transfer_derivative(output):
    return output * (1.0 - output)


def gradient(network):
    outputs = [inputs]
    for layer in network:
        outputs.append([transfer(activate(row, outputs[-1])) for row in layer])
    errors = [o - w for o, w in zip(outputs[-1], wanted)]
    grads = []
    for k in reversed(range(len(network))):
        deltas = [e * transfer_derivative(o) for e, o in zip(errors, outputs[k + 1])]
        rows = [[d * v for v in outputs[k]] + [d] for d in deltas]
        grads.insert(0, np.array(rows))
        errors = []
        for j in range(len(outputs[k])):
            error = 0.0
            for row, d in zip(network[k], deltas):
                error += float(row[j]) * d
            errors.append(error)
    return grads


WRONG = {
    "gradient": [
        ("return output * (1.0 - output)", "return output * (1.0 + output)", "slope"),
        (
            "deltas = [e * transfer_derivative(o) for e, o in zip(errors, outputs[k + 1])]",
            "deltas = list(errors)",
            "slope missing",
        ),
        ("error += float(row[j]) * d", "error = float(row[j]) * d", "accumulation"),
        ("[d] for", "[1.0] for", "operand"),
        ("weights[i]", "weights[0]", "forward"),
        ("o - w for", "w - o for", "sign"),
    ],
}
