/* Reference workloads of the audio kernels: a second of sound in frames of 10 ms, or of 20 ms for the codecs. */
#include "workload.h"

#include "ax/agc.h"
#include "ax/dtmf.h"
#include "ax/g711.h"
#include "ax/g722.h"
#include "ax/g726.h"
#include "ax/level.h"
#include "ax/plc.h"
#include "ax/resample.h"

#include <math.h>

enum { MOST = 48000 };

static int16_t in[MOST], out[MOST];
static uint8_t octets[MOST];
static struct ax_g722 *g722;
static struct ax_g726 *g726;
static struct ax_plc *plc;
static struct ax_dtmf *dtmf;
static struct ax_agc *agc;
static struct ax_resample *resample;
static struct ax_vad vad;

static int fill(void)
{
    uint32_t seed = 1;
    for (int i = 0; i < MOST; i++) {
        seed = seed * 1664525u + 1013904223u;
        const double swing = 1 + sin(2 * M_PI * i / 3200);
        in[i] = (int16_t)(swing * (4000 * sin(0.06 * i) + 2000 * sin(0.31 * i)) + (double)(seed >> 22));
        octets[i] = (uint8_t)(seed >> 24);
    }
    return 0;
}

static uint64_t mu_encode(void)
{
    for (int i = 0; i < 8000; i += 160)
        (void)ax_g711_encode(AX_G711_MU, in + i, 160, octets + i);
    return octets[77];
}

static uint64_t mu_decode(void)
{
    for (int i = 0; i < 8000; i += 160)
        (void)ax_g711_decode(AX_G711_MU, octets + i, 160, out + i);
    return (uint16_t)out[77];
}

static int prepare_g722(void)
{
    fill();
    return ax_g722_new(&g722);
}

static uint64_t run_g722(void)
{
    uint64_t sum = 0;
    for (int i = 0; i < 16000; i += 320)
        sum += (uint64_t)ax_g722_encode(g722, in + i, 320, octets) + octets[9];
    return sum;
}

static uint64_t run_g722_decode(void)
{
    uint64_t sum = 0;
    for (int i = 0; i < 8000; i += 160)
        sum += (uint64_t)ax_g722_decode(g722, octets + i, 160, out) + (uint16_t)out[9];
    return sum;
}

static int prepare_g726(void)
{
    fill();
    return ax_g726_new(&g726, false);
}

static uint64_t run_g726(void)
{
    uint64_t sum = 0;
    for (int i = 0; i < 8000; i += 160)
        sum += (uint64_t)ax_g726_encode(g726, in + i, 160, octets) + octets[9];
    return sum;
}

static int prepare_plc(void)
{
    fill();
    return ax_plc_new(&plc, 8000);
}

/* Every fifth packet is lost. */
static uint64_t run_plc(void)
{
    uint64_t sum = 0;
    for (int i = 0; i < 8000; i += 160) {
        memcpy(out, in + i, 160 * sizeof *out);
        sum += (uint64_t)(i % 800 ? ax_plc_good(plc, out, 160) : ax_plc_lost(plc, out, 160)) + (uint16_t)out[5];
    }
    return sum;
}

static int prepare_dtmf(void)
{
    fill();
    return ax_dtmf_new(&dtmf, 8000);
}

static uint64_t run_dtmf(void)
{
    struct ax_dtmf_event events[8];
    uint64_t sum = 0;
    for (int i = 0; i < 8000; i += 160)
        sum += (uint64_t)ax_dtmf_feed(dtmf, in + i, 160, events, 8);
    return sum;
}

static int prepare_agc(void)
{
    const struct ax_agc_spec spec = {16000, -20, 30, -20};
    fill();
    return ax_agc_new(&agc, &spec);
}

static uint64_t run_agc(void)
{
    uint64_t sum = 0;
    for (int i = 0; i < 16000; i += 160)
        sum += (uint64_t)ax_agc_i16(agc, in + i, out) + (uint16_t)out[7];
    return sum;
}

static int prepare_resample(void)
{
    fill();
    return ax_resample_new(&resample, 48000, 16000, 96);
}

static uint64_t run_resample(void)
{
    uint64_t sum = 0;
    for (int i = 0; i < 48000; i += 480)
        sum += (uint64_t)ax_resample_i16(resample, in + i, 480, out, 160) + (uint16_t)out[7];
    return sum;
}

static int prepare_vad(void)
{
    fill();
    return ax_vad_init(&vad, 16000);
}

static uint64_t run_vad(void)
{
    uint64_t sum = 0;
    for (int i = 0; i < 16000; i += 160)
        sum += (uint64_t)ax_vad_feed(&vad, in + i);
    return sum;
}

int main(int argc, char **argv)
{
    static const struct workload list[] = {
        {"audio.mu_encode", "samples", 8000, fill, mu_encode},
        {"audio.mu_decode", "samples", 8000, fill, mu_decode},
        {"audio.g722_encode", "samples", 16000, prepare_g722, run_g722},
        {"audio.g722_decode", "samples", 16000, prepare_g722, run_g722_decode},
        {"audio.g726_encode", "samples", 8000, prepare_g726, run_g726},
        {"audio.plc", "samples", 8000, prepare_plc, run_plc},
        {"audio.dtmf", "samples", 8000, prepare_dtmf, run_dtmf},
        {"audio.agc", "frames", 100, prepare_agc, run_agc},
        {"audio.resample", "samples", 48000, prepare_resample, run_resample},
        {"audio.vad", "frames", 100, prepare_vad, run_vad},
    };
    return workload_main(list, sizeof list / sizeof *list, argc, argv);
}
