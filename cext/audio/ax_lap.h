/* Windows of 20 ms every 5 ms whose synthesis part is short: 4 ms of delay (after Mauler and Martin, 2007). Shared by the
 * echo canceller's suppressor and the noise suppressor, so that one spectrum serves both.
 * Units: samples. Threads: any. Allocation: none. */
#ifndef AX_LAP_H
#define AX_LAP_H

#include <math.h>

#ifndef M_PI
#define M_PI 3.14159265358979323846
#endif

/* For frames of `hop` samples (10 ms): analysis[2 hop], synthesis[hop / 2 + lap]. Returns the lap: the samples in which two
 * half frames overlap, which is the delay. */
static inline int ax_lap_windows(float *analysis, float *synthesis, int hop)
{
    const int half = hop / 2, n = 2 * hop, lap = hop * 2 / 5, rise = n - lap, from = n - half - lap;
    for (int i = 0; i < n; i++)
        analysis[i] = (float)(i < rise ? sin(M_PI / 2 * (i + 0.5) / rise) : cos(M_PI / 2 * (i - rise + 0.5) / lap));
    for (int i = 0; i < half + lap; i++) {
        const double up = i < lap ? sin(M_PI / 2 * (i + 0.5) / lap) : 1.0;
        synthesis[i] = i < half ? (float)(up * up) / analysis[from + i] : analysis[from + i];
    }
    return lap;
}

#endif
