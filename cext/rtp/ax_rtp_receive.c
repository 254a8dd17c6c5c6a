/* The receiving half of a session: who is believed, numbering and jitter (RFC 3550 appendices A.1 and A.8), and what the
 * peer reports.
 *
 * A source is the address and SSRC that brought AX_RTP_PROBATION packets in sequence (the first may be believed at
 * once when nobody speaks yet). Another one takes over only by bringing as many from the same address: streams of one
 * call change their SSRC when the call is put through. A jump of the sequence number is a restart when the next packet
 * follows it.
 * Units: ns, ticks. Threads: one. Allocation: none. */
#include "ax/rtp_session.h"

#include "ax_rtp_bytes.h"

#define NO_JUMP (1u << 17)

static void begin(struct ax_rtp_session *s, const struct ax_rtp_packet *p, uint64_t remote)
{
    struct ax_rtp_source *src = &s->source;
    memset(src, 0, sizeof *src);
    src->known = 1;
    src->ssrc = p->ssrc;
    src->remote = remote;
    src->base = p->sequence;
    src->highest = p->sequence;
    src->bad = NO_JUMP;
    src->recent = 1;
    src->received = 1;
}

static void measure_jitter(struct ax_rtp_session *s, const struct ax_rtp_packet *p, uint64_t now_ns)
{
    struct ax_rtp_source *src = &s->source;
    const uint64_t rate = s->config.rate;
    const uint32_t arrival = (uint32_t)(now_ns / 1000000000 * rate + now_ns % 1000000000 * rate / 1000000000);
    const uint32_t transit = arrival - p->timestamp;
    if (src->received > 1) {
        const int32_t d = (int32_t)(transit - src->transit);
        const uint32_t size = d < 0 ? 0u - (uint32_t)d : (uint32_t)d;
        src->jitter16 += size - ((src->jitter16 + 8) >> 4);
    }
    src->transit = transit;
    s->stats.jitter = src->jitter16 >> 4;
}

void ax_rtp_session_pin(struct ax_rtp_session *s, uint64_t remote)
{
    s->config.remote = remote;
    memset(&s->source, 0, sizeof s->source);
    s->source.bad = NO_JUMP;
}

/* Appendix A.1. 1: counted; 0: a copy; -1: a jump. */
static int number(struct ax_rtp_session *s, uint16_t sequence)
{
    struct ax_rtp_source *src = &s->source;
    const uint16_t ahead = (uint16_t)(sequence - src->highest), behind = (uint16_t)(src->highest - sequence);
    if (ahead == 0 || behind < 64) { /* known window: copies are seen */
        if (src->recent >> behind & 1) {
            s->stats.duplicates++;
            return 0;
        }
        src->recent |= 1ull << behind;
        s->stats.reordered++;
    } else if (ahead < AX_RTP_MAX_DROPOUT) {
        src->cycles += sequence < src->highest ? 1u << 16 : 0;
        src->recent = ahead < 64 ? src->recent << ahead | 1 : 1;
        src->highest = sequence;
    } else if (behind >= AX_RTP_MAX_MISORDER) {
        return -1;
    } else {
        s->stats.reordered++;
    }
    src->bad = NO_JUMP;
    src->received++;
    return 1;
}

static void count_lost(struct ax_rtp_session *s)
{
    const struct ax_rtp_source *src = &s->source;
    s->stats.lost = (int64_t)(src->cycles + src->highest - src->base + 1) - src->received;
}

/* 1: `p` is of the believed source now. */
static int believe(struct ax_rtp_session *s, const struct ax_rtp_packet *p, uint64_t remote, uint64_t now_ns)
{
    struct ax_rtp_source *src = &s->source;
    const int silent = ax_rtp_session_state(s, now_ns) != AX_RTP_ACTIVE;
    if (s->config.remote && remote != s->config.remote)
        return 0;
    if (src->known && remote != src->remote && !silent && !s->config.remote)
        return 0;
    if (src->probation && p->ssrc == src->candidate && p->sequence == src->next) {
        src->next++;
        if (--src->probation)
            return 0;
        s->stats.restarts += src->known;
        begin(s, p, remote);
        return 1;
    }
    if (!src->known) {
        begin(s, p, remote);
        return 1;
    }
    src->candidate = p->ssrc;
    src->next = (uint16_t)(p->sequence + 1);
    src->probation = AX_RTP_PROBATION - 1;
    return 0;
}

static enum ax_rtp_verdict take_media(struct ax_rtp_session *s, uint64_t remote, const struct ax_rtp_packet *p, uint64_t now_ns)
{
    struct ax_rtp_source *src = &s->source;
    const int event = p->payload_type == s->config.event_type;
    if (!event && p->payload_type != s->config.payload_type)
        return AX_RTP_DROP_TYPE;
    if (p->ssrc == s->config.ssrc)
        return AX_RTP_DROP_LOOP;
    if (!src->known || src->ended || p->ssrc != src->ssrc || remote != src->remote) {
        if (!believe(s, p, remote, now_ns))
            return AX_RTP_DROP_SOURCE;
    } else {
        const int rc = number(s, p->sequence);
        if (rc < 0) {
            if (p->sequence != src->bad) {
                src->bad = (uint16_t)(p->sequence + 1);
                return AX_RTP_DROP_JUMP;
            }
            s->stats.restarts++;
            begin(s, p, remote);
        }
        src->probation = 0;
    }
    src->heard_ns = now_ns;
    if (!event) /* events keep their timestamp */
        measure_jitter(s, p, now_ns);
    count_lost(s);
    s->stats.taken++;
    s->stats.taken_bytes += p->payload_size;
    return event ? AX_RTP_TAKE_EVENT : AX_RTP_TAKE;
}

static void take_report(struct ax_rtp_session *s, const struct ax_rtcp_report *r, uint64_t now_ns)
{
    if (r->ssrc != s->config.ssrc)
        return;
    s->stats.remote_fraction = r->fraction;
    s->stats.remote_lost = r->lost;
    s->stats.remote_jitter = r->jitter;
    for (unsigned i = 0; r->lsr && i < AX_RTP_SR_KEPT; i++) { /* section 6.4.1: round trip without synchronised clocks */
        const uint64_t held = (uint64_t)r->dlsr * 1000000000 >> 16, since = now_ns - s->sent_sr[i].t_ns;
        if (s->sent_sr[i].middle == r->lsr && since >= held && since - held < UINT32_MAX * 1000ull)
            s->stats.rtt_us = (uint32_t)((since - held) / 1000);
    }
}

static enum ax_rtp_verdict take_control(struct ax_rtp_session *s, uint64_t remote, const uint8_t *data, size_t n, uint64_t now_ns)
{
    struct ax_rtp_source *src = &s->source;
    struct ax_rtcp_block block;
    struct ax_rtcp_sender sender;
    struct ax_rtcp_report report;
    uint32_t ssrc;
    size_t at = 0;
    if (ax_rtcp_check(data, n, 1) < 0)
        return AX_RTP_DROP_FORMAT;
    if ((s->config.remote && remote != s->config.remote) || (src->known && src->remote != remote))
        return AX_RTP_DROP_SOURCE;
    while (ax_rtcp_next(data, n, &at, &block) > 0) {
        if (block.type == AX_RTCP_SR || block.type == AX_RTCP_RR) {
            if (ax_rtcp_speaker(&block, &ssrc, &sender) > 0 && src->known && ssrc == src->ssrc) {
                src->sr_middle = (uint32_t)(sender.ntp >> 16);
                src->sr_ns = now_ns;
            }
            for (unsigned i = 0; i < block.count && ax_rtcp_report(&block, i, &report) == 0; i++)
                take_report(s, &report, now_ns);
        } else if (block.type == AX_RTCP_BYE) {
            for (unsigned i = 0; ax_rtcp_leaving(&block, i, &ssrc) == 0; i++)
                src->ended |= src->known && ssrc == src->ssrc;
        }
    }
    return AX_RTP_TAKE_RTCP;
}

enum ax_rtp_verdict ax_rtp_session_receive(struct ax_rtp_session *s, uint64_t remote, const uint8_t *data, size_t n,
                                           uint64_t now_ns, struct ax_rtp_packet *packet)
{
    enum ax_rtp_verdict verdict;
    switch (ax_rtp_kind(data, n)) {
    case AX_RTP_CONTROL: verdict = take_control(s, remote, data, n, now_ns); break;
    case AX_RTP_MEDIA:
        verdict = ax_rtp_parse(data, n, packet) < 0 ? AX_RTP_DROP_FORMAT : take_media(s, remote, packet, now_ns);
        break;
    default: verdict = AX_RTP_DROP_OTHER;
    }
    s->stats.verdicts[verdict]++;
    return verdict;
}
