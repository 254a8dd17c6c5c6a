/* See ax/rtp_port.h. A packet of the leg is taken even if a key takes its place, so that sound after the key is of that moment.
 * Units, threads: as there. Allocation: in new. */
#include "ax/rtp_port.h"

#include "ax/err.h"

#include <stdlib.h>
#include <string.h>

enum { KEY_GAP = 3, VOLUME = 10, SHORTEST_MS = 40, LONGEST_MS = 6000, NO_TYPE = 255, LARGEST_EVENT = 16 };

#define MS_NS UINT64_C(1000000)

struct key {
    uint8_t event;
    uint16_t ms;
};

struct ax_rtp_port {
    struct ax_rtp_session session;
    struct ax_srtp *send, *receive; /* NULL: not protected. */
    struct ax_rtp_keys keys;
    struct ax_rtp_press press;
    struct ax_leg *leg;
    struct key waiting[AX_RTP_PORT_KEYS];
    uint32_t first, count; /* Of `waiting`. */
    uint32_t gap;          /* Packets of sound until the next key. */
    uint32_t expected;     /* Time of the leg's next packet. */
    uint32_t hold;         /* enum ax_rtp_hold */
    uint64_t refused;
    uint8_t payload[AX_RTP_PORT_DATAGRAM];
};

static int open_srtp(struct ax_srtp **out, const struct ax_rtp_port_keys *k)
{
    if (k->profile == AX_SRTP_PROFILE_END)
        return AX_OK;
    const size_t salt = k->profile == AX_SRTP_GCM ? 12 : sizeof k->salt;
    return ax_srtp_new(out, (enum ax_srtp_profile)k->profile, k->key, sizeof k->key, k->salt, salt);
}

int ax_rtp_port_new(struct ax_rtp_port **out, const struct ax_rtp_port_config *config, struct ax_leg *leg)
{
    if (!out || !config || !leg)
        return AX_E_ARG;
    *out = NULL;
    if (config->send.profile > AX_SRTP_PROFILE_END || config->receive.profile > AX_SRTP_PROFILE_END ||
        (config->send.profile == AX_SRTP_PROFILE_END) != (config->receive.profile == AX_SRTP_PROFILE_END) ||
        config->session.rate != ax_leg_clock(leg) || config->session.frame != ax_leg_ticks(leg) ||
        ax_leg_octets(leg) + AX_RTP_HEADER + AX_SRTP_MAX_EXTRA > AX_RTP_PORT_DATAGRAM)
        return AX_E_RANGE;
    struct ax_rtp_port *p = calloc(1, sizeof *p);
    if (!p)
        return AX_E_NOMEM;
    p->leg = leg;
    int rc = ax_rtp_session_init(&p->session, &config->session);
    if (rc == AX_OK)
        rc = open_srtp(&p->send, &config->send);
    if (rc == AX_OK)
        rc = open_srtp(&p->receive, &config->receive);
    if (rc != AX_OK) {
        ax_rtp_port_free(p);
        return rc;
    }
    *out = p;
    return AX_OK;
}

void ax_rtp_port_free(struct ax_rtp_port *p)
{
    if (!p)
        return;
    ax_srtp_free(p->send);
    ax_srtp_free(p->receive);
    free(p);
}

/* --- in --------------------------------------------------------------------------------------------------------------- */

/* The size without protection; below 0: not authentic, or no packet. */
static int bare(struct ax_rtp_port *p, uint8_t *data, size_t n)
{
    if (!p->receive)
        return (int)n;
    const enum ax_rtp_kind kind = ax_rtp_kind(data, n);
    return kind == AX_RTP_MEDIA     ? ax_srtp_unprotect(p->receive, data, n, data, n)
           : kind == AX_RTP_CONTROL ? ax_srtp_unprotect_rtcp(p->receive, data, n, data, n)
                                    : AX_E_FORMAT;
}

/* The source is another one: the key that the old one held down goes up. */
static int let_go(struct ax_rtp_port *p, uint64_t now_ns, struct ax_rtp_key *out)
{
    const int told = ax_rtp_keys_poll(&p->keys, p->keys.last_ns + AX_RTP_EVENT_QUIET_NS + MS_NS, out);
    if (told > 0)
        out->t_ns = now_ns;
    ax_rtp_keys_reset(&p->keys);
    return told;
}

int ax_rtp_port_receive(struct ax_rtp_port *p, uint64_t remote, uint8_t *data, size_t n, uint64_t now_ns,
                        struct ax_rtp_key keys[AX_RTP_PORT_TOLD], int *told)
{
    struct ax_rtp_packet packet;
    *told = 0;
    const int size = bare(p, data, n);
    if (size < 0) {
        p->session.stats.verdicts[AX_RTP_DROP_SOURCE]++;
        return AX_RTP_DROP_SOURCE;
    }
    const uint32_t before = p->session.source.ssrc;
    const enum ax_rtp_verdict verdict = ax_rtp_session_receive(&p->session, remote, data, (size_t)size, now_ns, &packet);
    if (p->session.source.ssrc != before)
        *told = let_go(p, now_ns, keys);
    if (verdict == AX_RTP_TAKE) {
        const struct ax_leg_packet offered = {
            .payload = data + packet.payload_at, .size = packet.payload_size, .ssrc = packet.ssrc,
            .timestamp = packet.timestamp, .sequence = packet.sequence, .marker = packet.marker,
        };
        p->refused += ax_leg_offer(p->leg, &offered, now_ns) != AX_OK;
    } else if (verdict == AX_RTP_TAKE_EVENT) {
        *told += ax_rtp_keys_feed(&p->keys, packet.ssrc, packet.timestamp, data + packet.payload_at, packet.payload_size,
                                  now_ns, keys + *told);
    }
    return verdict;
}

int ax_rtp_port_poll(struct ax_rtp_port *p, uint64_t now_ns, struct ax_rtp_key *out)
{
    return ax_rtp_keys_poll(&p->keys, now_ns, out);
}

/* --- out -------------------------------------------------------------------------------------------------------------- */

int ax_rtp_port_press(struct ax_rtp_port *p, uint32_t event, uint32_t ms)
{
    if (p->session.config.event_type == NO_TYPE || p->hold != AX_RTP_HOLD_NONE)
        return AX_E_STATE;
    if (event > LARGEST_EVENT || ms < SHORTEST_MS || ms > LONGEST_MS)
        return AX_E_RANGE;
    if (p->count == AX_RTP_PORT_KEYS)
        return AX_E_FULL;
    p->waiting[(p->first + p->count++) % AX_RTP_PORT_KEYS] = (struct key){(uint8_t)event, (uint16_t)ms};
    return AX_OK;
}

int ax_rtp_port_hold(struct ax_rtp_port *p, uint32_t hold)
{
    if (hold > AX_RTP_HOLD_ALL)
        return AX_E_RANGE;
    if (hold != AX_RTP_HOLD_NONE) {
        p->count = p->gap = 0;
        p->press.active = 0;
    }
    p->hold = hold;
    return AX_OK;
}

static void next_key(struct ax_rtp_port *p)
{
    if (p->press.active || p->count == 0 || p->gap > 0)
        return;
    const struct key *k = &p->waiting[p->first];
    const uint32_t ticks = (uint32_t)k->ms * (p->session.config.rate / 1000);
    (void)ax_rtp_press_start(&p->press, k->event, VOLUME, ax_rtp_session_timestamp(&p->session), ticks);
    p->first = (p->first + 1) % AX_RTP_PORT_KEYS;
    p->count--;
    p->gap = KEY_GAP;
}

int ax_rtp_port_send(struct ax_rtp_port *p, uint64_t now_ns, uint8_t *out, size_t cap)
{
    uint32_t timestamp = 0;
    if (cap < AX_RTP_HEADER + ax_leg_octets(p->leg) + AX_SRTP_MAX_EXTRA)
        return AX_E_FULL;
    int n = ax_leg_take(p->leg, &timestamp, p->payload, sizeof p->payload);
    while (n > 0 && p->hold != AX_RTP_HOLD_NONE)
        n = ax_leg_take(p->leg, &timestamp, p->payload, sizeof p->payload);
    if (n <= 0)
        return n;
    /* What nobody fetched in time left a hole. */
    ax_rtp_session_skip(&p->session, (timestamp - p->expected) / p->session.config.frame);
    p->expected = timestamp + p->session.config.frame;
    next_key(p);
    int size;
    if (p->press.active) {
        size = ax_rtp_session_pack_event(&p->session, &p->press, now_ns, out, cap);
    } else {
        size = ax_rtp_session_pack(&p->session, p->payload, (size_t)n, now_ns, out, cap);
        p->gap -= p->gap > 0;
    }
    return size > 0 && p->send ? ax_srtp_protect(p->send, out, (size_t)size, out, cap) : size;
}

int ax_rtp_port_report(struct ax_rtp_port *p, uint64_t now_ns, uint64_t ntp, const char *bye, uint8_t *out, size_t cap)
{
    const int size = ax_rtp_session_report(&p->session, now_ns, ntp, bye, out, cap);
    if (size > 0 && p->hold == AX_RTP_HOLD_ALL && !bye) /* Its time has passed. */
        return 0;
    return size > 0 && p->send ? ax_srtp_protect_rtcp(p->send, out, (size_t)size, out, cap) : size;
}

uint64_t ax_rtp_port_due(const struct ax_rtp_port *p)
{
    const uint64_t report = ax_rtp_session_report_due(&p->session);
    const uint64_t quiet = p->keys.down ? p->keys.last_ns + AX_RTP_EVENT_QUIET_NS + MS_NS : UINT64_MAX;
    return report < quiet ? report : quiet;
}

uint32_t ax_rtp_port_state(const struct ax_rtp_port *p, uint64_t now_ns)
{
    return (uint32_t)ax_rtp_session_state(&p->session, now_ns);
}

uint32_t ax_rtp_port_rate(const struct ax_rtp_port *p)
{
    return p->session.config.rate;
}

int ax_rtp_port_pin(struct ax_rtp_port *p, uint64_t remote, uint64_t now_ns, struct ax_rtp_key *out)
{
    ax_rtp_session_pin(&p->session, remote);
    return let_go(p, now_ns, out);
}

void ax_rtp_port_get(const struct ax_rtp_port *p, uint64_t now_ns, struct ax_rtp_port_stats *out)
{
    memset(out, 0, sizeof *out);
    out->rtp = p->session.stats;
    out->keys = p->keys.stats;
    if (p->receive)
        out->srtp = *ax_srtp_stats(p->receive);
    out->refused = p->refused;
    out->state = (uint32_t)ax_rtp_session_state(&p->session, now_ns);
    out->remote = p->session.source.known ? p->session.source.remote : 0;
}
