/* RTP packets after RFC 3550 section 5.1 and appendix A.1, header extensions after RFC 8285 section 4.
 * Units: bytes, ticks. Threads: any. Allocation: none. */
#include "ax/rtp.h"

#include "ax/err.h"
#include "ax_rtp_bytes.h"

enum ax_rtp_kind ax_rtp_kind(const uint8_t *data, size_t n)
{
    if (n < 2 || data[0] >> 6 != 2)
        return AX_RTP_OTHER;
    return data[1] >= 192 && data[1] <= 223 ? AX_RTP_CONTROL : AX_RTP_MEDIA;
}

int ax_rtp_parse(const uint8_t *data, size_t n, struct ax_rtp_packet *out)
{
    if (n < AX_RTP_HEADER || n > AX_RTP_MAX_PACKET || data[0] >> 6 != 2)
        return AX_E_FORMAT;
    const unsigned csrc = data[0] & 15;
    size_t at = AX_RTP_HEADER + 4 * csrc, end = n;
    out->csrc_count = (uint8_t)csrc;
    out->extension_at = out->extension_size = out->extension_profile = 0;
    out->padding = 0;
    if (data[0] & 0x10) {
        if (at + 4 > n)
            return AX_E_FORMAT;
        out->extension_profile = ax_get16(data + at);
        out->extension_size = (uint16_t)(4 * ax_get16(data + at + 2));
        if (4u * ax_get16(data + at + 2) > n - at - 4)
            return AX_E_FORMAT;
        out->extension_at = (uint16_t)(at + 4);
        at += 4u + out->extension_size;
    }
    if (at > n)
        return AX_E_FORMAT;
    if (data[0] & 0x20) {
        const uint8_t padding = data[n - 1];
        if (padding == 0 || padding > n - at)
            return AX_E_FORMAT;
        out->padding = padding;
        end -= padding;
    }
    out->payload_at = (uint16_t)at;
    out->payload_size = (uint16_t)(end - at);
    out->marker = data[1] >> 7;
    out->payload_type = data[1] & 127;
    out->sequence = ax_get16(data + 2);
    out->timestamp = ax_get32(data + 4);
    out->ssrc = ax_get32(data + 8);
    return AX_OK;
}

uint32_t ax_rtp_csrc(const uint8_t *data, unsigned i)
{
    return ax_get32(data + AX_RTP_HEADER + 4 * i);
}

static size_t put_extension(uint8_t *out, size_t at, struct ax_rtp_packet *head, const uint8_t *extension)
{
    const size_t size = head->extension_size, padded = (size + 3) & ~(size_t)3;
    ax_put16(out + at, head->extension_profile);
    ax_put16(out + at + 2, (uint16_t)(padded / 4));
    if (size)
        memmove(out + at + 4, extension, size);
    memset(out + at + 4 + size, 0, padded - size);
    head->extension_at = (uint16_t)(at + 4);
    head->extension_size = (uint16_t)padded;
    return at + 4 + padded;
}

int ax_rtp_build(uint8_t *out, size_t cap, struct ax_rtp_packet *head, const uint32_t *csrc, const uint8_t *extension,
                 const uint8_t *payload)
{
    if (head->csrc_count > AX_RTP_MAX_CSRC || head->payload_type > 127 || head->marker > 1)
        return AX_E_RANGE;
    if ((head->csrc_count && !csrc) || (head->payload_size && !payload))
        return AX_E_ARG;
    const size_t padded = ((size_t)head->extension_size + 3) & ~(size_t)3;
    const size_t fixed = AX_RTP_HEADER + 4u * head->csrc_count + (extension ? 4 + padded : 0);
    const size_t total = fixed + head->payload_size + head->padding;
    if (total > AX_RTP_MAX_PACKET)
        return AX_E_RANGE;
    if (total > cap)
        return AX_E_FULL;
    if (head->payload_size)
        memmove(out + fixed, payload, head->payload_size);
    out[0] = (uint8_t)(0x80 | (head->padding ? 0x20 : 0) | (extension ? 0x10 : 0) | head->csrc_count);
    out[1] = (uint8_t)(head->marker << 7 | head->payload_type);
    ax_put16(out + 2, head->sequence);
    ax_put32(out + 4, head->timestamp);
    ax_put32(out + 8, head->ssrc);
    for (unsigned i = 0; i < head->csrc_count; i++)
        ax_put32(out + AX_RTP_HEADER + 4 * i, csrc[i]);
    if (extension)
        put_extension(out, AX_RTP_HEADER + 4u * head->csrc_count, head, extension);
    else
        head->extension_at = head->extension_size = head->extension_profile = 0;
    head->payload_at = (uint16_t)fixed;
    if (head->padding) {
        memset(out + total - head->padding, 0, head->padding);
        out[total - 1] = head->padding;
    }
    return (int)total;
}

int ax_rtp_element_next(const uint8_t *body, size_t size, uint16_t profile, size_t *at, struct ax_rtp_element *out)
{
    const int two = (profile & 0xFFF0) == AX_RTP_TWO_BYTE;
    if (!two && profile != AX_RTP_ONE_BYTE)
        return AX_E_FORMAT;
    while (*at < size && body[*at] == 0) /* padding between elements */
        ++*at;
    if (*at >= size)
        return 0;
    size_t data = *at + (two ? 2 : 1), n;
    if (two) {
        if (data > size)
            return AX_E_FORMAT;
        out->id = body[*at];
        n = body[*at + 1];
    } else {
        out->id = body[*at] >> 4;
        n = (size_t)(body[*at] & 15) + 1;
        if (out->id == 15) /* section 4.2: stop here, what follows is not ours */
            return 0;
        if (out->id == 0) /* id 0 with a length: only a zero byte is padding */
            return AX_E_FORMAT;
    }
    if (n > size - data)
        return AX_E_FORMAT;
    out->data = body + data;
    out->size = (uint8_t)n;
    *at = data + n;
    return 1;
}

int ax_rtp_element_put(uint8_t *body, size_t cap, uint16_t profile, size_t *at, uint8_t id, const uint8_t *data, size_t n)
{
    const int two = (profile & 0xFFF0) == AX_RTP_TWO_BYTE;
    if (!two && profile != AX_RTP_ONE_BYTE)
        return AX_E_RANGE;
    if (id == 0 || n > 255 || (!two && (id > 14 || n < 1 || n > 16)))
        return AX_E_RANGE;
    const size_t head = two ? 2 : 1;
    if (*at > cap || head + n > cap - *at)
        return AX_E_FULL;
    body[*at] = two ? id : (uint8_t)(id << 4 | (n - 1));
    if (two)
        body[*at + 1] = (uint8_t)n;
    if (n)
        memcpy(body + *at + head, data, n);
    *at += head + n;
    return AX_OK;
}
