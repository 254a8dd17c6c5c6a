/* The NEON variant of the rule step (64-bit Arm): 256 bits as two registers. Units, threads, allocation: see
 * ax_rules_step.h. */
#include "ax_rules_step.h"

#include <arm_neon.h>

static void step_add(struct ax_rules *m, const uint64_t *mask)
{
    for (int half = 0; half < WORDS; half += 2) {
        uint64x2_t carry = vld1q_u64(mask + half);
        for (int p = 0; p < m->planes; p++) {
            const uint64x2_t old = vld1q_u64(m->state->plane[p] + half);
            vst1q_u64(m->state->plane[p] + half, veorq_u64(old, carry));
            carry = vandq_u64(carry, old);
        }
    }
}

static void step_subtract(struct ax_rules *m, const uint64_t *mask)
{
    for (int half = 0; half < WORDS; half += 2) {
        uint64x2_t borrow = vld1q_u64(mask + half);
        for (int p = 0; p < m->planes; p++) {
            const uint64x2_t old = vld1q_u64(m->state->plane[p] + half);
            vst1q_u64(m->state->plane[p] + half, veorq_u64(old, borrow));
            borrow = vbicq_u64(borrow, old);
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
    uint64x2_t any = vdupq_n_u64(0);
    for (int half = 0; half < WORDS; half += 2) {
        const uint64x2_t a = vld1q_u64(from + half), b = vld1q_u64(to + half);
        uint64x2_t carry = vbicq_u64(a, b), borrow = vbicq_u64(b, a), missing = vdupq_n_u64(0);
        for (int p = 0; p < m->planes; p++) {
            const uint64x2_t old = vld1q_u64(s->plane[p] + half), new = veorq_u64(old, vorrq_u64(carry, borrow));
            vst1q_u64(s->plane[p] + half, new);
            carry = vandq_u64(carry, old);
            borrow = vbicq_u64(borrow, old);
            missing = vorrq_u64(missing, new);
        }
        const uint64x2_t met = veorq_u64(missing, vdupq_n_u64(UINT64_MAX));
        const uint64x2_t different = vandq_u64(veorq_u64(met, vld1q_u64(s->met + half)), vld1q_u64(s->enabled + half));
        vst1q_u64(s->met + half, met);
        vst1q_u64(changed + half, different);
        any = vorrq_u64(any, different);
    }
    return (vgetq_lane_u64(any, 0) | vgetq_lane_u64(any, 1)) != 0;
}

const struct rules_ops ax_rules_neon = {"neon", step_feed};
