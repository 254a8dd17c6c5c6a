# OSDP check values, frames and the secure channel (cext/osdp) for any buffer; see osdp.pyi.
# Units: bytes. Threads: a Receiver or Session belongs to one thread; calls hold the GIL (they take well below 1 us for any
# frame). Allocation: the bytes that are given back, and one Frame per frame.
from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_CheckExact, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.stdint cimport uint8_t, uint16_t
from libc.string cimport memcpy

from axcore.errors import ArgumentError, FormatError, ParityError, StateError

from .c_osdp cimport (
    AX_OSDP_CRC, AX_OSDP_CRC_INIT, AX_OSDP_MAX_FRAME, AX_OSDP_REPLY, AX_OSDP_SQN, ax_aes, ax_aes_best,
    ax_aes_cbc_decrypt, ax_aes_cbc_encrypt, ax_aes_init, ax_aes_set_level, ax_aes_wipe, ax_osdp_build,
    ax_osdp_checksum, ax_osdp_crc, ax_osdp_crc_best, ax_osdp_crc_set_level, ax_osdp_frame, ax_osdp_head,
    ax_osdp_key_weak, ax_osdp_open, ax_osdp_parse, ax_osdp_rx, ax_osdp_rx_next, ax_osdp_rx_pending, ax_osdp_rx_push,
    ax_osdp_rx_reset, ax_osdp_sc, ax_osdp_sc_client, ax_osdp_sc_keys, ax_osdp_sc_server, ax_osdp_sc_start,
    ax_osdp_sc_wipe, ax_osdp_scbk_d, ax_osdp_seal,
)
from .err cimport ax_check

MAX_FRAME = AX_OSDP_MAX_FRAME
SCBK_D = <bytes>(<const char *>ax_osdp_scbk_d)[:16]


def crc16(data):
    cdef Py_buffer view
    cdef uint16_t crc
    if PyBytes_CheckExact(data):
        return ax_osdp_crc(AX_OSDP_CRC_INIT, PyBytes_AS_STRING(data), <size_t>PyBytes_GET_SIZE(data))
    PyObject_GetBuffer(data, &view, PyBUF_SIMPLE)
    crc = ax_osdp_crc(AX_OSDP_CRC_INIT, view.buf, <size_t>view.len)
    PyBuffer_Release(&view)
    return crc


def crc16_update(uint16_t crc, const uint8_t[::1] data not None):
    return ax_osdp_crc(crc, &data[0] if data.shape[0] else NULL, <size_t>data.shape[0])


def checksum(const uint8_t[::1] data not None):
    return ax_osdp_checksum(&data[0] if data.shape[0] else NULL, <size_t>data.shape[0])


def key_is_weak(bytes key not None):
    return ax_osdp_key_weak(_sized(key, 16, "key"))


def crc_levels():
    return ax_osdp_crc_best() + 1


def aes_levels():
    return ax_aes_best() + 1


def set_levels(int crc, int aes):
    ax_check(ax_osdp_crc_set_level(crc))
    ax_check(ax_aes_set_level(aes))


def aes_cbc(bytes key not None, bytes iv not None, bytes data not None, bint decrypt=False):
    cdef ax_aes aes
    cdef bytes out
    cdef size_t n = <size_t>len(data)
    if n % 16:
        raise ArgumentError("AES works on whole blocks of 16 bytes")
    out = PyBytes_FromStringAndSize(NULL, <Py_ssize_t>n)
    ax_aes_init(&aes, _sized(key, 16, "key"))
    if decrypt:
        ax_aes_cbc_decrypt(&aes, _sized(iv, 16, "iv"), <const uint8_t *>data, <uint8_t *>PyBytes_AS_STRING(out), n // 16)
    else:
        ax_aes_cbc_encrypt(&aes, _sized(iv, 16, "iv"), <const uint8_t *>data, <uint8_t *>PyBytes_AS_STRING(out), n // 16)
    ax_aes_wipe(&aes)
    return out


cdef const uint8_t *_sized(bytes value, Py_ssize_t size, str name) except NULL:
    if PyBytes_GET_SIZE(value) != size:
        raise ArgumentError(f"{name} has {size} bytes, not {len(value)}")
    return <const uint8_t *>PyBytes_AS_STRING(value)


cdef inline int _head(ax_osdp_head *head, int address, int sequence, bint reply, bint crc) except -1:
    if address < 0 or address > 127 or sequence < 0 or sequence > 3:
        raise ArgumentError("an address is 0 to 127, a sequence number 0 to 3")
    head.address = <uint8_t>(address | (AX_OSDP_REPLY if reply else 0))
    head.control = <uint8_t>(sequence | (AX_OSDP_CRC if crc else 0))
    head.scb_type = head.scb_data = 0
    return 0


def encode(int code, bytes data=b"", int address=0, int sequence=0, bint reply=False, bint crc=True, int scb_type=0,
           int scb_data=0):
    cdef ax_osdp_head head
    cdef uint8_t out[1440]
    cdef int n
    _head(&head, address, sequence, reply, crc)
    if scb_type and not 0x11 <= scb_type <= 0x14:
        raise ArgumentError("security blocks 0x15 to 0x18 carry a MAC: use Session.seal")
    head.scb_type = <uint8_t>scb_type
    head.scb_data = <uint8_t>scb_data
    n = ax_check(ax_osdp_build(out, AX_OSDP_MAX_FRAME, &head, <uint8_t>code, <const uint8_t *>PyBytes_AS_STRING(data),
                               <size_t>PyBytes_GET_SIZE(data)))
    return PyBytes_FromStringAndSize(<const char *>out, n)


cdef class Frame:
    cdef readonly int address, sequence, code, scb_type, scb_data
    cdef readonly bint reply, crc
    cdef readonly bytes raw
    cdef int _at, _size

    @property
    def data(self):
        return self.raw[self._at:self._at + self._size]

    @property
    def secured(self):
        return self.scb_type >= 0x15

    def __eq__(self, other):
        return isinstance(other, Frame) and self.raw == (<Frame>other).raw

    def __hash__(self):
        return hash(self.raw)

    def __repr__(self):
        kind = "reply" if self.reply else "command"
        return (f"Frame({kind} {self.code:#04x}, address={self.address}, sequence={self.sequence}, "
                f"scb_type={self.scb_type:#x}, data={self.data.hex(' ')!r})")


cdef Frame _frame(const ax_osdp_frame *f):
    cdef Frame frame = Frame.__new__(Frame)
    frame.address = f.head.address & 127
    frame.reply = (f.head.address & AX_OSDP_REPLY) != 0
    frame.sequence = f.head.control & AX_OSDP_SQN
    frame.crc = (f.head.control & AX_OSDP_CRC) != 0
    frame.code = f.code
    frame.scb_type = f.head.scb_type
    frame.scb_data = f.head.scb_data
    frame.raw = PyBytes_FromStringAndSize(<const char *>f.start, f.length)
    frame._at = <int>(f.data - f.start)
    frame._size = f.size
    return frame


def decode_frame(data):
    cdef Py_buffer view
    cdef ax_osdp_frame f
    cdef int n
    PyObject_GetBuffer(data, &view, PyBUF_SIMPLE)
    try:
        n = ax_osdp_parse(<const uint8_t *>view.buf, <size_t>view.len, &f)
        if n == 0:
            raise FormatError("the frame is not complete")
        if n < 0:
            _refuse(n)
        return _frame(&f)
    finally:
        PyBuffer_Release(&view)


cdef int _refuse(int rc) except -1:
    if rc == -8:
        raise ParityError("the CRC or checksum does not hold")
    if rc == -2:
        raise FormatError("the security block is wrong")
    raise FormatError("the header of the frame is wrong")


cdef class Receiver:
    cdef ax_osdp_rx _rx
    cdef readonly object damaged

    def __cinit__(self):
        ax_osdp_rx_reset(&self._rx)
        self.damaged = 0

    def feed(self, data):
        cdef Py_buffer view
        cdef ax_osdp_frame f
        cdef size_t done = 0, taken
        cdef int rc
        frames = []
        PyObject_GetBuffer(data, &view, PyBUF_SIMPLE)
        try:
            while done < <size_t>view.len:
                taken = ax_osdp_rx_push(&self._rx, <const uint8_t *>view.buf + done, min(512, <size_t>view.len - done))
                done += taken
                while True:
                    rc = ax_osdp_rx_next(&self._rx, &f)
                    if rc == 0:
                        break
                    if rc > 0:
                        frames.append(_frame(&f))
                    else:
                        self.damaged += 1
        finally:
            PyBuffer_Release(&view)
        return frames

    def reset(self):
        ax_osdp_rx_reset(&self._rx)

    @property
    def pending(self):
        return ax_osdp_rx_pending(&self._rx)

    @property
    def skipped(self):
        return self._rx.skipped


def decode(data):
    cdef Receiver receiver = Receiver()
    frames = receiver.feed(data)
    rest = bytes(data)[len(data) - receiver.pending:] if receiver.pending else b""
    return frames, rest


cdef class Session:
    cdef ax_osdp_sc _sc
    cdef uint8_t _a[8]
    cdef bint _started

    def __cinit__(self, bytes scbk not None, bytes rnd_a not None):
        memcpy(self._a, _sized(rnd_a, 8, "rnd_a"), 8)
        ax_osdp_sc_keys(&self._sc, _sized(scbk, 16, "scbk"), self._a)

    def __dealloc__(self):
        ax_osdp_sc_wipe(&self._sc)

    def client_cryptogram(self, bytes rnd_b not None):
        cdef uint8_t out[16]
        ax_osdp_sc_client(&self._sc, self._a, _sized(rnd_b, 8, "rnd_b"), out)
        return <bytes>(<const char *>out)[:16]

    def server_cryptogram(self, bytes rnd_b not None):
        cdef uint8_t out[16]
        ax_osdp_sc_server(&self._sc, self._a, _sized(rnd_b, 8, "rnd_b"), out)
        return <bytes>(<const char *>out)[:16]

    def start(self, bytes server_cryptogram not None):
        cdef uint8_t out[16]
        ax_osdp_sc_start(&self._sc, _sized(server_cryptogram, 16, "server_cryptogram"), out)
        self._started = True
        return <bytes>(<const char *>out)[:16]

    def seal(self, int code, bytes data=b"", int address=0, int sequence=0, bint reply=False, bint crc=True):
        cdef ax_osdp_head head
        cdef uint8_t out[1440]
        cdef int n
        if not self._started:
            raise StateError("the session was not started")
        _head(&head, address, sequence, reply, crc)
        n = ax_check(ax_osdp_seal(&self._sc, out, AX_OSDP_MAX_FRAME, &head, <uint8_t>code,
                                  <const uint8_t *>PyBytes_AS_STRING(data), <size_t>PyBytes_GET_SIZE(data)))
        return PyBytes_FromStringAndSize(<const char *>out, n)

    def open(self, Frame frame not None):
        cdef ax_osdp_frame f
        cdef uint8_t plain[1440]
        cdef int n
        if not self._started:
            raise StateError("the session was not started")
        n = ax_osdp_parse(<const uint8_t *>PyBytes_AS_STRING(frame.raw), <size_t>PyBytes_GET_SIZE(frame.raw), &f)
        if n <= 0:
            _refuse(n)
        n = ax_osdp_open(&self._sc, &f, plain)
        if n == -8:
            raise ParityError("the MAC does not hold")
        if n < 0:
            raise FormatError("not a secured frame, or wrong padding")
        return PyBytes_FromStringAndSize(<const char *>plain, n)
