/* RTCP (RFC 3550 section 6): compound packets with sender and receiver reports, source descriptions and goodbyes.
 *
 * A compound packet is checked as a whole first (ax_rtcp_check), then walked block by block.
 * Units: bytes; reports as on the wire (fraction in 1/256, jitter in ticks, lsr and dlsr in 1/65536 s). Threads: any.
 * Allocation: none. */
#ifndef AX_RTCP_H
#define AX_RTCP_H

#include <stddef.h>
#include <stdint.h>

#define AX_RTCP_MAX_REPORTS 31

enum ax_rtcp_type {
    AX_RTCP_SR = 200,
    AX_RTCP_RR = 201,
    AX_RTCP_SDES = 202,
    AX_RTCP_BYE = 203,
    AX_RTCP_APP = 204,
};

/** One block of a compound packet. */
struct ax_rtcp_block {
    const uint8_t *body; /**< After the four bytes of the block's header. */
    uint32_t size;       /**< Of the body, without padding. */
    uint8_t type;        /**< ax_rtcp_type, or 192..223. */
    uint8_t count;       /**< The five bits of the header: reports, sources, subtype. */
};

struct ax_rtcp_sender {
    uint64_t ntp; /**< 32.32 seconds since 1900. */
    uint32_t timestamp;
    uint32_t packets;
    uint32_t octets;
};

struct ax_rtcp_report {
    uint32_t ssrc; /**< The source that is reported on. */
    uint32_t highest;
    uint32_t jitter;
    uint32_t lsr;
    uint32_t dlsr;
    int32_t lost; /**< -2^23 .. 2^23 - 1 */
    uint8_t fraction;
};

struct ax_rtcp_item {
    const uint8_t *data;
    uint32_t ssrc;
    uint8_t type; /**< 1: CNAME */
    uint8_t size;
};

/** What a compound packet of ours says: SR (with `sender`) or RR, SDES with a CNAME, BYE. */
struct ax_rtcp_compound {
    uint32_t ssrc;
    const struct ax_rtcp_sender *sender; /**< NULL: a receiver report. */
    const struct ax_rtcp_report *reports;
    uint32_t nreports; /**< 0..31 */
    const char *cname; /**< NULL: no SDES; at most 255 bytes. */
    const char *bye;   /**< NULL: no BYE; the reason, may be empty; at most 255 bytes. */
};

/** AX_OK when all blocks fit, RFC 3550 appendix A.2; with `reduced`, any block may come first (RFC 5506). */
int ax_rtcp_check(const uint8_t *data, size_t n, int reduced);
/** The block at *at (start with 0): 1 and *at moved on, 0 at the end, AX_E_FORMAT. */
int ax_rtcp_next(const uint8_t *data, size_t n, size_t *at, struct ax_rtcp_block *out);
/** Of a block SR or RR: who speaks; of an SR: what it sent. AX_E_FORMAT for another type. */
int ax_rtcp_speaker(const struct ax_rtcp_block *block, uint32_t *ssrc, struct ax_rtcp_sender *sender);
/** Report `i` < count of an SR or RR. */
int ax_rtcp_report(const struct ax_rtcp_block *block, unsigned i, struct ax_rtcp_report *out);
/** Source `i` < count of a BYE. */
int ax_rtcp_leaving(const struct ax_rtcp_block *block, unsigned i, uint32_t *ssrc);
/** The reason of a BYE: its size, *reason set; 0: none. */
int ax_rtcp_reason(const struct ax_rtcp_block *block, const uint8_t **reason);
/** The item at *at of an SDES (start with 0; item->ssrc is kept between calls): 1, 0 at the end, AX_E_FORMAT. */
int ax_rtcp_item_next(const struct ax_rtcp_block *block, size_t *at, struct ax_rtcp_item *item);
/** The size, AX_E_FULL or AX_E_RANGE. */
int ax_rtcp_build(uint8_t *out, size_t cap, const struct ax_rtcp_compound *what);

#endif
