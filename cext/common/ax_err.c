/* Texts of the error codes. No state, no allocation, any thread. */
#include "ax/err.h"

const char *ax_strerror(int err)
{
    switch (err) {
    case AX_OK: return "ok";
    case AX_E_ARG: return "invalid argument";
    case AX_E_RANGE: return "value out of range";
    case AX_E_NOMEM: return "out of memory";
    case AX_E_FULL: return "queue or buffer full";
    case AX_E_STATE: return "not allowed in this state";
    case AX_E_SYS: return "system call failed";
    case AX_E_FORMAT: return "malformed input";
    case AX_E_PARITY: return "parity error";
    default: return "unknown error";
    }
}
