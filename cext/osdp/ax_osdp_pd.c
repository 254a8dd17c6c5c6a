/* The device end of an OSDP line: life cycle, frames in, replies out, sequence and security (SIA OSDP 2.2, 5.7 to 5.9).
 *
 * A frame passes address, repeat, sequence and security, in this order, before its command is looked at. A repeat is the
 * same bytes under the same sequence number, and gets the same bytes back, so that neither a card nor the MAC chain is lost
 * with a reply. Refusals before the command is accepted (NAK 1, 4, 5, 6) go out in clear and move neither sequence nor chain.
 * Units: ns, bytes. Threads: one per object. Allocation: only in new. */
#include "ax/err.h"
#include "ax_osdp_pd_internal.h"

#include <stdlib.h>

void ax_osdp_pd_defaults(struct ax_osdp_pd_config *config)
{
    *config = (struct ax_osdp_pd_config){
        .answer_ns = 100000000, .offline_ns = 8000000000, .random = ax_osdp_getrandom,
    };
}

static void default_policy(uint8_t policy[256])
{
    static const uint8_t accepted[] = {
        AX_OSDP_POLL, AX_OSDP_ID, AX_OSDP_CAP, AX_OSDP_LSTAT, AX_OSDP_ISTAT, AX_OSDP_OSTAT, AX_OSDP_RSTAT, AX_OSDP_OUT,
        AX_OSDP_LED, AX_OSDP_BUZ, AX_OSDP_TEXT, AX_OSDP_COMSET, AX_OSDP_KEYSET, AX_OSDP_CHLNG, AX_OSDP_SCRYPT,
        AX_OSDP_ACURXSIZE, AX_OSDP_ABORT, AX_OSDP_KEEPACTIVE,
    };
    for (size_t i = 0; i < sizeof accepted; i++)
        policy[accepted[i]] = AX_OSDP_ACCEPT;
}

int ax_osdp_pd_new(struct ax_osdp_pd **out, const struct ax_osdp_pd_config *config)
{
    if (!out || !config || !config->random)
        return AX_E_ARG;
    *out = NULL;
    if (config->address >= AX_OSDP_CONFIG || (config->has_key && ax_osdp_key_weak(config->key)))
        return AX_E_RANGE;
    struct ax_osdp_pd *pd = calloc(1, sizeof *pd);
    if (!pd)
        return AX_E_NOMEM;
    pd->config = *config;
    pd->config.secure |= config->has_key;
    pd->address = config->address;
    default_policy(pd->policy);
    pd->events = (struct ax_osdp_queue){.bytes = pd->event_bytes, .room = PD_EVENTS};
    pd->replies = (struct ax_osdp_queue){.bytes = pd->reply_bytes, .room = PD_REPLIES};
    ax_osdp_pd_reset(pd);
    *out = pd;
    return AX_OK;
}

void ax_osdp_pd_free(struct ax_osdp_pd *pd)
{
    if (pd) {
        explicit_bzero(pd, sizeof *pd);
        free(pd);
    }
}

void ax_osdp_pd_end_session(struct ax_osdp_pd *pd)
{
    if (pd->session || pd->challenged)
        ax_osdp_sc_wipe(&pd->sc);
    pd->session = pd->challenged = pd->default_key = false;
}

void ax_osdp_pd_reset(struct ax_osdp_pd *pd)
{
    ax_osdp_rx_reset(&pd->rx);
    pd->session = true; /* wipe in any case */
    ax_osdp_pd_end_session(pd);
    pd->sqn = PD_NO_SQN;
    pd->link = AX_OSDP_OFFLINE;
    pd->next_address = 0xFF;
    pd->replied = pd->send = pd->send_refusal = pd->waiting = pd->answered = false;
    pd->busy_ns = 0;
    pd->in_code = pd->out_code = 0;
    pd->peer_rx = AX_OSDP_MAX_FRAME;
    pd->replies.used = pd->replies.at = 0;
}

void ax_osdp_pd_tell(struct ax_osdp_pd *pd, uint8_t kind, uint8_t code, uint32_t a, uint32_t b, const uint8_t *data, size_t size)
{
    const struct ax_osdp_event event = {
        .t_ns = pd->now, .a = a, .b = b, .size = (uint16_t)size, .kind = kind, .code = code, .link = pd->link,
    };
    pd->lost += !ax_osdp_queue_push(&pd->events, &event, sizeof event, data, (uint32_t)size);
}

void ax_osdp_pd_attack(struct ax_osdp_pd *pd, uint32_t attack, uint8_t code)
{
    pd->stats.attacks++;
    ax_osdp_pd_tell(pd, AX_OSDP_EV_ATTACK, code, attack, 0, NULL, 0);
}

void ax_osdp_pd_set_link(struct ax_osdp_pd *pd, uint8_t link, uint32_t why)
{
    if (pd->link == link)
        return;
    pd->link = link;
    ax_osdp_pd_tell(pd, AX_OSDP_EV_LINK, 0, link, why, NULL, 0);
}

int ax_osdp_pd_event(struct ax_osdp_pd *pd, struct ax_osdp_event *event, uint8_t *data, size_t cap)
{
    if (!pd || !event)
        return AX_E_ARG;
    if (!pd->events.used) {
        if (!pd->lost)
            return 0;
        *event = (struct ax_osdp_event){.t_ns = pd->now, .kind = AX_OSDP_EV_LOST, .a = pd->lost, .link = pd->link};
        pd->lost = 0;
        return 1;
    }
    ax_osdp_queue_peek(&pd->events, 0, event, sizeof *event);
    if (event->size > cap || (event->size && !data))
        return AX_E_FULL;
    ax_osdp_queue_peek(&pd->events, sizeof *event, data, event->size);
    ax_osdp_queue_drop(&pd->events, (uint32_t)(sizeof *event + event->size));
    return 1;
}

void ax_osdp_pd_respond(struct ax_osdp_pd *pd, uint8_t code, const uint8_t *data, size_t size)
{
    struct ax_osdp_head head = pd->head;
    head.address |= AX_OSDP_REPLY;
    head.scb_type = 0;
    pd->stats.naks += code == AX_OSDP_NAK;
    int n = pd->session ? ax_osdp_seal(&pd->sc, pd->reply, sizeof pd->reply, &head, code, data, size)
                        : ax_osdp_build(pd->reply, sizeof pd->reply, &head, code, data, size);
    if (n < 0) { /* an answer that fits in no frame */
        static const uint8_t nak = AX_OSDP_NAK_RECORD;
        n = pd->session ? ax_osdp_seal(&pd->sc, pd->reply, sizeof pd->reply, &head, AX_OSDP_NAK, &nak, 1)
                        : ax_osdp_build(pd->reply, sizeof pd->reply, &head, AX_OSDP_NAK, &nak, 1);
    }
    pd->reply_size = (uint16_t)n;
    pd->replied = pd->send = true;
    pd->waiting = pd->answered = false;
    pd->busy_ns = 0;
}

void ax_osdp_pd_refuse(struct ax_osdp_pd *pd, uint8_t nak)
{
    struct ax_osdp_head head = pd->head;
    head.address |= AX_OSDP_REPLY;
    head.scb_type = 0;
    pd->stats.naks++;
    pd->refusal_size = (uint8_t)ax_osdp_build(pd->refusal, sizeof pd->refusal, &head, AX_OSDP_NAK, &nak, 1);
    pd->send_refusal = true; /* the stored reply stays: its command may be repeated yet */
}

/* The same bytes again: the same reply again, or BUSY again, or the answer that came in the meantime. */
static bool repeated(struct ax_osdp_pd *pd, const struct ax_osdp_frame *f)
{
    if (pd->sqn > 3 || f->length != pd->command_size || memcmp(f->start, pd->command, f->length) != 0)
        return false;
    if ((f->head.control & AX_OSDP_SQN) == 0 && !pd->waiting && !pd->challenged)
        return false; /* a start is a start */
    if (pd->waiting) {
        pd->head = f->head;
        if (pd->answered)
            ax_osdp_pd_respond(pd, pd->answer_code, pd->answer, pd->answer_size);
        else
            pd->busy_ns = pd->now + pd->config.answer_ns;
        return true;
    }
    if (!pd->replied)
        return false;
    pd->stats.repeats++;
    pd->send = true;
    return true;
}

static bool in_sequence(struct ax_osdp_pd *pd, const struct ax_osdp_frame *f)
{
    const uint8_t sqn = f->head.control & AX_OSDP_SQN;
    if (sqn == 0)
        return true;
    return pd->sqn <= 3 && sqn == pd->sqn % 3 + 1;
}

static void accept(struct ax_osdp_pd *pd, const struct ax_osdp_frame *f)
{
    pd->sqn = f->head.control & AX_OSDP_SQN;
    memcpy(pd->command, f->start, f->length);
    pd->command_size = f->length;
    pd->replied = pd->waiting = pd->answered = false;
    pd->busy_ns = 0;
    pd->stats.commands++;
    if (pd->link == AX_OSDP_OFFLINE && !pd->config.secure)
        ax_osdp_pd_set_link(pd, AX_OSDP_CLEAR, AX_OSDP_WHY_NONE);
}

/* A command of a session, or one that pretends to be. */
static void on_secured(struct ax_osdp_pd *pd, const struct ax_osdp_frame *f)
{
    if (!pd->session) {
        ax_osdp_pd_refuse(pd, AX_OSDP_NAK_ENCRYPT);
        return;
    }
    const int size = ax_osdp_open(&pd->sc, f, pd->plain);
    if (size == AX_E_PARITY) {
        ax_osdp_pd_attack(pd, AX_OSDP_ATTACK_MAC, f->code);
        ax_osdp_pd_refuse(pd, AX_OSDP_NAK_ENCRYPT);
        return;
    }
    accept(pd, f);
    if (size < 0 || (f->head.scb_type == AX_OSDP_SCS_15 && size)) {
        ax_osdp_pd_attack(pd, size < 0 ? AX_OSDP_ATTACK_PADDING : AX_OSDP_ATTACK_NULL_CIPHER, f->code);
        static const uint8_t nak = AX_OSDP_NAK_ENCRYPT;
        ax_osdp_pd_respond(pd, AX_OSDP_NAK, &nak, 1);
        return;
    }
    ax_osdp_pd_execute(pd, f->code, pd->plain, (size_t)size);
    explicit_bzero(pd->plain, (size_t)size);
}

static void on_clear(struct ax_osdp_pd *pd, const struct ax_osdp_frame *f)
{
    const bool harmless = f->code == AX_OSDP_ID || f->code == AX_OSDP_CAP || f->code == AX_OSDP_POLL;
    if (pd->session && (f->head.control & AX_OSDP_SQN)) {
        ax_osdp_pd_attack(pd, AX_OSDP_ATTACK_CLEAR, f->code);
        ax_osdp_pd_refuse(pd, AX_OSDP_NAK_ENCRYPT);
        return;
    }
    if ((pd->config.secure && !harmless) || f->code == AX_OSDP_KEYSET) {
        ax_osdp_pd_attack(pd, f->code == AX_OSDP_KEYSET ? AX_OSDP_ATTACK_KEYSET : AX_OSDP_ATTACK_CLEAR, f->code);
        ax_osdp_pd_refuse(pd, AX_OSDP_NAK_ENCRYPT);
        return;
    }
    if ((f->head.control & AX_OSDP_SQN) == 0) {
        const bool was = pd->session;
        ax_osdp_pd_end_session(pd);
        if (was)
            ax_osdp_pd_set_link(pd, pd->config.secure ? AX_OSDP_OFFLINE : AX_OSDP_CLEAR, AX_OSDP_WHY_RESTART);
    }
    accept(pd, f);
    ax_osdp_pd_execute(pd, f->code, f->data, f->size);
}

/* The configuration address: three commands, in clear, without sequence; none of them when a key is set, but ID and CAP. */
static void on_config(struct ax_osdp_pd *pd, const struct ax_osdp_frame *f)
{
    const bool asks = f->code == AX_OSDP_ID || f->code == AX_OSDP_CAP;
    if (f->head.scb_type || (!asks && (f->code != AX_OSDP_COMSET || pd->config.secure))) {
        ax_osdp_pd_attack(pd, AX_OSDP_ATTACK_CONFIG, f->code);
        return;
    }
    const bool session = pd->session;
    pd->session = false; /* answered in clear, and the session goes on */
    pd->stats.commands++;
    ax_osdp_pd_execute(pd, f->code, f->data, f->size);
    pd->session = session;
    pd->replied = false;
    pd->command_size = 0;
}

static void on_frame(struct ax_osdp_pd *pd, const struct ax_osdp_frame *f)
{
    pd->head = f->head;
    if (f->head.address == AX_OSDP_CONFIG) {
        on_config(pd, f);
        return;
    }
    pd->heard_ns = pd->now;
    if (repeated(pd, f))
        return;
    if (!in_sequence(pd, f)) {
        if (pd->session && f->head.scb_type)
            ax_osdp_pd_attack(pd, AX_OSDP_ATTACK_REPLAY, f->code);
        ax_osdp_pd_refuse(pd, AX_OSDP_NAK_SEQUENCE);
        return;
    }
    switch (f->head.scb_type) {
    case AX_OSDP_SCS_11:
        accept(pd, f);
        ax_osdp_pd_challenge(pd, f);
        break;
    case AX_OSDP_SCS_13:
        accept(pd, f);
        ax_osdp_pd_scrypt(pd, f);
        break;
    case 0:
        on_clear(pd, f);
        break;
    default:
        on_secured(pd, f);
    }
}

int ax_osdp_pd_feed(struct ax_osdp_pd *pd, uint64_t t_ns, const uint8_t *bytes, size_t n)
{
    if (!pd || (n && !bytes))
        return AX_E_ARG;
    pd->now = t_ns > pd->now ? t_ns : pd->now;
    if (n && ax_osdp_rx_pending(&pd->rx) && pd->now - pd->byte_ns > PD_CHARACTER_NS)
        ax_osdp_rx_reset(&pd->rx); /* the rest of that frame will not come */
    pd->byte_ns = pd->now;
    while (n) {
        struct ax_osdp_frame f;
        const size_t part = n < 512 ? n : 512;
        const size_t taken = ax_osdp_rx_push(&pd->rx, bytes, part);
        bytes += taken;
        n -= taken;
        for (int rc; (rc = ax_osdp_rx_next(&pd->rx, &f)) != 0;) {
            if (f.head.address & AX_OSDP_REPLY)
                continue;
            if (f.head.address != pd->address && (f.head.address != AX_OSDP_CONFIG || rc < 0))
                continue;
            if (rc > 0) {
                on_frame(pd, &f);
                continue;
            }
            pd->head = f.head;
            pd->stats.bad_checks += rc == AX_E_PARITY;
            ax_osdp_pd_refuse(pd, rc == AX_E_PARITY ? AX_OSDP_NAK_CHECK : AX_OSDP_NAK_SECURITY);
        }
    }
    return AX_OK;
}
