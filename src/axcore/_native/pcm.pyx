# Buffers of samples for the audio kernels: checked once, in one way, for codec.pyx, dtmf.pyx, gain.pyx and resample.pyx.
# Units: samples ('h' 16 bits, 'f' float32) or octets ('B'). Threads: any. Allocation: results only.
from cpython.buffer cimport PyBUF_C_CONTIGUOUS, PyBUF_FORMAT, PyBUF_WRITABLE, PyBuffer_Release, PyObject_GetBuffer

from array import array

from axcore.errors import FormatError

_NAMES = {"h": "int16", "f": "float32", "B": "octets", "hf": "int16 or float32"}


cdef int pcm_take(object source, Py_buffer *view, str kinds, Py_ssize_t n, str name, bint writable) except -1:
    """Acquire a row of one of the kinds, `n` long (-1: any); FormatError, and nothing held, if it is something else."""
    cdef str kind
    try:
        PyObject_GetBuffer(source, view, PyBUF_FORMAT | PyBUF_C_CONTIGUOUS | (PyBUF_WRITABLE if writable else 0))
    except (BufferError, TypeError, ValueError):
        raise FormatError(f"{name}: must be a buffer of {_NAMES[kinds]} in one piece"
                          + (", and writable" if writable else "")) from None
    kind = view.format.decode().lstrip("@=<") if view.format != NULL else "B"
    if kind in ("b", "c"):
        kind = "B"
    if view.ndim > 1 or len(kind) != 1 or kind not in kinds:
        PyBuffer_Release(view)
        raise FormatError(f"{name}: must be one row of {_NAMES[kinds]}")
    if n >= 0 and view.len != n * view.itemsize:
        n_found = view.len // view.itemsize
        PyBuffer_Release(view)
        raise FormatError(f"{name}: must hold {n}, not {n_found}")
    return 0


cdef object pcm_like(object source, str kind, Py_ssize_t n):
    """A new buffer: an ndarray where the source is one, else array.array or bytearray."""
    cls = type(source)
    if cls.__module__ == "numpy" and cls.__name__ == "ndarray":
        return cls((n,), kind)
    return bytearray(n) if kind == "B" else array(kind, bytes(n * (2 if kind == "h" else 4)))
