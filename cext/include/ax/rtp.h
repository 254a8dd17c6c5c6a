/* RTP packets (RFC 3550 section 5) and header extensions (RFC 8285): parse and build.
 *
 * What is found is told as offsets into the packet; nothing is copied. A packet is refused as a whole (AX_E_FORMAT) when
 * any of its lengths does not hold.
 * Units: bytes; timestamps in ticks of the payload's clock. Byte order: structs are the host's. Threads: any.
 * Allocation: none. */
#ifndef AX_RTP_H
#define AX_RTP_H

#include <stddef.h>
#include <stdint.h>

#define AX_RTP_HEADER 12        /**< The least size of a packet. */
#define AX_RTP_MAX_PACKET 65535 /**< Longer ones are refused. */
#define AX_RTP_MAX_CSRC 15
#define AX_RTP_ONE_BYTE 0xBEDE /**< Extension profile: elements with headers of one byte. */
#define AX_RTP_TWO_BYTE 0x1000 /**< ... of two bytes; the lowest four bits are free. */

enum ax_rtp_kind {
    AX_RTP_OTHER = 0, /**< Neither: STUN, DTLS or noise (RFC 7983). */
    AX_RTP_MEDIA = 1,
    AX_RTP_CONTROL = 2, /**< RTCP, told apart by its packet type (RFC 5761 section 4). */
};

struct ax_rtp_packet {
    uint32_t timestamp;
    uint32_t ssrc;
    uint16_t sequence;
    uint16_t payload_at;        /**< Offset. */
    uint16_t payload_size;      /**< Without padding; may be 0. */
    uint16_t extension_at;      /**< Offset of the body of the extension; 0: there is none. */
    uint16_t extension_size;    /**< A multiple of 4; may be 0. */
    uint16_t extension_profile; /**< AX_RTP_ONE_BYTE, AX_RTP_TWO_BYTE + 0..15, or somebody's own. */
    uint8_t payload_type;       /**< 0..127 */
    uint8_t marker;             /**< 0 or 1 */
    uint8_t csrc_count;         /**< 0..15; they start at offset 12. */
    uint8_t padding;            /**< Bytes of padding, its count included; 0: none. */
};

/** One element of a header extension. */
struct ax_rtp_element {
    const uint8_t *data;
    uint8_t id;   /**< 1..14 with one-byte headers, 1..255 with two-byte headers. */
    uint8_t size; /**< 1..16 or 0..255 */
};

/** What arrived on a port that carries RTP and RTCP (rtcp-mux). Looks at two bytes. */
enum ax_rtp_kind ax_rtp_kind(const uint8_t *data, size_t n);
/** AX_OK, or AX_E_FORMAT: `out` is then not meaningful. */
int ax_rtp_parse(const uint8_t *data, size_t n, struct ax_rtp_packet *out);
/** Contributing source `i` < csrc_count. */
uint32_t ax_rtp_csrc(const uint8_t *data, unsigned i);
/** Build from `head` (sizes and offsets in it are results, but for payload_size, extension_size, extension_profile,
 * csrc_count and padding). `csrc` is in host order. An extension is written when `extension` is not NULL; its size is
 * made a multiple of 4 with zeros. Returns the size, AX_E_FULL, AX_E_RANGE or AX_E_ARG. `payload` may already lie in
 * its place in `out`. */
int ax_rtp_build(uint8_t *out, size_t cap, struct ax_rtp_packet *head, const uint32_t *csrc, const uint8_t *extension,
                 const uint8_t *payload);

/** The element at *at (start with 0) of the body of an extension: 1 and *at moved on, 0 at the end, AX_E_FORMAT. */
int ax_rtp_element_next(const uint8_t *body, size_t size, uint16_t profile, size_t *at, struct ax_rtp_element *out);
/** Append an element at *at; the body is valid after each. AX_OK, AX_E_FULL, AX_E_RANGE. */
int ax_rtp_element_put(uint8_t *body, size_t cap, uint16_t profile, size_t *at, uint8_t id, const uint8_t *data, size_t n);

#endif
