/* From rules and their conditions to masks and counters. Runs once, in new; see ax_rules_internal.h for the tables.
 *
 * A condition that stands twice in a rule counts once. The start event of an edge rule does not count: only the other
 * conditions have to hold. Units: ns. Allocation: none; the tables are there already. */
#include "ax_rules_internal.h"

#include "ax/err.h"

#include <string.h>

/* One condition of one rule, as the masks see it. */
struct use {
    uint32_t test;
    uint32_t slot; /* level[0], level[1], edge[0], edge[1] */
    uint32_t rule;
};

static struct rule_mask *mask_of(struct ax_rules *m, uint32_t test, uint32_t slot)
{
    return slot < 2 ? &m->tests[test].level[slot] : &m->tests[test].edge[slot - 2];
}

/* The words of each mask are known after the first pass over the conditions; the second one fills them in. */
static void note_words(struct ax_rules *m, const struct use *use)
{
    struct rule_mask *mask = mask_of(m, use->test, use->slot);
    mask->words = (mask->words | 1u << use->rule / 64) & ALL_WORDS;
}

static void fill_word(struct ax_rules *m, const struct use *use)
{
    const struct rule_mask *mask = mask_of(m, use->test, use->slot);
    const uint32_t below = mask->words & (((uint32_t)1 << use->rule / 64) - 1);
    m->pool[mask->at + (uint32_t)__builtin_popcount(below)] |= (uint64_t)1 << use->rule % 64;
}

/* One more condition for a rule to miss. */
static void count_one(struct state *s, uint32_t rule)
{
    uint64_t carry = (uint64_t)1 << rule % 64;
    for (int p = 0; carry; p++) {
        const uint64_t old = s->plane[p][rule / 64];
        s->plane[p][rule / 64] = old ^ carry;
        carry &= old;
    }
}

static bool seen_before(const struct ax_rules_condition *conditions, uint32_t from, uint32_t at)
{
    for (uint32_t i = from; i < at; i++)
        if (conditions[i].test == conditions[at].test && (conditions[i].flags ^ conditions[at].flags) == 0)
            return true;
    return false;
}

static void each_use(struct ax_rules *m, const struct ax_rules_spec *spec, bool fill)
{
    for (uint32_t r = 0; r < spec->nrules; r++) {
        const struct ax_rules_rule *rule = &spec->rules[r];
        const struct ax_rules_condition *conditions = spec->conditions + rule->first;
        const uint32_t edge = rule->flags & AX_RULES_EDGE ? 1 : 0;
        for (uint32_t i = 0; i < rule->count; i++) {
            const uint32_t inverted = conditions[i].flags & AX_RULES_INVERT;
            const bool start = edge && i == 0;
            if (!start && seen_before(conditions, edge, i))
                continue;
            const struct use use = {conditions[i].test, inverted + (start ? 2 : 0), r};
            if (!fill) {
                note_words(m, &use);
                continue;
            }
            fill_word(m, &use);
            if (!start)
                count_one(m->state, r);
        }
    }
}

/* Give each mask its place; the pool was sized for one word a condition, which is the most there can be. */
static void place(struct ax_rules *m)
{
    uint16_t at = 0;
    for (uint32_t test = 0; test < m->ntests; test++) {
        for (uint32_t slot = 0; slot < 4; slot++) {
            struct rule_mask *mask = mask_of(m, test, slot);
            mask->at = at & 4095u;
            at = (uint16_t)(at + __builtin_popcount(mask->words));
        }
    }
}

static int check(const struct ax_rules_spec *spec)
{
    for (uint32_t r = 0; r < spec->nrules; r++) {
        const struct ax_rules_rule *rule = &spec->rules[r];
        if (rule->count < 1 || rule->count > AX_RULES_MAX_CONDITIONS)
            return AX_E_RANGE;
        if (rule->first > spec->nconditions || rule->count > spec->nconditions - rule->first)
            return AX_E_RANGE;
        if (rule->flags & ~(AX_RULES_EDGE | AX_RULES_WHILE))
            return AX_E_ARG;
        for (uint32_t i = 0; i < rule->count; i++) {
            const struct ax_rules_condition *condition = &spec->conditions[rule->first + i];
            if (condition->test >= spec->ntests)
                return AX_E_RANGE;
            if (condition->flags & ~AX_RULES_INVERT)
                return AX_E_ARG;
        }
    }
    return AX_OK;
}

int ax_rules_build(struct ax_rules *m, const struct ax_rules_spec *spec)
{
    const int rc = check(spec);
    if (rc < 0)
        return rc;
    for (uint32_t r = 0; r < spec->nrules; r++) {
        const uint64_t bit = (uint64_t)1 << r % 64;
        if (!(spec->rules[r].flags & AX_RULES_EDGE))
            m->level_rules[r / 64] |= bit;
        if (spec->rules[r].flags & AX_RULES_WHILE)
            m->while_rules[r / 64] |= bit;
        if (spec->rules[r].wait_ns)
            m->wait_rules[r / 64] |= bit;
        m->wait_ns[r] = spec->rules[r].wait_ns;
        while (spec->rules[r].count >> m->planes)
            m->planes++;
    }
    each_use(m, spec, false);
    place(m);
    each_use(m, spec, true);
    for (uint32_t w = 0; w < WORDS; w++) {
        uint64_t missing = 0;
        for (int p = 0; p < PLANES; p++)
            missing |= m->state->plane[p][w];
        m->state->met[w] = ~missing;
    }
    return AX_OK;
}
