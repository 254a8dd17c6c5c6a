/* What a variant of G.711 offers: four loops, by law. Units: samples. Threads: any. Allocation: none. */
#ifndef AX_G711_INTERNAL_H
#define AX_G711_INTERNAL_H

#include "ax/g711.h"

struct g711_ops {
    const char *name;
    void (*encode[2])(const int16_t *in, size_t n, uint8_t *out);
    void (*decode[2])(const uint8_t *in, size_t n, int16_t *out);
};

extern const struct g711_ops ax_g711_generic;
extern const struct g711_ops ax_g711_avx2;
extern const struct g711_ops ax_g711_neon;

/* One sample, after the tables of the standard: the reference of every variant, and what they use for their last samples. */
uint8_t ax_g711_mu_code(int sample);
uint8_t ax_g711_a_code(int sample);
int16_t ax_g711_mu_value(uint8_t code);
int16_t ax_g711_a_value(uint8_t code);

#endif
