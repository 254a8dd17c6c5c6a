# RTP and RTCP packets (cext/rtp): parse, build, batches; see rtp.pyi.
# Units: bytes, ticks. Threads: a Packet never changes; calls hold the GIL. Allocation: what is given back; a batch is one
# block of records of 24 bytes.
from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_FillInfo, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_CheckExact, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.mem cimport PyMem_Calloc, PyMem_Free
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memset

from axcore.errors import ArgumentError, FormatError, RangeError

from .c_rtp cimport (
    AX_RTP_MAX_PACKET, ax_rtcp_block, ax_rtcp_build, ax_rtcp_check, ax_rtcp_compound, ax_rtcp_item, ax_rtcp_item_next,
    ax_rtcp_leaving, ax_rtcp_next, ax_rtcp_reason, ax_rtcp_report, ax_rtcp_report_get, ax_rtcp_sender, ax_rtcp_speaker,
    ax_rtp_build, ax_rtp_csrc, ax_rtp_element, ax_rtp_element_next, ax_rtp_element_put, ax_rtp_packet, ax_rtp_parse,
)
from .err cimport ax_check

RECORD = (
    ("timestamp", "u4"), ("ssrc", "u4"), ("sequence", "u2"), ("payload_at", "u2"), ("payload_size", "u2"),
    ("extension_at", "u2"), ("extension_size", "u2"), ("extension_profile", "u2"), ("payload_type", "u1"),
    ("marker", "u1"), ("csrc_count", "u1"), ("padding", "u1"),
)
MAX_PACKET = AX_RTP_MAX_PACKET


cdef class Packet:
    cdef readonly bytes raw
    cdef ax_rtp_packet _p

    @property
    def payload(self):
        return self.raw[self._p.payload_at:self._p.payload_at + self._p.payload_size]

    @property
    def payload_type(self):
        return self._p.payload_type

    @property
    def marker(self):
        return self._p.marker != 0

    @property
    def sequence(self):
        return self._p.sequence

    @property
    def timestamp(self):
        return self._p.timestamp

    @property
    def ssrc(self):
        return self._p.ssrc

    @property
    def padding(self):
        return self._p.padding

    @property
    def csrc(self):
        cdef const uint8_t *data = <const uint8_t *>PyBytes_AS_STRING(self.raw)
        return tuple([ax_rtp_csrc(data, i) for i in range(self._p.csrc_count)])

    @property
    def extension_profile(self):
        return self._p.extension_profile if self._p.extension_at else None

    @property
    def extension(self):
        if not self._p.extension_at:
            return None
        return self.raw[self._p.extension_at:self._p.extension_at + self._p.extension_size]

    @property
    def elements(self):
        cdef ax_rtp_element e
        cdef size_t at = 0
        cdef int rc
        cdef const uint8_t *body = <const uint8_t *>PyBytes_AS_STRING(self.raw) + self._p.extension_at
        found = {}
        if not self._p.extension_at:
            return found
        while True:
            rc = ax_rtp_element_next(body, self._p.extension_size, self._p.extension_profile, &at, &e)
            if rc <= 0:
                return found
            found[e.id] = PyBytes_FromStringAndSize(<const char *>e.data, e.size)

    def __repr__(self):
        return (f"Packet(payload_type={self.payload_type}, sequence={self.sequence}, timestamp={self.timestamp}, "
                f"ssrc={self.ssrc:#x}, marker={self.marker}, {self._p.payload_size} bytes)")


cdef Packet _packet(bytes raw, const ax_rtp_packet *p):
    cdef Packet packet = Packet.__new__(Packet)
    packet.raw = raw
    packet._p = p[0]
    return packet


def parse(data):
    cdef ax_rtp_packet p
    cdef bytes raw = data if PyBytes_CheckExact(data) else bytes(data)
    if ax_rtp_parse(<const uint8_t *>PyBytes_AS_STRING(raw), <size_t>PyBytes_GET_SIZE(raw), &p) < 0:
        raise FormatError("not an RTP packet: a length in it does not hold, or the version is not 2")
    return _packet(raw, &p)


def build(payload, int payload_type, int sequence, uint32_t timestamp, uint32_t ssrc, bint marker=False, csrc=(),
          elements=None, extension=None, int extension_profile=0, int padding=0):
    cdef ax_rtp_packet head
    cdef uint32_t sources[15]
    cdef bytes body = bytes(payload), ext = b"" if extension is None else bytes(extension), out
    cdef const uint8_t *extension_data = NULL
    if not 0 <= sequence <= 0xFFFF or not 0 <= payload_type <= 127 or not 0 <= padding <= 255:
        raise RangeError("a sequence number has 16 bits, a payload type 7, padding at most 255 bytes")
    if len(csrc) > 15 or len(body) > AX_RTP_MAX_PACKET or len(ext) > AX_RTP_MAX_PACKET:
        raise RangeError("a packet has at most 15 contributing sources and 65,535 bytes")
    if elements is not None:
        if extension is not None:
            raise ArgumentError("give the elements of the extension or its bytes, not both")
        ext, extension_profile = _elements(elements)
    memset(&head, 0, sizeof(head))
    if elements is not None or extension is not None:
        extension_data = <const uint8_t *>PyBytes_AS_STRING(ext)
        head.extension_size = <uint16_t>len(ext)
        if not 0 <= extension_profile <= 0xFFFF:
            raise RangeError("an extension profile has 16 bits")
        head.extension_profile = <uint16_t>extension_profile
    for i, source in enumerate(csrc):
        sources[<int>i] = source
    head.csrc_count = <uint8_t>len(csrc)
    head.payload_type = <uint8_t>payload_type
    head.sequence = <uint16_t>sequence
    head.timestamp = timestamp
    head.ssrc = ssrc
    head.marker = marker
    head.padding = <uint8_t>padding
    head.payload_size = <uint16_t>len(body)
    size = 12 + 4 * len(csrc) + len(body) + padding + (4 + (len(ext) + 3) // 4 * 4 if extension_data != NULL else 0)
    out = PyBytes_FromStringAndSize(NULL, size)
    ax_check(ax_rtp_build(<uint8_t *>PyBytes_AS_STRING(out), <size_t>size, &head, sources, extension_data,
                          <const uint8_t *>PyBytes_AS_STRING(body)))
    return out


# Elements in the one-byte form where that can hold them, else in the two-byte form.
cdef tuple _elements(object elements):
    cdef uint8_t body[65535]
    cdef size_t at = 0
    short = all(1 <= id <= 14 and 1 <= len(data) <= 16 for id, data in elements.items())
    profile = 0xBEDE if short else 0x1000
    for id, data in elements.items():
        if not 1 <= id <= 255 or len(data) > 255:
            raise RangeError("an element has an id of 1 to 255 and at most 255 bytes")
        raw = bytes(data)
        ax_check(ax_rtp_element_put(body, sizeof(body), <uint16_t>profile, &at, <uint8_t>id,
                                    <const uint8_t *>PyBytes_AS_STRING(raw), <size_t>len(raw)))
    return PyBytes_FromStringAndSize(<const char *>body, <Py_ssize_t>at), profile


cdef class Batch:
    cdef ax_rtp_packet *_records
    cdef readonly list packets
    cdef readonly Py_ssize_t malformed
    cdef Py_ssize_t _n

    def __cinit__(self, packets):
        cdef Py_ssize_t i, bad = 0
        cdef object item
        cdef list items
        self.packets = items = packets if type(packets) is list else list(packets)
        self._n = len(items)
        self._records = <ax_rtp_packet *>PyMem_Calloc(<size_t>self._n + 1, sizeof(ax_rtp_packet))
        if self._records == NULL:
            raise MemoryError()
        for i in range(self._n):
            item = items[i]
            if not PyBytes_CheckExact(item):
                raise ArgumentError("a batch is a sequence of bytes")
            if ax_rtp_parse(<const uint8_t *>PyBytes_AS_STRING(item), <size_t>PyBytes_GET_SIZE(item),
                            &self._records[i]) < 0:
                memset(&self._records[i], 0, sizeof(ax_rtp_packet))
                bad += 1
        self.malformed = bad

    def __dealloc__(self):
        PyMem_Free(self._records)

    def __len__(self):
        return self._n

    def __getitem__(self, Py_ssize_t i):
        if i < 0:
            i += self._n
        if not 0 <= i < self._n:
            raise IndexError("no such packet in the batch")
        return _packet(self.packets[i], &self._records[i]) if self._records[i].payload_at else None

    def __getbuffer__(self, Py_buffer *view, int flags):
        PyBuffer_FillInfo(view, self, self._records, self._n * <Py_ssize_t>sizeof(ax_rtp_packet), 1, flags)


cdef tuple _reports(const ax_rtcp_block *block):
    cdef ax_rtcp_report r
    found = []
    for i in range(block.count):
        if ax_rtcp_report_get(block, i, &r) == 0:
            found.append((r.ssrc, r.fraction, r.lost, r.highest, r.jitter, r.lsr, r.dlsr))
    return tuple(found)


cdef tuple _items(const ax_rtcp_block *block):
    cdef ax_rtcp_item item
    cdef size_t at = 0
    memset(&item, 0, sizeof(item))
    found = []
    while ax_rtcp_item_next(block, &at, &item) > 0:
        found.append((item.ssrc, item.type, PyBytes_FromStringAndSize(<const char *>item.data, item.size)))
    return tuple(found)


cdef tuple _goodbye(const ax_rtcp_block *block):
    cdef uint32_t ssrc
    cdef const uint8_t *reason
    cdef int n
    sources = []
    for i in range(block.count):
        if ax_rtcp_leaving(block, i, &ssrc) == 0:
            sources.append(ssrc)
    n = ax_rtcp_reason(block, &reason)
    return tuple(sources), PyBytes_FromStringAndSize(<const char *>reason, n) if n > 0 else b""


# A list of ("SR", ssrc, (ntp, timestamp, packets, octets), reports), ("RR", ssrc, reports), ("SDES", items),
# ("BYE", sources, reason) and (type, count, body).
def rtcp_parse(bytes data not None, bint reduced=False):
    cdef const uint8_t *p = <const uint8_t *>PyBytes_AS_STRING(data)
    cdef size_t n = <size_t>PyBytes_GET_SIZE(data), at = 0
    cdef ax_rtcp_block block
    cdef ax_rtcp_sender sender
    cdef uint32_t ssrc
    if ax_rtcp_check(p, n, reduced) < 0:
        raise FormatError("not a compound RTCP packet: a length does not hold, or no report comes first")
    found = []
    while ax_rtcp_next(p, n, &at, &block) > 0:
        if block.type == 200 or block.type == 201:
            if ax_rtcp_speaker(&block, &ssrc, &sender):
                found.append(("SR", ssrc, (sender.ntp, sender.timestamp, sender.packets, sender.octets),
                              _reports(&block)))
            else:
                found.append(("RR", ssrc, _reports(&block)))
        elif block.type == 202:
            found.append(("SDES", _items(&block)))
        elif block.type == 203:
            found.append(("BYE", *_goodbye(&block)))
        else:
            found.append((block.type, block.count, PyBytes_FromStringAndSize(<const char *>block.body, block.size)))
    return found


def rtcp_build(uint32_t ssrc, sender=None, reports=(), cname=None, bye=None):
    cdef ax_rtcp_compound what
    cdef ax_rtcp_sender info
    cdef ax_rtcp_report all[31]
    cdef uint8_t out[1400]
    cdef bytes name, reason
    memset(&what, 0, sizeof(what))
    if len(reports) > 31:
        raise RangeError("a packet has at most 31 reports")
    what.ssrc = ssrc
    if sender is not None:
        info.ntp, info.timestamp, info.packets, info.octets = sender
        what.sender = &info
    for i, values in enumerate(reports):
        r = &all[<int>i]
        r.ssrc, r.fraction, r.lost, r.highest, r.jitter, r.lsr, r.dlsr = values
        if not -0x800000 <= r.lost <= 0x7FFFFF:
            raise RangeError("the packets lost have 24 bits with a sign")
    what.reports = all
    what.nreports = <uint32_t>len(reports)
    if cname is not None:
        name = cname.encode()
        what.cname = name
    if bye is not None:
        reason = bye.encode()
        what.bye = reason
    n = ax_check(ax_rtcp_build(out, sizeof(out), &what))
    return PyBytes_FromStringAndSize(<const char *>out, n)
