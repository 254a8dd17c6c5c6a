/* G.711 by the tables of the standard, segment by segment: the portable variant, and the choice between variants.
 * Units: samples. Threads: any; the level is one word, written at the first call and by the test hook. Allocation: none. */
#include "ax_g711_internal.h"

#include "ax/err.h"

#define MU_BIAS 132 /* 33 of the 14-bit table: with it every segment starts at a power of two. */
#define MU_MOST 32767

static int level = -1;

static int top_bit(unsigned x)
{
    return 31 - __builtin_clz(x);
}

uint8_t ax_g711_mu_code(int sample)
{
    const int size = sample < 0 ? ~sample : sample;
    const int biased = size + MU_BIAS > MU_MOST ? MU_MOST : size + MU_BIAS;
    const int segment = top_bit((unsigned)biased) - 7;
    return (uint8_t)((sample < 0 ? 0x7F : 0xFF) ^ (segment << 4 | (biased >> (segment + 3) & 15)));
}

uint8_t ax_g711_a_code(int sample)
{
    const int size = sample < 0 ? ~sample : sample;
    const int segment = size < 256 ? 0 : top_bit((unsigned)size) - 7;
    const int step = size >> (segment > 1 ? segment + 3 : 4) & 15;
    return (uint8_t)((sample < 0 ? 0x55 : 0xD5) ^ (segment << 4 | step));
}

int16_t ax_g711_mu_value(uint8_t code)
{
    const int bits = ~code & 0x7F, size = ((2 * (bits & 15) + 33) << (2 + (bits >> 4))) - MU_BIAS;
    return (int16_t)(code & 0x80 ? size : -size);
}

int16_t ax_g711_a_value(uint8_t code)
{
    const int bits = (code ^ 0x55) & 0x7F, segment = bits >> 4;
    const int size = segment ? (2 * (bits & 15) + 33) << (segment + 2) : (2 * (bits & 15) + 1) << 3;
    return (int16_t)(code & 0x80 ? size : -size);
}

static void mu_encode(const int16_t *in, size_t n, uint8_t *out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = ax_g711_mu_code(in[i]);
}

static void a_encode(const int16_t *in, size_t n, uint8_t *out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = ax_g711_a_code(in[i]);
}

static void mu_decode(const uint8_t *in, size_t n, int16_t *out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = ax_g711_mu_value(in[i]);
}

static void a_decode(const uint8_t *in, size_t n, int16_t *out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = ax_g711_a_value(in[i]);
}

const struct g711_ops ax_g711_generic = {"generic", {mu_encode, a_encode}, {mu_decode, a_decode}};

static const struct g711_ops *const LEVELS[] = {
    &ax_g711_generic,
#ifdef AX_HAVE_AVX2
    &ax_g711_avx2,
#endif
#ifdef AX_HAVE_NEON
    &ax_g711_neon,
#endif
};

int ax_g711_levels(void)
{
#ifdef AX_HAVE_AVX2
    if (!__builtin_cpu_supports("avx2"))
        return 1;
#endif
    return sizeof LEVELS / sizeof *LEVELS;
}

const char *ax_g711_level_name(int wanted)
{
    return wanted >= 0 && wanted < ax_g711_levels() ? LEVELS[wanted]->name : "";
}

int ax_g711_set_level(int wanted)
{
    if (wanted < 0 || wanted >= ax_g711_levels())
        return AX_E_RANGE;
    level = wanted;
    return AX_OK;
}

static const struct g711_ops *ops(void)
{
    if (level < 0)
        level = ax_g711_levels() - 1;
    return LEVELS[level];
}

int ax_g711_encode(int law, const int16_t *in, size_t n, uint8_t *out)
{
    if (law < 0 || law >= AX_G711_LAW_END || ((!in || !out) && n))
        return AX_E_ARG;
    ops()->encode[law](in, n, out);
    return AX_OK;
}

int ax_g711_decode(int law, const uint8_t *in, size_t n, int16_t *out)
{
    if (law < 0 || law >= AX_G711_LAW_END || ((!in || !out) && n))
        return AX_E_ARG;
    ops()->decode[law](in, n, out);
    return AX_OK;
}
