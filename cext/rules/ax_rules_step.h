/* One event through the matcher. Included by each variant (ax_rules_generic.c, _avx2.c, _neon.c), which defines how 256 bits
 * are handled at once:
 *
 *   step_swap(m, from, to, changed)    add the mask `from` to the planes and subtract `to`; then met = "all planes zero",
 *                                      and changed = what of it is new, of enabled rules; returns whether there is any
 *   step_add(m, mask), step_subtract(m, mask), step_settle(m, changed)    the same in three
 *
 * Values of simple instances, the common case, are one step_swap without a branch that could be guessed wrong. Else a mask
 * with fewer than four words goes through plain 64-bit code in every variant: it touches one cache line a plane.
 * Units: ns. Threads: the matcher's. Allocation: none. */
#ifndef AX_RULES_STEP_H
#define AX_RULES_STEP_H

#include "ax_rules_internal.h"

#include "ax/err.h"

#include <limits.h>

struct step {
    uint64_t start[WORDS]; /* Rules whose first condition has just started them. */
    uint32_t touched;      /* Words whose counters may have changed. */
    uint32_t started;      /* Words of `start` that are not zero. */
};

static bool step_swap(struct ax_rules *m, const uint64_t *from, const uint64_t *to, uint64_t *changed);
static void step_add(struct ax_rules *m, const uint64_t *mask);
static void step_subtract(struct ax_rules *m, const uint64_t *mask);
static bool step_settle(struct ax_rules *m, uint64_t *changed);

/* A level rises: one condition less that its rules miss. */
static inline void rises(struct ax_rules *m, struct step *step, struct rule_mask ref)
{
    struct state *s = m->state;
    const uint64_t *mask = m->pool + ref.at;
    step->touched |= ref.words;
    if (ref.words == ALL_WORDS) {
        step_subtract(m, mask);
        return;
    }
    for (uint32_t words = ref.words; words; words &= words - 1) {
        const int w = __builtin_ctz(words);
        uint64_t borrow = *mask++;
        for (int p = 0; p < m->planes; p++) {
            const uint64_t old = s->plane[p][w];
            s->plane[p][w] = old ^ borrow;
            borrow &= ~old;
        }
    }
}

/* A level falls. */
static inline void falls(struct ax_rules *m, struct step *step, struct rule_mask ref)
{
    struct state *s = m->state;
    const uint64_t *mask = m->pool + ref.at;
    step->touched |= ref.words;
    if (ref.words == ALL_WORDS) {
        step_add(m, mask);
        return;
    }
    for (uint32_t words = ref.words; words; words &= words - 1) {
        const int w = __builtin_ctz(words);
        uint64_t carry = *mask++;
        for (int p = 0; p < m->planes; p++) {
            const uint64_t old = s->plane[p][w];
            s->plane[p][w] = old ^ carry;
            carry &= old;
        }
    }
}

static inline void starts(const struct ax_rules *m, struct step *step, struct rule_mask ref)
{
    const uint64_t *mask = m->pool + ref.at;
    step->started |= ref.words;
    for (uint32_t words = ref.words; words; words &= words - 1)
        step->start[__builtin_ctz(words)] |= *mask++;
}

/* One instance more for whose value a test holds. */
static inline void gain(struct ax_rules *m, struct step *step, uint32_t test, bool edges)
{
    const struct test_rules *rules = &m->tests[test];
    if (m->counts[test].holds++)
        return;
    rises(m, step, rules->level[0]);
    falls(m, step, rules->level[1]);
    if (edges)
        starts(m, step, rules->edge[0]);
}

/* One instance less. Called with the count of known instances as it is afterwards. */
static inline void lose(struct ax_rules *m, struct step *step, uint32_t test, bool edges)
{
    const struct test_rules *rules = &m->tests[test];
    if (--m->counts[test].holds)
        return;
    falls(m, step, rules->level[0]);
    if (!m->counts[test].known)
        return;
    rises(m, step, rules->level[1]);
    if (edges)
        starts(m, step, rules->edge[1]);
}

/* A known property changes from one value to another: the difference of two rising lists. */
static inline void change(struct ax_rules *m, struct step *step, const struct event_shape *from,
                          const struct event_shape *to, bool edges)
{
    const uint16_t *a = m->links + from->list, *a_end = a + from->n;
    const uint16_t *b = m->links + to->list, *b_end = b + to->n;
    while (a < a_end && b < b_end) {
        if (*a < *b) {
            lose(m, step, *a++, edges);
        } else if (*b < *a) {
            gain(m, step, *b++, edges);
        } else {
            a++;
            b++;
        }
    }
    while (a < a_end)
        lose(m, step, *a++, edges);
    while (b < b_end)
        gain(m, step, *b++, edges);
}

/* A property becomes known; never an edge. */
static void learn(struct ax_rules *m, struct step *step, const struct event_shape *to)
{
    const struct instance_tests *instance = &m->instances[to->instance];
    for (uint32_t i = 0; i < instance->n; i++) {
        const uint32_t test = m->links[instance->list + i];
        if (m->counts[test].known++ == 0)
            rises(m, step, m->tests[test].level[1]);
    }
    for (uint32_t i = 0; i < to->n; i++)
        gain(m, step, m->links[to->list + i], false);
}

static void forget(struct ax_rules *m, struct step *step, const struct event_shape *from)
{
    const struct instance_tests *instance = &m->instances[from->instance];
    for (uint32_t i = 0; i < instance->n; i++) {
        const uint32_t test = m->links[instance->list + i];
        if (--m->counts[test].known == 0 && m->counts[test].holds == 0)
            falls(m, step, m->tests[test].level[1]);
    }
    for (uint32_t i = 0; i < from->n; i++)
        lose(m, step, m->links[from->list + i], true);
}

/* The rules of one word: what stops, what starts, in the order of slots. */
static inline size_t decide(struct ax_rules *m, uint32_t w, uint64_t changed, uint64_t start, uint64_t t_ns, uint32_t cause,
                            struct ax_rules_action *out)
{
    struct state *s = m->state;
    const uint64_t met = s->met[w], fell = changed & ~met, rose = changed & met & m->level_rules[w];
    const uint64_t stop = fell & s->active[w];
    s->pending[w] &= ~fell;
    s->active[w] ^= stop;
    uint64_t go = (rose | (start & met & s->enabled[w])) & ~s->active[w];
    if (go & m->wait_rules[w])
        go = ax_rules_hold_back(m, w, go, rose, t_ns);
    const uint64_t lasting = go & m->while_rules[w];
    s->active[w] |= lasting;
    const uint64_t base = (uint64_t)w * 64;
    size_t n = 0;
    if (!(stop | lasting)) {
        for (; go; go &= go - 1)
            out[n++] = (struct ax_rules_action){t_ns, cause, (uint16_t)(base + (uint64_t)__builtin_ctzll(go)), AX_RULES_FIRE};
        return n;
    }
    for (uint64_t todo = go | stop; todo; todo &= todo - 1) {
        const uint64_t bit = todo & (0 - todo);
        const uint16_t what = stop & bit ? AX_RULES_STOP : lasting & bit ? AX_RULES_START : AX_RULES_FIRE;
        out[n++] = (struct ax_rules_action){t_ns, cause, (uint16_t)(base + (uint64_t)__builtin_ctzll(todo)), what};
    }
    return n;
}

/* After all counters are right: which rules changed, and what they do. */
static inline size_t finish(struct ax_rules *m, struct step *step, uint64_t t_ns, uint32_t cause,
                            struct ax_rules_action *out)
{
    struct state *s = m->state;
    size_t n = 0;
    if (step->touched == ALL_WORDS) {
        uint64_t changed[WORDS];
        if (!step_settle(m, changed) && !step->started)
            return 0;
        for (uint32_t w = 0; w < WORDS; w++)
            if (changed[w] | step->start[w])
                n += decide(m, w, changed[w], step->start[w], t_ns, cause, out + n);
        return n;
    }
    for (uint32_t words = step->touched | step->started; words; words &= words - 1) {
        const uint32_t w = (uint32_t)__builtin_ctz(words);
        uint64_t missing = 0;
        for (int p = 0; p < m->planes; p++)
            missing |= s->plane[p][w];
        const uint64_t changed = (~missing ^ s->met[w]) & s->enabled[w];
        s->met[w] = ~missing;
        if (changed | step->start[w])
            n += decide(m, w, changed, step->start[w], t_ns, cause, out + n);
    }
    return n;
}

/* A value of a simple instance, or none any more. */
static inline size_t step_simple(struct ax_rules *m, uint16_t from, uint16_t to, uint64_t t_ns, uint32_t cause,
                                 struct ax_rules_action *out)
{
    uint64_t changed[WORDS];
    size_t n = 0;
    if (!step_swap(m, m->masks[from], m->masks[to], changed))
        return 0;
    for (uint32_t w = 0; w < WORDS; w++)
        if (changed[w])
            n += decide(m, w, changed[w], 0, t_ns, cause, out + n);
    return n;
}

static inline size_t step_event(struct ax_rules *m, uint32_t id, uint64_t t_ns, uint32_t cause, struct ax_rules_action *out)
{
    const struct event_shape *event = &m->events[id];
    struct step step;
    step.touched = step.started = 0;
    step.start[0] = step.start[1] = step.start[2] = step.start[3] = 0;
    if (event->kind == AX_RULES_SET || event->kind == AX_RULES_INIT) {
        const uint16_t old = m->value[event->instance];
        m->value[event->instance] = (uint16_t)id;
        if (m->instances[event->instance].simple)
            return step_simple(m, old == NO_VALUE ? 0 : m->events[old].mask, event->mask, t_ns, cause, out);
        if (old == id)
            return 0;
        if (old == NO_VALUE)
            learn(m, &step, event);
        else
            change(m, &step, &m->events[old], event, event->kind == AX_RULES_SET);
    } else if (event->kind == AX_RULES_PULSE) {
        for (uint32_t i = 0; i < event->n; i++)
            starts(m, &step, m->tests[m->links[event->list + i]].edge[0]);
    } else if (event->kind == AX_RULES_DELETE && m->value[event->instance] != NO_VALUE) {
        const uint16_t old = m->value[event->instance];
        m->value[event->instance] = NO_VALUE;
        if (m->instances[event->instance].simple)
            return step_simple(m, m->events[old].mask, 0, t_ns, cause, out);
        forget(m, &step, &m->events[old]);
    }
    return finish(m, &step, t_ns, cause, out);
}

static int step_feed(struct ax_rules *m, const struct ax_rules_input *in, size_t n, struct ax_rules_action *out, size_t cap,
                     size_t *consumed)
{
    struct state *s = m->state;
    size_t done = 0, count = 0;
    for (; done < n; done++) {
        const uint32_t id = in[done].event;
        if (id >= m->max_events || cap - count < AX_RULES_ROOM)
            break;
        const uint64_t t_ns = in[done].t_ns > s->now ? in[done].t_ns : s->now;
        s->now = t_ns;
        if (s->next_due <= t_ns)
            count += ax_rules_run_due(m, t_ns, in[done].flags & AX_RULES_EARLY, out + count);
        count += step_event(m, id, t_ns, (uint32_t)done, out + count);
    }
    *consumed = done;
    return done == 0 && n ? AX_E_RANGE : (int)count;
}

#endif
