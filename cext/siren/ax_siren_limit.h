/* The limiter of a tone with a clip on top: untouched below the knee, bent smoothly above it, never at full scale. It has no
 * memory. Units: full scale is 1. */
#ifndef AX_SIREN_LIMIT_H
#define AX_SIREN_LIMIT_H

#include <math.h>

#define KNEE 0.75f

static inline float siren_limit(float x)
{
    const float size = fabsf(x), over = (size - KNEE) * (1 / (1 - KNEE));
    const float bent = size > KNEE ? KNEE + (1 - KNEE) * (over / (1 + over)) : size;
    return x < 0 ? -bent : bent;
}

#endif
