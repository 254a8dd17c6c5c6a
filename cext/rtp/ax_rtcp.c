/* RTCP after RFC 3550 sections 6.1, 6.4 to 6.6 and appendix A.2; reduced size after RFC 5506.
 * Units: bytes. Threads: any. Allocation: none. */
#include "ax/rtcp.h"

#include "ax/err.h"
#include "ax_rtp_bytes.h"

#define REPORT 24
#define SENDER 20
#define CNAME 1

int ax_rtcp_next(const uint8_t *data, size_t n, size_t *at, struct ax_rtcp_block *out)
{
    if (*at == n)
        return 0;
    if (*at > n || n - *at < 4)
        return AX_E_FORMAT;
    const uint8_t *p = data + *at;
    const size_t size = 4u * ax_get16(p + 2);
    if (p[0] >> 6 != 2 || p[1] < 192 || p[1] > 223 || size > n - *at - 4)
        return AX_E_FORMAT;
    out->body = p + 4;
    out->size = (uint32_t)size;
    out->type = p[1];
    out->count = p[0] & 31;
    *at += 4 + size;
    if (p[0] & 0x20) { /* only the last block may be padded */
        const uint8_t padding = size ? p[3 + size] : 0;
        if (*at != n || padding == 0 || padding > size || padding % 4)
            return AX_E_FORMAT;
        out->size -= padding;
    }
    return 1;
}

static int sdes_holds(const struct ax_rtcp_block *block)
{
    struct ax_rtcp_item item = {0};
    size_t at = 0;
    int rc;
    while ((rc = ax_rtcp_item_next(block, &at, &item)) > 0)
        ;
    return rc == 0;
}

static int holds(const struct ax_rtcp_block *b)
{
    const uint8_t *reason;
    switch (b->type) {
    case AX_RTCP_SR: return b->size >= 4u + SENDER + REPORT * b->count;
    case AX_RTCP_RR: return b->size >= 4u + REPORT * b->count;
    case AX_RTCP_SDES: return sdes_holds(b);
    case AX_RTCP_BYE: return b->size >= 4u * b->count && ax_rtcp_reason(b, &reason) >= 0;
    default: return 1;
    }
}

int ax_rtcp_check(const uint8_t *data, size_t n, int reduced)
{
    struct ax_rtcp_block block;
    size_t at = 0;
    int rc, first = 1;
    while ((rc = ax_rtcp_next(data, n, &at, &block)) > 0) {
        if (!holds(&block))
            return AX_E_FORMAT;
        if (first && !reduced && ((block.type != AX_RTCP_SR && block.type != AX_RTCP_RR) || data[0] & 0x20))
            return AX_E_FORMAT;
        first = 0;
    }
    return first ? AX_E_FORMAT : rc;
}

int ax_rtcp_speaker(const struct ax_rtcp_block *block, uint32_t *ssrc, struct ax_rtcp_sender *sender)
{
    if ((block->type != AX_RTCP_SR && block->type != AX_RTCP_RR) || block->size < 4)
        return AX_E_FORMAT;
    *ssrc = ax_get32(block->body);
    if (block->type == AX_RTCP_RR)
        return 0;
    if (block->size < 4 + SENDER)
        return AX_E_FORMAT;
    sender->ntp = ax_get64(block->body + 4);
    sender->timestamp = ax_get32(block->body + 12);
    sender->packets = ax_get32(block->body + 16);
    sender->octets = ax_get32(block->body + 20);
    return 1;
}

int ax_rtcp_report(const struct ax_rtcp_block *block, unsigned i, struct ax_rtcp_report *out)
{
    const size_t at = 4u + (block->type == AX_RTCP_SR ? SENDER : 0) + REPORT * i;
    if ((block->type != AX_RTCP_SR && block->type != AX_RTCP_RR) || i >= block->count || at + REPORT > block->size)
        return AX_E_FORMAT;
    const uint8_t *p = block->body + at;
    out->ssrc = ax_get32(p);
    out->fraction = p[4];
    out->lost = (int32_t)((ax_get32(p + 4) & 0xFFFFFF) ^ 0x800000) - 0x800000;
    out->highest = ax_get32(p + 8);
    out->jitter = ax_get32(p + 12);
    out->lsr = ax_get32(p + 16);
    out->dlsr = ax_get32(p + 20);
    return AX_OK;
}

int ax_rtcp_leaving(const struct ax_rtcp_block *block, unsigned i, uint32_t *ssrc)
{
    if (block->type != AX_RTCP_BYE || i >= block->count || 4u * i + 4 > block->size)
        return AX_E_FORMAT;
    *ssrc = ax_get32(block->body + 4 * i);
    return AX_OK;
}

int ax_rtcp_reason(const struct ax_rtcp_block *block, const uint8_t **reason)
{
    const uint32_t at = 4u * block->count;
    if (block->type != AX_RTCP_BYE || at > block->size)
        return AX_E_FORMAT;
    if (at == block->size)
        return 0;
    if (block->body[at] > block->size - at - 1)
        return AX_E_FORMAT;
    *reason = block->body + at + 1;
    return block->body[at];
}

/* Chunks: a source, its items, a zero byte and padding to four bytes. The place tells where we are: a chunk starts where
 * the last one's padding ended, and *at is kept on that boundary only between chunks. */
int ax_rtcp_item_next(const struct ax_rtcp_block *block, size_t *at, struct ax_rtcp_item *item)
{
    if (block->type != AX_RTCP_SDES)
        return AX_E_FORMAT;
    int chunk = *at == 0;
    while (*at < block->size) {
        const uint8_t *p = block->body + *at;
        const size_t left = block->size - *at;
        if (chunk) {
            if (left < 8) /* a source and at least one word of items or zeros */
                return AX_E_FORMAT;
            item->ssrc = ax_get32(p);
            *at += 4;
            chunk = 0;
        } else if (p[0] == 0) {
            *at = (*at + 4) & ~(size_t)3;
            chunk = 1;
        } else {
            if (left < 2 || (size_t)p[1] + 2 >= left) /* a zero must follow */
                return AX_E_FORMAT;
            item->type = p[0];
            item->size = p[1];
            item->data = p + 2;
            *at += 2u + p[1];
            return 1;
        }
    }
    return chunk ? 0 : AX_E_FORMAT;
}

static size_t put_report(uint8_t *p, const struct ax_rtcp_report *r)
{
    ax_put32(p, r->ssrc);
    ax_put32(p + 4, (uint32_t)r->fraction << 24 | ((uint32_t)r->lost & 0xFFFFFF));
    ax_put32(p + 8, r->highest);
    ax_put32(p + 12, r->jitter);
    ax_put32(p + 16, r->lsr);
    ax_put32(p + 20, r->dlsr);
    return REPORT;
}

static size_t put_text(uint8_t *p, size_t at, const char *text, size_t n)
{
    p[at] = (uint8_t)n;
    memcpy(p + at + 1, text, n);
    const size_t end = at + 1 + n, padded = (end + 3) & ~(size_t)3;
    memset(p + end, 0, padded - end);
    return padded;
}

static size_t finish(uint8_t *p, unsigned count, enum ax_rtcp_type type, size_t size)
{
    p[0] = (uint8_t)(0x80 | count);
    p[1] = (uint8_t)type;
    ax_put16(p + 2, (uint16_t)(size / 4 - 1));
    return size;
}

static size_t put_main(uint8_t *p, const struct ax_rtcp_compound *what)
{
    size_t at = 8;
    ax_put32(p + 4, what->ssrc);
    if (what->sender) {
        ax_put64(p + 8, what->sender->ntp);
        ax_put32(p + 16, what->sender->timestamp);
        ax_put32(p + 20, what->sender->packets);
        ax_put32(p + 24, what->sender->octets);
        at += SENDER;
    }
    for (uint32_t i = 0; i < what->nreports; i++)
        at += put_report(p + at, &what->reports[i]);
    return finish(p, what->nreports, what->sender ? AX_RTCP_SR : AX_RTCP_RR, at);
}

static size_t put_sdes(uint8_t *p, uint32_t ssrc, const char *cname, size_t n)
{
    ax_put32(p + 4, ssrc);
    p[8] = CNAME;
    p[9] = (uint8_t)n;
    memcpy(p + 10, cname, n);
    const size_t end = 10 + n, padded = (end + 4) & ~(size_t)3; /* at least one zero */
    memset(p + end, 0, padded - end);
    return finish(p, 1, AX_RTCP_SDES, padded);
}

int ax_rtcp_build(uint8_t *out, size_t cap, const struct ax_rtcp_compound *what)
{
    const size_t cname = what->cname ? strlen(what->cname) : 0, bye = what->bye ? strlen(what->bye) : 0;
    if (what->nreports > AX_RTCP_MAX_REPORTS || cname > 255 || bye > 255)
        return AX_E_RANGE;
    size_t need = 8 + (what->sender ? SENDER : 0) + (size_t)REPORT * what->nreports;
    need += what->cname ? (10 + cname + 4) & ~(size_t)3 : 0;
    need += what->bye ? 8 + (bye ? (1 + bye + 3) & ~(size_t)3 : 0) : 0;
    if (need > cap)
        return AX_E_FULL;
    size_t at = put_main(out, what);
    if (what->cname)
        at += put_sdes(out + at, what->ssrc, what->cname, cname);
    if (what->bye) {
        uint8_t *p = out + at;
        ax_put32(p + 4, what->ssrc);
        at += finish(p, 1, AX_RTCP_BYE, bye ? put_text(p, 8, what->bye, bye) : 8);
    }
    return (int)at;
}
