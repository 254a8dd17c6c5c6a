/* The steps of the light kernel with registers. Included by each variant (ax_led_sse4.c, _avx2.c, _avx512.c, _neon.c), which
 * defines LANES and, over `vf` (LANES floats) and `vu` (LANES words of 32 bits):
 *
 *   vu_load, vu_set, vu_add, vu_mul, vu_sub, vu_half (logical shift by 1), vf_set, vf_of (from signed), vf_add, vf_mul,
 *   vf_min, vf_max, vf_cut (to words, towards zero), store3 (LANES pixels of three 16-bit values)
 *
 * Each does what the portable step does with one LED, so that the bits are the same. Units, threads, allocation: see
 * ax/led.h. */
#ifndef AX_LED_STEP_H
#define AX_LED_STEP_H

#include "ax_led_internal.h"

static void window(const struct led_window *w, const uint32_t *position, size_t n, uint16_t *out)
{
    const vu mult = vu_set(w->mult), offset = vu_set(w->offset), total = vu_set((uint32_t)w->total);
    const vf up = vf_set(w->up), down = vf_set(w->down), linear = vf_set(w->linear), square = vf_set(w->square);
    const vf one = vf_set(1.0f), zero = vf_set(0.0f);
    const vf ar = vf_set(w->a[0]), ag = vf_set(w->a[1]), ab = vf_set(w->a[2]);
    const vf dr = vf_set(w->d[0]), dg = vf_set(w->d[1]), db = vf_set(w->d[2]);
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        const vu u = vu_half(vu_add(vu_mul(vu_load(position + i), mult), offset));
        const vf front = vf_mul(vf_of(u), up), back = vf_mul(vf_of(vu_sub(total, u)), down);
        const vf weight = vf_max(vf_min(vf_min(front, back), one), zero);
        const vf eased = vf_mul(weight, vf_add(linear, vf_mul(square, weight)));
        store3(out + 3 * i, vf_cut(vf_add(ar, vf_mul(dr, eased))), vf_cut(vf_add(ag, vf_mul(dg, eased))),
               vf_cut(vf_add(ab, vf_mul(db, eased))));
    }
    if (i < n)
        ax_led_generic.window(w, position + i, n - i, out + 3 * i);
}

#endif
