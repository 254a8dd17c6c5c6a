/* A bounded lock-free queue of fixed-size items between one producer thread and one consumer thread.
 *
 * Several producers may share it when they hold a common lock: the consumer takes no part in that. Each side remembers
 * what it last saw of the other, so that the common case touches no foreign cache line (the scheme of Lamport's queue
 * with the cached indices of FastForward and of folly's ProducerConsumerQueue).
 * Allocation: only in init. Indices count up and wrap with size_t. */
#ifndef AX_RING_H
#define AX_RING_H

#include "ax/err.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define AX_CACHE_LINE 64

struct ax_ring {
    atomic_size_t head; /**< Items ever written; stored by the producer. */
    size_t tail_seen;   /**< The producer's last look at `tail`. */
    char pad0[AX_CACHE_LINE];
    atomic_size_t tail; /**< Items ever read; stored by the consumer. */
    size_t head_seen;   /**< The consumer's last look at `head`. */
    char pad1[AX_CACHE_LINE];
    unsigned char *data;
    size_t item; /**< Bytes of one item. */
    size_t mask; /**< Capacity less one. */
};

/** `capacity` is a power of two. */
static inline int ax_ring_init(struct ax_ring *ring, size_t item, size_t capacity)
{
    if (item == 0 || capacity == 0 || (capacity & (capacity - 1)) != 0 || capacity > SIZE_MAX / item)
        return AX_E_RANGE;
    memset(ring, 0, sizeof *ring);
    ring->data = malloc(item * capacity);
    if (ring->data == NULL)
        return AX_E_NOMEM;
    ring->item = item;
    ring->mask = capacity - 1;
    return AX_OK;
}

static inline void ax_ring_free(struct ax_ring *ring)
{
    free(ring->data);
    ring->data = NULL;
}

/** Items that fit in; exact or too small when asked by the producer. */
static inline size_t ax_ring_room(struct ax_ring *ring)
{
    size_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
    ring->tail_seen = atomic_load_explicit(&ring->tail, memory_order_acquire);
    return ring->mask + 1 - (head - ring->tail_seen);
}

/** Items that wait; exact or too small when asked by the consumer, a snapshot from elsewhere. */
static inline size_t ax_ring_count(const struct ax_ring *ring)
{
    size_t tail = atomic_load_explicit(&ring->tail, memory_order_acquire);
    return atomic_load_explicit(&ring->head, memory_order_acquire) - tail;
}

/** Producer: false when full. */
static inline bool ax_ring_push(struct ax_ring *ring, const void *item)
{
    size_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
    if (head - ring->tail_seen > ring->mask && ax_ring_room(ring) == 0)
        return false;
    memcpy(ring->data + (head & ring->mask) * ring->item, item, ring->item);
    atomic_store_explicit(&ring->head, head + 1, memory_order_release);
    return true;
}

/** Consumer: the oldest item, or NULL. It stays valid until ax_ring_drop(). */
static inline const void *ax_ring_peek(struct ax_ring *ring)
{
    size_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
    if (tail == ring->head_seen) {
        ring->head_seen = atomic_load_explicit(&ring->head, memory_order_acquire);
        if (tail == ring->head_seen)
            return NULL;
    }
    return ring->data + (tail & ring->mask) * ring->item;
}

/** Consumer: give the item of ax_ring_peek() back. */
static inline void ax_ring_drop(struct ax_ring *ring)
{
    size_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
    atomic_store_explicit(&ring->tail, tail + 1, memory_order_release);
}

/** Consumer: false when empty. */
static inline bool ax_ring_pop(struct ax_ring *ring, void *item)
{
    const void *oldest = ax_ring_peek(ring);
    if (oldest == NULL)
        return false;
    memcpy(item, oldest, ring->item);
    ax_ring_drop(ring);
    return true;
}

#endif
