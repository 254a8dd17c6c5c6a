/* Reference workloads of the pipeline at 16 kHz with the whole echo canceller and gain control: one second without a partner,
 * with one by G.711, with six of them in conference; packets go in and out. */
#include "workload.h"

#include "ax/pipeline.h"

enum { TICKS = 100, FRAME = 160, PAYLOAD = 160 };

static struct ax_pipeline *pipeline;
static struct ax_leg *legs[AX_PIPELINE_LEGS];
static int nlegs;
static int16_t mic[TICKS * FRAME], speaker[FRAME];
static uint8_t payload[50][PAYLOAD];
static uint64_t tick;

static void fill(void)
{
    uint32_t random = 1;
    for (int i = 0; i < TICKS * FRAME; i++) {
        random = random * 1664525u + 1013904223u;
        mic[i] = (int16_t)((int32_t)random >> (18 + i / 4000 % 3));
    }
    for (int k = 0; k < 50; k++)
        for (int i = 0; i < PAYLOAD; i++) {
            random = random * 1664525u + 1013904223u;
            payload[k][i] = (uint8_t)(random >> 24 & 0x8F) | 0x20;
        }
}

static int open_pipeline(int n)
{
    const struct ax_pipeline_spec spec = {.rate = 16000, .echo = AX_PIPELINE_ECHO_FULL, .tail_ms = 200,
                                          .max_attenuation_db = 30, .gain_control = true,
                                          .target_db = -20, .quiet_db = -60, .threshold = 50};
    const struct ax_leg_spec pcmu = {.rate = 16000, .codec = AX_LEG_PCMU, .packet_ms = 20, .max_delay_ms = 200};
    struct ax_pipeline_command seat = {.verb = AX_PIPELINE_LEG, .gain = 1, .conference = true};
    uint64_t serial;
    fill();
    nlegs = n;
    tick = 0;
    int rc = ax_pipeline_new(&pipeline, &spec);
    for (int k = 0; k < n && rc == 0; k++) {
        rc = ax_leg_new(&legs[k], &pcmu);
        seat.index = (uint32_t)k;
        seat.leg = legs[k];
        if (rc == 0)
            rc = ax_pipeline_put(pipeline, &seat, &serial);
    }
    return rc;
}

static int prepare_none(void)
{
    return open_pipeline(0);
}

static int prepare_one(void)
{
    return open_pipeline(1);
}

static int prepare_six(void)
{
    return open_pipeline(AX_PIPELINE_LEGS);
}

static uint64_t run_second(void)
{
    uint8_t out[PAYLOAD];
    uint32_t timestamp;
    uint64_t sum = 0;
    for (int i = 0; i < TICKS; i++, tick++) {
        const uint64_t now_ns = tick * 10000000;
        for (int k = 0; k < nlegs && tick % 2 == 0; k++) {
            const struct ax_leg_packet packet = {.payload = payload[tick / 2 % 50], .size = PAYLOAD, .ssrc = 7,
                                                 .timestamp = (uint32_t)tick * 80, .sequence = (uint16_t)(tick / 2)};
            sum += (uint64_t)ax_leg_offer(legs[k], &packet, now_ns);
        }
        (void)ax_pipeline_step(pipeline, now_ns, mic + i * FRAME, speaker);
        sum += (uint16_t)speaker[7];
        for (int k = 0; k < nlegs; k++)
            while (ax_leg_take(legs[k], &timestamp, out, sizeof out) > 0)
                sum += out[3];
    }
    return sum;
}

int main(int argc, char **argv)
{
    static const struct workload list[] = {
        {"pipeline.none", "ticks", TICKS, prepare_none, run_second},
        {"pipeline.one", "ticks", TICKS, prepare_one, run_second},
        {"pipeline.six", "ticks", TICKS, prepare_six, run_second},
    };
    return workload_main(list, sizeof list / sizeof *list, argc, argv);
}
