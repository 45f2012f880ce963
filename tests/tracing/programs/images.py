"""Images: convolution, pooling, edges."""

import numpy as np
from program import dict_of, normal, positive, program

rng = np.random.default_rng(0)
photo = rng.normal(size=(2, 3, 6, 6))  # batch, channels, height, width
labels = np.array([0, 2])


@program(normal(6, 6), normal(3, 3), normal())
def conv2d_pad_stride(x, K, b):
    stride, pad = 2, 1
    xp = np.zeros((x.shape[0] + 2 * pad, x.shape[1] + 2 * pad))
    xp[pad:-pad, pad:-pad] = x
    n = (xp.shape[0] - K.shape[0]) // stride + 1
    m = (xp.shape[1] - K.shape[1]) // stride + 1
    y = np.zeros((n, m))
    for i in range(n):
        for j in range(m):
            patch = xp[i * stride : i * stride + 3, j * stride : j * stride + 3]
            y[i, j] = (patch * K).sum() + b
    y[y < 0] = 0
    return y.sum()


def conv_forward(x, w, b, stride=1, pad=1):
    N, C, H, W = x.shape
    F, _, HH, WW = w.shape
    xp = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)), mode="constant")
    Ho = 1 + (H + 2 * pad - HH) // stride
    Wo = 1 + (W + 2 * pad - WW) // stride
    out = np.zeros((N, F, Ho, Wo))
    for n in range(N):
        for f in range(F):
            for i in range(Ho):
                for j in range(Wo):
                    window = xp[n, :, i * stride : i * stride + HH, j * stride : j * stride + WW]
                    out[n, f, i, j] = np.sum(window * w[f]) + b[f]
    return out


@program(normal(2, 3, 3, 3), normal(2))
def conv_layer_multichannel(w, b):
    out = conv_forward(photo, w, b, stride=2)
    return np.sum(np.tanh(out)) / out.shape[0]


@program(normal(2, 2, 4, 4))
def max_pool_batch_reshape(x):
    N, C, H, W = x.shape
    tiles = x.reshape(N, C, H // 2, 2, W // 2, 2)
    return (tiles.max(axis=3).max(axis=4) ** 2).sum()


@program(normal(6, 6))
def mean_pool_loops(x):
    rows = []
    for i in range(0, 6, 2):
        row = []
        for j in range(0, 6, 2):
            row.append(np.mean(x[i : i + 2, j : j + 2]))
        rows.append(row)
    pooled = np.array(rows)
    return np.sum(np.exp(-(pooled**2)))


def im2col(x, k):
    H, W = x.shape
    cols = np.zeros((k * k, (H - k + 1) * (W - k + 1)))
    c = 0
    for i in range(H - k + 1):
        for j in range(W - k + 1):
            cols[:, c] = x[i : i + k, j : j + k].ravel()
            c += 1
    return cols


@program(normal(5, 5), normal(2, 9), normal(2, 1))
def im2col_conv(x, filters, b):
    cols = im2col(x, 3)
    out = filters.dot(cols) + b
    out = out.reshape(2, 3, 3)
    return np.sum(np.maximum(out, 0) ** 2)


def im2col_indices(x_shape, k):
    C, H, W = x_shape
    oh, ow = H - k + 1, W - k + 1
    i0 = np.tile(np.repeat(np.arange(k), k), C)
    j0 = np.tile(np.arange(k), k * C)
    i1 = np.repeat(np.arange(oh), ow)
    j1 = np.tile(np.arange(ow), oh)
    i = i0.reshape(-1, 1) + i1.reshape(1, -1)
    j = j0.reshape(-1, 1) + j1.reshape(1, -1)
    c = np.repeat(np.arange(C), k * k).reshape(-1, 1)
    return c, i, j


@program(normal(18, 9))
def col2im(cols):
    c, i, j = im2col_indices((2, 5, 5), 3)
    x = np.zeros((2, 5, 5))
    np.add.at(x, (c, i, j), cols)
    return np.sum(x**3)


@program(normal(6, 6))
def sobel_edges(img):
    Kx = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])
    Ky = Kx.T
    gx = np.zeros_like(img)
    gy = np.zeros_like(img)
    for r in range(1, img.shape[0] - 1):
        for c in range(1, img.shape[1] - 1):
            region = img[r - 1 : r + 2, c - 1 : c + 2]
            gx[r, c] = np.sum(region * Kx)
            gy[r, c] = np.sum(region * Ky)
    return np.sum(np.sqrt(gx**2 + gy**2 + 1e-3))


@program(normal(5, 6))
def total_variation(img):
    dx = np.diff(img, axis=1)
    dy = np.diff(img, axis=0)
    return np.abs(dx).sum() + np.abs(dy).sum()


class ConvNet:
    """Conv - ReLU - max pool - linear - softmax, all in loops."""

    def __init__(self, params):
        self.K = params["K"]
        self.W = params["W"]
        self.b = params["b"]
        self.cache = {}

    def forward(self, x):
        C = np.empty((4, 4))
        for i in range(4):
            for j in range(4):
                C[i, j] = np.sum(x[i : i + 3, j : j + 3] * self.K)
        R = np.where(C > 0, C, 0)
        P = np.empty((2, 2))
        for i in range(2):
            for j in range(2):
                P[i, j] = R[2 * i : 2 * i + 2, 2 * j : 2 * j + 2].max()
        flat = P.flatten()
        scores = self.W.dot(flat) + self.b
        scores -= np.max(scores)
        probs = np.exp(scores) / np.sum(np.exp(scores))
        self.cache["probs"] = probs
        self.cache["flat"] = flat
        return probs

    def loss(self, x, label):
        return -np.log(self.forward(x)[label])


@program(dict_of(K=normal(3, 3), W=normal(3, 4), b=normal(3)))
def small_cnn(params):
    net = ConvNet(params)
    total = 0
    for x, label in zip(photo[:, 0], labels):
        total += net.loss(x, label)
    return total / len(labels)


@program(normal(5, 5), normal(2, scale=0.3))
def bilinear_sampling(img, shift):
    out = 0.0
    for r in range(1, 4):
        for c in range(1, 4):
            y = min(max(r + shift[0], 0), 3.999)
            x = min(max(c + shift[1], 0), 3.999)
            y0, x0 = int(np.floor(y)), int(np.floor(x))
            dy, dx = y - y0, x - x0
            value = (
                img[y0, x0] * (1 - dy) * (1 - dx)
                + img[y0 + 1, x0] * dy * (1 - dx)
                + img[y0, x0 + 1] * (1 - dy) * dx
                + img[y0 + 1, x0 + 1] * dy * dx
            )
            out += value**2
    return out


@program(normal(6, 6), positive(low=0.5, high=1.5))
def gaussian_blur(img, sigma):
    ax = np.arange(-1, 2)
    kernel = np.exp(-(ax**2) / (2 * sigma**2))
    kernel /= kernel.sum()
    tmp = np.zeros_like(img)
    for i in range(img.shape[0]):
        tmp[i] = np.convolve(img[i], kernel, mode="same")
    out = np.zeros_like(img)
    for j in range(img.shape[1]):
        out[:, j] = np.convolve(tmp[:, j], kernel, mode="same")
    return np.sum(out**2)


@program(normal(3, 3), normal(3, 3))
def transposed_conv(x, K):
    out = np.zeros((5, 5))
    for i in range(3):
        for j in range(3):
            out[i : i + 3, j : j + 3] += x[i, j] * K
    return np.sum(np.sin(out))
