"""What is asked of an array library: its functions by name, its arrays, its way to write."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from types import ModuleType
from typing import Any

import numpy as np

from backprop_nb.errors import UnsupportedError, warn
from backprop_nb.tracing import pytree

_FLOATS = ("float32", "float64")
_WHOLE = {
    **dict.fromkeys(("sort", "argsort"), "(n)->(n)"),
    **dict.fromkeys(("linalg.cholesky", "linalg.inv"), "(n,n)->(n,n)"),
    "linalg.det": "(n,n)->()",
    "linalg.eigh": "(n,n)->(n),(n,n)",
    "linalg.eigvalsh": "(n,n)->(n)",
    "linalg.qr": "(m,n)->(m,k),(k,n)",
    "linalg.slogdet": "(n,n)->(),()",
    "linalg.solve": "(n,n),(n,l)->(n,l)",
    "linalg.svd": "(m,n)->(m,k),(k),(k,n)",
    "linalg.svdvals": "(m,n)->(k)",
}
"""What needs a row, or a matrix, as a whole: Dask lacks it, or does it for some chunks only."""


class LackingError(Exception):
    """A function that a library lacks; its text is the name."""


class Library:
    """An array library that follows NumPy or the Array API.

    Attributes
    ----------
    name
        What messages call it.

    Raises
    ------
    UnsupportedError
        If it is no such library, or is PyTorch by itself, whose functions have names and
        options of their own.
    """

    def __init__(self, namespace: ModuleType) -> None:
        if getattr(namespace, "__name__", "") == "torch":
            raise UnsupportedError(
                "PyTorch's functions follow the Array API only through array_api_compat.",
                given="xp=torch",
                instead="import array_api_compat.torch as xp, and graph.compile(xp=xp)",
            )
        if not hasattr(namespace, "asarray"):
            name = str(getattr(namespace, "__name__", namespace))
            module = {"jax": "jax.numpy", "dask": "dask.array", "cupy": "cupy"}.get(name, "np")
            raise UnsupportedError(
                "`xp` must be a module with the functions of NumPy.",
                given=f"xp={namespace!r:.60}",
                instead=f"xp={module}, the module itself",
            )
        self._namespace = namespace
        self.name = str(getattr(namespace, "__name__", type(namespace).__name__))
        self._kept: dict[np.dtype[Any], str] = {}
        self._add_at = getattr(getattr(namespace, "add", None), "at", None)
        self._block_by_block = getattr(namespace, "apply_gufunc", None)

    def get(self, *names: str) -> Callable[..., Any]:
        """Return the function that has one of the names, in ``linalg`` if they say so.

        Raises
        ------
        LackingError
            If the library has none of them.
        """
        for name in names:
            if self._block_by_block and name in _WHOLE:
                return self._by_numpy(name)
            if self._block_by_block and name == "reshape":
                return self._reshaped
            found: Any = self._namespace
            for part in name.split("."):
                found = getattr(found, part, None)
            if found is not None:
                function: Callable[..., Any] = found
                return function
        raise LackingError(f"np.{names[-1]}")

    def _reshaped(self, x: Any, shape: Any) -> Any:
        if 0 in x.shape:  # of which Dask asks for the length of a block
            return self.array(self.plain(x).reshape(shape))
        try:
            return self._namespace.reshape(x, shape)
        except NotImplementedError:  # the new rows would be cut elsewhere than the old ones
            return self._namespace.reshape(x.rechunk(-1), shape)

    def _by_numpy(self, name: str) -> Callable[..., Any]:
        """Return NumPy's own function, run on each block once it holds whole rows or matrices."""
        function, apply = attrgetter(name)(np), self._block_by_block
        assert apply is not None

        def compute(*arrays: Any, axis: int | None = None, **options: Any) -> Any:
            signature, shape = _WHOLE[name], arrays[0].shape
            if options.get("full_matrices"):
                signature = signature.replace("(m,k)", "(m,m)").replace("(k,n)", "(n,n)")
            if arrays[-1].ndim == 1:  # a right side that is one vector
                signature = signature.replace(",l", "")
            if "sort" in name:  # equal entries stay in their order, as elsewhere
                options["stable"] = True
            if not all(x.size for x in arrays):
                along = {} if axis is None else {"axis": axis}
                found = function(*map(self.plain, arrays), **along, **options)
                return (
                    tuple(map(self.array, found)) if isinstance(found, tuple) else self.array(found)
                )
            dtype = np.dtype(np.intp) if name == "argsort" else arrays[0].dtype
            if signature.startswith("(n,n)"):  # Dask fails at rows and columns cut differently
                arrays = (arrays[0].rechunk({-2: -1, -1: -1}), *arrays[1:])
            return apply(
                function,
                signature,
                *arrays,
                axis=axis,
                output_sizes={"k": int(min(shape[-2:]))} if "k" in signature else None,
                output_dtypes=[dtype] * (signature.partition("->")[2].count("(")),
                allow_rechunk=True,
                **options,
            )

        return compute

    def has(self, name: str) -> bool:
        """Whether the library has a function of this name."""
        try:
            return callable(self.get(name))
        except LackingError:
            return False

    def array(self, value: Any, dtype: np.dtype[Any] | None = None) -> Any:
        """Return an array of the library, which takes over one of its own as it is."""
        if isinstance(value, np.ndarray | np.generic | bool | int | float | list | tuple):
            value = np.array(value, dtype=dtype)  # which the library may keep
        options = {} if dtype is None else {"dtype": self.dtype(dtype)}
        return self.get("asarray")(value, **options)

    def dtype(self, dtype: np.dtype[Any]) -> Any:
        """Return what the library calls a type of numbers."""
        if dtype.kind == "b":
            return self.get("bool", "bool_")
        function = self.get(dtype.name)
        # It would warn at each array, in our lines, and say no more than warn_of_narrow.
        return self.get(dtype.name.replace("64", "32")) if self._is_narrow else function

    @property
    def _is_narrow(self) -> bool:
        """Whether the library computes in 32 bits, as JAX does until it is told otherwise."""
        jax = sys.modules.get("jax") if self.name.startswith("jax") else None
        return jax is not None and not jax.config.jax_enable_x64

    def warn_of_narrow(self, dtypes: Iterable[np.dtype[Any]]) -> None:
        """Say that the library has fewer digits than a program that computes in these types."""
        if self._is_narrow and np.dtype(float) in dtypes:
            warn(
                f"{self.name} computes in float32 here, what the program has in float64: to 7 "
                "digits, not to 16.\n"
                '  instead:  jax.config.update("jax_enable_x64", True), before the first array is '
                "made; or float32 in the trace"
            )

    def dtype_of(self, x: Any) -> np.dtype[Any]:
        """Return what NumPy calls the type of an array's numbers."""
        return np.dtype(str(x.dtype).rpartition(".")[2])

    def is_other_float(self, x: Any, dtype: np.dtype[Any]) -> bool:
        """Whether an argument is an array of another float type than the trace has it in.

        Numbers of Python's, which ``jax.jit`` makes arrays of, and a library that computes in
        one float type only are not meant.  Text and complex numbers are left to the tracer,
        which refuses them.
        """
        name = str(getattr(x, "dtype", "")).rpartition(".")[2]
        if isinstance(x, str) or name.startswith("complex"):
            return True
        if name == dtype.name or name not in _FLOATS or getattr(x, "weak_type", False):
            return False
        return self._held_as(dtype) != name

    def _held_as(self, dtype: np.dtype[Any]) -> str:
        """Return the name of the type in which the library keeps numbers of a type."""
        if dtype not in self._kept:
            held = self.get("asarray")(np.zeros(1, dtype)).dtype
            self._kept[dtype] = str(held).rpartition(".")[2]
        return self._kept[dtype]

    def as_type(self, x: Any, dtype: np.dtype[Any]) -> Any:
        """Return an array with numbers of another type."""
        wanted = self.dtype(dtype)
        if x.dtype == wanted:
            return x
        cast = getattr(self._namespace, "astype", None)
        return cast(x, wanted) if cast else x.astype(wanted)

    def plain(self, x: Any) -> np.ndarray[Any, Any]:
        """Return an array as one of NumPy's, computed if it is lazy."""
        if hasattr(x, "compute"):
            x = x.compute()
        if hasattr(x, "detach"):
            x = x.detach().cpu()
        return np.asarray(x.get() if type(x).__module__.startswith("cupy") else x)

    def is_unknown(self, x: Any) -> bool:
        """Whether the numbers of an array cannot be known yet, as under ``jax.jit``."""
        if self.is_lazy(x):
            return False
        try:
            self.plain(x)
        except TypeError:
            return True
        return False

    def plain_arguments(self, args: list[Any]) -> list[Any]:
        """Return arguments as NumPy would have them, an array that is given twice as one."""
        seen: dict[int, Any] = {}

        def plain(_: str, leaf: Any) -> Any:
            if id(leaf) not in seen:
                seen[id(leaf)] = self._plain_argument(leaf)
            return seen[id(leaf)]

        plain_args: list[Any] = pytree.rebuild(args, plain)
        return plain_args

    def _plain_argument(self, leaf: Any) -> Any:
        """Return what is given as an argument as NumPy would have it.

        Raises
        ------
        UnsupportedError
            If its numbers are not known yet, as under ``jax.jit``.
        """
        if not hasattr(leaf, "dtype"):
            return leaf
        if self.is_unknown(leaf):
            raise UnsupportedError(
                f"For arguments of other shapes or types the function is traced anew, which it "
                f"cannot be while {self.name} compiles it.",
                given=f"an argument of shape {tuple(leaf.shape)} and type {leaf.dtype}",
                instead="trace the function on arguments of these shapes and types, and compile "
                "that graph",
            )
        return self.plain(leaf)[()]

    def stand_ins(self, leaves: Sequence[Any]) -> list[Any]:
        """Return leaves with an array of NumPy's for each array of the library.

        It tells how they lie in memory: in order, and apart, but for one array given
        twice, and views of one array.
        """
        whole: dict[int, Any] = {}

        def stand_in(leaf: Any) -> Any:
            if isinstance(leaf, np.ndarray | np.generic) or not getattr(leaf, "ndim", 0):
                return leaf
            bases = (getattr(leaf, name, None) for name in ("base", "_base"))  # CuPy, PyTorch
            base = next((base for base in bases if base is not None), leaf)
            return whole.setdefault(id(base), np.empty(1))

        return [stand_in(leaf) for leaf in leaves]

    def check_shape(self, x: Any) -> None:
        """See that an array knows its shape.

        Raises
        ------
        UnsupportedError
            If it does not before it is computed, such as one of Dask's that a mask has picked.
        """
        if any(length is None or length != length for length in x.shape):
            raise UnsupportedError(
                f"The shape of an argument is not known to {self.name}.",
                given=f"an array of shape {tuple(x.shape)}",
                instead="x.compute_chunk_sizes() before the call",
            )

    def is_lazy(self, x: Any) -> bool:
        """Whether an array is a plan of what to compute, which takes no such array as index."""
        return hasattr(x, "compute")

    def sized(self, x: Any) -> Any:
        """Return an array with its shape, which a lazy one does not know before it is computed."""
        return self.array(self.plain(x)) if self.is_lazy(x) else x

    def joined(self, arrays: Sequence[Any], axis: int = 0) -> Any:
        """Return arrays one after the other."""
        return self.get("concat", "concatenate")(list(arrays), axis=axis)

    def flat(self, x: Any) -> Any:
        """Return all entries in one row."""
        return self.get("reshape")(x, (-1,))

    def taken(self, flat: Any, positions: Any) -> Any:
        """Return the entries of a row at positions, in the shape of the positions."""
        if isinstance(positions, np.generic):
            positions = np.asarray(positions)
        shape = tuple(positions.shape)
        if self.is_lazy(flat) and not isinstance(positions, np.ndarray):
            positions = self.plain(positions)
        row = positions.reshape(-1) if isinstance(positions, np.ndarray) else self.flat(positions)
        if isinstance(row, np.ndarray) and not self.is_lazy(flat):
            row = self.array(row, np.dtype(np.int64))
        if self.is_lazy(flat) and 0 in flat.chunks[0]:  # which Dask cannot take from
            flat = flat.rechunk(-1)
        found = flat[row] if self.is_lazy(flat) else self.get("take")(flat, row, axis=0)
        return self.get("reshape")(found, shape)

    def picked(self, x: Any, index: Any, none: Any = None) -> Any:
        """Return the entries at an index; of JAX ``none`` where there is none, not the last one."""
        if hasattr(x, "at"):
            return x.at[index].get(mode="fill", fill_value=none)
        return x[index]

    def _or_nan(self, written: Any, positions: Any) -> Any:
        """Return a row of JAX's, or NaN if it was to be written to where it has no entry."""
        if not str(written.dtype).startswith("float"):
            return written
        outside = self.get("any")(positions >= written.shape[0])
        return written + self.get("where")(outside, np.nan, 0.0)

    def added(self, g: Any, positions: Any, size: int) -> Any:
        """Return a row of zeros with the entries of ``g`` added at positions, in one row each."""
        if self.is_lazy(g):
            positions = self.plain(positions)
        elif hasattr(g, "at") or hasattr(g, "index_add") or self._add_at:
            if isinstance(positions, np.ndarray):
                positions = self.array(positions)
            zeros = self.get("zeros")(size, dtype=g.dtype)
            if hasattr(g, "at"):  # arrays that are never written to
                return self._or_nan(zeros.at[positions].add(g), positions)
            if hasattr(g, "index_add"):
                return zeros.index_add(0, positions, g)
            assert self._add_at is not None
            self._add_at(zeros, positions, g)
            return zeros
        return self._added_up(g, self.plain(positions), size)

    def _added_up(self, g: Any, positions: np.ndarray[Any, Any], size: int) -> Any:
        """Do it by taking: for each entry of the result those that it is the sum of."""
        order = np.argsort(positions, kind="stable")
        counts = np.bincount(positions, minlength=size)
        most = int(counts.max(initial=0))
        sources = np.full((size, most), len(positions))  # the zero that stands last
        nth = np.arange(len(positions)) - np.repeat(np.cumsum(counts) - counts, counts)
        sources[positions[order], nth] = order
        zero = self.get("zeros")(1, dtype=g.dtype)
        return self.get("sum")(self.taken(self.joined([g, zero]), sources), axis=-1)

    def written(self, flat: Any, positions: Any, values: Any) -> Any:
        """Return a row with other values at positions, in one row each."""
        if hasattr(flat, "at"):
            return self._or_nan(flat.at[positions].set(values), positions)
        if self.is_lazy(flat):
            places = np.arange(int(flat.shape[0]))
            places[self.plain(positions)] = len(places) + np.arange(int(values.shape[0]))
            return self.taken(self.joined([flat, values]), places)
        changed = self.joined([flat])  # a copy
        changed[positions] = values
        return changed
