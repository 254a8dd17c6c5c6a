/* The device end of an OSDP line: what becomes of a command once it passed sequence and security, and the calls of the
 * application: stored answers, answers that come later, replies for polls, messages in parts.
 * A message in parts (SIA OSDP 2.2, 5.10) has a head of total, offset and size of the part, u16 each.
 * Units: ns, bytes. Threads: one per object. Allocation: none. */
#include "ax/err.h"
#include "ax_osdp_pd_internal.h"

#define PART_HEAD 6

static const uint8_t OWN[] = {AX_OSDP_POLL, AX_OSDP_KEYSET, AX_OSDP_CHLNG, AX_OSDP_SCRYPT, AX_OSDP_ACURXSIZE};

static void put16(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)v;
    p[1] = (uint8_t)(v >> 8);
}

static uint32_t get16(const uint8_t *p)
{
    return p[0] | (uint32_t)p[1] << 8;
}

static void ack(struct ax_osdp_pd *pd)
{
    ax_osdp_pd_respond(pd, AX_OSDP_ACK, NULL, 0);
}

static void nak(struct ax_osdp_pd *pd, uint8_t reason)
{
    ax_osdp_pd_respond(pd, AX_OSDP_NAK, &reason, 1);
}

static bool in_parts(uint8_t reply)
{
    return reply == AX_OSDP_PIVDATAR || reply == AX_OSDP_GENAUTHR || reply == AX_OSDP_CRAUTHR || reply == AX_OSDP_EXT_PDID;
}

/* Most payload of a frame that the ACU takes: the frame less head, code, MAC and check, and less padding. */
static size_t most_data(const struct ax_osdp_pd *pd)
{
    return pd->session ? ((size_t)pd->peer_rx - 14) / 16 * 16 - 1 : (size_t)pd->peer_rx - 8;
}

static void send_part(struct ax_osdp_pd *pd)
{
    uint8_t part[AX_OSDP_MAX_FRAME];
    const size_t room = most_data(pd) - PART_HEAD, left = pd->out_total - pd->out_sent;
    const size_t size = left < room ? left : room;
    put16(part, pd->out_total);
    put16(part + 2, pd->out_sent);
    put16(part + 4, (uint32_t)size);
    memcpy(part + PART_HEAD, pd->out_parts + pd->out_sent, size);
    const uint8_t code = pd->out_code;
    pd->out_sent += (uint32_t)size;
    if (pd->out_sent == pd->out_total)
        pd->out_code = 0;
    ax_osdp_pd_respond(pd, code, part, PART_HEAD + size);
}

/* Give a reply of the application: as it is, or its first part. */
static void give(struct ax_osdp_pd *pd, uint8_t code, const uint8_t *data, size_t size)
{
    if (!in_parts(code)) {
        ax_osdp_pd_respond(pd, code, data, size);
        return;
    }
    pd->out_code = code;
    pd->out_total = (uint32_t)size;
    pd->out_sent = 0;
    if (size)
        memcpy(pd->out_parts, data, size);
    send_part(pd);
}

static void poll(struct ax_osdp_pd *pd)
{
    struct pd_reply head;
    if ((pd->config.secure && !pd->session) || pd->default_key) {
        ack(pd); /* nothing leaves the device without its own key */
        return;
    }
    if (pd->out_code) {
        send_part(pd);
        return;
    }
    if (!pd->replies.used) {
        ack(pd);
        return;
    }
    uint8_t data[AX_OSDP_EVENT_DATA];
    ax_osdp_queue_peek(&pd->replies, 0, &head, sizeof head);
    ax_osdp_queue_peek(&pd->replies, sizeof head, data, head.size);
    ax_osdp_queue_drop(&pd->replies, (uint32_t)(sizeof head + head.size));
    give(pd, head.code, data, head.size);
}

static void query(struct ax_osdp_pd *pd, uint8_t code, const uint8_t *data)
{
    static const uint8_t replies[] = {AX_OSDP_PDID, AX_OSDP_PDCAP, 0, AX_OSDP_LSTATR, AX_OSDP_ISTATR, AX_OSDP_OSTATR, AX_OSDP_RSTATR};
    int at = ax_osdp_pd_stored(replies[code - AX_OSDP_ID]);
    if (code == AX_OSDP_ID && data[0] == 1 && pd->store_size[ax_osdp_pd_stored(AX_OSDP_EXT_PDID)])
        at = ax_osdp_pd_stored(AX_OSDP_EXT_PDID);
    if (at < 0 || !pd->store_size[at])
        nak(pd, AX_OSDP_NAK_UNKNOWN);
    else
        give(pd, at == ax_osdp_pd_stored(AX_OSDP_EXT_PDID) ? AX_OSDP_EXT_PDID : replies[code - AX_OSDP_ID], pd->store[at],
             pd->store_size[at]);
}

static void keyset(struct ax_osdp_pd *pd, const uint8_t *data)
{
    if (!pd->session || data[0] != 1 || data[1] != 16 || ax_osdp_key_weak(data + 2)) {
        ax_osdp_pd_attack(pd, AX_OSDP_ATTACK_KEYSET, AX_OSDP_KEYSET);
        nak(pd, AX_OSDP_NAK_RECORD);
        return;
    }
    memcpy(pd->config.key, data + 2, 16);
    pd->config.has_key = pd->config.secure = true;
    ax_osdp_pd_tell(pd, AX_OSDP_EV_KEY, 0, 0, 0, data + 2, 16);
    ack(pd);
    if (pd->install_until_ns) {
        pd->install_until_ns = 0;
        ax_osdp_pd_tell(pd, AX_OSDP_EV_INSTALL, 0, 0, 1, NULL, 0);
    }
}

/* GENAUTH and CRAUTH: collect the parts; true when the message is whole (in in_parts). */
static bool collect(struct ax_osdp_pd *pd, uint8_t code, const uint8_t *data, size_t size)
{
    const uint32_t total = get16(data), offset = get16(data + 2), part = get16(data + 4);
    if (offset == 0) {
        pd->in_code = code;
        pd->in_total = total;
        pd->in_got = 0;
    }
    if (part != size - PART_HEAD || total > sizeof pd->in_parts || pd->in_code != code || total != pd->in_total ||
        offset != pd->in_got || part > total - offset) {
        pd->in_code = 0;
        nak(pd, AX_OSDP_NAK_RECORD);
        return false;
    }
    memcpy(pd->in_parts + offset, data + PART_HEAD, part);
    pd->in_got += part;
    if (pd->in_got < total) {
        ack(pd);
        return false;
    }
    pd->in_code = 0;
    return true;
}

/* Tell the command, and acknowledge it or wait. */
static void hand_over(struct ax_osdp_pd *pd, uint8_t code, const uint8_t *data, size_t size)
{
    if (code == AX_OSDP_GENAUTH || code == AX_OSDP_CRAUTH) {
        if (!collect(pd, code, data, size))
            return;
        data = pd->in_parts;
        size = pd->in_total;
    }
    const bool ask = pd->policy[code] == AX_OSDP_ASK;
    ax_osdp_pd_tell(pd, AX_OSDP_EV_COMMAND, code, ask, 0, data, size);
    if (!ask) {
        ack(pd);
        return;
    }
    pd->waiting = true;
    pd->answered = false;
    pd->wait_code = code;
    pd->busy_ns = pd->now + pd->config.answer_ns;
}

static void comset(struct ax_osdp_pd *pd, const uint8_t *data)
{
    if (data[0] >= AX_OSDP_CONFIG) {
        nak(pd, AX_OSDP_NAK_RECORD);
        return;
    }
    const uint32_t baud = get16(data + 1) | get16(data + 3) << 16;
    ax_osdp_pd_respond(pd, AX_OSDP_COM, data, 5);
    pd->next_address = data[0];
    ax_osdp_pd_tell(pd, AX_OSDP_EV_COMSET, 0, data[0], baud, NULL, 0);
}

void ax_osdp_pd_execute(struct ax_osdp_pd *pd, uint8_t code, const uint8_t *data, size_t size)
{
    uint16_t least, most;
    if (!ax_osdp_command_size(code, &least, &most) || pd->policy[code] == AX_OSDP_REFUSE) {
        nak(pd, AX_OSDP_NAK_UNKNOWN);
        return;
    }
    const size_t record = code == AX_OSDP_OUT ? 4 : code == AX_OSDP_LED ? 14 : code == AX_OSDP_BUZ ? 5 : 1;
    if (size < least || size > most || size % record || (code == AX_OSDP_TEXT && size != (size_t)data[5] + 6)) {
        nak(pd, AX_OSDP_NAK_LENGTH);
        return;
    }
    if (pd->default_key && !memchr(OWN, code, sizeof OWN) && code != AX_OSDP_ID && code != AX_OSDP_CAP) {
        nak(pd, AX_OSDP_NAK_ENCRYPT); /* the published key is for setting a key */
        return;
    }
    switch (code) {
    case AX_OSDP_POLL:
        poll(pd);
        return;
    case AX_OSDP_KEYSET:
        keyset(pd, data);
        return;
    case AX_OSDP_ACURXSIZE:
        pd->peer_rx = (uint16_t)get16(data);
        if (pd->peer_rx < AX_OSDP_MIN_RX || pd->peer_rx > AX_OSDP_MAX_FRAME)
            pd->peer_rx = pd->peer_rx < AX_OSDP_MIN_RX ? AX_OSDP_MIN_RX : AX_OSDP_MAX_FRAME;
        ack(pd);
        return;
    case AX_OSDP_CHLNG:
    case AX_OSDP_SCRYPT: /* without their security block */
        nak(pd, AX_OSDP_NAK_SECURITY);
        return;
    case AX_OSDP_ABORT:
        pd->in_code = pd->out_code = 0;
        break;
    default:
        break;
    }
    if (pd->policy[code] == AX_OSDP_ACCEPT && code == AX_OSDP_COMSET)
        comset(pd, data);
    else if (pd->policy[code] == AX_OSDP_ACCEPT && code >= AX_OSDP_ID && code <= AX_OSDP_RSTAT)
        query(pd, code, data);
    else
        hand_over(pd, code, data, size);
}

int ax_osdp_pd_stored(uint8_t reply)
{
    static const uint8_t codes[PD_STORED] = {
        AX_OSDP_PDID, AX_OSDP_EXT_PDID, AX_OSDP_PDCAP, AX_OSDP_LSTATR, AX_OSDP_ISTATR, AX_OSDP_OSTATR, AX_OSDP_RSTATR,
    };
    for (int i = 0; i < PD_STORED; i++)
        if (codes[i] == reply)
            return i;
    return -1;
}

int ax_osdp_pd_store(struct ax_osdp_pd *pd, uint8_t reply, const uint8_t *data, size_t size)
{
    const int at = ax_osdp_pd_stored(reply);
    if (!pd || at < 0 || (size && !data))
        return AX_E_ARG;
    if (size > PD_STORE)
        return AX_E_RANGE;
    if (size)
        memcpy(pd->store[at], data, size);
    pd->store_size[at] = (uint16_t)size;
    return AX_OK;
}

int ax_osdp_pd_set_policy(struct ax_osdp_pd *pd, uint8_t command, int policy)
{
    uint16_t least, most;
    if (!pd || !ax_osdp_command_size(command, &least, &most) || memchr(OWN, command, sizeof OWN))
        return AX_E_ARG;
    if (policy < AX_OSDP_REFUSE || policy > AX_OSDP_ASK)
        return AX_E_RANGE;
    pd->policy[command] = (uint8_t)policy;
    return AX_OK;
}

static int check_reply(uint8_t reply, const uint8_t *data, size_t size)
{
    if ((size && !data) || reply == AX_OSDP_CCRYPT || reply == AX_OSDP_RMAC_I || reply == AX_OSDP_BUSY)
        return AX_E_ARG;
    return size > (in_parts(reply) ? AX_OSDP_EVENT_DATA : 1407) ? AX_E_RANGE : AX_OK;
}

int ax_osdp_pd_answer(struct ax_osdp_pd *pd, uint8_t reply, const uint8_t *data, size_t size)
{
    int rc;
    if (!pd || (rc = check_reply(reply, data, size)) != AX_OK)
        return pd ? rc : AX_E_ARG;
    if (!pd->waiting)
        return AX_E_STATE;
    if (pd->busy_ns) { /* the ACU is listening */
        give(pd, reply, data, size);
        return AX_OK;
    }
    if (size > sizeof pd->answer)
        return AX_E_RANGE;
    pd->answered = true;
    pd->answer_code = reply;
    pd->answer_size = (uint16_t)size;
    if (size)
        memcpy(pd->answer, data, size);
    return AX_OK;
}

int ax_osdp_pd_post(struct ax_osdp_pd *pd, uint8_t reply, const uint8_t *data, size_t size)
{
    int rc;
    if (!pd || (rc = check_reply(reply, data, size)) != AX_OK)
        return pd ? rc : AX_E_ARG;
    const struct pd_reply head = {.size = (uint16_t)size, .code = reply};
    return ax_osdp_queue_push(&pd->replies, &head, sizeof head, data, (uint32_t)size) ? AX_OK : AX_E_FULL;
}
