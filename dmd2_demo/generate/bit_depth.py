"""Numbers of any range as shades of 8 bits: files don't tell how many of their bits are used."""

from __future__ import annotations

from typing import Any

import numpy as np

# The greatest value of a mask, and of what cameras and scanners give: 8, 10, 12, 14 and 16 bits.
_WHITES = (1, 2**8 - 1, 2**10 - 1, 2**12 - 1, 2**14 - 1, 2**16 - 1)


def eight_bits(values: np.ndarray[Any, Any]) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """`values` from 0 to 255, white being the greatest of the range that they seem to use; 0 is black.

    Whole numbers use one of the usual numbers of bits, others 0 to 1, unless more than a few are above. What is
    below 0 makes room for itself; what is no number is black, and what is infinite as far as numbers go.
    """
    # One copy, changed in place: pictures can be large.
    shades = np.array(values, np.float32)
    finite = np.isfinite(shades)
    least, most = (float(of(shades, where=finite, initial=0)) for of in (np.min, np.max))
    np.nan_to_num(shades, copy=False, nan=least, posinf=most, neginf=least)
    if most - least > np.finfo(np.float32).max:  # else the difference would be infinite
        shades *= np.float32(0.5)
        least /= 2
    shades -= least
    shades *= 255 / _white(shades)
    return np.rint(np.clip(shades, 0, 255, out=shades), out=shades).astype(np.uint8)


def _white(values: np.ndarray[Any, Any]) -> float:
    most = float(values.max(initial=0))
    sample = values.ravel()[:: max(1, values.size // 1_000_000)]
    if np.array_equal(sample, np.floor(sample)):
        return next((white for white in _WHITES if most <= white), most)
    # A few highlights may be brighter than white.
    return max(1.0, float(np.percentile(sample, 99.5)))
