/* Rules and time: waits between activations, turning rules on and off, run states. Cold beside the step.
 *
 * The wait of a rule counts from its last activation; the boundary instant is allowed. What is made up for is told with
 * the time at which it was due, in the order of due times, then of slots: it does not matter how late or in how many
 * pieces time is told. Units: ns. Threads: the matcher's. Allocation: none. */
#include "ax_rules_internal.h"

#include "ax/err.h"

static inline uint64_t bit_of(uint32_t rule)
{
    return (uint64_t)1 << rule % 64;
}

static inline bool has(const uint64_t *words, uint32_t rule)
{
    return words[rule / 64] & bit_of(rule);
}

static inline void put(uint64_t *words, uint32_t rule, bool value)
{
    words[rule / 64] = value ? words[rule / 64] | bit_of(rule) : words[rule / 64] & ~bit_of(rule);
}

/* When the wait of a rule is over. */
static inline uint64_t due_ns(const struct ax_rules *m, uint32_t rule)
{
    uint64_t due;
    if (__builtin_add_overflow(m->last_ns[rule], m->wait_ns[rule], &due) || due == AX_RULES_NEVER)
        return AX_RULES_NEVER - 1;
    return due;
}

uint64_t ax_rules_hold_back(struct ax_rules *m, uint32_t word, uint64_t candidates, uint64_t deferrable, uint64_t t_ns)
{
    struct state *s = m->state;
    for (uint64_t todo = candidates & m->wait_rules[word]; todo; todo &= todo - 1) {
        const uint64_t bit = todo & (0 - todo);
        const uint32_t rule = word * 64 + (uint32_t)__builtin_ctzll(todo);
        if (!(s->cooling[word] & bit) || t_ns - m->last_ns[rule] >= m->wait_ns[rule]) {
            m->last_ns[rule] = t_ns;
            s->cooling[word] |= bit;
            continue;
        }
        candidates ^= bit;
        if (deferrable & bit) {
            s->pending[word] |= bit;
            if (due_ns(m, rule) < s->next_due)
                s->next_due = due_ns(m, rule);
        }
    }
    return candidates;
}

uint64_t ax_rules_deadline(const struct ax_rules *m)
{
    uint64_t first = AX_RULES_NEVER;
    if (m->state->next_due == AX_RULES_NEVER)
        return first;
    for (uint32_t w = 0; w < WORDS; w++) {
        for (uint64_t todo = m->state->pending[w]; todo; todo &= todo - 1) {
            const uint64_t due = due_ns(m, w * 64 + (uint32_t)__builtin_ctzll(todo));
            first = due < first ? due : first;
        }
    }
    return first;
}

size_t ax_rules_run_due(struct ax_rules *m, uint64_t until, bool strict, struct ax_rules_action *out)
{
    struct state *s = m->state;
    size_t n = 0;
    for (;;) {
        const uint64_t due = s->next_due = ax_rules_deadline(m);
        if (due == AX_RULES_NEVER || due > until || (strict && due == until))
            return n;
        for (uint32_t w = 0; w < WORDS; w++) {
            for (uint64_t todo = s->pending[w]; todo; todo &= todo - 1) {
                const uint64_t bit = todo & (0 - todo);
                const uint32_t rule = w * 64 + (uint32_t)__builtin_ctzll(todo);
                if (due_ns(m, rule) != due)
                    continue;
                const bool lasting = m->while_rules[w] & bit;
                s->pending[w] &= ~bit;
                m->last_ns[rule] = due;
                if (lasting)
                    s->active[w] |= bit;
                out[n++] = (struct ax_rules_action){due, AX_RULES_TIMER, (uint16_t)rule,
                                                    lasting ? AX_RULES_START : AX_RULES_FIRE};
            }
        }
    }
}

int ax_rules_advance(struct ax_rules *m, uint64_t now_ns, struct ax_rules_action *out)
{
    if (!m || !out)
        return AX_E_ARG;
    if (now_ns > m->state->now)
        m->state->now = now_ns;
    if (m->state->next_due > m->state->now)
        return 0;
    return (int)ax_rules_run_due(m, m->state->now, false, out);
}

uint64_t ax_rules_now(const struct ax_rules *m)
{
    return m->state->now;
}

int ax_rules_enable(struct ax_rules *m, uint32_t rule, uint64_t now_ns, struct ax_rules_action *out)
{
    if (!m || !out || rule >= m->nrules)
        return AX_E_ARG;
    struct state *s = m->state;
    const uint32_t w = rule / 64;
    const int n = ax_rules_advance(m, now_ns, out);
    if (has(s->enabled, rule))
        return n;
    put(s->enabled, rule, true);
    put(s->cooling, rule, false);
    if (!(has(s->met, rule) && has(m->level_rules, rule)))
        return n;
    (void)ax_rules_hold_back(m, w, bit_of(rule), 0, s->now);
    put(s->active, rule, has(m->while_rules, rule));
    const uint16_t what = has(m->while_rules, rule) ? AX_RULES_START : AX_RULES_FIRE;
    out[n] = (struct ax_rules_action){s->now, AX_RULES_TIMER, (uint16_t)rule, what};
    return n + 1;
}

int ax_rules_disable(struct ax_rules *m, uint32_t rule, uint64_t now_ns, struct ax_rules_action *out)
{
    if (!m || !out || rule >= m->nrules)
        return AX_E_ARG;
    struct state *s = m->state;
    const int n = ax_rules_advance(m, now_ns, out);
    const bool active = has(s->active, rule);
    put(s->enabled, rule, false);
    put(s->active, rule, false);
    put(s->pending, rule, false);
    put(s->cooling, rule, false);
    if (active)
        out[n] = (struct ax_rules_action){s->now, AX_RULES_TIMER, (uint16_t)rule, AX_RULES_STOP};
    return n + active;
}

int ax_rules_get_run(const struct ax_rules *m, uint32_t rule, struct ax_rules_run *run)
{
    if (!m || !run || rule >= m->nrules)
        return AX_E_ARG;
    const struct state *s = m->state;
    *run = (struct ax_rules_run){
        .last_ns = has(s->cooling, rule) ? m->last_ns[rule] : AX_RULES_NEVER,
        .due_ns = has(s->pending, rule) ? due_ns(m, rule) : AX_RULES_NEVER,
        .enabled = has(s->enabled, rule),
        .active = has(s->active, rule),
        .met = has(s->met, rule),
    };
    return AX_OK;
}

int ax_rules_set_run(struct ax_rules *m, uint32_t rule, const struct ax_rules_run *run)
{
    if (!m || !run || rule >= m->nrules)
        return AX_E_ARG;
    struct state *s = m->state;
    const bool on = run->enabled;
    const bool cooling = on && run->last_ns != AX_RULES_NEVER && has(m->wait_rules, rule);
    const bool owed = cooling && run->due_ns != AX_RULES_NEVER && has(s->met, rule) && has(m->level_rules, rule);
    put(s->enabled, rule, on);
    put(s->active, rule, on && run->active && has(m->while_rules, rule));
    put(s->cooling, rule, cooling);
    put(s->pending, rule, owed);
    m->last_ns[rule] = run->last_ns;
    if (owed && due_ns(m, rule) < s->next_due)
        s->next_due = due_ns(m, rule);
    return AX_OK;
}
