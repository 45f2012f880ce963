"""Networks: layers as classes, normalisation, dropout, attention, word vectors."""

import numpy as np
from program import dict_of, normal, program

import backprop_nb as bp

rng = np.random.default_rng(4)
X = rng.normal(size=(6, 4))
y = np.array([0, 2, 1, 1, 0, 2])
tokens = [3, 1, 0, 2]


class Linear:
    def __init__(self, W, b):
        self.W, self.b = W, b
        self.x = None

    def forward(self, x):
        self.x = x
        return np.dot(x, self.W) + self.b


class ReLU:
    def forward(self, x):
        self.mask = x <= 0
        out = x.copy()
        out[self.mask] = 0
        return out


class SoftmaxWithLoss:
    def forward(self, x, t):
        x = x - np.max(x, axis=-1, keepdims=True)
        self.y = np.exp(x) / np.sum(np.exp(x), axis=-1, keepdims=True)
        batch_size = self.y.shape[0]
        return -np.sum(np.log(self.y[np.arange(batch_size), t] + 1e-7)) / batch_size


class Sequential:
    def __init__(self, *layers):
        self.layers = []
        for layer in layers:
            self.layers.append(layer)

    def __call__(self, x):
        for layer in self.layers:
            x = layer.forward(x)
        return x


@program(normal(4, 5), normal(5), normal(5, 3), normal(3))
def layers_as_classes(W1, b1, W2, b2):
    net = Sequential(Linear(W1, b1), ReLU(), Linear(W2, b2))
    return SoftmaxWithLoss().forward(net(X), y)


def initialise(rng):
    sizes = [4, 5, 3]
    return {
        f"{kind}{layer}": rng.normal(size=(n, m) if kind == "W" else (n, 1))
        for layer, (m, n) in enumerate(zip(sizes, sizes[1:]), 1)
        for kind in "Wb"
    }


@program(initialise)
def deep_network_dict(parameters):
    caches = []
    A = X.T
    L = len(parameters) // 2
    for layer in range(1, L):
        A_prev = A
        Z = np.dot(parameters["W" + str(layer)], A_prev) + parameters["b" + str(layer)]
        A = np.maximum(0.01 * Z, Z)
        caches.append((A_prev, Z))
    Z = parameters[f"W{L}"].dot(A) + parameters[f"b{L}"]
    AL = 1 / (1 + np.exp(-Z))
    Y = (np.arange(3).reshape(3, 1) == y).astype(float)
    m = Y.shape[1]
    cost = -1 / m * np.sum(Y * np.log(AL) + (1 - Y) * np.log(1 - AL))
    return np.squeeze(cost)


class BatchNorm:
    def __init__(self, dim):
        self.running_mean = np.zeros(dim)
        self.running_var = np.ones(dim)

    def forward(self, x, gamma, beta, train=True):
        if train:
            mean = x.mean(axis=0)
            var = x.var(axis=0)
            self.running_mean = 0.9 * self.running_mean + 0.1 * bp.stop_gradient(mean)
            self.running_var = 0.9 * self.running_var + 0.1 * bp.stop_gradient(var)
        else:
            mean, var = self.running_mean, self.running_var
        return gamma * (x - mean) / np.sqrt(var + 1e-5) + beta


norm_layer = BatchNorm(3)


@program(normal(4, 3), normal(3), normal(3))
def batch_norm_running_statistics(W, gamma, beta):
    return np.mean(np.tanh(norm_layer.forward(X.dot(W), gamma, beta)))


@program(normal(4, 3), normal(3), normal(3))
def layer_norm(W, g, b):
    h = X @ W
    out = np.empty_like(h)
    for i, row in enumerate(h):
        out[i] = g * (row - row.mean()) / np.sqrt(row.var() + 1e-5) + b
    return np.sum(out**2)


@program(normal(2, 4, 3), normal(2, 1, 1))
def group_norm(x, gamma):
    groups = x.reshape(2, 2, 2, 3)
    m = groups.mean(axis=(2, 3), keepdims=True)
    v = groups.var(axis=(2, 3), keepdims=True)
    out = ((groups - m) / np.sqrt(v + 1e-3)).reshape(x.shape)
    return np.sum(np.sin(gamma * out))


@program(normal(4, 5), normal(5), draws_random=True)
def dropout_fresh(W, v):
    A = np.maximum(X @ W, 0)
    mask = np.random.rand(*A.shape) < 0.5
    A *= mask / 0.5
    return np.mean(A.dot(v) ** 2)


@program(normal(5, 3), normal(5, 3))
def skip_gram_softmax(V, U):
    loss = 0
    for i, centre in enumerate(tokens):
        for j in (i - 1, i + 1):
            if j < 0 or j >= len(tokens):
                continue
            scores = U.dot(V[centre])
            p = np.exp(scores) / np.exp(scores).sum()
            loss -= np.log(p[tokens[j]])
    return loss


@program(normal(5, 3), normal(3, 5))
def cbow(E, W):
    total = 0.0
    for target in range(1, len(tokens) - 1):
        context = [tokens[target - 1], tokens[target + 1]]
        h = np.mean([E[c] for c in context], axis=0)
        u = h @ W
        total += -u[tokens[target]] + np.log(np.sum(np.exp(u)))
    return total


def softmax(x):
    e = np.exp(x - np.max(x, axis=-1, keepdims=True))
    return e / np.sum(e, axis=-1, keepdims=True)


@program(normal(4, 3), normal(4, 3), normal(4, 3))
def attention_masked(q, k, v):
    scores = q @ k.T / np.sqrt(q.shape[-1])
    mask = np.triu(np.ones((4, 4)), k=1).astype(bool)
    scores[mask] = -1e9
    return np.sum((softmax(scores) @ v) ** 2)


@program(normal(3, 4), normal(2, 4), normal(4))
def additive_attention_loops(encoder, Wa, decoder):
    energies = []
    for h in encoder:
        energies.append(np.sum(np.tanh(Wa @ h + Wa @ decoder)))
    alphas = np.exp(energies) / np.sum(np.exp(energies))
    context = np.zeros(4)
    for a, h in zip(alphas, encoder):
        context += a * h
    return context @ decoder


@program(normal(4, 4), normal(4, 12), normal(4, 4))
def multi_head_attention(x, w_qkv, w_out):
    n_head = 2
    qkv = x @ w_qkv
    q, k, v = np.split(qkv, 3, axis=-1)
    heads = []
    for h in range(n_head):
        cols = slice(h * 2, (h + 1) * 2)
        att = softmax(q[:, cols] @ k[:, cols].T / np.sqrt(2))
        heads.append(att @ v[:, cols])
    out = np.hstack(heads) @ w_out
    return np.mean(out**2)


@program(normal(2, 4, 4), normal(4, 4), normal(4, 4))
def multi_head_einsum(x, Wq, Wk):
    B, T, D = x.shape
    q = (x @ Wq).reshape(B, T, 2, D // 2).transpose(0, 2, 1, 3)
    k = (x @ Wk).reshape(B, T, 2, D // 2).transpose(0, 2, 1, 3)
    att = softmax(np.einsum("bhid,bhjd->bhij", q, k))
    v = x.reshape(B, T, 2, D // 2).swapaxes(1, 2)
    y = (att @ v).transpose(0, 2, 1, 3).reshape(B, T, D)
    return np.sum(y**2)


def gelu(x):
    return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


def ln(x, g, b, eps=1e-5):
    mean = np.mean(x, axis=-1, keepdims=True)
    variance = np.var(x, axis=-1, keepdims=True)
    return g * (x - mean) / np.sqrt(variance + eps) + b


def transformer_block(x, mlp, attn, ln_1, ln_2, n_head):
    h = ln(x, **ln_1)
    h = h @ attn["w"] + attn["b"]
    qkv = np.split(h, 3, axis=-1)
    qkv_heads = [np.split(part, n_head, axis=-1) for part in qkv]
    causal = (1 - np.tri(x.shape[0], dtype=x.dtype)) * -1e10
    heads = [softmax(q @ k.T / np.sqrt(q.shape[-1]) + causal) @ v for q, k, v in zip(*qkv_heads)]
    x = x + np.hstack(heads) @ attn["proj"]
    h = ln(x, **ln_2)
    return x + gelu(h @ mlp["up"]) @ mlp["down"]


norm = {"g": normal(4), "b": normal(4)}


@program(
    normal(5, 4),
    normal(4, 4),
    dict_of(
        mlp=dict_of(up=normal(4, 8), down=normal(8, 4)),
        attn=dict_of(w=normal(4, 12), b=normal(12), proj=normal(4, 4)),
        ln_1=dict_of(**norm),
        ln_2=dict_of(**norm),
    ),
)
def gpt_block(wte, wpe, block):
    x = wte[tokens] + wpe[range(len(tokens))]
    x = transformer_block(x, **block, n_head=2)
    logits = x @ wte.T
    logp = logits - np.log(np.sum(np.exp(logits), axis=-1, keepdims=True))
    return -np.mean([logp[i, tok] for i, tok in enumerate([1, 0, 2, 4])])


@program(normal(4, 4))
def rotary_embedding(x):
    rotated = np.empty_like(x)
    for pos in range(4):
        theta = pos / 100 ** (np.arange(2) / 2)
        rotated[pos, ::2] = x[pos, ::2] * np.cos(theta) - x[pos, 1::2] * np.sin(theta)
        rotated[pos, 1::2] = x[pos, ::2] * np.sin(theta) + x[pos, 1::2] * np.cos(theta)
    return np.sum(np.tril(rotated @ rotated.T, -1) ** 2)


@program(normal(4, 2), normal(2, 4))
def autoencoder(We, Wd):
    code = np.tanh(X.dot(We))
    recon = code.dot(Wd)
    sparsity = np.mean(np.abs(code))
    return np.mean((X - recon) ** 2) + 0.1 * sparsity


@program(normal(4, 4, scale=0.5), normal(4))
def residual_network(W, v):
    h = X
    for _ in range(3):
        h = h + np.maximum(h @ W, 0)
    return np.mean((h @ v) ** 2)


def elu(x, alpha=1.0):
    out = np.array(x)
    negative = out < 0
    out[negative] = alpha * (np.exp(out[negative]) - 1)
    return out


@program(normal(4, 3), normal(3))
def elu_boolean_index(W, v):
    return np.mean((elu(X @ W) @ v - 1) ** 2)


@program(normal(4, 3), normal(3, 2), normal(2))
def leaky_relu_selu_softplus(W1, W2, b):
    h = X @ W1
    h = np.where(h > 0, h, 0.1 * h)
    z = h @ W2 + b
    z = 1.05 * np.where(z > 0, z, 1.67 * (np.exp(z) - 1))
    return np.log1p(np.exp(z)).mean()


@program(normal(4, 6), normal(3, 2))
def maxout(W, V):
    z = (X @ W).reshape(6, 3, 2)
    return np.sum(z.max(axis=2) @ V) ** 2 / 36


@program(normal(4, 3), normal(5, 4))
def graph_convolution(W, H):
    edges = [(0, 1), (1, 2), (2, 3), (3, 4), (4, 0)]
    A = np.eye(5)
    for i, j in edges:
        A[i, j] = A[j, i] = 1
    d = A.sum(axis=1)
    D = np.diag(d**-0.5)
    return np.sum(np.maximum(D.dot(A).dot(D).dot(H).dot(W), 0) ** 2)


@program(normal(2, 2), normal(2, 2))
def hopfield_and_siamese(a, b):
    d = np.linalg.norm(a - b, axis=1)
    same = np.array([1, 0])
    return np.mean(same * d**2 + (1 - same) * np.maximum(0, 1.5 - d) ** 2)


@program(normal(4, 3), normal(4, 3))
def contrastive_info_nce(a, b):
    a = a / np.linalg.norm(a, axis=1, keepdims=True)
    b = b / np.linalg.norm(b, axis=1, keepdims=True)
    sim = np.zeros((4, 4))
    for i in range(4):
        for j in range(4):
            sim[i, j] = np.dot(a[i], b[j]) / 0.5
    return -np.mean(np.diag(sim) - np.log(np.exp(sim).sum(axis=1)))
