/* Reference workloads of the siren kernel: a second of sound in blocks of 20 ms, one for each inner loop and law. */
#include "workload.h"

#include "ax/err.h"
#include "ax/siren.h"

#define RATE 48000
#define BLOCK 960

static struct ax_siren *tone;
static int16_t out[BLOCK];
static const struct ax_siren_play PLAY = {.end = AX_SIREN_ENDLESS, .intensity = 5};

static int prepare(uint8_t law, uint8_t wave, int level)
{
    const struct ax_siren_segment segments[] = {
        {.duration_us = 3500000, .start_mhz = 500000, .end_mhz = 1200000, .attack_us = 5000, .release_us = 5000,
         .peak = AX_SIREN_PEAK, .law = law, .wave = wave},
        {.duration_us = 500000},
    };
    const struct ax_siren_voice voice = {segments, 2};
    const struct ax_siren_program program = {.voices = &voice, .nvoices = 1};
    const int rc = ax_siren_new(&tone, &program, RATE);
    return rc < 0 ? rc : ax_siren_set_level(tone, level < 0 ? ax_siren_levels() - 1 : level);
}

static int prepare_linear(void)
{
    return prepare(AX_SIREN_LINEAR, AX_SIREN_SINE, -1);
}

static int prepare_exponential(void)
{
    return prepare(AX_SIREN_EXPONENTIAL, AX_SIREN_SINE, -1);
}

static int prepare_saw(void)
{
    return prepare(AX_SIREN_LINEAR, AX_SIREN_SAW, -1);
}

static int prepare_portable(void)
{
    return prepare(AX_SIREN_LINEAR, AX_SIREN_SINE, 0);
}

static uint64_t render(void)
{
    uint64_t sum = 0;
    for (uint64_t pos = RATE; pos < 2 * RATE; pos += BLOCK) {
        sum += (uint64_t)ax_siren_render(tone, &PLAY, pos, out, BLOCK);
        sum += (uint16_t)out[BLOCK / 2];
    }
    return sum;
}

int main(int argc, char **argv)
{
    static const struct workload list[] = {
        {"siren.sweep", "samples", RATE, prepare_linear, render},
        {"siren.exponential", "samples", RATE, prepare_exponential, render},
        {"siren.saw", "samples", RATE, prepare_saw, render},
        {"siren.portable", "samples", RATE, prepare_portable, render},
    };
    const int rc = workload_main(list, sizeof list / sizeof *list, argc, argv);
    ax_siren_free(tone);
    return rc;
}
