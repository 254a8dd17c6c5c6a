/* The codecs of a leg behind one pair of functions, and what a payload holds. Units: samples, octets. Threads: a codec
 * belongs to one. Allocation: none. */
#include "ax/g711.h"
#include "ax_leg_internal.h"

size_t leg_samples(const struct leg_codec *c, size_t size)
{
    switch (c->codec) {
    case AX_LEG_G722:
    case AX_LEG_G726:
        return 2 * size;
    case AX_LEG_L16:
    case AX_LEG_PCM:
        return size / 2;
    default:
        return size;
    }
}

size_t leg_octets(const struct leg_codec *c, size_t n)
{
    switch (c->codec) {
    case AX_LEG_G722:
    case AX_LEG_G726:
        return n / 2;
    case AX_LEG_L16:
    case AX_LEG_PCM:
        return 2 * n;
    default:
        return n;
    }
}

size_t leg_decode(struct leg_codec *c, const uint8_t *in, size_t size, int16_t *out)
{
    switch (c->codec) {
    case AX_LEG_G722:
        (void)ax_g722_decode(c->g722, in, size, out);
        break;
    case AX_LEG_G726:
        (void)ax_g726_decode(c->g726, in, size, out);
        break;
    case AX_LEG_L16:
        for (size_t i = 0; i < size / 2; i++)
            out[i] = (int16_t)(uint16_t)(in[2 * i] << 8 | in[2 * i + 1]);
        break;
    default:
        (void)ax_g711_decode(c->codec == AX_LEG_PCMA ? AX_G711_A : AX_G711_MU, in, size, out);
    }
    return leg_samples(c, size);
}

size_t leg_encode(struct leg_codec *c, const int16_t *in, size_t n, uint8_t *out)
{
    switch (c->codec) {
    case AX_LEG_G722:
        (void)ax_g722_encode(c->g722, in, n, out);
        break;
    case AX_LEG_G726:
        (void)ax_g726_encode(c->g726, in, n, out);
        break;
    case AX_LEG_L16:
        for (size_t i = 0; i < n; i++) {
            out[2 * i] = (uint8_t)((uint16_t)in[i] >> 8);
            out[2 * i + 1] = (uint8_t)in[i];
        }
        break;
    case AX_LEG_PCM:
        memcpy(out, in, n * sizeof *in);
        break;
    default:
        (void)ax_g711_encode(c->codec == AX_LEG_PCMA ? AX_G711_A : AX_G711_MU, in, n, out);
    }
    return leg_octets(c, n);
}
