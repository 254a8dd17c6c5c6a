/* OSDP frames: build, parse, and find them in a byte stream (SIA OSDP 2.2, section 5). See ax/osdp.h for the promises.
 * A frame's length field is believed only between 7 and 1440 bytes; what the header promises and the length does not hold
 * is a wrong header. Units: bytes. Threads: one per object. Allocation: none. */
#include "ax/osdp.h"

#include "ax/err.h"
#include "ax/osdp_crc.h"

#include <string.h>

#define HEAD 5 /* SOM, address, length, control. */

int ax_osdp_build(uint8_t *out, size_t cap, const struct ax_osdp_head *head, uint8_t code, const uint8_t *data, size_t size)
{
    if (!out || !head || (size && !data))
        return AX_E_ARG;
    const bool crc = head->control & AX_OSDP_CRC;
    const size_t scb = head->scb_type ? (head->scb_type <= AX_OSDP_SCS_14 ? 3 : 2) : 0;
    if (size > AX_OSDP_MAX_FRAME)
        return AX_E_FULL;
    const size_t length = HEAD + scb + 1 + size + (crc ? 2 : 1);
    if (length > cap || length > AX_OSDP_MAX_FRAME)
        return AX_E_FULL;
    uint8_t *p = out;
    *p++ = AX_OSDP_SOM;
    *p++ = head->address;
    *p++ = (uint8_t)length;
    *p++ = (uint8_t)(length >> 8);
    *p++ = (uint8_t)((head->control & (AX_OSDP_SQN | AX_OSDP_CRC)) | (scb ? AX_OSDP_SCB : 0));
    if (scb) {
        *p++ = (uint8_t)scb;
        *p++ = head->scb_type;
        if (scb == 3)
            *p++ = head->scb_data;
    }
    *p++ = code;
    if (size)
        memmove(p, data, size);
    p += size;
    if (crc) {
        const uint16_t check = ax_osdp_crc(AX_OSDP_CRC_INIT, out, length - 2);
        *p++ = (uint8_t)check;
        *p = (uint8_t)(check >> 8);
    } else {
        *p = ax_osdp_checksum(out, length - 1);
    }
    return (int)length;
}

/* The security block is 2 bytes (types 15 to 18) or 3 (handshake). Returns its length, 0 when it is wrong. */
static size_t parse_scb(const uint8_t *p, size_t n, struct ax_osdp_frame *f)
{
    if (n < 2 || p[0] < 2 || p[0] > n || p[1] < AX_OSDP_SCS_11 || p[1] > AX_OSDP_SCS_18)
        return 0;
    if (p[1] <= AX_OSDP_SCS_14 && p[0] != 3)
        return 0;
    if (((p[1] & 1) == 0) != ((f->head.address & AX_OSDP_REPLY) != 0))
        return 0; /* even types are replies */
    f->head.scb_type = p[1];
    f->head.scb_data = p[0] > 2 ? p[2] : 0;
    return p[0];
}

int ax_osdp_parse(const uint8_t *buf, size_t n, struct ax_osdp_frame *f)
{
    if (!buf || !f)
        return AX_E_ARG;
    if (n && buf[0] != AX_OSDP_SOM)
        return AX_E_FORMAT;
    if (n < HEAD)
        return n >= 4 && (buf[2] | buf[3] << 8) > AX_OSDP_MAX_FRAME ? AX_E_FORMAT : 0;
    const size_t length = (size_t)(buf[2] | buf[3] << 8);
    const size_t check = buf[4] & AX_OSDP_CRC ? 2 : 1;
    if (length > AX_OSDP_MAX_FRAME || length < HEAD + 1 + check || buf[4] & 0xF0)
        return AX_E_FORMAT;
    if (n < length)
        return 0;
    memset(f, 0, sizeof *f);
    f->start = buf;
    f->length = (uint16_t)length;
    f->head.address = buf[1];
    f->head.control = buf[4] & (AX_OSDP_SQN | AX_OSDP_CRC);
    const uint8_t *end = buf + length - check;
    if (check == 2 ? ax_osdp_crc(AX_OSDP_CRC_INIT, buf, length - 2) != (end[0] | end[1] << 8)
                   : ax_osdp_checksum(buf, length - 1) != end[0])
        return AX_E_PARITY;
    const uint8_t *p = buf + HEAD;
    if (buf[4] & AX_OSDP_SCB) {
        const size_t scb = parse_scb(p, (size_t)(end - p), f);
        if (!scb)
            return AX_E_RANGE;
        p += scb;
        if (f->head.scb_type >= AX_OSDP_SCS_15) {
            if (end - p < 5)
                return AX_E_RANGE;
            f->mac = end -= 4;
        }
    }
    if (p >= end)
        return AX_E_RANGE;
    f->code = *p++;
    f->data = p;
    f->size = (uint16_t)(end - p);
    return (int)length;
}

bool ax_osdp_equal(const void *a, const void *b, size_t n)
{
    const uint8_t *x = a, *y = b;
    unsigned difference = 0;
    for (size_t i = 0; i < n; i++)
        difference |= (unsigned)(x[i] ^ y[i]);
    return difference == 0;
}

bool ax_osdp_command_size(uint8_t code, uint16_t *least, uint16_t *most)
{
    static const struct {
        uint8_t code;
        uint16_t least, most;
    } table[] = {
        {AX_OSDP_POLL, 0, 0}, {AX_OSDP_ID, 1, 1}, {AX_OSDP_CAP, 1, 1}, {AX_OSDP_LSTAT, 0, 0}, {AX_OSDP_ISTAT, 0, 0},
        {AX_OSDP_OSTAT, 0, 0}, {AX_OSDP_RSTAT, 0, 0}, {AX_OSDP_OUT, 4, 1432}, {AX_OSDP_LED, 14, 1428}, {AX_OSDP_BUZ, 5, 1430},
        {AX_OSDP_TEXT, 6, 261}, {AX_OSDP_COMSET, 5, 5}, {AX_OSDP_BIOREAD, 4, 4}, {AX_OSDP_BIOMATCH, 6, AX_OSDP_MAX_DATA},
        {AX_OSDP_KEYSET, 18, 18}, {AX_OSDP_CHLNG, 8, 8}, {AX_OSDP_SCRYPT, 16, 16}, {AX_OSDP_ACURXSIZE, 2, 2},
        {AX_OSDP_FILETRANSFER, 11, AX_OSDP_MAX_DATA}, {AX_OSDP_MFG, 3, AX_OSDP_MAX_DATA}, {AX_OSDP_XWR, 2, AX_OSDP_MAX_DATA}, {AX_OSDP_ABORT, 0, 0},
        {AX_OSDP_PIVDATA, 5, 6}, {AX_OSDP_GENAUTH, 6, AX_OSDP_MAX_DATA}, {AX_OSDP_CRAUTH, 6, AX_OSDP_MAX_DATA}, {AX_OSDP_KEEPACTIVE, 2, 2},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        if (table[i].code == code) {
            *least = table[i].least;
            *most = table[i].most;
            return true;
        }
    }
    return false;
}

void ax_osdp_rx_reset(struct ax_osdp_rx *rx)
{
    rx->start = rx->end = 0;
    rx->skipped = 0;
}

size_t ax_osdp_rx_push(struct ax_osdp_rx *rx, const uint8_t *bytes, size_t n)
{
    if (rx->start) {
        memmove(rx->bytes, rx->bytes + rx->start, (size_t)(rx->end - rx->start));
        rx->end = (uint16_t)(rx->end - rx->start);
        rx->start = 0;
    }
    const size_t room = sizeof rx->bytes - rx->end;
    if (n > room)
        n = room;
    if (n)
        memcpy(rx->bytes + rx->end, bytes, n);
    rx->end = (uint16_t)(rx->end + n);
    return n;
}

int ax_osdp_rx_next(struct ax_osdp_rx *rx, struct ax_osdp_frame *frame)
{
    while (rx->start < rx->end) {
        const uint8_t *p = rx->bytes + rx->start;
        if (*p != AX_OSDP_SOM) {
            rx->skipped += *p != AX_OSDP_MARK;
            rx->start++;
            continue;
        }
        const int rc = ax_osdp_parse(p, (size_t)(rx->end - rx->start), frame);
        if (rc == 0)
            return 0;
        if (rc > 0) {
            rx->start = (uint16_t)(rx->start + rc);
            return rc;
        }
        const size_t length = rx->end - rx->start >= 4 ? (size_t)(p[2] | p[3] << 8) : 0;
        if (rc != AX_E_FORMAT) {
            rx->start = (uint16_t)(rx->start + length);
            return rc;
        }
        rx->skipped++;
        rx->start++;
    }
    return 0;
}

size_t ax_osdp_rx_pending(const struct ax_osdp_rx *rx)
{
    return (size_t)(rx->end - rx->start);
}
