/* The controller end of an OSDP line: commands of the application, keys, the install window, and file transfer (SIA OSDP
 * 2.2, 6.26 and 7.25). A message: type, size u32, offset u32, part u16, data. FTSTAT: action (bit 0: other messages may come
 * between, bit 1 not used here), delay u16 in ms, status s16, longest message u16.
 * Units: ns, bytes. Threads: one per object. Allocation: none. */
#include "ax/err.h"
#include "ax_osdp_cp_internal.h"

#define FILE_HEAD 11

static struct cp_reader *get(const struct ax_osdp_cp *cp, int at)
{
    return cp && at >= 0 && at < AX_OSDP_READERS ? cp->readers[at] : NULL;
}

static void wake(struct ax_osdp_cp *cp, int at)
{
    struct cp_reader *r = cp->readers[at];
    if (at != cp->active && r->stage == STAGE_RUN && !r->again)
        r->due_ns = cp->now;
}

int ax_osdp_cp_command(struct ax_osdp_cp *cp, int at, uint8_t code, const uint8_t *data, size_t size, uint32_t token)
{
    static const uint8_t own[] = {AX_OSDP_POLL, AX_OSDP_KEYSET, AX_OSDP_CHLNG, AX_OSDP_SCRYPT, AX_OSDP_FILETRANSFER};
    struct cp_reader *r = get(cp, at);
    uint16_t least, most;
    if (!r || (size && !data) || !ax_osdp_command_size(code, &least, &most) || memchr(own, code, sizeof own))
        return AX_E_ARG;
    if (r->config.address == AX_OSDP_CONFIG && code != AX_OSDP_ID && code != AX_OSDP_CAP && code != AX_OSDP_COMSET)
        return AX_E_ARG;
    const bool parts = code == AX_OSDP_GENAUTH || code == AX_OSDP_CRAUTH;
    if (parts ? size < 1 || size > CP_COMMANDS / 2 : size < least || size > most || size > 1407)
        return AX_E_RANGE;
    const struct cp_command c = {.token = token, .size = (uint16_t)size, .code = code};
    if (!ax_osdp_queue_push(&r->commands, &c, sizeof c, data, (uint32_t)size))
        return AX_E_FULL;
    wake(cp, at);
    return AX_OK;
}

int ax_osdp_cp_keyset(struct ax_osdp_cp *cp, int at, const uint8_t key[16], uint32_t token)
{
    struct cp_reader *r = get(cp, at);
    if (!r || !key || !token)
        return AX_E_ARG;
    if (ax_osdp_key_weak(key))
        return AX_E_RANGE;
    if (r->key_waits || !r->config.has_key)
        return AX_E_STATE;
    memcpy(r->new_key, key, 16);
    r->key_waits = true;
    r->key_token = token;
    wake(cp, at);
    return AX_OK;
}

int ax_osdp_cp_install(struct ax_osdp_cp *cp, int at, uint64_t t_ns, uint64_t duration_ns, const uint8_t key[16])
{
    struct cp_reader *r = get(cp, at);
    if (!r || (duration_ns && !key) || r->config.address == AX_OSDP_CONFIG)
        return AX_E_ARG;
    if (duration_ns > 600000 * MS || (duration_ns && ax_osdp_key_weak(key)))
        return AX_E_RANGE;
    if (r->key_token)
        return AX_E_STATE;
    cp->now = t_ns > cp->now ? t_ns : cp->now;
    const bool open = r->install_until_ns != 0;
    r->install_until_ns = duration_ns ? cp->now + duration_ns : 0;
    r->key_waits = duration_ns != 0;
    if (duration_ns)
        memcpy(r->new_key, key, 16);
    if (open != (duration_ns != 0))
        ax_osdp_cp_tell(cp, at, AX_OSDP_EV_INSTALL, 0, duration_ns != 0, 0, 0);
    if (cp->active == at)
        cp->active = -1;
    r->refusals = 0;
    ax_osdp_cp_restart(cp, at, AX_OSDP_WHY_REKEY, 0);
    return AX_OK;
}

int ax_osdp_cp_set_key(struct ax_osdp_cp *cp, int at, const uint8_t key[16])
{
    struct cp_reader *r = get(cp, at);
    if (!r || !key || r->config.address == AX_OSDP_CONFIG)
        return AX_E_ARG;
    if (ax_osdp_key_weak(key))
        return AX_E_RANGE;
    memcpy(r->config.key, key, 16);
    r->config.has_key = r->config.secure = true;
    if (cp->active == at)
        cp->active = -1;
    r->refusals = 0;
    ax_osdp_cp_restart(cp, at, AX_OSDP_WHY_REKEY, 0);
    return AX_OK;
}

int ax_osdp_cp_file(struct ax_osdp_cp *cp, int at, uint8_t type, const uint8_t *data, uint32_t size, uint32_t offset,
                    uint32_t token)
{
    struct cp_reader *r = get(cp, at);
    if (!r || !data || !size || r->config.address == AX_OSDP_CONFIG)
        return AX_E_ARG;
    if (offset > size)
        return AX_E_RANGE;
    if (r->file.active)
        return AX_E_STATE;
    r->file = (struct cp_file){.data = data, .size = size, .offset = offset, .type = type, .token = token, .active = true};
    wake(cp, at);
    return AX_OK;
}

int ax_osdp_cp_file_stop(struct ax_osdp_cp *cp, int at)
{
    struct cp_reader *r = get(cp, at);
    if (!r)
        return AX_E_ARG;
    if (!r->file.active)
        return AX_E_STATE;
    r->file.stop = true;
    r->file.due_ns = cp->now;
    if (r->link == AX_OSDP_OFFLINE) {
        r->file.active = false;
        ax_osdp_cp_tell(cp, at, AX_OSDP_EV_FAILED, AX_OSDP_FILETRANSFER, AX_OSDP_WHY_ABORT, r->file.offset, r->file.token);
    }
    wake(cp, at);
    return AX_OK;
}

static void put32(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(v >> 8 * i);
}

size_t ax_osdp_cp_file_message(struct cp_reader *r, uint8_t *out)
{
    struct cp_file *file = &r->file;
    size_t room = ax_osdp_cp_most_data(r, r->peer_rx) - FILE_HEAD;
    if (file->room > FILE_HEAD && file->room - FILE_HEAD < (int)room)
        room = (size_t)file->room - FILE_HEAD;
    const uint32_t left = file->size - file->offset;
    file->part = file->finishing ? 0 : left < room ? left : (uint32_t)room;
    out[0] = file->type;
    put32(out + 1, file->size);
    put32(out + 5, file->offset);
    out[9] = (uint8_t)file->part;
    out[10] = (uint8_t)(file->part >> 8);
    memcpy(out + FILE_HEAD, file->data + file->offset, file->part);
    return FILE_HEAD + file->part;
}

static void end(struct ax_osdp_cp *cp, int at, uint8_t kind, uint32_t why, uint32_t detail)
{
    struct cp_file *file = &cp->readers[at]->file;
    file->active = false;
    file->data = NULL;
    ax_osdp_cp_tell(cp, at, kind, AX_OSDP_FILETRANSFER, why, detail, file->token);
}

void ax_osdp_cp_file_reply(struct ax_osdp_cp *cp, int at, uint8_t code, const uint8_t *data, size_t size)
{
    struct cp_file *file = &cp->readers[at]->file;
    if (file->stop) {
        end(cp, at, AX_OSDP_EV_FAILED, AX_OSDP_WHY_ABORT, file->offset);
        return;
    }
    if (code == AX_OSDP_NAK || (code == AX_OSDP_FTSTAT && size < 7)) {
        end(cp, at, AX_OSDP_EV_FAILED, AX_OSDP_WHY_NAK, size ? data[0] : 0);
        return;
    }
    int status = 0;
    if (code == AX_OSDP_FTSTAT) {
        status = (int16_t)(data[3] | data[4] << 8);
        file->exclusive = !(data[0] & 1);
        file->due_ns = cp->now + (data[1] | (uint64_t)data[2] << 8) * MS;
        file->room = (uint16_t)(data[5] | data[6] << 8) ? (uint16_t)(data[5] | data[6] << 8) : file->room;
    }
    if (status < 0) {
        end(cp, at, AX_OSDP_EV_FAILED, AX_OSDP_WHY_ABORT, (uint16_t)status);
        return;
    }
    file->offset += file->part;
    if (file->part)
        ax_osdp_cp_tell(cp, at, AX_OSDP_EV_FILE, 0, file->offset, file->size, file->token);
    file->part = 0;
    file->finishing = status == 3;
    if (status == 1 || status == 2 || (file->offset == file->size && !file->finishing))
        end(cp, at, AX_OSDP_EV_DONE, file->offset, file->size);
}

int ax_osdp_cp_event(struct ax_osdp_cp *cp, struct ax_osdp_event *event, uint8_t *data, size_t cap)
{
    if (!cp || !event)
        return AX_E_ARG;
    if (!cp->events.used) {
        if (!cp->lost)
            return 0;
        *event = (struct ax_osdp_event){.t_ns = cp->now, .kind = AX_OSDP_EV_LOST, .a = cp->lost};
        cp->lost = 0;
        return 1;
    }
    ax_osdp_queue_peek(&cp->events, 0, event, sizeof *event);
    if (event->size > cap || (event->size && !data))
        return AX_E_FULL;
    ax_osdp_queue_peek(&cp->events, sizeof *event, data, event->size);
    ax_osdp_queue_drop(&cp->events, (uint32_t)(sizeof *event + event->size));
    return 1;
}

int ax_osdp_cp_link(const struct ax_osdp_cp *cp, int at)
{
    const struct cp_reader *r = get(cp, at);
    return r ? r->link : AX_E_ARG;
}

int ax_osdp_cp_get_stats(const struct ax_osdp_cp *cp, int at, struct ax_osdp_reader_stats *stats)
{
    const struct cp_reader *r = get(cp, at);
    if (!r || !stats)
        return AX_E_ARG;
    *stats = r->stats;
    return AX_OK;
}

int ax_osdp_cp_set_baud(struct ax_osdp_cp *cp, uint32_t baud)
{
    if (!cp)
        return AX_E_ARG;
    cp->config.baud = baud;
    return AX_OK;
}
