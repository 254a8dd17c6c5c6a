/* Noise suppressor workloads: one second of talk in noise at 16 kHz by the variant that this machine is best at; `wide` is
 * 48 kHz, `portable` the portable variant. The work does not depend on the signal. */
#include "workload.h"

#include "ax/ns.h"

enum { FRAMES = 100, LONGEST = 480 };

static struct ax_ns *suppressor;
static float heard[FRAMES * LONGEST], out[LONGEST];

static int prepare(int rate, int portable)
{
    const struct ax_ns_spec spec = {.rate = rate, .max_attenuation_db = 30};
    uint32_t seed = 1;
    ax_ns_free(suppressor);
    const int rc = ax_ns_new(&suppressor, &spec);
    if (rc == 0 && portable)
        (void)ax_ns_set_level(suppressor, 0);
    for (int i = 0; i < FRAMES * rate / 100; i++) {
        seed = seed * 1664525u + 1013904223u;
        heard[i] = (float)(int32_t)seed * ((i * 5 / rate % 2 ? 0.2f : 0.01f) / 2147483648.0f);
    }
    return rc;
}

static int prepare_full(void)
{
    return prepare(16000, 0);
}

static int prepare_wide(void)
{
    return prepare(48000, 0);
}

static int prepare_portable(void)
{
    return prepare(16000, 1);
}

static uint64_t run(void)
{
    const int frame = ax_ns_frame(suppressor);
    double sum = 0.0;
    for (int i = 0; i < FRAMES; i++) {
        (void)ax_ns_process_f32(suppressor, heard + i * frame, out);
        sum += (double)out[i % frame];
    }
    return (uint64_t)(int64_t)(sum * 1e6);
}

static const struct workload list[] = {
    {"ns.full", "frames", FRAMES, prepare_full, run},
    {"ns.wide", "frames", FRAMES, prepare_wide, run},
    {"ns.portable", "frames", FRAMES, prepare_portable, run},
};

int main(int argc, char **argv)
{
    return workload_main(list, sizeof list / sizeof *list, argc, argv);
}
