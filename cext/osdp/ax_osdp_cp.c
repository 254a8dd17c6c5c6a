/* The controller end of an OSDP line: life cycle, turns, waits, retries (SIA OSDP 2.2, 5.4 to 5.8; ax/osdp_cp.h).
 *
 * One frame is in flight at a time. A device whose reply does not come is asked again at once, with the same bytes; then it
 * is in doubt and is asked at growing distances until it answers or is off line. Damaged replies show that it lives, and are
 * retried without pause. A late reply makes the device "slow": it is given the whole reply time from then on.
 * Units: ns, bytes. Threads: one per object. Allocation: in new and open. */
#include "ax/err.h"
#include "ax_osdp_cp_internal.h"

#include <stdlib.h>

void ax_osdp_cp_defaults(struct ax_osdp_cp_config *config)
{
    *config = (struct ax_osdp_cp_config){
        .baud = 9600, .reply_ns = 200 * MS, .offline_ns = 8000 * MS, .random = ax_osdp_getrandom,
    };
}

int ax_osdp_cp_new(struct ax_osdp_cp **out, const struct ax_osdp_cp_config *config)
{
    if (!out || !config || !config->random)
        return AX_E_ARG;
    *out = NULL;
    if (config->reply_ns < MS || config->offline_ns < config->reply_ns)
        return AX_E_RANGE;
    struct ax_osdp_cp *cp = calloc(1, sizeof *cp);
    if (!cp)
        return AX_E_NOMEM;
    cp->config = *config;
    cp->events = (struct ax_osdp_queue){.bytes = cp->event_bytes, .room = CP_EVENTS};
    cp->active = cp->last = -1;
    *out = cp;
    return AX_OK;
}

static void reader_free(struct cp_reader *r)
{
    if (r)
        explicit_bzero(r, sizeof *r);
    free(r);
}

void ax_osdp_cp_free(struct ax_osdp_cp *cp)
{
    if (!cp)
        return;
    for (int i = 0; i < AX_OSDP_READERS; i++)
        reader_free(cp->readers[i]);
    free(cp);
}

int ax_osdp_cp_open(struct ax_osdp_cp *cp, const struct ax_osdp_reader_config *config)
{
    if (!cp || !config)
        return AX_E_ARG;
    const bool secure = config->secure || config->has_key;
    if (config->address > AX_OSDP_CONFIG || (config->address == AX_OSDP_CONFIG && secure) ||
        (config->has_key && ax_osdp_key_weak(config->key)) || config->poll_ns > cp->config.offline_ns / 2)
        return AX_E_RANGE;
    int at = -1;
    for (int i = AX_OSDP_READERS - 1; i >= 0; i--) {
        if (!cp->readers[i])
            at = i;
        else if (cp->readers[i]->config.address == config->address)
            return AX_E_ARG;
    }
    if (at < 0)
        return AX_E_FULL;
    struct cp_reader *r = calloc(1, sizeof *r);
    if (!r)
        return AX_E_NOMEM;
    r->config = *config;
    r->config.secure = secure;
    r->commands = (struct ax_osdp_queue){.bytes = r->command_bytes, .room = CP_COMMANDS};
    r->peer_rx = AX_OSDP_MIN_RX;
    r->heard_ns = cp->now;
    r->due_ns = cp->now;
    r->stage = ax_osdp_cp_first_stage(cp, r);
    cp->readers[at] = r;
    cp->count++;
    cp->high = at >= cp->high ? at + 1 : cp->high;
    return at;
}

static struct cp_reader *get(const struct ax_osdp_cp *cp, int at)
{
    return cp && at >= 0 && at < AX_OSDP_READERS ? cp->readers[at] : NULL;
}

int ax_osdp_cp_close(struct ax_osdp_cp *cp, int at)
{
    struct cp_reader *r = get(cp, at);
    if (!r)
        return AX_E_ARG;
    ax_osdp_cp_fail_all(cp, at, AX_OSDP_WHY_ABORT);
    if (cp->active == at)
        cp->active = -1;
    cp->readers[at] = NULL;
    cp->count--;
    reader_free(r);
    return AX_OK;
}

static void push_event(struct ax_osdp_cp *cp, struct ax_osdp_event *event, int at, const uint8_t *data, size_t n)
{
    event->t_ns = cp->now;
    event->reader = (uint8_t)at;
    event->link = cp->readers[at]->link;
    event->size = (uint16_t)n;
    cp->lost += !ax_osdp_queue_push(&cp->events, event, sizeof *event, data, (uint32_t)n);
}

void ax_osdp_cp_tell(struct ax_osdp_cp *cp, int at, uint8_t kind, uint8_t code, uint32_t a, uint32_t b, uint32_t token)
{
    struct ax_osdp_event event = {.kind = kind, .code = code, .a = a, .b = b, .token = token};
    push_event(cp, &event, at, NULL, 0);
}

void ax_osdp_cp_tell_data(struct ax_osdp_cp *cp, int at, uint8_t kind, uint8_t code, uint32_t token, const uint8_t *data, size_t n)
{
    struct ax_osdp_event event = {.kind = kind, .code = code, .token = token};
    push_event(cp, &event, at, data, n);
}

void ax_osdp_cp_attack(struct ax_osdp_cp *cp, int at, uint32_t attack, uint8_t code)
{
    cp->readers[at]->stats.attacks++;
    ax_osdp_cp_tell(cp, at, AX_OSDP_EV_ATTACK, code, attack, 0, 0);
}

void ax_osdp_cp_set_link(struct ax_osdp_cp *cp, int at, uint8_t link, uint32_t why)
{
    struct cp_reader *r = cp->readers[at];
    if (r->link == link)
        return;
    r->link = link;
    ax_osdp_cp_tell(cp, at, AX_OSDP_EV_LINK, 0, link, why, 0);
}

void ax_osdp_cp_restart(struct ax_osdp_cp *cp, int at, uint32_t why, uint64_t pause_ns)
{
    struct cp_reader *r = cp->readers[at];
    ax_osdp_sc_wipe(&r->sc);
    r->session = r->default_key = r->again = false;
    r->sqn = 0;
    r->tries = r->wait_tries = r->bad_macs = 0;
    ax_osdp_cp_drop_parts(cp, at, why);
    r->stage = ax_osdp_cp_first_stage(cp, r);
    if (r->refusals < 255)
        r->refusals++;
    if (pause_ns < CP_REFUSED_NS && r->refusals > CP_REFUSALS)
        pause_ns = CP_REFUSED_NS;
    r->due_ns = cp->now + pause_ns;
    /* A secured link that starts anew carries nothing until it is secured again. */
    if (r->link >= AX_OSDP_SECURE || r->config.secure)
        ax_osdp_cp_set_link(cp, at, AX_OSDP_OFFLINE, why);
}

void ax_osdp_cp_fail_all(struct ax_osdp_cp *cp, int at, uint32_t why)
{
    struct cp_reader *r = cp->readers[at];
    while (r->commands.used) {
        struct cp_command c;
        ax_osdp_queue_peek(&r->commands, 0, &c, sizeof c);
        ax_osdp_queue_drop(&r->commands, (uint32_t)sizeof c + c.size);
        ax_osdp_cp_tell(cp, at, AX_OSDP_EV_FAILED, c.code, why, 0, c.token);
    }
    if (r->key_waits && r->key_token)
        ax_osdp_cp_tell(cp, at, AX_OSDP_EV_FAILED, AX_OSDP_KEYSET, why, 0, r->key_token);
    if (r->key_token)
        r->key_waits = false;
    r->key_token = 0;
}

/* Nothing good was heard for offline_ns. */
static void check_silence(struct ax_osdp_cp *cp, int at)
{
    struct cp_reader *r = cp->readers[at];
    if (at == cp->active || cp->now - r->heard_ns < cp->config.offline_ns)
        return;
    if (r->link != AX_OSDP_OFFLINE || r->session || r->sqn || r->commands.used || r->key_token) {
        const uint64_t due = r->due_ns;
        ax_osdp_cp_fail_all(cp, at, AX_OSDP_WHY_SILENCE);
        r->refusals = 0;
        ax_osdp_cp_restart(cp, at, AX_OSDP_WHY_SILENCE, 0);
        ax_osdp_cp_set_link(cp, at, AX_OSDP_OFFLINE, AX_OSDP_WHY_SILENCE);
        r->due_ns = due;
        r->wait_tries = 3; /* stays in doubt */
    }
    r->security_told = false;
}

/* The wait of the device in flight ended without a good reply. */
static void on_timeout(struct ax_osdp_cp *cp)
{
    const int at = cp->active;
    struct cp_reader *r = cp->readers[at];
    cp->active = -1;
    r->again = true;
    r->due_ns = cp->now;
    if (cp->noise) {
        r->stats.damaged++;
        if (r->tries > 8)
            r->due_ns = cp->now + CP_SECOND_NS;
    } else {
        r->stats.timeouts++;
        r->wait_tries += r->wait_tries < 3;
        if (r->wait_tries == 2 && cp->count > 1 && cp->config.baud && cp->config.baud < CP_FAST_BAUD)
            r->wait_tries = 3; /* the bytes alone cost the neighbours too much */
        if (r->wait_tries == 2)
            r->due_ns = cp->now + (cp->count > 1 ? CP_SECOND_NS : 0);
        else if (r->wait_tries == 3)
            r->due_ns = cp->now + (cp->count > 1 ? CP_DOUBT_NS : r->link ? 0 : CP_ALONE_NS);
        if (r->slow && r->wait_tries == 3)
            r->slow = false;
    }
    ax_osdp_rx_reset(&cp->rx);
    cp->noise = false;
    check_silence(cp, at);
}

uint64_t ax_osdp_cp_wire_ns(const struct ax_osdp_cp *cp, size_t bytes)
{
    return cp->config.baud ? bytes * 10000000000ull / cp->config.baud : 0;
}

/* How long to wait for the first byte of a reply. */
static uint64_t patience(const struct ax_osdp_cp *cp, const struct cp_reader *r)
{
    if (cp->count == 1 || r->slow)
        return cp->config.reply_ns;
    if (r->wait_tries >= 3)
        return CP_PROBE_NS;
    const uint64_t usual = CP_FIRST_NS + 2 * r->stats.delay_max_ns;
    return usual < cp->config.reply_ns ? usual : cp->config.reply_ns;
}

/* The device whose turn it is, or -1. */
static int choose(const struct ax_osdp_cp *cp)
{
    for (int i = 0, at = cp->last; i < cp->high; i++) {
        at = at + 1 < cp->high ? at + 1 : 0;
        const struct cp_reader *r = cp->readers[at];
        if (r && r->due_ns <= cp->now)
            return at;
    }
    return -1;
}

static void close_window(struct ax_osdp_cp *cp, int at)
{
    struct cp_reader *r = cp->readers[at];
    r->install_until_ns = 0;
    ax_osdp_cp_tell(cp, at, AX_OSDP_EV_INSTALL, 0, 0, 0, 0);
    if (!r->key_token)
        r->key_waits = false;
    if (at != cp->active && (!r->session || r->default_key))
        ax_osdp_cp_restart(cp, at, AX_OSDP_WHY_HANDSHAKE, 0);
}

/* What time alone changes. */
static void pass_time(struct ax_osdp_cp *cp)
{
    for (int at = 0; at < cp->high; at++) {
        const struct cp_reader *r = cp->readers[at];
        if (!r)
            continue;
        if (r->install_until_ns && cp->now >= r->install_until_ns)
            close_window(cp, at);
        if (r->link != AX_OSDP_OFFLINE)
            check_silence(cp, at);
    }
}

static int transmit(struct ax_osdp_cp *cp, int at, uint8_t *out)
{
    struct cp_reader *r = cp->readers[at];
    cp->last = at;
    if (r->again) {
        r->stats.retries++;
        r->tries += r->tries < 255;
    } else if (!ax_osdp_cp_compose(cp, at)) {
        const bool idle = r->stage == STAGE_WAIT || (r->config.address == AX_OSDP_CONFIG && !r->commands.used);
        r->due_ns = idle ? UINT64_MAX : cp->now + CP_REFUSED_NS; /* no nonce to be had, or a command that cannot be sent */
        return 0;
    }
    out[0] = AX_OSDP_MARK;
    memcpy(out + 1, r->tx, r->tx_size);
    ax_osdp_rx_reset(&cp->rx);
    cp->noise = false;
    cp->active = at;
    cp->sent_ns = cp->now + ax_osdp_cp_wire_ns(cp, r->tx_size + 1u);
    cp->timeout_ns = cp->sent_ns + patience(cp, r);
    r->stats.frames++;
    return r->tx_size + 1;
}

int ax_osdp_cp_advance(struct ax_osdp_cp *cp, uint64_t t_ns, uint8_t *out, size_t cap)
{
    if (!cp || !out)
        return AX_E_ARG;
    if (cap < AX_OSDP_MAX_FRAME + 1)
        return AX_E_FULL;
    cp->now = t_ns > cp->now ? t_ns : cp->now;
    if (cp->active >= 0) {
        if (cp->now < cp->timeout_ns)
            return 0;
        on_timeout(cp);
    }
    pass_time(cp);
    if (cp->now < cp->quiet_ns)
        return 0;
    for (int at; (at = choose(cp)) >= 0;) {
        const int n = transmit(cp, at, out);
        if (n)
            return n;
    }
    return 0;
}

uint64_t ax_osdp_cp_deadline(const struct ax_osdp_cp *cp)
{
    uint64_t next = cp->active >= 0 ? cp->timeout_ns : UINT64_MAX;
    if (cp->active >= 0)
        return next;
    for (int at = 0; at < cp->high; at++) {
        const struct cp_reader *r = cp->readers[at];
        if (!r)
            continue;
        next = r->due_ns < next ? r->due_ns : next;
        if (r->install_until_ns && r->install_until_ns < next)
            next = r->install_until_ns;
        if (r->link != AX_OSDP_OFFLINE && r->heard_ns + cp->config.offline_ns < next)
            next = r->heard_ns + cp->config.offline_ns;
    }
    return next < cp->quiet_ns ? cp->quiet_ns : next;
}

/* A frame while nobody was asked, or of somebody else. */
static void on_stray(struct ax_osdp_cp *cp, const struct ax_osdp_frame *f)
{
    for (int at = 0; at < cp->high; at++) {
        struct cp_reader *r = cp->readers[at];
        if (r && r->config.address == (f->head.address & ~AX_OSDP_REPLY)) {
            r->stats.stale++;
            if (r->wait_tries) { /* it lives, it is only slow */
                r->slow = true;
                r->due_ns = cp->now;
            }
        }
    }
}

int ax_osdp_cp_feed(struct ax_osdp_cp *cp, uint64_t t_ns, const uint8_t *bytes, size_t n)
{
    if (!cp || (n && !bytes))
        return AX_E_ARG;
    cp->now = t_ns > cp->now ? t_ns : cp->now;
    if (n && ax_osdp_rx_pending(&cp->rx) && cp->now - cp->byte_ns > CP_GAP_NS)
        ax_osdp_rx_reset(&cp->rx);
    cp->byte_ns = n ? cp->now : cp->byte_ns;
    while (n) {
        struct ax_osdp_frame f;
        const size_t taken = ax_osdp_rx_push(&cp->rx, bytes, n < 512 ? n : 512);
        bytes += taken;
        n -= taken;
        for (int rc; (rc = ax_osdp_rx_next(&cp->rx, &f)) != 0;) {
            if (rc > 0 && !(f.head.address & AX_OSDP_REPLY))
                continue; /* an echo of ourselves, or another controller */
            const int at = cp->active;
            const uint8_t address = f.head.address & (uint8_t)~AX_OSDP_REPLY;
            if (at < 0 || (rc > 0 && address != cp->readers[at]->config.address &&
                           cp->readers[at]->config.address != AX_OSDP_CONFIG))
                on_stray(cp, &f);
            else if (rc < 0)
                cp->noise = true;
            else if (ax_osdp_cp_reply(cp, at, &f))
                cp->active = -1;
        }
    }
    cp->quiet_ns = cp->now + ax_osdp_cp_wire_ns(cp, 2);
    if (cp->active >= 0) { /* wait for the rest of a frame; try again soon when it was damaged */
        const bool pending = ax_osdp_rx_pending(&cp->rx) != 0;
        cp->noise |= cp->rx.skipped != 0 || pending;
        const uint64_t last = cp->sent_ns + cp->config.reply_ns + ax_osdp_cp_wire_ns(cp, AX_OSDP_MAX_FRAME);
        if (pending || cp->noise)
            cp->timeout_ns = cp->byte_ns + CP_GAP_NS < last ? cp->byte_ns + CP_GAP_NS : last;
    }
    return AX_OK;
}
