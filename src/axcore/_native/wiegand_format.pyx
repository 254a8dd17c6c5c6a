# Card formats (cext/wiegand/ax_wiegand_format.c): bits to facility code and card number and back.
# The contract is wiegand_format.pyi. Positions count from the first bit received. Threads: all objects are immutable.
# Allocation: one Bits or Card a call.
cimport cython
from cpython.exc cimport PyErr_Clear, PyErr_Occurred
from cpython.list cimport PyList_New, PyList_SET_ITEM
from cpython.long cimport PyLong_CheckExact
from cpython.ref cimport Py_INCREF
from libc.stdint cimport uint8_t, uint64_t

from axcore.errors import FormatError, InputError, ParityError

from .c_err cimport AX_E_PARITY
from .c_wiegand_format cimport (
    AX_WIEGAND_BCD, AX_WIEGAND_CARD, AX_WIEGAND_FACILITY, AX_WIEGAND_FIELDS, AX_WIEGAND_ISSUE, AX_WIEGAND_OEM,
    AX_WIEGAND_RULES, AX_WIEGAND_RUNS, ax_wiegand_card, ax_wiegand_field, ax_wiegand_format, ax_wiegand_format_check,
    ax_wiegand_format_count, ax_wiegand_format_decode, ax_wiegand_format_encode, ax_wiegand_format_get,
    ax_wiegand_identify, long_as_u64,
)

cdef enum:
    AX_MAX_BITS = 256
    AX_MAX_FORMATS = 64

_FIELDS = ("facility", "card", "issue", "oem")


cdef inline bint _unsigned(object value, uint64_t *out):
    """A plain int from 0 to 2**64 - 1; False for anything else."""
    if not PyLong_CheckExact(value):
        return False
    out[0] = long_as_u64(value)
    if out[0] == 0xFFFFFFFFFFFFFFFFu and PyErr_Occurred():
        PyErr_Clear()
        return False
    return True


# No cycles: what these hold are numbers and formats.
@cython.no_gc
@cython.freelist(128)
cdef class Bits:
    cdef uint64_t _low
    cdef object _big
    cdef readonly int nbits

    def __init__(self, value, nbits=None):
        if isinstance(value, str):
            if not value or value.strip("01"):
                raise InputError("bits", "must be a text of 0 and 1, such as 0110")
            if nbits is not None and nbits != len(value):
                raise InputError("nbits", f"is {nbits}, but {len(value)} bits are given")
            nbits = len(value)
            value = int(value, 2)
        if not isinstance(nbits, int) or not 1 <= nbits <= AX_MAX_BITS:
            raise InputError("nbits", f"must be 1 to {AX_MAX_BITS}")
        if not isinstance(value, int) or value < 0 or value >> nbits:
            raise InputError("bits", f"must be a number of at most {nbits} bits, not negative")
        self.nbits = nbits
        if nbits <= 64:
            self._low = value
        else:
            self._big = value

    @staticmethod
    def from_hex(text, nbits=None):
        if not isinstance(text, str) or not text or text.strip("0123456789abcdefABCDEF"):
            raise InputError("hex", "must be hexadecimal digits")
        return Bits(int(text, 16), 4 * len(text) if nbits is None else nbits)

    @staticmethod
    def from_bytes(data, nbits=None):
        return Bits(int.from_bytes(data, "big"), 8 * len(data) if nbits is None else nbits)

    @property
    def value(self):
        return self._low if self._big is None else self._big

    def hex(self):
        return f"{self.value:0{(self.nbits + 7) // 8 * 2}x}"

    def slice(self, offset, length=0):
        if not 0 <= offset < self.nbits:
            raise InputError("offset", f"must be 0 to {self.nbits - 1}: there are {self.nbits} bits")
        if length < 0 or offset + length > self.nbits:
            raise InputError("length", f"must be 0 to {self.nbits - offset}: there are {self.nbits} bits")
        size = length or self.nbits - offset
        return Bits(self.value >> (self.nbits - offset - size) & ((1 << size) - 1), size)

    def __bytes__(self):
        return self.value.to_bytes((self.nbits + 7) // 8, "big")

    def __len__(self):
        return self.nbits

    def __int__(self):
        return self.value

    def __str__(self):
        return f"{self.value:0{self.nbits}b}"

    def __repr__(self):
        return f"Bits('{self}')"

    def __eq__(self, other):
        if not isinstance(other, Bits):
            return NotImplemented
        return self.nbits == (<Bits>other).nbits and self.value == other.value

    def __hash__(self):
        return hash((self.value, self.nbits))

    def __reduce__(self):
        return Bits, (self.value, self.nbits)


cdef inline Bits _bits(uint64_t value, int nbits):
    cdef Bits bits = Bits.__new__(Bits)
    bits._low = value
    bits.nbits = nbits
    return bits


cdef int _frame(object value, object nbits, uint64_t *frame) except -1:
    """Length (returned) and number (when at most 64 bits) of a Bits, a text, a decoder's Frame, or an int with nbits."""
    cdef uint64_t n
    if nbits is None and type(value) is Bits:
        frame[0] = (<Bits>value)._low
        return (<Bits>value).nbits
    if nbits is not None and _unsigned(nbits, &n) and 1 <= n <= 64 and _unsigned(value, frame) and frame[0] >> (n - 1) <= 1:
        return <int>n
    if nbits is None:
        if isinstance(value, str):
            value = Bits(value)
        if isinstance(value, Bits):
            frame[0] = (<Bits>value)._low
            return (<Bits>value).nbits
        if not hasattr(value, "nbits"):
            raise InputError("nbits", "must be given with a plain number")
        value, nbits = value.bits, value.nbits
    elif not isinstance(nbits, int) or not 1 <= nbits <= AX_MAX_BITS:
        raise InputError("nbits", f"must be 1 to {AX_MAX_BITS}")
    if not isinstance(value, int) or value < 0 or value >> nbits:
        raise InputError("bits", f"must be a number of at most {nbits} bits, not negative")
    if nbits <= 64:
        frame[0] = value
    return nbits


@cython.final
@cython.no_gc
@cython.freelist(128)
cdef class Card:
    cdef ax_wiegand_card _card
    cdef readonly Format format
    cdef readonly bint ok

    cdef object _value(self, int index):
        return self._card.value[index] if self.format._f.field[index].runs else None

    @property
    def facility(self):
        return self._value(AX_WIEGAND_FACILITY)

    @property
    def card(self):
        return self._value(AX_WIEGAND_CARD)

    @property
    def issue(self):
        return self._value(AX_WIEGAND_ISSUE)

    @property
    def oem(self):
        return self._value(AX_WIEGAND_OEM)

    def __eq__(self, other):
        if not isinstance(other, Card):
            return NotImplemented
        return (self.format is (<Card>other).format and self.ok == (<Card>other).ok
                and [self._value(i) for i in range(4)] == [(<Card>other)._value(i) for i in range(4)])

    def __hash__(self):
        return hash((self.facility, self.card, self.issue, self.oem, self.ok))

    def __repr__(self):
        named = [f"{name}={getattr(self, name)}" for name in _FIELDS if getattr(self, name) is not None]
        return f"Card({self.format.name}, {', '.join(named)}, ok={bool(self.ok)})"


cdef class Format:
    cdef const ax_wiegand_format *_f
    cdef ax_wiegand_format _own
    cdef readonly str name
    cdef readonly str title
    cdef readonly int bits

    def __init__(self):
        raise TypeError("take a Format from FORMATS, or make one with Format.custom")

    @staticmethod
    def custom(name, bits, *, facility=(), card=(), issue=(), oem=(), parity=(), fixed=None):
        cdef Format self = Format.__new__(Format)
        self._f = &self._own
        self.name = self.title = name
        if not isinstance(bits, int) or not 1 <= bits <= 64:
            raise InputError("bits", "must be 1 to 64")
        self.bits = self._own.bits = bits
        for index, positions in enumerate((facility, card, issue, oem)):
            _fill_field(&self._own.field[index], _FIELDS[index], positions, bits)
        if len(parity) > AX_WIEGAND_RULES:
            raise InputError("parity", f"must be at most {AX_WIEGAND_RULES} rules")
        for index, (at, odd, covered) in enumerate(parity):
            self._own.rule[index].at = _position("parity", at, bits)
            self._own.rule[index].odd = bool(odd)
            for position in covered:
                self._own.rule[index].mask |= <uint64_t>1 << (bits - 1 - _position("parity", position, bits))
            self._own.rules += 1
        for position, bit in (fixed or {}).items():
            mask = 1 << (bits - 1 - _position("fixed", position, bits))
            self._own.fixed_mask |= mask
            self._own.fixed |= mask if bit else 0
        if ax_wiegand_format_check(&self._own) < 0:
            raise InputError("format", "a position is used twice, or a parity bit covers itself or a later one")
        return self

    def encode(self, facility=0, card=0, issue=0, oem=None):
        cdef ax_wiegand_card values
        cdef uint64_t frame = 0
        cdef const ax_wiegand_format *f = self._f
        _limited(facility, &f.field[AX_WIEGAND_FACILITY], "facility", &values.value[AX_WIEGAND_FACILITY])
        _limited(card, &f.field[AX_WIEGAND_CARD], "card", &values.value[AX_WIEGAND_CARD])
        _limited(issue, &f.field[AX_WIEGAND_ISSUE], "issue", &values.value[AX_WIEGAND_ISSUE])
        if oem is None:
            values.value[AX_WIEGAND_OEM] = f.oem_default
        else:
            _limited(oem, &f.field[AX_WIEGAND_OEM], "oem", &values.value[AX_WIEGAND_OEM])
        ax_wiegand_format_encode(f, &values, &frame)
        return _bits(frame, f.bits)

    def decode(self, value, nbits=None):
        cdef uint64_t frame = 0
        cdef Card card
        if _frame(value, nbits, &frame) != self.bits:
            raise FormatError(f"{self.name} has {self.bits} bits")
        card = Card.__new__(Card)
        card.format = self
        card.ok = ax_wiegand_format_decode(self._f, frame, self._f.bits, &card._card) == 0
        return card

    def parse(self, value, nbits=None):
        cdef uint64_t frame = 0
        cdef Card card
        cdef int rc
        if _frame(value, nbits, &frame) != self.bits:
            raise FormatError(f"{self.name} has {self.bits} bits")
        card = Card.__new__(Card)
        card.format = self
        rc = ax_wiegand_format_decode(self._f, frame, self._f.bits, &card._card)
        if rc == AX_E_PARITY:
            raise ParityError(f"a parity bit of {self.name} does not hold")
        if rc < 0:
            raise FormatError(f"the fixed bits or digits of {self.name} do not hold")
        card.ok = True
        return card

    def holds(self, value, nbits=None):
        cdef uint64_t frame = 0
        cdef ax_wiegand_card card
        cdef int n = _frame(value, nbits, &frame)
        return n == self.bits and ax_wiegand_format_decode(self._f, frame, n, &card) == 0

    cdef object _max(self, int index):
        return self._f.field[index].max if self._f.field[index].runs else None

    @property
    def max_facility(self):
        return self._max(AX_WIEGAND_FACILITY)

    @property
    def max_card(self):
        return self._max(AX_WIEGAND_CARD)

    @property
    def max_issue(self):
        return self._max(AX_WIEGAND_ISSUE)

    @property
    def max_oem(self):
        return self._max(AX_WIEGAND_OEM)

    @property
    def oem_default(self):
        return self._f.oem_default if self._f.field[AX_WIEGAND_OEM].runs else None

    @property
    def encoding(self):
        return "bcd" if self._f.encoding == AX_WIEGAND_BCD else "binary"

    @property
    def confirmed(self):
        return not self._f.unconfirmed

    @property
    def fields(self):
        cdef const ax_wiegand_field *field
        cdef int index, i
        found = {}
        for index in range(AX_WIEGAND_FIELDS):
            field = &self._f.field[index]
            places = []
            for i in range(field.runs):
                places.extend(range(field.run[i].at, field.run[i].at + field.run[i].len))
            if places:
                found[_FIELDS[index]] = tuple(places)
        return found

    @property
    def fixed(self):
        return {p: self._f.fixed >> (self.bits - 1 - p) & 1 for p in _positions(self._f.fixed_mask, self.bits)}

    @property
    def parity(self):
        return tuple((self._f.rule[i].at, bool(self._f.rule[i].odd), _positions(self._f.rule[i].mask, self.bits))
                     for i in range(self._f.rules))

    def __str__(self):
        return self.name

    def __repr__(self):
        return f"<Format {self.name}: {self.title}>"

    def __reduce__(self):
        if self._f == &self._own:
            raise TypeError("a custom format cannot be pickled")
        return _by_name, (self.name,)


def _by_name(name):
    return FORMATS[name]


cdef tuple _positions(uint64_t mask, int bits):
    return tuple(p for p in range(bits) if mask >> (bits - 1 - p) & 1)


cdef int _position(str field, object position, int bits) except -1:
    if not isinstance(position, int) or not 0 <= position < bits:
        raise InputError(field, f"positions must be 0 to {bits - 1}")
    return position


cdef int _fill_field(ax_wiegand_field *field, str name, object positions, int bits) except -1:
    """Positions, most significant first, as runs of neighbours."""
    cdef int last = -2, p
    for position in positions:
        p = _position(name, position, bits)
        if field.runs and p == last + 1:
            field.run[field.runs - 1].len += 1
        elif field.runs == AX_WIEGAND_RUNS:
            raise InputError(name, f"must be at most {AX_WIEGAND_RUNS} separate pieces")
        else:
            field.run[field.runs].at = p
            field.run[field.runs].len = 1
            field.runs += 1
        last = p
    n = len(positions)
    field.max = (1 << min(n, 64)) - 1
    return 0


cdef inline int _limited(object value, const ax_wiegand_field *field, str name, uint64_t *out) except -1:
    if _unsigned(value, out) and out[0] <= field.max:
        return 0
    return _refuse(value, field.max, field.runs, name)


cdef int _refuse(object value, uint64_t most, int runs, str name) except -1:
    if not runs:
        raise InputError(name, "this format has no such field")
    raise InputError(name, f"must be a whole number from 0 to {most}, not {value!r}")


def identify(bits, nbits=None):
    cdef uint64_t frame = 0
    cdef uint8_t rows[AX_MAX_FORMATS]
    cdef int i, count, n = _frame(bits, nbits, &frame)
    count = ax_wiegand_identify(frame, n, rows, AX_MAX_FORMATS)
    found = PyList_New(count)
    for i in range(count):
        row = _ROWS[rows[i]]
        Py_INCREF(row)
        PyList_SET_ITEM(found, i, row)
    return found


cdef Format _row(int index):
    cdef Format f = Format.__new__(Format)
    f._f = ax_wiegand_format_get(index)
    f.name = f._f.name.decode()
    f.title = f._f.title.decode()
    f.bits = f._f.bits
    return f


cdef list _ROWS = [_row(i) for i in range(ax_wiegand_format_count())]
FORMATS = {f.name: f for f in _ROWS}
