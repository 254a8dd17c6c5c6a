/* What all sound cards share, and the simulated one; see ax/card.h. The simulated card wakes every 10 ms of absolute time;
 * one that is more than 100 ms late has run dry: it counts that and begins anew.
 * Units, threads: as there. Allocation: in open. */
#define _GNU_SOURCE /* clock_nanosleep */
#include "ax/card.h"

#include "ax/capture.h"
#include "ax/err.h"
#include "ax/io_thread.h" /* ax_monotonic_ns */
#include "ax/ring.h"
#include "ax_card_internal.h"

#include <errno.h>
#include <time.h>

enum { MOST_FRAME = 480 };

#define TICK_NS UINT64_C(10000000)
#define SECOND_NS UINT64_C(1000000000)
#define DRY_NS (10 * TICK_NS)

int ax_card_read(struct ax_card *c, int16_t *mic)
{
    return c && mic ? c->read(c, mic) : AX_E_ARG;
}

int ax_card_write(struct ax_card *c, const int16_t *speaker)
{
    return c && speaker ? c->write(c, speaker) : AX_E_ARG;
}

void ax_card_close(struct ax_card *c)
{
    if (c)
        c->close(c);
}

int ax_card_fd(const struct ax_card *c)
{
    return c ? c->fd : -1;
}

int ax_card_talk(struct ax_card *c, const int16_t *frame)
{
    if (!c || !frame)
        return AX_E_ARG;
    return c->talk ? c->talk(c, frame) : AX_E_STATE;
}

/* --- in a room -------------------------------------------------------------------------------------------------------- */

struct room_card {
    struct ax_card card;
    struct ax_room *room;
    struct ax_capture *capture;
    struct ax_ring talk;
    uint64_t due_ns; /* Of the next frame; 0: not begun. */
    int16_t next[MOST_FRAME]; /* What the microphone hears while the loudspeaker plays the latest frame. */
};

static int room_read(struct ax_card *c, int16_t *mic)
{
    struct room_card *r = (struct room_card *)c;
    const uint64_t now_ns = ax_monotonic_ns();
    int ran_dry = 0;
    r->due_ns = r->due_ns == 0 ? now_ns : r->due_ns + TICK_NS;
    if (now_ns > r->due_ns + DRY_NS) {
        r->due_ns = now_ns;
        ran_dry = 1;
    }
    const struct timespec due = {(time_t)(r->due_ns / SECOND_NS), (long)(r->due_ns % SECOND_NS)};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL) == EINTR)
        continue;
    memcpy(mic, r->next, c->frame * sizeof *mic);
    return ran_dry;
}

static int room_write(struct ax_card *c, const int16_t *speaker)
{
    struct room_card *r = (struct room_card *)c;
    const int16_t *talker = ax_ring_peek(&r->talk);
    (void)ax_room_step(r->room, speaker, talker, r->next);
    if (talker)
        ax_ring_drop(&r->talk);
    ax_capture_put(r->capture, r->due_ns, ax_monotonic_ns(), speaker);
    return 0;
}

static int room_talk(struct ax_card *c, const int16_t *frame)
{
    return ax_ring_push(&((struct room_card *)c)->talk, frame) ? AX_OK : AX_E_FULL;
}

static void room_close(struct ax_card *c)
{
    struct room_card *r = (struct room_card *)c;
    ax_capture_free(r->capture);
    ax_ring_free(&r->talk);
    free(r);
}

int ax_card_open_room(struct ax_card **out, struct ax_room *room, uint32_t rate, uint32_t records)
{
    if (!out || !room)
        return AX_E_ARG;
    *out = NULL;
    if (rate != ax_room_frame(room) * 100)
        return AX_E_RANGE;
    struct room_card *r = calloc(1, sizeof *r);
    if (!r)
        return AX_E_NOMEM;
    r->card = (struct ax_card){room_read, room_write, room_close, room_talk, -1, rate, rate / 100};
    r->room = room;
    const uint32_t size = r->card.frame * (uint32_t)sizeof(int16_t);
    int rc = ax_capture_new(&r->capture, AX_CAPTURE_SOUND, rate, r->card.frame, size, records);
    if (rc == AX_OK)
        rc = ax_ring_init(&r->talk, size, AX_CARD_TALK);
    if (rc != AX_OK) {
        room_close(&r->card);
        return rc;
    }
    r->card.fd = ax_capture_fd(r->capture);
    *out = &r->card;
    return AX_OK;
}
