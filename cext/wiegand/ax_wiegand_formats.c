/* The Wiegand card formats in public use, 26 to 56 bits: where each field lies, which bits are fixed, what each parity bit
 * covers. Facts from vendors' format sheets and from the format list of the Proxmark3 project, put into rows of our own.
 *
 * Where descriptions differ, the row says what was taken. Limits (`max`) are those in public use and may be narrower than
 * the field. Positions count from the first bit received. Rows are ordered by length (ax_wiegand_format.c: FIRST).
 * Units: bits. Threads: const. Allocation: none. */
#include "ax/wiegand_format.h"

/* Masks of a frame of n bits: `len` positions from `at`; single positions. */
#define RUN(n, at, len) ((((uint64_t)1 << (len)) - 1) << ((n) - (at) - (len)))
#define P1(n, a) ((uint64_t)1 << ((n) - 1 - (a)))
#define P4(n, a, b, c, d) (P1(n, a) | P1(n, b) | P1(n, c) | P1(n, d))
#define P8(n, a, b, c, d, e, f, g, h) (P4(n, a, b, c, d) | P4(n, e, f, g, h))
/* Eight positions that lie four apart: a column of decimal digits. */
#define COLUMN(n, a) P8(n, a, a + 4, a + 8, a + 12, a + 16, a + 20, a + 24, a + 28)
/* The check byte of P10001: one of its bits covers the same bit of the four bytes before it. */
#define BYTES(n, a) P4(n, a, a + 8, a + 16, a + 24)

#define FIELD(at, len, most) {.max = (most), .runs = 1, .run = {{at, len}}}
#define FACILITY(...) .field[AX_WIEGAND_FACILITY] = FIELD(__VA_ARGS__)
#define CARD(...) .field[AX_WIEGAND_CARD] = FIELD(__VA_ARGS__)
#define ISSUE(...) .field[AX_WIEGAND_ISSUE] = FIELD(__VA_ARGS__)
#define OEM(...) .field[AX_WIEGAND_OEM] = FIELD(__VA_ARGS__)
#define FIXED(mask, value) .fixed_mask = (mask), .fixed = (value)
#define EVEN(where, covers) {.mask = (covers), .at = (where), .odd = 0}
#define ODD(where, covers) {.mask = (covers), .at = (where), .odd = 1}
#define RULES1(a) .rules = 1, .rule = {a}
#define RULES2(a, b) .rules = 2, .rule = {a, b}
#define RULES3(a, b, c) .rules = 3, .rule = {a, b, c}
#define RULES4(a, b, c, d) .rules = 4, .rule = {a, b, c, d}
#define NAMED(id, text, n) .name = (id), .title = (text), .bits = (n)

static const struct ax_wiegand_format FORMATS[] = {
    {NAMED("H10301", "HID H10301 26-bit", 26), FACILITY(1, 8, 255), CARD(9, 16, 65535),
     RULES2(EVEN(0, RUN(26, 1, 12)), ODD(25, RUN(26, 13, 12)))},
    {NAMED("ind26", "Indala 26-bit", 26), FACILITY(1, 12, 4095), CARD(13, 12, 4095),
     RULES2(EVEN(0, RUN(26, 1, 12)), ODD(25, RUN(26, 13, 12)))},
    {NAMED("ind27", "Indala 27-bit", 27), FACILITY(0, 13, 8191), CARD(13, 14, 16383)},
    /* Some encoders place only 11 bits of the facility code; its limit and the 27 positions in use say 13. */
    {NAMED("indasc27", "Indala ASC 27-bit", 27),
     .field[AX_WIEGAND_FACILITY] = {8191, 13, {{9, 1}, {4, 1}, {6, 1}, {5, 1}, {0, 1}, {7, 1}, {19, 1}, {8, 1}, {10, 1},
                                               {16, 1}, {24, 1}, {12, 1}, {22, 1}}},
     .field[AX_WIEGAND_CARD] = {16383, 14, {{26, 1}, {1, 1}, {3, 1}, {15, 1}, {14, 1}, {17, 1}, {20, 1}, {13, 1},
                                            {25, 1}, {2, 1}, {18, 1}, {21, 1}, {11, 1}, {23, 1}}}},
    {NAMED("Tecom27", "Tecom 27-bit", 27),
     .field[AX_WIEGAND_FACILITY] = {2047, 11, {{15, 1}, {19, 1}, {24, 1}, {23, 1}, {22, 1}, {18, 1}, {6, 1}, {10, 1},
                                               {14, 1}, {3, 1}, {2, 1}}},
     .field[AX_WIEGAND_CARD] = {65535, 14, {{0, 2}, {13, 1}, {12, 1}, {9, 1}, {26, 1}, {20, 1}, {16, 1}, {17, 1}, {21, 1},
                                            {25, 1}, {7, 1}, {8, 1}, {11, 1}, {4, 2}}}},
    {NAMED("2804W", "2804 Wiegand 28-bit", 28), FACILITY(4, 8, 255), CARD(12, 15, 32767),
     RULES3(ODD(2, P8(28, 4, 5, 7, 8, 10, 11, 13, 14) | P8(28, 16, 17, 19, 20, 22, 23, 25, 26)), EVEN(0, RUN(28, 1, 13)),
            ODD(27, RUN(28, 0, 27)))},
    {NAMED("ind29", "Indala 29-bit", 29), FACILITY(0, 13, 8191), CARD(13, 16, 65535)},
    {NAMED("ATSW30", "ATS Wiegand 30-bit", 30), FACILITY(1, 12, 4095), CARD(13, 16, 65535),
     RULES2(EVEN(0, RUN(30, 1, 12)), ODD(29, RUN(30, 13, 16)))},
    /* Parity unknown: positions 0 and 28 to 30 are free. */
    {NAMED("ADT31", "HID ADT 31-bit", 31), FACILITY(1, 4, 15), CARD(5, 23, 8388607)},
    {NAMED("HCP32", "HID Check Point 32-bit", 32), CARD(1, 24, 16383)},
    /* A card number of 29 bits is also told, but 13 + 29 do not fit 32: 19 bits are what is left. */
    {NAMED("HPP32", "HID Hewlett-Packard 32-bit", 32), FACILITY(1, 12, 4095), CARD(13, 19, 524287)},
    {NAMED("Kastle", "Kastle 32-bit", 32), FACILITY(7, 8, 255), CARD(15, 16, 65535), ISSUE(2, 5, 31),
     FIXED(P1(32, 1), P1(32, 1)), RULES2(EVEN(0, RUN(32, 1, 16)), ODD(31, RUN(32, 14, 17)))},
    {NAMED("Kantech", "Indala/Kantech KFS 32-bit", 32), FACILITY(7, 8, 255), CARD(15, 16, 65535)},
    {NAMED("WIE32", "Wiegand 32-bit", 32), FACILITY(4, 12, 4095), CARD(16, 16, 65535)},
    {NAMED("D10202", "HID D10202 33-bit", 33), FACILITY(1, 7, 127), CARD(8, 24, 16777215),
     RULES2(EVEN(0, RUN(33, 1, 16)), ODD(32, RUN(33, 16, 16)))},
    {NAMED("H10306", "HID H10306 34-bit", 34), FACILITY(1, 16, 65535), CARD(17, 16, 65535),
     RULES2(EVEN(0, RUN(34, 1, 16)), ODD(33, RUN(34, 17, 16)))},
    {NAMED("N10002", "Honeywell/Northern N10002 34-bit", 34), FACILITY(1, 16, 65535), CARD(17, 16, 65535),
     RULES2(EVEN(0, RUN(34, 1, 16)), ODD(33, RUN(34, 17, 16)))},
    {NAMED("Optus34", "Indala Optus 34-bit", 34), FACILITY(22, 11, 1023), CARD(1, 16, 65535)},
    {NAMED("SMP34", "Cardkey Smartpass 34-bit", 34), FACILITY(1, 13, 1023), CARD(17, 16, 65535), ISSUE(14, 3, 7)},
    {NAMED("BQT34", "BQT 34-bit", 34), FACILITY(1, 8, 255), CARD(9, 24, 16777215),
     RULES2(EVEN(0, RUN(34, 1, 16)), ODD(33, RUN(34, 17, 16)))},
    /* Corporate 1000: two of three bits in a sliding pattern, then one odd bit over all. */
    {NAMED("C1k35s", "HID Corporate 1000 35-bit std", 35), FACILITY(2, 12, 4095), CARD(14, 20, 1048575),
     RULES3(EVEN(1, 0x1B6DB6DB6), ODD(34, 0x36DB6DB6C), ODD(0, RUN(35, 1, 34)))},
    {NAMED("C15001", "HID KeyScan 36-bit", 36), OEM(1, 10, 1023), FACILITY(11, 8, 255), CARD(19, 16, 65535),
     .oem_default = 900, RULES2(EVEN(0, RUN(36, 1, 17)), ODD(35, RUN(36, 18, 17)))},
    {NAMED("S12906", "HID Simplex 36-bit", 36), FACILITY(1, 8, 255), CARD(11, 24, 16777215), ISSUE(9, 2, 3),
     RULES2(ODD(0, RUN(36, 1, 17)), ODD(35, RUN(36, 17, 18)))},
    /* Only sizes and limits are public: taken as S12906 without issue, each half with its own odd parity. */
    {NAMED("S12906b", "HID Simplex Grinnell 36-bit", 36), FACILITY(1, 8, 255), CARD(11, 24, 16777215), .unconfirmed = 1,
     RULES2(ODD(0, RUN(36, 1, 17)), ODD(35, RUN(36, 18, 17)))},
    /* An old decoder took the last bit for odd parity; encoders and format sheets say even. */
    {NAMED("Sie36", "HID 36-bit Siemens", 36), FACILITY(1, 18, 262143), CARD(19, 16, 65535),
     RULES2(ODD(0, P8(36, 1, 3, 4, 6, 7, 9, 10, 12) | P8(36, 13, 15, 16, 18, 19, 21, 22, 24)
                       | P4(36, 25, 27, 28, 30) | P1(36, 31) | P1(36, 33) | P1(36, 34)),
            EVEN(35, P8(36, 1, 2, 4, 5, 7, 8, 10, 11) | P8(36, 13, 14, 16, 17, 19, 20, 22, 23)
                         | P4(36, 25, 26, 28, 29) | P1(36, 31) | P1(36, 32) | P1(36, 34)))},
    /* Eight decimal digits. Old descriptions have 36 bits (no leading one) and two columns that skip a digit: a slip, as a
     * digit would then go unchecked. */
    {NAMED("H10320", "HID H10320 37-bit BCD", 37), .encoding = AX_WIEGAND_BCD, CARD(1, 32, 99999999),
     FIXED(P1(37, 0), P1(37, 0)),
     RULES4(EVEN(33, COLUMN(37, 1)), ODD(34, COLUMN(37, 2)), EVEN(35, COLUMN(37, 3)), EVEN(36, COLUMN(37, 4)))},
    {NAMED("H10302", "HID H10302 37-bit huge ID", 37), CARD(1, 35, 34359738367),
     RULES2(EVEN(0, RUN(37, 1, 18)), ODD(36, RUN(37, 18, 18)))},
    {NAMED("H10304", "HID H10304 37-bit", 37), FACILITY(1, 16, 65535), CARD(17, 19, 524287),
     RULES2(EVEN(0, RUN(37, 1, 18)), ODD(36, RUN(37, 18, 18)))},
    /* Parity unknown: positions 0 and 32 to 36 are free. */
    {NAMED("P10004", "HID P10004 37-bit PCSC", 37), FACILITY(1, 13, 8191), CARD(14, 18, 262143)},
    /* An old decoder skipped position 26 of the odd column; encoders use it. Position 1 is free. */
    {NAMED("HGen37", "HID Generic 37-bit", 37), CARD(4, 32, 524287), FIXED(P1(37, 36), P1(37, 36)),
     RULES3(EVEN(0, COLUMN(37, 4)), ODD(2, COLUMN(37, 6)), EVEN(3, COLUMN(37, 7)))},
    /* Field tests of one system speak for parity over 17 bits and a 6-bit facility code; the published row is kept. */
    {NAMED("MDI37", "PointGuard MDI 37-bit", 37), FACILITY(3, 4, 15), CARD(7, 29, 536870911),
     RULES2(EVEN(0, RUN(37, 1, 18)), ODD(36, RUN(37, 18, 18)))},
    {NAMED("BQT38", "BQT 38-bit", 38), FACILITY(24, 13, 4095), CARD(1, 19, 262143), ISSUE(20, 4, 7),
     RULES2(EVEN(0, RUN(38, 1, 18)), ODD(37, RUN(38, 19, 18)))},
    /* A limit of 24 bits is told for the card number; the field has 22. */
    {NAMED("ISCS", "ISCS 38-bit", 38), OEM(1, 4, 7), FACILITY(5, 10, 1023), CARD(15, 22, 4194303),
     RULES2(EVEN(0, RUN(38, 1, 18)), ODD(37, RUN(38, 19, 18)))},
    {NAMED("PW39", "Pyramid 39-bit wiegand format", 39), FACILITY(1, 17, 65535), CARD(18, 20, 1048575),
     RULES2(EVEN(0, RUN(39, 1, 18)), ODD(38, RUN(39, 19, 19)))},
    {NAMED("P10001", "HID P10001 Honeywell 40-bit", 40), FACILITY(4, 12, 4095), CARD(16, 16, 65535),
     FIXED(RUN(40, 0, 4), RUN(40, 0, 4)), .rules = 8,
     .rule = {EVEN(32, BYTES(40, 0)), EVEN(33, BYTES(40, 1)), EVEN(34, BYTES(40, 2)), EVEN(35, BYTES(40, 3)),
              EVEN(36, BYTES(40, 4)), EVEN(37, BYTES(40, 5)), EVEN(38, BYTES(40, 6)), EVEN(39, BYTES(40, 7))}},
    /* A limit of 40 bits is told for the card number; the field has 38. */
    {NAMED("Casi40", "Casi-Rusco 40-bit", 40), CARD(1, 38, 274877906943)},
    {NAMED("Verkada40", "Verkada 40-bit", 40), FACILITY(1, 10, 1023), CARD(11, 28, 268435455), .unconfirmed = 1,
     RULES2(EVEN(0, RUN(40, 1, 19)), ODD(39, RUN(40, 20, 19)))},
    /* Old encoders call 39 bits what they fill like 40, and give the card number 19 bits; its limit needs the 20 that lie
     * between the cost centre and the parity bit. */
    {NAMED("BC40", "Bundy TimeClock 40-bit", 40), OEM(0, 7, 127), FACILITY(7, 12, 4095), CARD(19, 20, 1048575),
     RULES1(ODD(39, RUN(40, 19, 20)))},
    /* Only sizes and limits are public: fields in the usual order, parity over halves. */
    {NAMED("Defcon32", "Custom Defcon RFCTF 42-bit", 42), FACILITY(1, 16, 65535), CARD(17, 20, 1048575),
     ISSUE(37, 4, 15), .unconfirmed = 1, RULES2(EVEN(0, RUN(42, 1, 20)), ODD(41, RUN(42, 21, 20)))},
    {NAMED("H800002", "HID H800002 46-bit", 46), FACILITY(1, 14, 16383), CARD(15, 30, 1073741823),
     RULES2(EVEN(0, RUN(46, 1, 44)), ODD(45, RUN(46, 1, 44)))},
    {NAMED("C1k48s", "HID Corporate 1000 48-bit std", 48), FACILITY(2, 22, 4194303), CARD(24, 23, 8388607),
     RULES3(EVEN(1, 0x1B6DB6DB6DB6), ODD(47, 0x36DB6DB6DB6C), ODD(0, RUN(48, 1, 47)))},
    {NAMED("Avig56", "Avigilon 56-bit", 56), FACILITY(1, 20, 1048575), CARD(21, 34, 17179869183),
     RULES2(EVEN(0, RUN(56, 1, 27)), ODD(55, RUN(56, 28, 27)))},
    {NAMED("IR56", "Inner Range 56-bit", 56), FACILITY(0, 24, 16777215), CARD(24, 32, 4294967295)},
};

int ax_wiegand_format_count(void)
{
    return (int)(sizeof FORMATS / sizeof FORMATS[0]);
}

const struct ax_wiegand_format *ax_wiegand_format_get(int index)
{
    return index >= 0 && index < ax_wiegand_format_count() ? &FORMATS[index] : NULL;
}
