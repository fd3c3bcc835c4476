"""Eight-bit integer weights with one scale a row (W8A8, symmetric, by channel)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LARGEST: Final = 127.0


def quantise_rows(weight: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Return int8 weights and their scales, so that `weight` is about `int8 * scale`.

    Args:
        weight: matrix of shape (out, in).

    Returns:
        The int8 matrix of the same shape and the float32 scales of shape (out, 1); the error of
        each element is at most half its row's scale. A row of zeros gets the scale 1.
    """
    scale = np.abs(weight).max(axis=1, keepdims=True) / np.float32(_LARGEST)
    scale[scale == 0] = 1
    quantised = np.clip(np.rint(weight / scale), -_LARGEST, _LARGEST).astype(np.int8)
    return quantised, scale.astype(np.float32)


def as_bfloat16(values: NDArray[np.float32]) -> NDArray[np.uint16]:
    """Return the bfloat16 bit patterns, rounded to nearest even; NaN and infinity are not expected."""
    bits = np.ascontiguousarray(values, dtype=np.float32).view(np.uint32)
    rounding = ((bits >> 16) & 1) + np.uint32(0x7FFF)
    return ((bits + rounding) >> 16).astype(np.uint16)
