"""A convolution in loops over positions, ReLU, the mean over the image as a head."""

import numpy as np

DATA = 1


def loss(image, kernel, bias, weight):
    windows = np.lib.stride_tricks.sliding_window_view(image, (3, 3))
    z = np.sum(windows * kernel, axis=(2, 3)) + bias
    return 0.5 * np.sum((weight * np.maximum(z, 0) - 1) ** 2)


def arguments(rng):
    return (
        rng.normal(size=(5, 5)),
        rng.normal(size=(3, 3)),
        float(rng.normal()),
        rng.normal(size=(3, 3)),
    )


def conv(image, kernel, bias):
    H, W = image.shape
    K = kernel.shape[0]
    out = np.zeros((H - K + 1, W - K + 1))
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            patch = image[i : i + K, j : j + K]
            out[i, j] = np.sum(patch * kernel) + bias
    return out


def gradient(image, kernel, bias, weight):
    z = conv(image, kernel, bias)
    a = np.maximum(z, 0)
    da = (weight * a - 1) * weight
    dz = da.copy()
    dz[z <= 0] = 0
    dimage = np.zeros_like(image)
    dkernel = np.zeros_like(kernel)
    for i in range(dz.shape[0]):
        for j in range(dz.shape[1]):
            dimage[i : i + 3, j : j + 3] += dz[i, j] * kernel
            dkernel += dz[i, j] * image[i : i + 3, j : j + 3]
    dbias = np.sum(dz)
    return dimage, dkernel, dbias


def gradient_with_full_padding(image, kernel, bias, weight):
    z = conv(image, kernel, bias)
    dz = (weight * np.maximum(z, 0) - 1) * weight * (z > 0)
    dkernel = conv(image, dz, 0)
    padded = np.pad(dz, 2)
    flipped = kernel[::-1, ::-1]
    dimage = conv(padded, flipped, 0)
    return [dimage, dkernel, dz.sum()]


WRONG = {
    "gradient": [
        ("dimage[i : i + 3, j : j + 3] +=", "dimage[i : i + 3, j : j + 3] =", "accumulation"),
        ("image[i : i + 3, j : j + 3]", "image[j : j + 3, i : i + 3]", "index"),
        ("dz[z <= 0] = 0", "dz[z <= 0] = -1", "mask"),
        ("da = (weight * a - 1) * weight", "da = weight * a - 1", "term"),
        ("dbias = np.sum(dz)", "dbias = np.mean(dz)", "factor"),
        ("patch = image[i : i + K, j : j + K]", "patch = image[i : i + K, i : i + K]", "forward"),
    ],
    "gradient_with_full_padding": [
        ("flipped = kernel[::-1, ::-1]", "flipped = kernel.T", "transpose"),
        ("dkernel = conv(image, dz, 0)", "dkernel = conv(image, dz, bias)", "operand"),
        ("patch * kernel", "patch @ kernel", "forward"),
    ],
}
