/* Any bytes as RTP, RTCP and telephone events: offsets stay inside, what is found can be built again, a session takes
 * anything. Input: a byte that says how to read, then the datagrams, each after a byte with its length. */
#include "ax/rtp_session.h"

#include "ax/err.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
    if (!condition)
        abort();
}

static void check_packet(const uint8_t *data, size_t n)
{
    struct ax_rtp_packet p;
    if (ax_rtp_parse(data, n, &p) < 0)
        return;
    require((size_t)(p.payload_at + p.payload_size + p.padding) == n && p.payload_at >= AX_RTP_HEADER);
    uint32_t csrc[AX_RTP_MAX_CSRC];
    for (unsigned i = 0; i < p.csrc_count; i++)
        csrc[i] = ax_rtp_csrc(data, i);
    struct ax_rtp_element e;
    size_t at = 0;
    while (p.extension_at && ax_rtp_element_next(data + p.extension_at, p.extension_size, p.extension_profile, &at, &e) > 0)
        require(e.data + e.size <= data + p.extension_at + p.extension_size && at <= p.extension_size);
    uint8_t *again = malloc(n);
    struct ax_rtp_packet q = p;
    const uint8_t *extension = p.extension_at ? data + p.extension_at : NULL;
    if (!again)
        return;
    require(ax_rtp_build(again, n, &q, csrc, extension, data + p.payload_at) == (int)n);
    require(memcmp(again, data, n - p.padding) == 0 && (!p.padding || again[n - 1] == p.padding));
    require(q.payload_at == p.payload_at && q.extension_at == p.extension_at);
    free(again);
}

static void check_compound(const uint8_t *data, size_t n)
{
    struct ax_rtcp_block b;
    struct ax_rtcp_sender sender;
    struct ax_rtcp_report report;
    struct ax_rtcp_item item = {0};
    const uint8_t *reason;
    uint32_t ssrc;
    size_t at = 0;
    const int whole = ax_rtcp_check(data, n, 1) == AX_OK;
    while (ax_rtcp_next(data, n, &at, &b) > 0) {
        require(b.body + b.size <= data + n);
        const int rc = ax_rtcp_speaker(&b, &ssrc, &sender);
        require(!whole || rc >= 0 || (b.type != AX_RTCP_SR && b.type != AX_RTCP_RR));
        for (unsigned i = 0; i < 32; i++) {
            require(ax_rtcp_report(&b, i, &report) < 0 || i < b.count);
            require(ax_rtcp_leaving(&b, i, &ssrc) < 0 || i < b.count);
        }
        const int length = ax_rtcp_reason(&b, &reason);
        require(length <= 0 || reason + length <= b.body + b.size);
        size_t in = 0;
        while (ax_rtcp_item_next(&b, &in, &item) > 0)
            require(item.data + item.size < b.body + b.size);
    }
    require(!whole || at == n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct ax_rtp_config config = {
        .seed = 1, .ssrc = 9, .rate = 8000, .frame = 160, .rtcp_ms = 100, .payload_type = 0, .event_type = 101, .cname = "x"};
    struct ax_rtp_session s;
    struct ax_rtp_keys keys = {0};
    struct ax_rtp_key told[AX_RTP_EVENT_KEYS];
    struct ax_rtp_packet p;
    uint64_t now = 0;
    uint8_t out[300];
    if (size < 2 || size > 4096)
        return 0;
    check_packet(data + 1, size - 1);
    check_compound(data + 1, size - 1);
    require(ax_rtp_session_init(&s, &config) == AX_OK);
    for (size_t at = 1; at < size;) {
        const size_t n = data[at] < size - at - 1 ? data[at] : size - at - 1;
        uint8_t *exact = malloc(n ? n : 1);
        if (!exact)
            return 0;
        memcpy(exact, data + at + 1, n);
        now += (uint64_t)data[0] * 1000000;
        const enum ax_rtp_verdict v = ax_rtp_session_receive(&s, data[at] % 2, exact, n, now, &p);
        require(v < AX_RTP_VERDICT_END);
        if (v == AX_RTP_TAKE_EVENT) {
            const int found = ax_rtp_keys_feed(&keys, p.ssrc, p.timestamp, exact + p.payload_at, p.payload_size, now, told);
            require(found >= 0 && found <= AX_RTP_EVENT_KEYS);
        }
        require(ax_rtp_keys_poll(&keys, now, told) <= 1);
        const int report = ax_rtp_session_report(&s, now, now, NULL, out, sizeof out);
        require(report >= 0 && (report == 0 || ax_rtcp_check(out, (size_t)report, 0) == AX_OK));
        free(exact);
        at += 1 + n;
    }
    return 0;
}
