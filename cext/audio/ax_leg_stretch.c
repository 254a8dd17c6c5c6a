/* Time stretching of one frame: a jump by about as much as is wanted, to where the sound is most like the sound that would
 * have come (WSOLA: Verhelst and Roelands, ICASSP 1993, with one segment to a frame as in Liang, Faerber and Girod, IEEE
 * Trans. Multimedia 5(4), 2003), crossed over LEG_TURN_MS. Both ends of the frame stay as they are, so that it joins its
 * neighbours.
 * Units: samples of 16 bits. Threads: any. Allocation: none. */
#include "ax_leg_internal.h"

#include <math.h>

/* Likeness of two places, -1 .. 1, by every `step`th sample; quiet places are all alike. */
static float likeness(const int16_t *a, const int16_t *b, size_t n, size_t step)
{
    float cross = 0, left = 0, right = 0;
    for (size_t i = 0; i < n; i += step) {
        cross += (float)a[i] * (float)b[i];
        left += (float)a[i] * (float)a[i];
        right += (float)b[i] * (float)b[i];
    }
    return (cross + 1000.0f) / sqrtf((left + 1000.0f) * (right + 1000.0f));
}

/* The distance between `least` and `most` at which `place + direction * distance` is most like `place`. */
static size_t find(const int16_t *place, int direction, size_t least, size_t most, size_t turn, size_t step)
{
    float best = -2;
    size_t at = least;
    for (size_t lag = least; lag <= most; lag += step) {
        const float found = likeness(place, place + direction * (long)lag, turn, step);
        if (found > best)
            best = found, at = lag;
    }
    return at;
}

static void cross(int16_t *out, const int16_t *from, const int16_t *to, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const float w = (float)(i + 1) / (float)(n + 1);
        out[i] = (int16_t)lrintf((1 - w) * (float)from[i] + w * (float)to[i]);
    }
}

size_t leg_stretch(int16_t *frame, size_t n, size_t past, uint32_t rate, int wanted)
{
    const size_t turn = (size_t)rate * LEG_TURN_MS / 1000, step = rate / 8000, shortest = rate / 400; /* 2.5 ms: the highest voices. */
    const size_t want = (size_t)(wanted < 0 ? -wanted : wanted), from = wanted < 0 || want >= n ? want / 2 : want;
    const size_t least = from > shortest ? from : shortest;
    size_t most = wanted < 0 ? want : want + want / 2 > 2 * shortest ? want + want / 2 : 2 * shortest;
    if (n < 2 * turn || want < shortest / 2)
        return n;
    if (wanted > 0) {
        int16_t *place = frame + n - turn;
        int16_t crossed[LEG_FRAME_MOST];
        const size_t back = past + n - turn;
        most = most > back ? back : most;
        most = most > n ? n : most;
        if (least > most)
            return n;
        const size_t lag = find(place, -1, least, most, turn, step);
        /* What comes after the turn is what lies `lag` before: all of it was there already. */
        cross(crossed, place, place - lag, turn);
        memmove(frame + n, frame + n - lag, lag * sizeof *frame);
        memcpy(place, crossed, turn * sizeof *crossed);
        return n + lag;
    }
    most = most > n - turn ? n - turn : most;
    if (least > most)
        return n;
    const size_t lag = find(frame, 1, least, most, turn, step);
    cross(frame, frame, frame + lag, turn);
    memmove(frame + turn, frame + turn + lag, (n - turn - lag) * sizeof *frame);
    return n - lag;
}
