/* Planned edges: what the simulated board plays on the readers' lines. One queue per reader, filled by any thread, played
 * by the I/O thread with the planned times, so that lateness of the thread does not bend the signal. */
#include "ax_io_thread_internal.h"

#define PLAY_BATCH 64
#define PAUSE_NS UINT64_C(1000000)          /* between two plans, on top of the frame gap */
#define SPAN_NS INT64_C(3600000000000)      /* one hour: the longest plan */

void io_thread_play(struct ax_io_thread *t, uint64_t now_ns)
{
    struct ax_edge batch[PLAY_BATCH];
    for (uint32_t reader = 0; reader < t->config.io.readers; reader++) {
        struct ax_ring *plan = &t->plan[reader];
        const struct planned_edge *next = ax_ring_peek(plan);
        while (next != NULL && next->edge.t_ns <= now_ns) {
            uint64_t token = next->token;
            size_t n = 0;
            while (n < PLAY_BATCH && next != NULL && next->edge.t_ns <= now_ns && next->token == token) {
                batch[n++] = next->edge;
                ax_ring_drop(plan);
                next = ax_ring_peek(plan);
            }
            io_thread_reading(t, now_ns);
            ax_io_edges(t->core, reader, batch, n, token);
        }
    }
}

uint64_t io_thread_next_edge(struct ax_io_thread *t)
{
    uint64_t next_ns = AX_NEVER;
    for (uint32_t reader = 0; reader < t->config.io.readers; reader++) {
        const struct planned_edge *next = ax_ring_peek(&t->plan[reader]);
        if (next != NULL && next->edge.t_ns < next_ns)
            next_ns = next->edge.t_ns;
    }
    return next_ns;
}

static int check_edges(const struct ax_edge *edges, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        int64_t from_first = (int64_t)(edges[i].t_ns - edges[0].t_ns);
        if (edges[i].line > 1 || edges[i].level > 1 || from_first > SPAN_NS || from_first < -SPAN_NS)
            return AX_E_RANGE;
    }
    return AX_OK;
}

int ax_io_thread_feed_edges(struct ax_io_thread *t, uint32_t reader, const struct ax_edge *edges, size_t n,
                            uint64_t start_ns, uint64_t token, uint64_t *last_ns)
{
    if (t == NULL || edges == NULL || last_ns == NULL || n == 0)
        return AX_E_ARG;
    if (reader >= t->config.io.readers)
        return AX_E_RANGE;
    if (n > AX_IO_PLAN_EDGES)
        return AX_E_FULL;
    if (check_edges(edges, n) != AX_OK)
        return AX_E_RANGE;
    uint64_t now_ns = ax_monotonic_ns();
    uint64_t first_ns = start_ns > now_ns ? start_ns : now_ns;
    if (first_ns - now_ns > (uint64_t)SPAN_NS)
        return AX_E_RANGE;
    pthread_mutex_lock(&t->producers);
    if (ax_ring_room(&t->plan[reader]) < n) {
        pthread_mutex_unlock(&t->producers);
        return AX_E_FULL;
    }
    if (t->plan_end_ns[reader] != 0 && first_ns < t->plan_end_ns[reader] + t->gap_ns[reader] + PAUSE_NS)
        first_ns = t->plan_end_ns[reader] + t->gap_ns[reader] + PAUSE_NS;
    uint64_t end_ns = first_ns;
    for (size_t i = 0; i < n; i++) {
        struct planned_edge planned = {edges[i], token};
        planned.edge.t_ns = first_ns + (edges[i].t_ns - edges[0].t_ns);
        if ((int64_t)(planned.edge.t_ns - end_ns) > 0)
            end_ns = planned.edge.t_ns;
        ax_ring_push(&t->plan[reader], &planned);
    }
    t->plan_end_ns[reader] = end_ns;
    pthread_mutex_unlock(&t->producers);
    *last_ns = end_ns;
    io_thread_kick(t);
    return AX_OK;
}
