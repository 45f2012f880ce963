"""NumPy under the names of the Array API alone: another library, as far as a program can tell."""

from types import SimpleNamespace

import numpy as np

NAMES = """
abs acos acosh add all any arange argmax argmin asarray asin asinh astype atan atan2
atanh bool broadcast_to ceil concat copysign cos cosh count_nonzero cumulative_prod
cumulative_sum exp expm1 float32 float64 floor hypot int64 isfinite isinf isnan log log10 log1p
log2 logaddexp logical_and logical_not logical_or logical_xor matmul max maximum mean min minimum
nonzero permute_dims prod reshape round searchsorted sign signbit sin sinh sort sqrt squeeze stack
sum take tan tanh tensordot trunc where zeros zeros_like
"""
LINALG = "cholesky det eigh eigvalsh inv qr slogdet solve svd svdvals"

STANDARD = SimpleNamespace(
    __name__="standard",
    **{name: getattr(np, name) for name in NAMES.split()},
    argsort=lambda x, *, axis=-1: np.argsort(x, axis=axis, stable=True),
    einsum=np.einsum,  # which all libraries have beside the standard
    linalg=SimpleNamespace(**{name: getattr(np.linalg, name) for name in LINALG.split()}),
)
