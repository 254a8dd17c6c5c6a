"""G.711 as one would write it in numpy (a table of 65,536 codes and one of 256 values), and in plain Python."""

from typing import Any

import numpy as np

_BIAS = 132


def mu_code(sample: int) -> int:
    """One sample, segment by segment."""
    size = min((~sample if sample < 0 else sample) + _BIAS, 32767)
    segment = size.bit_length() - 8
    return (0x7F if sample < 0 else 0xFF) ^ (segment << 4 | size >> segment + 3 & 15)


def mu_value(code: int) -> int:
    """One code."""
    bits = ~code & 0x7F
    size = (2 * (bits & 15) + 33 << 2 + (bits >> 4)) - _BIAS
    return size if code & 0x80 else -size


_CODES = np.array([mu_code(x - 65536 if x > 32767 else x) for x in range(65536)], np.uint8)
_VALUES = np.array([mu_value(code) for code in range(256)], np.int16)


def encode(samples: Any) -> Any:
    """Through the table."""
    return _CODES[samples.view(np.uint16)]


def decode(codes: Any) -> Any:
    """Through the table."""
    return _VALUES[codes]
