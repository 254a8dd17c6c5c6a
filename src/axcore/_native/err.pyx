# The one table from C error codes to exceptions (errors.py). Other .pyx files: `from .err cimport ax_check`.
from libc.errno cimport errno

import os

from .c_err cimport (
    AX_E_ARG, AX_E_END, AX_E_FORMAT, AX_E_FULL, AX_E_NOMEM, AX_E_PARITY, AX_E_RANGE, AX_E_STATE, AX_E_SYS, ax_strerror,
)
from axcore import errors

_TABLE = {
    AX_E_ARG: errors.ArgumentError,
    AX_E_RANGE: errors.RangeError,
    AX_E_NOMEM: MemoryError,
    AX_E_FULL: errors.QueueFullError,
    AX_E_STATE: errors.StateError,
    AX_E_SYS: OSError,
    AX_E_FORMAT: errors.FormatError,
    AX_E_PARITY: errors.ParityError,
}
LAST_CODE = AX_E_END


cdef object ax_exception(int err):
    """The exception instance for a negative code."""
    cdef int saved = errno
    cls = _TABLE.get(err, errors.NativeError)
    if cls is OSError:
        return OSError(saved, os.strerror(saved))
    return cls(ax_strerror(err).decode())


cdef int ax_check(int err) except? -1:
    """Pass counts and AX_OK through; raise for errors."""
    if err < 0:
        raise ax_exception(err)
    return err


def exception_for(int err):
    """The exception instance that C code ``err`` (< 0) becomes."""
    return ax_exception(err)
