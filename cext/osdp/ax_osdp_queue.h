/* A bounded queue of records in a ring of bytes: events, commands, replies that wait. Inside cext/osdp only.
 * A record is a head of fixed size and data. Threads: one. Allocation: none, the memory is given. */
#ifndef AX_OSDP_QUEUE_H
#define AX_OSDP_QUEUE_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct ax_osdp_queue {
    uint8_t *bytes;
    uint32_t room; /* Size of `bytes`. */
    uint32_t at;   /* Oldest byte. */
    uint32_t used;
};

static inline void ax_osdp_queue_put(struct ax_osdp_queue *q, const void *from, uint32_t n)
{
    uint32_t end = q->at + q->used;
    end -= end >= q->room ? q->room : 0;
    const uint32_t first = n < q->room - end ? n : q->room - end;
    if (first)
        memcpy(q->bytes + end, from, first);
    if (n > first)
        memcpy(q->bytes, (const uint8_t *)from + first, n - first);
    q->used += n;
}

static inline void ax_osdp_queue_peek(const struct ax_osdp_queue *q, uint32_t skip, void *to, uint32_t n)
{
    uint32_t at = q->at + skip;
    at -= at >= q->room ? q->room : 0;
    const uint32_t first = n < q->room - at ? n : q->room - at;
    if (first)
        memcpy(to, q->bytes + at, first);
    if (n > first)
        memcpy((uint8_t *)to + first, q->bytes, n - first);
}

static inline void ax_osdp_queue_drop(struct ax_osdp_queue *q, uint32_t n)
{
    q->at += n;
    q->at -= q->at >= q->room ? q->room : 0;
    q->used -= n;
    if (!q->used)
        q->at = 0;
}

/** Add a record; false when there is no room. */
static inline bool ax_osdp_queue_push(struct ax_osdp_queue *q, const void *head, uint32_t head_size, const void *data, uint32_t size)
{
    if (q->room - q->used < head_size + size)
        return false;
    ax_osdp_queue_put(q, head, head_size);
    ax_osdp_queue_put(q, data, size);
    return true;
}

#endif
