/* Echo canceller workloads: one second at 16 kHz and a tail of 200 ms, by the variant that this machine is best at, with a
 * talker at the microphone half of the time. `filter` is the adaptive filter alone; `wide` is 48 kHz; `portable` the
 * portable variant. */
#include "workload.h"

#include "ax/aec.h"

enum { FRAMES = 100, LONGEST = 480 };

static struct ax_aec *canceller;
static float far[FRAMES * LONGEST], mic[FRAMES * LONGEST], out[LONGEST];

static int prepare(int rate, int mode, int level)
{
    const struct ax_aec_spec spec = {.rate = rate, .tail_ms = 200, .mode = mode};
    uint32_t seed = 1;
    ax_aec_free(canceller);
    int rc = ax_aec_new(&canceller, &spec);
    if (rc == 0)
        rc = ax_aec_set_level(canceller, level);
    const int n = FRAMES * rate / 100;
    for (int i = 0; i < n; i++) {
        seed = seed * 1664525u + 1013904223u;
        far[i] = (float)(int32_t)seed * (0.2f / 2147483648.0f);
        seed = seed * 1664525u + 1013904223u;
        const float talk = i > n / 2 ? (float)(int32_t)seed * (0.1f / 2147483648.0f) : 0.0f;
        mic[i] = (i >= 40 ? 0.5f * far[i - 40] : 0.0f) + (i >= 300 ? 0.1f * far[i - 300] : 0.0f) + talk;
    }
    return rc;
}

static int prepare_full(void)
{
    return prepare(16000, AX_AEC_FULL, ax_aec_levels() - 1);
}

static int prepare_filter(void)
{
    return prepare(16000, AX_AEC_FILTER, ax_aec_levels() - 1);
}

static int prepare_wide(void)
{
    return prepare(48000, AX_AEC_FULL, ax_aec_levels() - 1);
}

static int prepare_portable(void)
{
    return prepare(16000, AX_AEC_FULL, 0);
}

static uint64_t run(void)
{
    const int frame = ax_aec_frame(canceller);
    double sum = 0.0;
    for (int i = 0; i < FRAMES; i++) {
        (void)ax_aec_process_f32(canceller, mic + i * frame, far + i * frame, out);
        sum += (double)out[i % frame];
    }
    return (uint64_t)(int64_t)(sum * 1e6);
}

static const struct workload list[] = {
    {"aec.full", "frames", FRAMES, prepare_full, run},
    {"aec.filter", "frames", FRAMES, prepare_filter, run},
    {"aec.wide", "frames", FRAMES, prepare_wide, run},
    {"aec.portable", "frames", FRAMES, prepare_portable, run},
};

int main(int argc, char **argv)
{
    return workload_main(list, sizeof list / sizeof *list, argc, argv);
}
