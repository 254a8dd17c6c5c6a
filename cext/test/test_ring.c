/* The ring: order, bounds, wrap-around, and two threads that agree on every item. */
#include "ax/ring.h"
#include "ax_test.h"

#include <pthread.h>
#include <sched.h>
#include <stdint.h>

#define ITEMS 200000

struct item { uint64_t number, check; };

static void test_bounds(void)
{
    struct ax_ring ring;
    CHECK_EQ(ax_ring_init(&ring, 0, 4), AX_E_RANGE);
    CHECK_EQ(ax_ring_init(&ring, 4, 0), AX_E_RANGE);
    CHECK_EQ(ax_ring_init(&ring, 4, 3), AX_E_RANGE);
    CHECK_EQ(ax_ring_init(&ring, 2, SIZE_MAX / 2 + 1), AX_E_RANGE); /* more bytes than there are */
    CHECK_EQ(ax_ring_init(&ring, sizeof(int), 4), AX_OK);
    int value = -1;
    CHECK(!ax_ring_pop(&ring, &value));
    for (int round = 0; round < 10; round++) {
        for (int i = 0; i < 4; i++) {
            CHECK_EQ(ax_ring_room(&ring), 4 - i);
            CHECK(ax_ring_push(&ring, &i));
        }
        CHECK(!ax_ring_push(&ring, &round));
        CHECK_EQ(ax_ring_count(&ring), 4);
        for (int i = 0; i < 4; i++) {
            CHECK(ax_ring_pop(&ring, &value));
            CHECK_EQ(value, i);
        }
        CHECK(ax_ring_peek(&ring) == NULL);
        CHECK(ax_ring_push(&ring, &round)); /* so that the next round starts elsewhere */
        CHECK_EQ(*(const int *)ax_ring_peek(&ring), round);
        ax_ring_drop(&ring);
    }
    ax_ring_free(&ring);
}

static void *produce(void *context)
{
    struct ax_ring *ring = context;
    for (uint64_t i = 0; i < ITEMS; i++) {
        struct item item = {i, ~i};
        while (!ax_ring_push(ring, &item))
            sched_yield();
    }
    return NULL;
}

static void test_threads(void)
{
    struct ax_ring ring;
    pthread_t producer;
    CHECK_EQ(ax_ring_init(&ring, sizeof(struct item), 64), AX_OK);
    CHECK_EQ(pthread_create(&producer, NULL, produce, &ring), 0);
    uint64_t wrong = 0;
    for (uint64_t i = 0; i < ITEMS;) {
        struct item item;
        if (!ax_ring_pop(&ring, &item)) {
            sched_yield();
            continue;
        }
        wrong += item.number != i || item.check != ~i;
        i++;
    }
    pthread_join(producer, NULL);
    CHECK_EQ(wrong, 0);
    CHECK_EQ(ax_ring_count(&ring), 0);
    ax_ring_free(&ring);
}

int main(void)
{
    test_bounds();
    test_threads();
    return ax_test_done();
}
