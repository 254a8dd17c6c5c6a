/* The portable variant of the rule step: 256 bits as four words. Reference of the others. Units, threads, allocation: see
 * ax_rules_step.h. */
#include "ax_rules_step.h"

static void step_add(struct ax_rules *m, const uint64_t *mask)
{
    for (int w = 0; w < WORDS; w++) {
        uint64_t carry = mask[w];
        for (int p = 0; p < m->planes; p++) {
            const uint64_t old = m->state->plane[p][w];
            m->state->plane[p][w] = old ^ carry;
            carry &= old;
        }
    }
}

static void step_subtract(struct ax_rules *m, const uint64_t *mask)
{
    for (int w = 0; w < WORDS; w++) {
        uint64_t borrow = mask[w];
        for (int p = 0; p < m->planes; p++) {
            const uint64_t old = m->state->plane[p][w];
            m->state->plane[p][w] = old ^ borrow;
            borrow &= ~old;
        }
    }
}

static bool step_settle(struct ax_rules *m, uint64_t *changed)
{
    static const uint64_t NOTHING[WORDS];
    return step_swap(m, NOTHING, NOTHING, changed);
}

static bool step_swap(struct ax_rules *m, const uint64_t *from, const uint64_t *to, uint64_t *changed)
{
    struct state *s = m->state;
    uint64_t any = 0;
    for (int w = 0; w < WORDS; w++) {
        uint64_t carry = from[w] & ~to[w], borrow = to[w] & ~from[w], missing = 0;
        for (int p = 0; p < m->planes; p++) {
            const uint64_t old = s->plane[p][w], new = old ^ (carry | borrow);
            s->plane[p][w] = new;
            carry &= old;
            borrow &= ~old;
            missing |= new;
        }
        changed[w] = (~missing ^ s->met[w]) & s->enabled[w];
        s->met[w] = ~missing;
        any |= changed[w];
    }
    return any != 0;
}

const struct rules_ops ax_rules_generic = {"generic", step_feed};
