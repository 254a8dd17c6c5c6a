/* The sending half of a session: start values, pacing, numbering, and reports (RFC 3550 sections 5.1, 6.3.1, 6.4).
 * Units: ns, ticks. Threads: one. Allocation: none. */
#include "ax/rtp_session.h"

#include "ax/err.h"
#include "ax_rtp_bytes.h"

#define LATE 4 /* frames; more are left out */
#define SECOND 1000000000ull

static uint64_t random_next(struct ax_rtp_session *s)
{
    uint64_t z = s->random += 0x9E3779B97F4A7C15ull; /* SplitMix64 */
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ z >> 27) * 0x94D049BB133111EBull;
    return z ^ z >> 31;
}

int ax_rtp_session_init(struct ax_rtp_session *s, const struct ax_rtp_config *config)
{
    if (config->rate < 1000 || config->rate > 192000 || config->frame < 1 || config->frame > config->rate)
        return AX_E_RANGE;
    if (config->payload_type > 127 || (config->event_type > 127 && config->event_type != 255))
        return AX_E_RANGE;
    if (config->rtcp_ms && (config->rtcp_ms < 100 || config->rtcp_ms > 60000))
        return AX_E_RANGE;
    if (!memchr(config->cname, 0, sizeof config->cname) || config->payload_type == config->event_type)
        return AX_E_RANGE;
    memset(s, 0, sizeof *s);
    s->config = *config;
    s->random = config->seed;
    while (s->config.ssrc == 0)
        s->config.ssrc = (uint32_t)random_next(s);
    s->timestamp = (uint32_t)random_next(s);
    s->sequence = (uint16_t)(random_next(s) & 0x7FFF); /* half the range: SRTP guesses the first rollover right */
    s->source.bad = 1u << 17;
    return AX_OK;
}

enum ax_rtp_state ax_rtp_session_state(const struct ax_rtp_session *s, uint64_t now_ns)
{
    if (!s->source.known)
        return AX_RTP_IDLE;
    if (s->source.ended)
        return AX_RTP_ENDED;
    return now_ns > s->source.heard_ns && now_ns - s->source.heard_ns > AX_RTP_SILENT_NS ? AX_RTP_SILENT : AX_RTP_ACTIVE;
}

/* Whole seconds apart, so that nothing overflows in 500 years. */
static uint64_t frame_ns(const struct ax_rtp_session *s, uint64_t frame)
{
    const uint64_t ticks = frame * s->config.frame, rate = s->config.rate;
    return s->start_ns + ticks / rate * SECOND + ticks % rate * SECOND / rate;
}

uint64_t ax_rtp_session_due(const struct ax_rtp_session *s)
{
    return s->started ? frame_ns(s, s->frames) : 0;
}

uint32_t ax_rtp_session_timestamp(const struct ax_rtp_session *s)
{
    return s->timestamp + (uint32_t)(s->frames * s->config.frame);
}

/* 1: a frame is due, and frames that are too late are left out. */
static int frame_due(struct ax_rtp_session *s, uint64_t now_ns)
{
    if (!s->started) {
        s->started = 1;
        s->start_ns = now_ns;
    }
    const uint64_t due = frame_ns(s, s->frames);
    if (now_ns < due)
        return 0;
    const uint64_t late = now_ns - due;
    const uint64_t frames = late / SECOND * s->config.rate / s->config.frame + late % SECOND * s->config.rate / SECOND / s->config.frame;
    if (frames > LATE) {
        s->frames += frames;
        s->stats.skipped += frames;
        s->talk = 0;
    }
    return 1;
}

static int emit(struct ax_rtp_session *s, struct ax_rtp_packet *head, const uint8_t *payload, uint64_t now_ns, uint8_t *out,
                size_t cap)
{
    head->sequence = s->sequence;
    head->ssrc = s->config.ssrc;
    const int rc = ax_rtp_build(out, cap, head, NULL, NULL, payload);
    if (rc < 0)
        return rc;
    s->sequence++;
    s->frames++;
    s->stats.sent++;
    s->stats.sent_bytes += head->payload_size;
    s->last_timestamp = ax_rtp_session_timestamp(s) - s->config.frame;
    s->last_ns = now_ns;
    return rc;
}

int ax_rtp_session_send(struct ax_rtp_session *s, const uint8_t *payload, size_t n, uint64_t now_ns, uint8_t *out, size_t cap)
{
    if (n > AX_RTP_MAX_PACKET - AX_RTP_HEADER)
        return AX_E_RANGE;
    if (payload && cap < AX_RTP_HEADER + n)
        return AX_E_FULL;
    if (!frame_due(s, now_ns))
        return 0;
    if (!payload) {
        s->frames++;
        s->talk = 0;
        return 0;
    }
    return ax_rtp_session_pack(s, payload, n, now_ns, out, cap);
}

int ax_rtp_session_pack(struct ax_rtp_session *s, const uint8_t *payload, size_t n, uint64_t now_ns, uint8_t *out, size_t cap)
{
    if (n > AX_RTP_MAX_PACKET - AX_RTP_HEADER)
        return AX_E_RANGE;
    struct ax_rtp_packet head = {.payload_type = s->config.payload_type, .marker = !s->talk, .payload_size = (uint16_t)n};
    head.timestamp = ax_rtp_session_timestamp(s);
    const int rc = emit(s, &head, payload, now_ns, out, cap);
    s->talk = rc > 0 ? 1 : s->talk;
    return rc;
}

void ax_rtp_session_skip(struct ax_rtp_session *s, uint32_t frames)
{
    s->frames += frames;
    s->stats.skipped += frames;
    s->talk = frames ? 0 : s->talk;
}

int ax_rtp_session_send_event(struct ax_rtp_session *s, struct ax_rtp_press *press, uint64_t now_ns, uint8_t *out, size_t cap)
{
    if (s->config.event_type == 255)
        return AX_E_STATE;
    if (cap < AX_RTP_HEADER + AX_RTP_EVENT_SIZE)
        return AX_E_FULL;
    if (!press->active || !frame_due(s, now_ns))
        return 0;
    return ax_rtp_session_pack_event(s, press, now_ns, out, cap);
}

int ax_rtp_session_pack_event(struct ax_rtp_session *s, struct ax_rtp_press *press, uint64_t now_ns, uint8_t *out, size_t cap)
{
    uint8_t payload[AX_RTP_EVENT_SIZE];
    if (s->config.event_type == 255)
        return AX_E_STATE;
    if (cap < AX_RTP_HEADER + AX_RTP_EVENT_SIZE)
        return AX_E_FULL;
    if (!press->active)
        return 0;
    struct ax_rtp_packet head = {.payload_type = s->config.event_type, .payload_size = AX_RTP_EVENT_SIZE};
    ax_rtp_press_next(press, s->config.frame, payload, &head.timestamp, &head.marker);
    s->talk = 0; /* media after it begins anew */
    return emit(s, &head, payload, now_ns, out, cap);
}

uint64_t ax_rtp_session_report_due(const struct ax_rtp_session *s)
{
    return s->config.rtcp_ms ? s->rtcp_ns : UINT64_MAX;
}

/* Extended number of the highest packet, and what was lost since the last report: RFC 3550 appendix A.3. */
static void reception(struct ax_rtp_session *s, uint64_t now_ns, struct ax_rtcp_report *r)
{
    struct ax_rtp_source *src = &s->source;
    const uint32_t highest = src->cycles + src->highest, expected = highest - src->base + 1;
    const int64_t lost = (int64_t)expected - src->received;
    const uint32_t interval = expected - src->expected_before, got = src->received - src->received_before;
    const int64_t missing = (int64_t)interval - got;
    src->expected_before = expected;
    src->received_before = src->received;
    r->ssrc = src->ssrc;
    r->highest = highest;
    r->lost = (int32_t)(lost > 0x7FFFFF ? 0x7FFFFF : lost < -0x800000 ? -0x800000 : lost);
    r->fraction = interval && missing > 0 ? (uint8_t)(missing * 256 / interval > 255 ? 255 : missing * 256 / interval) : 0;
    r->jitter = src->jitter16 >> 4;
    r->lsr = src->sr_middle;
    const uint64_t since = now_ns - src->sr_ns;
    r->dlsr = src->sr_middle ? (uint32_t)(since / SECOND << 16) + (uint32_t)((since % SECOND << 16) / SECOND) : 0;
}

int ax_rtp_session_report(struct ax_rtp_session *s, uint64_t now_ns, uint64_t ntp, const char *bye, uint8_t *out, size_t cap)
{
    if (!bye && (!s->config.rtcp_ms || now_ns < s->rtcp_ns))
        return 0;
    struct ax_rtcp_sender sender = {.ntp = ntp, .packets = (uint32_t)s->stats.sent, .octets = (uint32_t)s->stats.sent_bytes};
    const uint64_t since = now_ns - s->last_ns;
    sender.timestamp = s->last_timestamp + (uint32_t)(since / SECOND * s->config.rate + since % SECOND * s->config.rate / SECOND);
    struct ax_rtcp_report report;
    struct ax_rtcp_compound what = {.ssrc = s->config.ssrc, .reports = &report, .cname = s->config.cname, .bye = bye};
    what.sender = s->stats.sent != s->reported ? &sender : NULL;
    what.nreports = s->source.known && !s->source.ended;
    if (what.nreports)
        reception(s, now_ns, &report);
    const int rc = ax_rtcp_build(out, cap, &what);
    if (rc < 0)
        return rc;
    if (what.sender) {
        s->sent_sr[s->next_sr].t_ns = now_ns;
        s->sent_sr[s->next_sr].middle = (uint32_t)(ntp >> 16);
        s->next_sr = (uint8_t)((s->next_sr + 1) % AX_RTP_SR_KEPT);
    }
    s->reported = s->stats.sent;
    /* Half to one and a half of the interval, over e - 3/2 (section 6.3.1); the first after half of it. */
    const uint64_t mean = (uint64_t)s->config.rtcp_ms * 1000000 / (s->rtcp_started ? 1 : 2);
    const uint64_t span = mean / 2 + (random_next(s) >> 32) * mean / 0xFFFFFFFFu;
    s->rtcp_ns = now_ns + span * 10000 / 12183;
    s->rtcp_started = 1;
    return rc;
}
