/* The controller end of an OSDP line: what goes into a frame, and what its reply means, once a device is set up.
 *
 * In a session only frames whose MAC holds are believed. Refusals in clear exist because a device that lost its session
 * cannot do better: 1 repeats the frame, 4 to 6 start anew with a handshake, others fail the command; none opens anything.
 * Units: ns, bytes. Threads: one per object. Allocation: none. */
#include "ax/err.h"
#include "ax_osdp_cp_internal.h"

#define PART_HEAD 6

static uint32_t get16(const uint8_t *p)
{
    return p[0] | (uint32_t)p[1] << 8;
}

static void put16(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)v;
    p[1] = (uint8_t)(v >> 8);
}

/* The buffer of some devices (libosdp's) holds the mark as well, which no length counts. */
size_t ax_osdp_cp_most_data(const struct cp_reader *r, size_t frame)
{
    frame--;
    return r->session ? (frame - 14) / 16 * 16 - 1 : frame - 8;
}

static bool in_parts(uint8_t code)
{
    return code == AX_OSDP_GENAUTH || code == AX_OSDP_CRAUTH;
}

/* Payload of the oldest command; of its next part when it has parts. */
static size_t command_payload(struct cp_reader *r, struct cp_command *c, uint8_t *data)
{
    ax_osdp_queue_peek(&r->commands, 0, c, sizeof *c);
    if (!in_parts(c->code)) {
        ax_osdp_queue_peek(&r->commands, sizeof *c, data, c->size);
        return c->size;
    }
    const size_t left = (size_t)c->size - r->part_sent, room = ax_osdp_cp_most_data(r, r->peer_rx) - PART_HEAD;
    r->part = (uint16_t)(left < room ? left : room);
    put16(data, c->size);
    put16(data + 2, r->part_sent);
    put16(data + 4, r->part);
    ax_osdp_queue_peek(&r->commands, (uint32_t)sizeof *c + r->part_sent, data + PART_HEAD, r->part);
    return PART_HEAD + (size_t)r->part;
}

static void drop_command(struct cp_reader *r, const struct cp_command *c)
{
    ax_osdp_queue_drop(&r->commands, (uint32_t)sizeof *c + c->size);
    r->part_sent = 0;
    r->suspect = 0;
}

static void fail_command(struct ax_osdp_cp *cp, int at, uint32_t why, uint32_t detail)
{
    struct cp_reader *r = cp->readers[at];
    struct cp_command c;
    ax_osdp_queue_peek(&r->commands, 0, &c, sizeof c);
    drop_command(r, &c);
    ax_osdp_cp_tell(cp, at, AX_OSDP_EV_FAILED, c.code, why, detail, c.token);
}

/* The next frame of a device that is set up. */
static int run_frame(struct ax_osdp_cp *cp, struct cp_reader *r, struct ax_osdp_head *head)
{
    uint8_t data[AX_OSDP_MAX_FRAME], code = AX_OSDP_POLL;
    size_t size = 0;
    const bool file = r->file.active && cp->now >= r->file.due_ns;
    r->load = LOAD_POLL;
    if (file && r->file.exclusive)
        r->load = LOAD_FILE;
    else if (r->burst < CP_BURST && r->commands.used)
        r->load = LOAD_COMMAND;
    else if (r->burst < CP_BURST && file)
        r->load = LOAD_FILE;
    if (r->load == LOAD_POLL && r->config.address == AX_OSDP_CONFIG)
        return 0; /* no polls there */
    r->burst = r->load == LOAD_POLL ? 0 : (uint8_t)(r->burst + 1);
    if (r->load == LOAD_FILE) {
        r->burst = CP_BURST; /* a poll after each message, if the device allows */
        code = r->file.stop ? AX_OSDP_ABORT : AX_OSDP_FILETRANSFER;
        size = r->file.stop ? 0 : ax_osdp_cp_file_message(r, data);
    } else if (r->load == LOAD_COMMAND) {
        struct cp_command c;
        size = command_payload(r, &c, data);
        code = c.code;
    }
    return r->session ? ax_osdp_seal(&r->sc, r->tx, sizeof r->tx, head, code, data, size)
                      : ax_osdp_build(r->tx, sizeof r->tx, head, code, data, size);
}

bool ax_osdp_cp_compose(struct ax_osdp_cp *cp, int at)
{
    struct cp_reader *r = cp->readers[at];
    if (r->config.address == AX_OSDP_CONFIG)
        r->sqn = 0;
    struct ax_osdp_head head = {
        .address = r->config.address, .control = (uint8_t)(r->sqn | (r->config.checksum ? 0 : AX_OSDP_CRC)),
    };
    r->tries = 0;
    if (r->stage == STAGE_RUN && r->key_waits && r->session)
        r->stage = STAGE_KEYSET;
    const int n = r->stage == STAGE_RUN ? run_frame(cp, r, &head) : ax_osdp_cp_setup_frame(cp, r, &head);
    if (n < 0 && r->stage == STAGE_RUN && r->load == LOAD_COMMAND)
        fail_command(cp, at, AX_OSDP_WHY_NAK, AX_OSDP_NAK_LENGTH);
    if (n <= 0)
        return false;
    r->tx_size = (uint16_t)n;
    return true;
}

void ax_osdp_cp_drop_parts(struct ax_osdp_cp *cp, int at, uint32_t why)
{
    struct cp_reader *r = cp->readers[at];
    if (r->in_token)
        ax_osdp_cp_tell(cp, at, AX_OSDP_EV_FAILED, r->in_code, why, 0, r->in_token);
    r->in_token = 0;
    r->in_code = 0;
}

/* A reply in parts: true when it is whole; in_code is 0 when it makes no sense. */
static bool collect(struct cp_reader *r, uint8_t code, const uint8_t *data, size_t size)
{
    if (size < PART_HEAD) {
        r->in_code = 0;
        return false;
    }
    const uint32_t total = get16(data), offset = get16(data + 2), part = get16(data + 4);
    if (offset == 0) {
        r->in_code = code;
        r->in_total = total;
        r->in_got = 0;
    }
    if (r->in_code != code || total != r->in_total || total > sizeof r->in_parts || offset != r->in_got ||
        part > size - PART_HEAD || part > total - offset) {
        r->in_code = 0;
        return false;
    }
    memcpy(r->in_parts + offset, data + PART_HEAD, part);
    r->in_got += part;
    if (r->in_got < total)
        return false;
    r->in_code = 0;
    return true;
}

static void on_data(struct ax_osdp_cp *cp, int at, uint8_t code, const uint8_t *data, size_t size, uint32_t token)
{
    struct cp_reader *r = cp->readers[at];
    if (code == AX_OSDP_FTSTAT && r->file.active && !token) {
        ax_osdp_cp_file_reply(cp, at, code, data, size);
    } else if (code == AX_OSDP_PIVDATAR || code == AX_OSDP_GENAUTHR || code == AX_OSDP_CRAUTHR || code == AX_OSDP_EXT_PDID) {
        r->in_token = token ? token : r->in_token;
        if (collect(r, code, data, size)) {
            ax_osdp_cp_tell_data(cp, at, AX_OSDP_EV_REPLY, code, r->in_token, r->in_parts, r->in_total);
            r->in_token = 0;
        } else if (!r->in_code) {
            ax_osdp_cp_drop_parts(cp, at, AX_OSDP_WHY_NAK);
        } /* else the rest comes with polls */
    } else {
        ax_osdp_cp_tell_data(cp, at, AX_OSDP_EV_REPLY, code, token, data, size);
    }
}

static void on_command_reply(struct ax_osdp_cp *cp, int at, uint8_t code, const uint8_t *data, size_t size)
{
    struct cp_reader *r = cp->readers[at];
    struct cp_command c;
    if (code == AX_OSDP_NAK) {
        fail_command(cp, at, AX_OSDP_WHY_NAK, size ? data[0] : 0);
        return;
    }
    ax_osdp_queue_peek(&r->commands, 0, &c, sizeof c);
    if (in_parts(c.code) && (r->part_sent = (uint16_t)(r->part_sent + r->part)) < c.size)
        return; /* the next part */
    drop_command(r, &c);
    if (code == AX_OSDP_ACK)
        ax_osdp_cp_tell(cp, at, AX_OSDP_EV_DONE, c.code, 0, 0, c.token);
    else
        on_data(cp, at, code, data, size, c.token);
    if (c.code == AX_OSDP_COMSET && code == AX_OSDP_COM && size >= 5 && data[0] < AX_OSDP_CONFIG) {
        const bool moved = r->config.address != data[0];
        r->config.address = data[0];
        ax_osdp_cp_tell(cp, at, AX_OSDP_EV_COMSET, 0, data[0], get16(data + 1) | get16(data + 3) << 16, 0);
        if (moved && !r->session)
            r->sqn = 0;
    }
}

static void on_run(struct ax_osdp_cp *cp, int at, uint8_t code, const uint8_t *data, size_t size)
{
    struct cp_reader *r = cp->readers[at];
    r->refusals = 0;
    if (r->load == LOAD_COMMAND)
        on_command_reply(cp, at, code, data, size);
    else if (r->load == LOAD_FILE)
        ax_osdp_cp_file_reply(cp, at, code, data, size);
    else if (code != AX_OSDP_ACK && code != AX_OSDP_NAK)
        on_data(cp, at, code, data, size, 0);
    const bool more = r->commands.used || r->key_waits || (r->file.active && r->file.due_ns <= cp->now);
    const uint64_t next = cp->sent_ns + r->config.poll_ns;
    if (!more && r->config.address == AX_OSDP_CONFIG)
        r->due_ns = UINT64_MAX;
    else
        r->due_ns = !more && next > cp->now ? next : cp->now;
    if (r->file.active && r->file.due_ns > cp->now && r->file.due_ns < r->due_ns)
        r->due_ns = r->file.due_ns;
}

/* A refusal outside of the session. Nobody vouches for it. */
static bool on_clear_nak(struct ax_osdp_cp *cp, int at, uint8_t reason)
{
    struct cp_reader *r = cp->readers[at];
    r->stats.naks++;
    if (reason == AX_OSDP_NAK_CHECK) {
        r->again = true;
        r->due_ns = cp->now + (r->tries > 8 ? CP_SECOND_NS : 0);
        return true;
    }
    if (reason >= AX_OSDP_NAK_SEQUENCE && reason <= AX_OSDP_NAK_ENCRYPT) {
        if (r->stage == STAGE_RUN && r->load == LOAD_COMMAND && ++r->suspect >= 2)
            fail_command(cp, at, AX_OSDP_WHY_NAK, reason);
        ax_osdp_cp_restart(cp, at, AX_OSDP_WHY_NAK, 0);
        return true;
    }
    r->sqn = r->sqn % 3 + 1;
    r->tries = r->wait_tries = 0;
    r->again = false;
    if (r->stage == STAGE_RUN)
        on_run(cp, at, AX_OSDP_NAK, &reason, 1);
    else
        ax_osdp_cp_restart(cp, at, AX_OSDP_WHY_NAK, CP_REFUSED_NS);
    return true;
}

/* A frame of a session: its data in cp->plain, or -1 when it was not accepted (`*ends`: the wait is over). */
static int open_reply(struct ax_osdp_cp *cp, int at, const struct ax_osdp_frame *f, bool *ends)
{
    struct cp_reader *r = cp->readers[at];
    *ends = false;
    if (f->head.scb_type < AX_OSDP_SCS_16) {
        ax_osdp_cp_attack(cp, at, AX_OSDP_ATTACK_CLEAR, f->code);
        return -1;
    }
    const int size = ax_osdp_open(&r->sc, f, cp->plain);
    if (size == AX_E_PARITY) {
        ax_osdp_cp_attack(cp, at, AX_OSDP_ATTACK_MAC, f->code);
        cp->noise = true;
        if (++r->bad_macs >= 3) {
            ax_osdp_cp_restart(cp, at, AX_OSDP_WHY_ATTACK, 0);
            *ends = true;
        }
        return -1;
    }
    if (size < 0 || (f->head.scb_type == AX_OSDP_SCS_16 && size && f->code != AX_OSDP_NAK)) {
        ax_osdp_cp_attack(cp, at, size < 0 ? AX_OSDP_ATTACK_PADDING : AX_OSDP_ATTACK_NULL_CIPHER, f->code);
        ax_osdp_cp_restart(cp, at, AX_OSDP_WHY_ATTACK, 0);
        *ends = true;
        return -1;
    }
    return size;
}

/* The reply is good: the device lives. */
static void accept(struct ax_osdp_cp *cp, struct cp_reader *r, size_t length)
{
    const uint64_t came = cp->sent_ns + ax_osdp_cp_wire_ns(cp, length); /* with no delay at all */
    const uint64_t delay = cp->now > came ? cp->now - came : 0;
    r->heard_ns = cp->now;
    r->stats.replies++;
    r->stats.delay_ns = delay;
    r->stats.delay_max_ns -= r->stats.delay_max_ns / 8;
    if (delay > r->stats.delay_max_ns)
        r->stats.delay_max_ns = delay;
    r->slow &= delay > CP_FIRST_NS;
    r->tries = r->wait_tries = r->bad_macs = 0;
    r->again = false;
    r->sqn = r->sqn % 3 + 1;
}

bool ax_osdp_cp_reply(struct ax_osdp_cp *cp, int at, const struct ax_osdp_frame *f)
{
    struct cp_reader *r = cp->readers[at];
    const uint8_t sqn = f->head.control & AX_OSDP_SQN;
    const uint8_t *data = f->data;
    int size = f->size;
    if (f->code == AX_OSDP_BUSY && !f->head.scb_type) {
        r->stats.busy++;
        r->again = true;
        r->wait_tries = 0;
        r->due_ns = cp->now + CP_BUSY_NS;
        if (!r->session)
            r->heard_ns = cp->now; /* in a session it proves nothing */
        return true;
    }
    if (sqn != r->sqn) {
        r->stats.stale++;
        return false;
    }
    if (!f->head.scb_type && f->code == AX_OSDP_NAK && (r->session || (size && *data == AX_OSDP_NAK_CHECK)))
        return on_clear_nak(cp, at, size ? data[0] : 0);
    if (r->session) {
        bool ends;
        size = open_reply(cp, at, f, &ends);
        if (size < 0)
            return ends;
        data = cp->plain;
    } else if (f->head.scb_type >= AX_OSDP_SCS_15) {
        r->stats.stale++;
        return false;
    }
    accept(cp, r, f->length);
    if (!r->session && !f->head.scb_type && f->code == AX_OSDP_NAK && size && r->stage >= STAGE_ID &&
        (*data == AX_OSDP_NAK_SECURITY || *data == AX_OSDP_NAK_ENCRYPT)) { /* it has a key, and we have not */
        r->stats.naks++;
        ax_osdp_cp_fail_all(cp, at, AX_OSDP_WHY_INSECURE);
        ax_osdp_cp_restart(cp, at, AX_OSDP_WHY_INSECURE, CP_REFUSED_NS);
        ax_osdp_cp_set_link(cp, at, AX_OSDP_OFFLINE, AX_OSDP_WHY_INSECURE);
        return true;
    }
    r->stats.naks += f->code == AX_OSDP_NAK;
    if (r->stage != STAGE_RUN)
        ax_osdp_cp_setup_reply(cp, at, f, data, (size_t)size);
    else if (f->code == AX_OSDP_NAK && !r->session && size && *data == AX_OSDP_NAK_SEQUENCE)
        ax_osdp_cp_restart(cp, at, AX_OSDP_WHY_RESTART, 0);
    else
        on_run(cp, at, f->code, data, (size_t)size);
    return true;
}
