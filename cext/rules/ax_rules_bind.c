/* Properties and events get their numbers: lists of tests, and the masks of simple instances (ax_rules_internal.h).
 *
 * An instance is simple until a second one shares a test with it, or one of its values cannot be one mask. Then it is
 * counted test by test from there on; what its value has done to the counters of the rules stays right.
 * Units: none. Threads: the matcher's. Allocation: none. */
#include "ax_rules_internal.h"

#include "ax/err.h"

#include <string.h>

/* Whether the tests rise strictly and exist. */
static bool rising(const struct ax_rules *m, const uint16_t *tests, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (tests[i] >= m->ntests || (i && tests[i] <= tests[i - 1]))
            return false;
    return true;
}

static uint32_t keep(struct ax_rules *m, const uint16_t *tests, size_t n)
{
    const uint32_t at = m->nlinks;
    if (n)
        memcpy(m->links + at, tests, n * sizeof *tests);
    m->nlinks += (uint32_t)n;
    return at;
}

static void count_value(struct ax_rules *m, uint32_t instance)
{
    const struct instance_tests *own = &m->instances[instance];
    if (m->value[instance] == NO_VALUE)
        return;
    const struct event_shape *event = &m->events[m->value[instance]];
    for (uint32_t i = 0; i < own->n; i++)
        m->counts[m->links[own->list + i]].known++;
    for (uint32_t i = 0; i < event->n; i++)
        m->counts[m->links[event->list + i]].holds++;
}

void ax_rules_recount(struct ax_rules *m)
{
    for (uint32_t test = 0; test < m->ntests; test++)
        m->counts[test].holds = m->counts[test].known = 0;
    for (uint32_t instance = 0; instance < m->ninstances; instance++)
        if (!m->instances[instance].simple)
            count_value(m, instance);
}

static void not_simple(struct ax_rules *m, uint32_t instance)
{
    if (!m->instances[instance].simple)
        return;
    m->instances[instance].simple = 0;
    count_value(m, instance);
}

int ax_rules_add_instance(struct ax_rules *m, const uint16_t *tests, size_t n)
{
    if (!m || (n && !tests) || !rising(m, tests, n))
        return AX_E_ARG;
    if (m->ninstances == m->max_instances || n > m->max_links - m->nlinks)
        return AX_E_FULL;
    const uint32_t number = m->ninstances++;
    bool simple = number < SHARED;
    for (size_t i = 0; i < n; i++) {
        const struct test_rules *rules = &m->tests[tests[i]];
        struct test_count *count = &m->counts[tests[i]];
        simple &= count->owner == NO_OWNER && !rules->edge[0].words && !rules->edge[1].words;
        if (count->owner != NO_OWNER && count->owner != SHARED)
            not_simple(m, count->owner);
        count->owner = count->owner == NO_OWNER && number < SHARED ? (uint16_t)number : SHARED;
    }
    m->instances[number] = (struct instance_tests){keep(m, tests, n), (uint16_t)n, simple};
    return (int)number;
}

/* Whether every test of an event is one of its instance: both lists rise. */
static bool within(const struct ax_rules *m, uint32_t instance, const uint16_t *tests, size_t n)
{
    const uint16_t *own = m->links + m->instances[instance].list, *end = own + m->instances[instance].n;
    for (size_t i = 0; i < n; i++) {
        while (own < end && *own < tests[i])
            own++;
        if (own == end || *own != tests[i])
            return false;
    }
    return true;
}

/* Put the rules of a reference into a full mask; false if one of them is there already. */
static bool join(const struct ax_rules *m, struct rule_mask ref, uint64_t *mask)
{
    const uint64_t *from = m->pool + ref.at;
    for (uint32_t words = ref.words; words; words &= words - 1) {
        uint64_t *word = &mask[__builtin_ctz(words)];
        if (*word & *from)
            return false;
        *word |= *from++;
    }
    return true;
}

/* The mask of a value of a simple instance: rules with a condition that it meets. < 0: there is none, or no room. */
static int make_mask(struct ax_rules *m, uint32_t instance, const uint16_t *tests, size_t n)
{
    const struct instance_tests *own = &m->instances[instance];
    uint64_t mask[WORDS] = {0};
    for (uint32_t i = 0; i < own->n; i++) {
        const uint16_t test = m->links[own->list + i];
        const bool holds = n && *tests == test;
        if (!join(m, m->tests[test].level[!holds], mask))
            return -1;
        if (holds) {
            tests++;
            n--;
        }
    }
    if (!(mask[0] | mask[1] | mask[2] | mask[3]))
        return 0;
    if (m->nmasks > m->max_masks)
        return -1;
    memcpy(m->masks[m->nmasks], mask, sizeof mask);
    return (int)m->nmasks++;
}

int ax_rules_bind(struct ax_rules *m, uint32_t event, int kind, uint32_t instance, const uint16_t *tests, size_t n)
{
    if (!m || (n && !tests) || !rising(m, tests, n) || kind <= AX_RULES_UNBOUND || kind >= AX_RULES_KIND_END)
        return AX_E_ARG;
    if (event >= m->max_events)
        return AX_E_RANGE;
    if (kind == AX_RULES_PULSE)
        instance = 0;
    else if (instance >= m->ninstances || !within(m, instance, tests, n) || (kind == AX_RULES_DELETE && n))
        return AX_E_ARG;
    struct event_shape *shape = &m->events[event];
    if (shape->kind != AX_RULES_UNBOUND)
        return AX_E_STATE;
    if (n > m->max_links - m->nlinks)
        return AX_E_FULL;
    int mask = 0;
    if ((kind == AX_RULES_SET || kind == AX_RULES_INIT) && m->instances[instance].simple) {
        mask = make_mask(m, instance, tests, n);
        if (mask < 0)
            not_simple(m, instance);
    }
    shape->list = keep(m, tests, n);
    shape->n = n & 8191u;
    shape->kind = (unsigned)kind & 7u;
    shape->instance = (uint16_t)instance;
    shape->mask = mask < 0 ? 0 : (uint16_t)mask;
    return AX_OK;
}

static bool listed(const struct ax_rules *m, uint32_t list, uint32_t n, uint32_t test)
{
    for (uint32_t i = 0; i < n; i++)
        if (m->links[list + i] == test)
            return true;
    return false;
}

int ax_rules_test_state(const struct ax_rules *m, uint32_t test, uint32_t *known, uint32_t *holds)
{
    if (!m || !known || !holds || test >= m->ntests)
        return AX_E_ARG;
    *known = *holds = 0;
    for (uint32_t i = 0; i < m->ninstances; i++) {
        if (m->value[i] == NO_VALUE || !listed(m, m->instances[i].list, m->instances[i].n, test))
            continue;
        const struct event_shape *event = &m->events[m->value[i]];
        ++*known;
        *holds += listed(m, event->list, event->n, test);
    }
    return AX_OK;
}

uint32_t ax_rules_value(const struct ax_rules *m, uint32_t instance)
{
    if (!m || instance >= m->ninstances || m->value[instance] == NO_VALUE)
        return AX_RULES_NONE;
    return m->value[instance];
}
