"""Sequences: recurrent networks, hidden Markov models, alignments, returns."""

import numpy as np
from program import dict_of, list_of, normal, positive, program

rng = np.random.default_rng(1)
X = rng.normal(size=(2, 4, 3))
Y = rng.normal(size=(2, 4, 2))


@program(normal(3, 5, scale=0.5), normal(5, 5, scale=0.5), normal(5, 2))
def rnn_batch_prepared_states(Wx, Wh, Wy):
    N, T, D = X.shape
    h = np.zeros((N, T + 1, 5))
    for t in range(T):
        h[:, t + 1] = np.tanh(X[:, t].dot(Wx) + h[:, t].dot(Wh))
    out = h[:, 1:].dot(Wy)
    return np.mean((out - Y) ** 2)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


@program(normal(5, 8, scale=0.5), normal(8))
def lstm_one_matrix(W, b):
    h, c = np.zeros(2), np.zeros(2)
    for x in X[0]:
        z = np.hstack((h, x)) @ W + b
        i, f, o, g = np.split(z, 4)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
    return np.sum(h**2)


class LSTM:
    def __init__(self, p):
        self.p = p
        self.states = []

    def step(self, x, h, c):
        p = self.p
        z = np.row_stack((h, x)) if hasattr(np, "row_stack_") else np.vstack((h, x))
        f = sigmoid(p["Wf"].dot(z) + p["bf"])
        i = sigmoid(p["Wi"].dot(z) + p["bi"])
        c_bar = np.tanh(p["Wc"].dot(z) + p["bc"])
        c = f * c + i * c_bar
        o = sigmoid(p["Wo"].dot(z) + p["bo"])
        h = o * np.tanh(c)
        self.states.append({"h": h, "c": c, "f": f})
        return h, c

    def run(self, xs):
        h = np.zeros((2, 1))
        c = np.zeros((2, 1))
        for x in xs:
            h, c = self.step(x.reshape(-1, 1), h, c)
        return h


def gate(name):
    return {f"W{name}": normal(2, 5, scale=0.5), f"b{name}": normal(2, 1)}


@program(dict_of(**gate("f"), **gate("i"), **gate("c"), **gate("o")))
def lstm_class(params):
    lstm = LSTM(params)
    h = lstm.run(X[0])
    return np.sum(h) + 0.1 * sum(np.sum(s["c"] ** 2) for s in lstm.states)


@program(list_of(normal(5, 2), normal(5, 2), normal(5, 2)))
def gru_cell(params):
    Wz, Wr, Wh = params
    h = np.zeros(2)
    for t in range(4):
        xh = np.concatenate([X[1, t], h])
        z = sigmoid(xh @ Wz)
        r = sigmoid(xh @ Wr)
        cand = np.tanh(np.concatenate([X[1, t], r * h]) @ Wh)
        h = (1 - z) * h + z * cand
    return h @ h


@program(normal(3, 3, scale=0.6), normal(3, 3, scale=0.6))
def bptt_by_hand(U, W):
    """The squared norm of the gradient that the course computes by hand."""
    x = X[0]
    T = len(x)
    s = np.zeros((T + 1, 3))
    for t in range(T):
        s[t] = np.tanh(U.dot(x[t]) + W.dot(s[t - 1]))
    dU = np.zeros(U.shape)
    dW = np.zeros(W.shape)
    ds_next = np.zeros(3)
    for t in np.arange(T)[::-1]:
        ds = s[t] - 0.5 + ds_next
        delta = ds * (1 - s[t] ** 2)
        dU += np.outer(delta, x[t])
        dW += np.outer(delta, s[t - 1])
        ds_next = W.T.dot(delta)
    return np.sum(dU**2) + np.sum(dW**2)


observations = [0, 1, 1, 2, 0]


@program(normal(2, 2), normal(2, 3), normal(2))
def hmm_forward_scaled(a, b, p):
    A = np.exp(a) / np.exp(a).sum(axis=1, keepdims=True)
    B = np.exp(b) / np.exp(b).sum(axis=1, keepdims=True)
    pi = np.exp(p) / np.exp(p).sum()
    T = len(observations)
    alpha = np.zeros((T, 2))
    scale = np.zeros(T)
    alpha[0] = pi * B[:, observations[0]]
    scale[0] = 1 / alpha[0].sum()
    alpha[0] *= scale[0]
    for t in range(1, T):
        for j in range(2):
            alpha[t, j] = alpha[t - 1].dot(A[:, j]) * B[j, observations[t]]
        scale[t] = 1 / np.sum(alpha[t])
        alpha[t] *= scale[t]
    return -np.sum(np.log(scale))


@program(normal(2, 2), normal(2, 3))
def hmm_log_forward(log_A, log_B):
    log_alpha = log_B[:, observations[0]]
    for o in observations[1:]:
        log_alpha = np.logaddexp.reduce(log_alpha[:, None] + log_A, axis=0) + log_B[:, o]
    return np.logaddexp.reduce(log_alpha)


@program(normal(3, 3), normal(5, 3))
def viterbi_score(transition, emission):
    T, S = emission.shape
    V = np.full((T, S), -np.inf)
    back = np.zeros((T, S), dtype=int)
    V[0] = emission[0]
    for t in range(1, T):
        for s in range(S):
            candidates = V[t - 1] + transition[:, s]
            back[t, s] = np.argmax(candidates)
            V[t, s] = candidates[back[t, s]] + emission[t, s]
    path = [np.argmax(V[-1])]
    for t in range(T - 1, 0, -1):
        path.append(back[t, path[-1]])
    path.reverse()
    total = sum(emission[t, s] for t, s in enumerate(path))
    return total + V[-1].max() ** 2


def log_sum(a, b):
    m = max(a, b)
    return m + np.log(np.exp(a - m) + np.exp(b - m))


@program(normal(5, 3))
def ctc_like(logits):
    labels = [0, 1, 0, 2, 0]  # blanks between
    logp = logits - np.log(np.exp(logits).sum(axis=1))[:, np.newaxis]
    T, L = len(logits), len(labels)
    alpha = [[-1e9] * L for _ in range(T)]
    alpha[0][0] = logp[0, labels[0]]
    alpha[0][1] = logp[0, labels[1]]
    for t in range(1, T):
        for s in range(L):
            a = alpha[t - 1][s]
            if s > 0:
                a = log_sum(a, alpha[t - 1][s - 1])
            alpha[t][s] = a + logp[t, labels[s]]
    return -log_sum(alpha[-1][-1], alpha[-1][-2])


def softmin(values, gamma=0.5):
    values = np.array(values) / -gamma
    top = np.max(values)
    return -gamma * (top + np.log(np.sum(np.exp(values - top))))


@program(normal(4), normal(5))
def dtw_softmin(x, y):
    R = np.full((5, 6), 1e6)
    R[0, 0] = 0.0
    for i in range(1, 5):
        for j in range(1, 6):
            d = np.abs(x[i - 1] - y[j - 1])
            R[i, j] = d + softmin([R[i - 1, j - 1], R[i - 1, j], R[i, j - 1]])
    return R[4, 5]


@program(positive(3))
def edit_distance_weighted(costs):
    insert, delete, substitute = costs
    a, b = "kitten", "sitting"
    d = [[0.0] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i in range(1, len(a) + 1):
        d[i][0] = d[i - 1][0] + delete
    for j in range(1, len(b) + 1):
        d[0][j] = d[0][j - 1] + insert
    for i, ca in enumerate(a, 1):
        for j, cb in enumerate(b, 1):
            same = d[i - 1][j - 1] + (0 if ca == cb else substitute)
            d[i][j] = min(d[i - 1][j] + delete, d[i][j - 1] + insert, same)
    return d[-1][-1]


@program(normal(4, 2))
def policy_gradient_returns(theta):
    rng = np.random.RandomState(3)
    states = rng.randn(6, 4)
    actions = rng.randint(0, 2, size=6)
    rewards = [1.0, 0.0, -1.0, 2.0, 0.0, 1.0]
    returns = np.zeros(len(rewards))
    running = 0
    for t in reversed(range(len(rewards))):
        running = rewards[t] + 0.9 * running
        returns[t] = running
    returns = (returns - returns.mean()) / returns.std()
    logits = states.dot(theta)
    logp = logits - np.log(np.sum(np.exp(logits), axis=1, keepdims=True))
    return -np.mean(logp[np.arange(6), actions] * returns)


@program(normal(6), normal(6))
def gae_advantages(rewards, values):
    gamma, lam = 0.99, 0.95
    adv = np.zeros_like(rewards)
    last = 0
    for t in reversed(range(len(rewards))):
        next_value = values[t + 1] if t < len(rewards) - 1 else 0.0
        delta = rewards[t] + gamma * next_value - values[t]
        adv[t] = last = delta + gamma * lam * last
    returns = adv + values
    return np.mean(adv**2) + np.var(returns)


@program(normal(3, 2), normal(2, 3), normal(2))
def q_learning_target(W1, W2, s):
    h = np.maximum(0, W1 @ s)
    q = W2 @ h
    a = np.argmax(q)
    target = 1.0 + 0.9 * np.max(W2 @ np.maximum(0, W1 @ (s + 0.1)))
    return 0.5 * (target - q[a]) ** 2


@program(positive(6))
def exponential_smoothing(x):
    s = [x[0]]
    for v in x[1:]:
        s.append(0.3 * v + 0.7 * s[-1])
    s = np.array(s)
    return np.sum((s[:-1] - x[1:]) ** 2)


@program(normal(2), normal(6, 2))
def kalman_filter(log_noise, z):
    q, r = np.exp(log_noise)
    F = np.array([[1.0, 1.0], [0.0, 1.0]])
    Hm = np.eye(2)
    x = np.zeros(2)
    P = np.eye(2)
    ll = 0.0
    for obs in z:
        x = F @ x
        P = F @ P @ F.T + q * np.eye(2)
        S = Hm @ P @ Hm.T + r * np.eye(2)
        K = P @ Hm.T @ np.linalg.inv(S)
        e = obs - Hm @ x
        ll += -0.5 * (e @ np.linalg.solve(S, e) + np.log(np.linalg.det(S)))
        x = x + K @ e
        P = (np.eye(2) - K @ Hm) @ P
    return -ll
