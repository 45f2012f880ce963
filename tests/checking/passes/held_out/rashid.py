"""One sample as a column, weights from input to hidden and on to the output, no biases."""

import numpy as np

rng = np.random.default_rng(22)
inputs_list = rng.uniform(0.1, 1.0, 3)
targets_list = rng.uniform(0.1, 0.9, 3)


def loss(wih, who):
    hidden = 1 / (1 + np.exp(-(wih @ inputs_list)))
    final = 1 / (1 + np.exp(-(who @ hidden)))
    return np.sum((targets_list - final) ** 2)


def arguments(rng):
    return rng.normal(size=(3, 3)), rng.normal(size=(3, 3))


class neuralNetwork:
    def __init__(self, wih, who):
        self.wih = wih
        self.who = who
        self.activation_function = lambda x: 1 / (1 + np.exp(-x))

    def train(self, inputs_list, targets_list):
        inputs = np.array(inputs_list, ndmin=2).T
        targets = np.array(targets_list, ndmin=2).T
        hidden_inputs = np.dot(self.wih, inputs)
        hidden_outputs = self.activation_function(hidden_inputs)
        final_inputs = np.dot(self.who, hidden_outputs)
        final_outputs = self.activation_function(final_inputs)
        output_errors = targets - final_outputs
        output_deltas = output_errors * final_outputs * (1.0 - final_outputs)
        hidden_errors = np.dot(self.who.T, output_deltas)
        hidden_deltas = hidden_errors * hidden_outputs * (1.0 - hidden_outputs)
        self.grad_who = -2 * np.dot(output_deltas, np.transpose(hidden_outputs))
        self.grad_wih = -2 * np.dot(hidden_deltas, np.transpose(inputs))


def gradient(wih, who):
    network = neuralNetwork(wih, who)
    network.train(inputs_list, targets_list)
    return network.grad_wih, network.grad_who


def gradient_of_vectors(wih, who):
    x, t = inputs_list, targets_list
    h = 1 / (1 + np.exp(-np.matmul(wih, x)))
    o = 1 / (1 + np.exp(-np.matmul(who, h)))
    e_o = 2 * (o - t) * o * (1 - o)
    e_h = np.matmul(e_o, who) * h * (1 - h)
    return {"d_wih": np.outer(e_h, x), "d_who": np.outer(e_o, h)}


WRONG = {
    "gradient": [
        ("T, output_deltas", "T, output_errors", "operand"),
        ("self.who.T", "self.who", "transpose"),
        ("self.who.T", "self.wih.T", "operand"),
        ("1.0 - final_outputs", "1.0 - final_inputs", "slope"),
        (
            "self.grad_who = -2 * np.dot(output_deltas, np.transpose(hidden_outputs))",
            "self.grad_who = -2 * output_deltas * hidden_outputs",
            "product",
        ),
        ("transpose(inputs)", "transpose(hidden_outputs)", "operand"),
        ("who, hidden_outputs", "who.T, hidden_outputs", "forward"),
        ("1 + np.exp(-x)", "1 - np.exp(-x)", "forward"),
    ],
    "gradient_of_vectors": [
        ("e_o, who", "who, e_o", "transpose"),
        ("e_h, x", "x, e_h", "transpose"),
        ("(1 + np.exp(-np.matmul(who, h)))", "(1 + np.exp(-who * h)).sum(axis=1)", "forward"),
    ],
}
