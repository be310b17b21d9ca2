"""Arrays <-> npz bytes: the same arrays are the same bytes, and only what was declared is ever expanded.

A zip of 0.19 MB expanded to 200 MB when tried, and an `.npy` header can ask for any memory at all. So
members, sizes, types and shapes are compared with what the (hashed) description declares before anything is
read, and objects, which numpy would unpickle, are refused.
"""

from __future__ import annotations

import io
import math
import zipfile
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mailml.errors import BundleDamagedError

_EPOCH = (1980, 1, 1, 0, 0, 0)  # zip's own beginning of time: no clock in the bytes
_LARGEST = 512 * 1024 * 1024  # bytes of arrays in one file
_HEADER = 4096  # bytes an .npy header may take
_TYPES = frozenset({"|u1", "<i4", "<i8", "<f4", "<f8"})

Arrays = Mapping[str, NDArray[Any]]


def dumps(arrays: Arrays) -> bytes:
    """The arrays as npz, in alphabetical order, little-endian and stored uncompressed.

    Uncompressed, because the bytes of a deflated stream depend on the zlib at hand.
    """
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(arrays):
            member = io.BytesIO()
            array = _little(arrays[name])
            np.lib.format.write_array(member, array, version=(1, 0), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy", date_time=_EPOCH), member.getvalue())
    return out.getvalue()


def declare(arrays: Arrays) -> dict[str, dict[str, Any]]:
    """Type and shape of every array, as JSON values: what `loads` checks against."""
    return {
        name: {"dtype": _little(a).dtype.str, "shape": list(a.shape)} for name, a in sorted(arrays.items())
    }


def loads(data: bytes, declared: Any, *, where: str) -> dict[str, NDArray[Any]]:
    """The arrays of an npz file that are exactly those declared; raises BundleDamagedError otherwise."""
    shapes = _declared(declared, where)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            _check_members(archive, shapes, where)
            return {name: _read(archive, name, *shapes[name], where) for name in shapes}
    except (zipfile.BadZipFile, zlib.error, ValueError, EOFError, NotImplementedError, OSError) as error:
        raise _damaged(f"is not a readable npz file ({error})", where) from error


def _declared(declared: Any, where: str) -> dict[str, tuple[str, tuple[int, ...]]]:
    shapes: dict[str, tuple[str, tuple[int, ...]]] = {}
    for name, entry in declared.items() if isinstance(declared, dict) else ():
        fields = entry if isinstance(entry, dict) else {}
        shape = fields.get("shape")
        listed: list[Any] = shape if isinstance(shape, list) else [None]
        whole = len(listed) <= 2 and all(type(n) is int and n >= 0 for n in listed)
        if not whole or fields.get("dtype") not in _TYPES:
            what = f"the array {name!r:.60} is declared with a type or shape that is not allowed"
            raise _damaged(what, where)
        shapes[name] = (fields["dtype"], tuple(listed))
    total = sum(math.prod(shape) * np.dtype(kind).itemsize for kind, shape in shapes.values())
    if total > _LARGEST:
        raise _damaged(f"declares {total:,} bytes of arrays, more than the {_LARGEST:,} allowed", where)
    if not shapes:
        raise _damaged("declares no arrays", where)
    return shapes


def _check_members(
    archive: zipfile.ZipFile, shapes: Mapping[str, tuple[str, tuple[int, ...]]], where: str
) -> None:
    members = archive.infolist()
    names, wanted = sorted(m.filename for m in members), sorted(f"{name}.npy" for name in shapes)
    if names != wanted:
        odd = sorted(set(names) ^ set(wanted)) or names
        raise _damaged(f"holds other arrays than declared ({', '.join(odd)[:120]})", where)
    for member in members:
        kind, shape = shapes[member.filename.removesuffix(".npy")]
        expected = math.prod(shape) * np.dtype(kind).itemsize
        if not expected < member.file_size <= expected + _HEADER:
            raise _damaged(
                f"{member.filename} expands to {member.file_size:,} bytes, {expected:,} are declared", where
            )


def _read(archive: zipfile.ZipFile, name: str, kind: str, shape: tuple[int, ...], where: str) -> NDArray[Any]:
    expected = math.prod(shape) * np.dtype(kind).itemsize
    with archive.open(f"{name}.npy") as member:
        # the directory's size may lie: never take more than was declared
        data = member.read(expected + _HEADER + 1)
    stream = io.BytesIO(data)
    if np.lib.format.read_magic(stream) != (1, 0):
        raise _damaged(f"{name}.npy has another npy version than 1.0", where)
    found, fortran, dtype = np.lib.format.read_array_header_1_0(stream, max_header_size=_HEADER)
    if dtype.hasobject or dtype.str != kind or found != shape or fortran:
        raise _damaged(f"{name} is {dtype}{found}, declared is {kind}{shape}", where)
    rest = data[stream.tell() :]
    if len(rest) != expected:
        raise _damaged(f"{name} has {len(rest):,} bytes, {expected:,} are declared", where)
    array = np.frombuffer(rest, dtype=dtype).reshape(shape)
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise _damaged(f"{name} holds a value that is not a finite number", where)
    return array


def _little(array: NDArray[Any]) -> NDArray[Any]:
    return np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<")).reshape(array.shape)


def _damaged(what: str, where: str) -> BundleDamagedError:
    return BundleDamagedError(
        what, where=where, cure="Take the bundle from where it was made, or export it again"
    )
