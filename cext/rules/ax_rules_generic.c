/* The portable variant of the rule step: 256 bits as four words. Reference of the others. Units, threads, allocation: see
 * ax_rules_step.h. */
#include "ax_rules_step.h"

static void step_add(struct state *s, const uint64_t *mask)
{
    for (int w = 0; w < WORDS; w++) {
        uint64_t carry = mask[w];
        for (int p = 0; p < PLANES; p++) {
            const uint64_t old = s->plane[p][w];
            s->plane[p][w] = old ^ carry;
            carry &= old;
        }
    }
}

static void step_subtract(struct state *s, const uint64_t *mask)
{
    for (int w = 0; w < WORDS; w++) {
        uint64_t borrow = mask[w];
        for (int p = 0; p < PLANES; p++) {
            const uint64_t old = s->plane[p][w];
            s->plane[p][w] = old ^ borrow;
            borrow &= ~old;
        }
    }
}

static bool step_settle(struct state *s, uint64_t *changed)
{
    uint64_t any = 0;
    for (int w = 0; w < WORDS; w++) {
        uint64_t missing = 0;
        for (int p = 0; p < PLANES; p++)
            missing |= s->plane[p][w];
        changed[w] = (~missing ^ s->met[w]) & s->enabled[w];
        s->met[w] = ~missing;
        any |= changed[w];
    }
    return any != 0;
}

const struct rules_ops ax_rules_generic = {"generic", step_feed};
