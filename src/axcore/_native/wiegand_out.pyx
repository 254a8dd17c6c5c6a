# The output side (cext/wiegand/ax_wiegand_out.c): edge plans, keys and PINs as frames; see wiegand_out.pyi.
# Units: ns. Threads: no state. Allocation: the result only.
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from libc.stdint cimport uint32_t, uint64_t

from axcore._native.wiegand_format import Bits

from .c_wiegand cimport ax_edge
from .c_wiegand_out cimport (
    AX_WIEGAND_MAX_PIN, ax_wiegand_bits, ax_wiegand_key_decode, ax_wiegand_keypress, ax_wiegand_pin,
    ax_wiegand_schedule, ax_wiegand_timing,
)
from .err cimport ax_check

KEYPRESS_FORMATS = ("FourBit", "EightBitZeroPadded", "EightBitInvertPadded", "Wiegand26", "Wiegand34", "Wiegand37",
                    "Wiegand37FacilityCode")
MAX_PIN = AX_WIEGAND_MAX_PIN

cdef enum:
    PIN_FRAMES = 32


def schedule(value, unsigned nbits, uint64_t start_ns, uint32_t pulse_ns, uint32_t interval_ns, uint32_t gap_ns):
    cdef ax_wiegand_timing timing = ax_wiegand_timing(pulse_ns, interval_ns, gap_ns)
    cdef uint64_t[4] words
    cdef uint64_t next_ns = 0
    cdef int i
    for i in range(4):
        words[i] = value >> (64 * i) & 0xFFFFFFFFFFFFFFFF
    edges = PyBytes_FromStringAndSize(NULL, 2 * min(nbits, 256) * sizeof(ax_edge))
    ax_check(ax_wiegand_schedule(&timing, start_ns, words, nbits, <ax_edge *>PyBytes_AS_STRING(edges),
                                 2 * min(nbits, 256), &next_ns))
    return edges, next_ns


def pin_frames(int mode, pin, uint64_t facility=0):
    cdef ax_wiegand_bits frames[PIN_FRAMES]
    cdef bytes keys = pin.encode("ascii", "replace")
    cdef int i, count
    count = ax_check(ax_wiegand_pin(<ax_wiegand_keypress>mode, facility, keys, len(keys), frames, PIN_FRAMES))
    return [Bits(frames[i].bits, frames[i].nbits) for i in range(count)]


def key_of(value, nbits):
    if (nbits != 4 and nbits != 8) or not 0 <= value < 256:
        return None
    code = ax_wiegand_key_decode(value, nbits)
    return chr(code) if code > 0 else None
