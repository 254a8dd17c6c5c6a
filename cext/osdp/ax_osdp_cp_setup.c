/* The controller end of an OSDP line: how a device is set up. With a key the handshake comes first and in every case; what
 * the device says about its abilities can raise an alarm, but never take security away (SIA OSDP 2.2, annex D).
 * Order: [CHLNG, SCRYPT, [KEYSET in the install window, and again]], ID, CAP, ACURXSIZE, then polls.
 * Units: ns, bytes. Threads: one per object. Allocation: none. */
#include "ax/err.h"
#include "ax_osdp_cp_internal.h"

uint8_t ax_osdp_cp_first_stage(const struct ax_osdp_cp *cp, const struct cp_reader *r)
{
    const bool install = r->install_until_ns > cp->now && r->key_waits && !r->key_token;
    if (install || r->config.has_key)
        return STAGE_CHALLENGE;
    return r->config.secure ? STAGE_WAIT : STAGE_ID;
}

int ax_osdp_cp_setup_frame(struct ax_osdp_cp *cp, struct cp_reader *r, struct ax_osdp_head *head)
{
    uint8_t data[18] = {0}, code = AX_OSDP_ID;
    size_t size = 1;
    switch (r->stage) {
    case STAGE_CHALLENGE:
        r->default_key = r->install_until_ns > cp->now && r->key_waits && !r->key_token;
        if (cp->config.random(cp->config.random_context, r->rnd_a, 8) != 0)
            return 0;
        head->scb_type = AX_OSDP_SCS_11;
        head->scb_data = !r->default_key;
        return ax_osdp_build(r->tx, sizeof r->tx, head, AX_OSDP_CHLNG, r->rnd_a, 8);
    case STAGE_SCRYPT:
        head->scb_type = AX_OSDP_SCS_13;
        head->scb_data = !r->default_key;
        return ax_osdp_build(r->tx, sizeof r->tx, head, AX_OSDP_SCRYPT, r->server, 16);
    case STAGE_KEYSET:
        code = AX_OSDP_KEYSET;
        data[0] = 1;
        data[1] = 16;
        memcpy(data + 2, r->new_key, 16);
        size = 18;
        break;
    case STAGE_ID:
        break;
    case STAGE_CAP:
        code = AX_OSDP_CAP;
        break;
    case STAGE_RXSIZE:
        code = AX_OSDP_ACURXSIZE;
        data[0] = AX_OSDP_MAX_FRAME & 255;
        data[1] = AX_OSDP_MAX_FRAME >> 8;
        size = 2;
        break;
    default:
        return 0;
    }
    const int n = r->session ? ax_osdp_seal(&r->sc, r->tx, sizeof r->tx, head, code, data, size)
                             : ax_osdp_build(r->tx, sizeof r->tx, head, code, data, size);
    explicit_bzero(data, sizeof data);
    return n;
}

static void give_up(struct ax_osdp_cp *cp, int at, uint32_t attack, uint8_t code)
{
    if (attack)
        ax_osdp_cp_attack(cp, at, attack, code);
    ax_osdp_cp_restart(cp, at, attack ? AX_OSDP_WHY_ATTACK : AX_OSDP_WHY_HANDSHAKE, CP_REFUSED_NS);
}

/* The device does not want a secure channel: told once while this lasts. */
static void no_security(struct ax_osdp_cp *cp, int at, uint8_t code)
{
    struct cp_reader *r = cp->readers[at];
    if (!r->security_told)
        ax_osdp_cp_attack(cp, at, AX_OSDP_ATTACK_DOWNGRADE, code);
    r->security_told = true;
}

static bool seen(struct cp_reader *r, const uint8_t rnd_b[8])
{
    for (int i = 0; i < CP_NONCES; i++)
        if (memcmp(r->rnd_b[i], rnd_b, 8) == 0)
            return true;
    if (memcmp(r->rnd_a, rnd_b, 8) == 0)
        return true; /* our own, reflected */
    memcpy(r->rnd_b[r->nonces], rnd_b, 8);
    r->nonces = (uint8_t)((r->nonces + 1) % CP_NONCES);
    return false;
}

static void on_ccrypt(struct ax_osdp_cp *cp, int at, const struct ax_osdp_frame *f)
{
    struct cp_reader *r = cp->readers[at];
    uint8_t client[16];
    if (f->code != AX_OSDP_CCRYPT || f->head.scb_type != AX_OSDP_SCS_12 || f->size != 32) {
        no_security(cp, at, f->code);
        give_up(cp, at, 0, f->code);
        return;
    }
    if ((f->head.scb_data != 0) == r->default_key) {
        give_up(cp, at, AX_OSDP_ATTACK_KEY_SWAP, f->code);
        return;
    }
    if (seen(r, f->data + 8)) {
        give_up(cp, at, AX_OSDP_ATTACK_NONCE, f->code);
        return;
    }
    ax_osdp_sc_keys(&r->sc, r->default_key ? ax_osdp_scbk_d : r->config.key, r->rnd_a);
    ax_osdp_sc_client(&r->sc, r->rnd_a, f->data + 8, client);
    if (!ax_osdp_equal(client, f->data + 16, 16)) {
        give_up(cp, at, AX_OSDP_ATTACK_CRYPTOGRAM, f->code);
        return;
    }
    ax_osdp_sc_server(&r->sc, r->rnd_a, f->data + 8, r->server);
    r->stage = STAGE_SCRYPT;
    r->due_ns = cp->now;
}

static void on_rmac(struct ax_osdp_cp *cp, int at, const struct ax_osdp_frame *f)
{
    struct cp_reader *r = cp->readers[at];
    uint8_t r_mac[16];
    ax_osdp_sc_start(&r->sc, r->server, r_mac);
    if (f->code != AX_OSDP_RMAC_I || f->head.scb_type != AX_OSDP_SCS_14 || f->size != 16 || f->head.scb_data != 1 ||
        !ax_osdp_equal(r_mac, f->data, 16)) {
        give_up(cp, at, AX_OSDP_ATTACK_RMAC, f->code);
        return;
    }
    r->session = true;
    r->stats.handshakes++;
    r->stage = r->default_key ? STAGE_KEYSET : STAGE_ID;
    r->due_ns = cp->now;
    if (r->default_key)
        ax_osdp_cp_set_link(cp, at, AX_OSDP_INSTALL, AX_OSDP_WHY_NONE);
}

static void on_keyset(struct ax_osdp_cp *cp, int at, uint8_t code, uint8_t reason)
{
    struct cp_reader *r = cp->readers[at];
    const uint32_t token = r->key_token;
    const bool install = r->default_key;
    r->key_waits = false;
    r->key_token = 0;
    r->refusals = 0;
    if (code == AX_OSDP_ACK) {
        memcpy(r->config.key, r->new_key, 16);
        r->config.has_key = r->config.secure = true;
        ax_osdp_cp_tell(cp, at, AX_OSDP_EV_KEY, 0, 0, 0, token);
        if (token)
            ax_osdp_cp_tell(cp, at, AX_OSDP_EV_DONE, AX_OSDP_KEYSET, 0, 0, token);
    } else if (token) {
        ax_osdp_cp_tell(cp, at, AX_OSDP_EV_FAILED, AX_OSDP_KEYSET, AX_OSDP_WHY_NAK, reason, token);
    }
    explicit_bzero(r->new_key, sizeof r->new_key);
    if (install && r->install_until_ns) {
        r->install_until_ns = 0;
        ax_osdp_cp_tell(cp, at, AX_OSDP_EV_INSTALL, 0, 0, code == AX_OSDP_ACK, 0);
    }
    if (code == AX_OSDP_ACK || install)
        ax_osdp_cp_restart(cp, at, AX_OSDP_WHY_REKEY, 0);
    else
        r->stage = STAGE_RUN;
}

/* Function codes 9 (security: bit 0 of the first byte is AES-128) and 10 (size of the receive buffer). */
static void on_capabilities(struct ax_osdp_cp *cp, int at, const uint8_t *data, size_t size)
{
    struct cp_reader *r = cp->readers[at];
    for (size_t i = 0; i + 3 <= size; i += 3) {
        const uint32_t value = data[i + 1] | (uint32_t)data[i + 2] << 8;
        if (data[i] == 9 && !(data[i + 1] & 1) && r->config.secure)
            no_security(cp, at, AX_OSDP_PDCAP);
        if (data[i] == 10)
            r->peer_rx = (uint16_t)(value < AX_OSDP_MIN_RX ? AX_OSDP_MIN_RX : value > AX_OSDP_MAX_FRAME ? AX_OSDP_MAX_FRAME : value);
    }
}

void ax_osdp_cp_setup_reply(struct ax_osdp_cp *cp, int at, const struct ax_osdp_frame *f, const uint8_t *data, size_t size)
{
    struct cp_reader *r = cp->readers[at];
    r->due_ns = cp->now;
    if (f->code == AX_OSDP_NAK && size && *data == AX_OSDP_NAK_SEQUENCE && !r->session) {
        ax_osdp_cp_restart(cp, at, AX_OSDP_WHY_RESTART, 0);
        return;
    }
    switch (r->stage) {
    case STAGE_CHALLENGE:
        on_ccrypt(cp, at, f);
        return;
    case STAGE_SCRYPT:
        on_rmac(cp, at, f);
        return;
    case STAGE_KEYSET:
        on_keyset(cp, at, f->code, size ? *data : 0);
        return;
    case STAGE_ID:
        if (f->code == AX_OSDP_PDID)
            ax_osdp_cp_tell_data(cp, at, AX_OSDP_EV_REPLY, f->code, 0, data, size);
        r->stage = STAGE_CAP;
        return;
    case STAGE_CAP:
        if (f->code == AX_OSDP_PDCAP) {
            on_capabilities(cp, at, data, size);
            ax_osdp_cp_tell_data(cp, at, AX_OSDP_EV_REPLY, f->code, 0, data, size);
        }
        r->stage = r->config.address == AX_OSDP_CONFIG ? STAGE_RUN : STAGE_RXSIZE;
        break;
    default:
        r->stage = STAGE_RUN;
    }
    if (r->stage == STAGE_RUN)
        ax_osdp_cp_set_link(cp, at, r->session ? AX_OSDP_SECURE : AX_OSDP_CLEAR, AX_OSDP_WHY_NONE);
}
