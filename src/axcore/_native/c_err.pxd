cdef extern from "ax/err.h" nogil:
    enum ax_err:
        AX_OK
        AX_E_ARG
        AX_E_RANGE
        AX_E_NOMEM
        AX_E_FULL
        AX_E_STATE
        AX_E_SYS
        AX_E_FORMAT
        AX_E_PARITY
        AX_E_END
    const char *ax_strerror(int err)
