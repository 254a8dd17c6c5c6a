/* The device end of an OSDP line: handshake, keys, the install window, and time (SIA OSDP 2.2, annex D; ax/osdp_sc.h).
 * The published key opens a session only inside the install window, and that session carries nothing but a KEYSET.
 * Units: ns, bytes. Threads: one per object. Allocation: none. */
#include "ax/err.h"
#include "ax_osdp_pd_internal.h"

/* Handshake replies carry a security block of their own and are in clear. */
static void answer_handshake(struct ax_osdp_pd *pd, uint8_t type, uint8_t block, uint8_t code, const uint8_t *data, size_t size)
{
    struct ax_osdp_head head = pd->head;
    head.address |= AX_OSDP_REPLY;
    head.scb_type = type;
    head.scb_data = block;
    pd->reply_size = (uint16_t)ax_osdp_build(pd->reply, sizeof pd->reply, &head, code, data, size);
    pd->replied = pd->send = true;
}

static void refuse(struct ax_osdp_pd *pd, uint32_t attack, uint8_t code, uint8_t nak)
{
    if (attack)
        ax_osdp_pd_attack(pd, attack, code);
    ax_osdp_pd_refuse(pd, nak);
}

/* Is this the nonce of one of the last handshakes? If not, remember it. */
static bool seen(struct ax_osdp_pd *pd, const uint8_t rnd_a[8])
{
    for (int i = 0; i < PD_NONCES; i++)
        if (memcmp(pd->rnd_a[i], rnd_a, 8) == 0)
            return true;
    memcpy(pd->rnd_a[pd->nonces], rnd_a, 8);
    pd->nonces = (uint8_t)((pd->nonces + 1) % PD_NONCES);
    return false;
}

void ax_osdp_pd_challenge(struct ax_osdp_pd *pd, const struct ax_osdp_frame *f)
{
    static const uint8_t zero[8];
    uint8_t reply[32];
    if (pd->session)
        ax_osdp_pd_set_link(pd, pd->config.secure ? AX_OSDP_OFFLINE : AX_OSDP_CLEAR, AX_OSDP_WHY_RESTART);
    ax_osdp_pd_end_session(pd);
    if (f->code != AX_OSDP_CHLNG || f->size != 8) {
        refuse(pd, 0, f->code, AX_OSDP_NAK_LENGTH);
        return;
    }
    const bool own = f->head.scb_data != 0;
    if (!own && pd->now >= pd->install_until_ns) {
        refuse(pd, AX_OSDP_ATTACK_DEFAULT_KEY, f->code, AX_OSDP_NAK_SECURITY);
        return;
    }
    if (own && !pd->config.has_key) {
        refuse(pd, 0, f->code, AX_OSDP_NAK_SECURITY);
        return;
    }
    if (memcmp(f->data, zero, 8) == 0 || seen(pd, f->data)) {
        refuse(pd, AX_OSDP_ATTACK_NONCE, f->code, AX_OSDP_NAK_ENCRYPT);
        return;
    }
    if (pd->config.random(pd->config.random_context, pd->rnd_b, 8) != 0) {
        refuse(pd, 0, f->code, AX_OSDP_NAK_SECURITY);
        return;
    }
    const uint8_t *rnd_a = pd->rnd_a[(pd->nonces + PD_NONCES - 1) % PD_NONCES];
    ax_osdp_sc_keys(&pd->sc, own ? pd->config.key : ax_osdp_scbk_d, rnd_a);
    pd->challenged = true;
    pd->key_choice = f->head.scb_data;
    memcpy(reply, pd->config.cuid, 8);
    memcpy(reply + 8, pd->rnd_b, 8);
    ax_osdp_sc_client(&pd->sc, rnd_a, pd->rnd_b, reply + 16);
    answer_handshake(pd, AX_OSDP_SCS_12, f->head.scb_data, AX_OSDP_CCRYPT, reply, sizeof reply);
}

void ax_osdp_pd_scrypt(struct ax_osdp_pd *pd, const struct ax_osdp_frame *f)
{
    uint8_t server[16], r_mac[16] = {0};
    const bool form = f->code == AX_OSDP_SCRYPT && f->size == 16 && f->head.scb_data == pd->key_choice;
    if (!pd->challenged || !form) {
        refuse(pd, 0, f->code, form ? AX_OSDP_NAK_ENCRYPT : AX_OSDP_NAK_SECURITY);
        ax_osdp_pd_end_session(pd);
        return;
    }
    ax_osdp_sc_server(&pd->sc, pd->rnd_a[(pd->nonces + PD_NONCES - 1) % PD_NONCES], pd->rnd_b, server);
    if (!ax_osdp_equal(server, f->data, 16)) {
        ax_osdp_pd_attack(pd, AX_OSDP_ATTACK_CRYPTOGRAM, f->code);
        ax_osdp_pd_end_session(pd);
        answer_handshake(pd, AX_OSDP_SCS_14, 0xFF, AX_OSDP_RMAC_I, r_mac, 16);
        return;
    }
    ax_osdp_sc_start(&pd->sc, server, r_mac);
    answer_handshake(pd, AX_OSDP_SCS_14, 0x01, AX_OSDP_RMAC_I, r_mac, 16);
    pd->challenged = false;
    pd->session = true;
    pd->default_key = pd->key_choice == 0;
    ax_osdp_pd_set_link(pd, pd->default_key ? AX_OSDP_INSTALL : AX_OSDP_SECURE, AX_OSDP_WHY_NONE);
}

int ax_osdp_pd_set_key(struct ax_osdp_pd *pd, uint64_t t_ns, const uint8_t key[16])
{
    if (!pd || !key)
        return AX_E_ARG;
    if (ax_osdp_key_weak(key))
        return AX_E_RANGE;
    pd->now = t_ns > pd->now ? t_ns : pd->now;
    ax_osdp_pd_end_session(pd);
    memcpy(pd->config.key, key, 16);
    pd->config.has_key = pd->config.secure = true;
    ax_osdp_pd_tell(pd, AX_OSDP_EV_KEY, 0, 0, 0, key, 16);
    ax_osdp_pd_set_link(pd, AX_OSDP_OFFLINE, AX_OSDP_WHY_REKEY);
    return AX_OK;
}

int ax_osdp_pd_install(struct ax_osdp_pd *pd, uint64_t t_ns, uint64_t duration_ns)
{
    if (!pd)
        return AX_E_ARG;
    if (duration_ns > AX_OSDP_INSTALL_MAX_NS)
        return AX_E_RANGE;
    pd->now = t_ns > pd->now ? t_ns : pd->now;
    const bool open = pd->install_until_ns != 0;
    pd->install_until_ns = duration_ns ? pd->now + duration_ns : 0;
    if (open != (duration_ns != 0))
        ax_osdp_pd_tell(pd, AX_OSDP_EV_INSTALL, 0, duration_ns != 0, 0, NULL, 0);
    return AX_OK;
}

/* What time alone changes. */
static void pass_time(struct ax_osdp_pd *pd)
{
    if (pd->install_until_ns && pd->now >= pd->install_until_ns) {
        pd->install_until_ns = 0;
        ax_osdp_pd_tell(pd, AX_OSDP_EV_INSTALL, 0, 0, 0, NULL, 0);
        if (pd->default_key) {
            ax_osdp_pd_end_session(pd);
            ax_osdp_pd_set_link(pd, AX_OSDP_OFFLINE, AX_OSDP_WHY_HANDSHAKE);
        }
    }
    if (pd->link != AX_OSDP_OFFLINE && pd->now - pd->heard_ns >= pd->config.offline_ns) {
        ax_osdp_pd_end_session(pd);
        ax_osdp_pd_set_link(pd, AX_OSDP_OFFLINE, AX_OSDP_WHY_SILENCE);
    }
}

static int busy(struct ax_osdp_pd *pd, uint8_t *out, size_t cap)
{
    const struct ax_osdp_head head = {
        .address = pd->head.address | AX_OSDP_REPLY, .control = pd->head.control & AX_OSDP_CRC,
    };
    pd->busy_ns = 0;
    pd->stats.busy++;
    return ax_osdp_build(out, cap, &head, AX_OSDP_BUSY, NULL, 0);
}

int ax_osdp_pd_advance(struct ax_osdp_pd *pd, uint64_t t_ns, uint8_t *out, size_t cap)
{
    if (!pd || !out)
        return AX_E_ARG;
    if (cap < AX_OSDP_MAX_FRAME)
        return AX_E_FULL;
    pd->now = t_ns > pd->now ? t_ns : pd->now;
    pass_time(pd);
    if (pd->send_refusal) {
        const int n = pd->refusal_size;
        memcpy(out, pd->refusal, (size_t)n);
        pd->send_refusal = pd->send = false;
        return n;
    }
    if (pd->send) {
        const int n = pd->reply_size;
        memcpy(out, pd->reply, (size_t)n);
        pd->send = false;
        if (pd->next_address != 0xFF) {
            pd->address = pd->next_address;
            pd->next_address = 0xFF;
        }
        return n;
    }
    return pd->busy_ns && pd->now >= pd->busy_ns ? busy(pd, out, cap) : 0;
}

uint64_t ax_osdp_pd_deadline(const struct ax_osdp_pd *pd)
{
    uint64_t next = UINT64_MAX;
    if (pd->send || pd->send_refusal)
        return 0;
    if (pd->busy_ns)
        next = pd->busy_ns;
    if (pd->install_until_ns && pd->install_until_ns < next)
        next = pd->install_until_ns;
    if (pd->link != AX_OSDP_OFFLINE && pd->heard_ns + pd->config.offline_ns < next)
        next = pd->heard_ns + pd->config.offline_ns;
    return next;
}

int ax_osdp_pd_link(const struct ax_osdp_pd *pd)
{
    return pd->link;
}

uint8_t ax_osdp_pd_address(const struct ax_osdp_pd *pd)
{
    return pd->address;
}

void ax_osdp_pd_get_stats(const struct ax_osdp_pd *pd, struct ax_osdp_pd_stats *stats)
{
    *stats = pd->stats;
}
