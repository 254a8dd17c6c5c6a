/* Legs, the pipeline and the virtual room: sound comes through whole and on time, echo goes, keys and tones are heard, bad
 * arguments change nothing. */
#include "ax/err.h"
#include "ax/leg.h"
#include "ax/pipeline.h"
#include "ax/room.h"
#include "ax_test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MS UINT64_C(1000000)

static uint32_t seed = 1;

static float noise(void)
{
    seed = seed * 1664525u + 1013904223u;
    return (float)(int32_t)seed / 2147483648.0f;
}

static struct ax_leg_spec leg_spec(uint32_t rate, uint32_t codec)
{
    return (struct ax_leg_spec){.rate = rate, .codec = codec, .packet_ms = codec == AX_LEG_PCM ? 10 : 20, .max_delay_ms = 200,
                                .codec_rate = codec == AX_LEG_L16 ? 16000 : 0, .keys = true};
}

static double power(const int16_t *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)x[i] * x[i];
    return sum / (double)n;
}

/* How much of `x` is a sine of `hz`: its power over all power. */
static double purity(const int16_t *x, size_t n, double hz, double rate)
{
    double re = 0, im = 0;
    for (size_t i = 0; i < n; i++) {
        re += x[i] * cos(2 * M_PI * hz * (double)i / rate);
        im += x[i] * sin(2 * M_PI * hz * (double)i / rate);
    }
    return 2 * (re * re + im * im) / (double)n / (double)n / (power(x, n) + 1);
}

static void sine(int16_t *out, size_t n, double hz, double rate, size_t at, double amplitude)
{
    for (size_t i = 0; i < n; i++)
        out[i] = (int16_t)lrint(amplitude * sin(2 * M_PI * hz * (double)(at + i) / rate));
}

/* Packets of one leg to another; every `lose`th is lost. Gives how many went. */
static int carry(struct ax_leg *from, struct ax_leg *to, uint16_t *sequence, uint64_t now_ns, int lose)
{
    uint8_t payload[8192];
    uint32_t timestamp;
    int n, count = 0;
    while ((n = ax_leg_take(from, &timestamp, payload, sizeof payload)) > 0) {
        const struct ax_leg_packet packet = {payload, (uint32_t)n, 77, timestamp, *sequence, *sequence == 0};
        count++;
        if (!lose || (*sequence % lose) != lose - 1)
            CHECK_EQ(ax_leg_offer(to, &packet, now_ns), AX_OK);
        ++*sequence;
    }
    return count;
}

static void test_leg_codecs(uint32_t rate, uint32_t codec)
{
    struct ax_leg *a = NULL, *b = NULL;
    struct ax_leg_spec spec = leg_spec(rate, codec);
    struct ax_leg_key keys[AX_LEG_KEYS];
    int16_t frame[480];
    static int16_t heard[48000];
    const uint32_t n = rate / 100;
    uint16_t sequence = 0;
    CHECK_EQ(ax_leg_new(&a, &spec), AX_OK);
    CHECK_EQ(ax_leg_new(&b, &spec), AX_OK);
    for (uint32_t k = 0; k < 200; k++) {
        const uint64_t now_ns = k * 10 * MS;
        sine(frame, n, 440, rate, k * n, 8000);
        CHECK(ax_leg_say(a, frame) == (codec == AX_LEG_PCM || k % 2 == 1));
        carry(a, b, &sequence, now_ns, 0);
        CHECK_EQ(ax_leg_hear(b, now_ns, frame, keys), 0);
        if (k >= 100)
            memcpy(heard + (k - 100) * n, frame, n * sizeof *frame);
    }
    CHECK(purity(heard, 100 * n, 440, rate) > 0.995);
    CHECK(fabs(10 * log10(power(heard, 100 * n) / 32e6)) < 0.7);
    struct ax_leg_stats stats;
    ax_leg_get(b, &stats);
    CHECK_EQ(stats.offered, codec == AX_LEG_PCM ? 200 : 100);
    CHECK_EQ(stats.refused + stats.late + stats.lost, 0);
    ax_leg_get(a, &stats);
    CHECK_EQ(stats.made, codec == AX_LEG_PCM ? 200 : 100);
    ax_leg_free(a);
    ax_leg_free(b);
}

/* A voice-like sound over a way that loses and jitters: it stays continuous, and the delay follows. */
static void test_leg_jitter(void)
{
    struct ax_leg *a = NULL, *b = NULL;
    struct ax_leg_spec spec = leg_spec(8000, AX_LEG_PCMU);
    struct ax_leg_key keys[AX_LEG_KEYS];
    struct { uint8_t payload[160]; uint64_t at_ns; uint32_t timestamp; } way[1024];
    int16_t frame[80], last = 0;
    int sent = 0, got = 0, jumps = 0;
    CHECK_EQ(ax_leg_new(&a, &spec), AX_OK);
    CHECK_EQ(ax_leg_new(&b, &spec), AX_OK);
    for (uint32_t k = 0; k < 2000; k++) {
        const uint64_t now_ns = k * 10 * MS;
        sine(frame, 80, 200, 8000, k * 80, 6000);
        (void)ax_leg_say(a, frame);
        while (sent < 1024 && ax_leg_take(a, &way[sent].timestamp, way[sent].payload, 160) > 0) {
            const double late = k > 700 && k < 1400 ? 60 * fabs((double)noise()) : 2; /* ms */
            way[sent].at_ns = now_ns + (uint64_t)(late * 1e6);
            if (sent > 0 && way[sent].at_ns < way[sent - 1].at_ns)
                way[sent].at_ns = way[sent - 1].at_ns;
            sent++;
        }
        for (; got < sent && way[got].at_ns <= now_ns; got++) {
            const struct ax_leg_packet packet = {way[got].payload, 160, 5, way[got].timestamp, (uint16_t)got, got == 0};
            if (got % 50 != 49) /* 2 % are lost. */
                CHECK_EQ(ax_leg_offer(b, &packet, way[got].at_ns), AX_OK);
        }
        CHECK_EQ(ax_leg_hear(b, now_ns, frame, keys), 0);
        for (int i = 0; i < 80; i++) {
            jumps += abs(frame[i] - last) > 2500; /* The sine itself moves by 940 at most. */
            last = frame[i];
        }
    }
    struct ax_leg_stats stats;
    ax_leg_get(b, &stats);
    CHECK(jumps <= 4);
    CHECK(stats.stretched > 5);
    CHECK(stats.lost >= 18 && stats.lost < 150);
    CHECK(stats.delay_ms < 40); /* It came back after the bad time. */
    ax_leg_free(a);
    ax_leg_free(b);
}

static void test_leg_bad(void)
{
    struct ax_leg *l = NULL;
    struct ax_leg_spec spec = leg_spec(16000, AX_LEG_PCMU);
    uint8_t payload[1000] = {0};
    struct ax_leg_packet packet = {.payload = payload, .size = 481};
    uint32_t timestamp;
    static const struct { size_t offset; uint32_t value; } wrong[] = {
        {offsetof(struct ax_leg_spec, rate), 44100},       {offsetof(struct ax_leg_spec, codec), AX_LEG_CODEC_END},
        {offsetof(struct ax_leg_spec, codec_rate), 8000},  {offsetof(struct ax_leg_spec, packet_ms), 15},
        {offsetof(struct ax_leg_spec, packet_ms), 0},      {offsetof(struct ax_leg_spec, packet_ms), 70},
        {offsetof(struct ax_leg_spec, min_delay_ms), 300}, {offsetof(struct ax_leg_spec, max_delay_ms), 3000},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct ax_leg_spec bad = spec;
        memcpy((char *)&bad + wrong[i].offset, &wrong[i].value, sizeof wrong[i].value);
        CHECK_EQ(ax_leg_new(&l, &bad), AX_E_RANGE);
        CHECK(l == NULL);
    }
    CHECK_EQ(ax_leg_new(NULL, &spec), AX_E_ARG);
    CHECK_EQ(ax_leg_new(&l, &spec), AX_OK);
    CHECK_EQ(ax_leg_offer(l, &packet, 0), AX_E_RANGE);
    packet.size = 160;
    for (int i = 0; i < AX_LEG_PACKETS; i++)
        CHECK_EQ(ax_leg_offer(l, &packet, 0), AX_OK);
    CHECK_EQ(ax_leg_offer(l, &packet, 0), AX_E_FULL);
    CHECK_EQ(ax_leg_take(l, &timestamp, payload, sizeof payload), 0);
    int16_t frame[160] = {0};
    for (int i = 0; i < 2 * AX_LEG_PACKETS + 4; i++)
        (void)ax_leg_say(l, frame);
    struct ax_leg_stats stats;
    ax_leg_get(l, &stats);
    CHECK_EQ(stats.offered, AX_LEG_PACKETS + 2);
    CHECK_EQ(stats.refused, 2);
    CHECK_EQ(stats.made, AX_LEG_PACKETS);
    CHECK_EQ(stats.dropped, 2);
    CHECK_EQ(ax_leg_take(l, &timestamp, payload, 10), AX_E_FULL);
    CHECK_EQ(ax_leg_take(l, &timestamp, payload, sizeof payload), 160);
    CHECK_EQ(timestamp, 0);
    CHECK_EQ(ax_leg_take(l, &timestamp, payload, sizeof payload), 160);
    CHECK_EQ(timestamp, 160);
    ax_leg_free(l);
    ax_leg_free(NULL);
}

/* --- the pipeline ------------------------------------------------------------------------------------------------------- */

static struct ax_pipeline_spec pipeline_spec(uint32_t rate)
{
    return (struct ax_pipeline_spec){.rate = rate, .echo = AX_PIPELINE_ECHO_FULL, .tail_ms = 200, .target_db = -20,
                                     .quiet_db = -60, .threshold = 60};
}

static uint64_t put(struct ax_pipeline *p, struct ax_pipeline_command command)
{
    uint64_t serial = 0;
    CHECK_EQ(ax_pipeline_put(p, &command, &serial), AX_OK);
    return serial;
}

/* A partner talks (noise in syllables) over G.711, the room echoes: after the canceller little of it goes back. */
static void test_echo(uint32_t rate)
{
    struct ax_pipeline *p = NULL;
    struct ax_room *room = NULL;
    struct ax_leg *here = NULL, *there = NULL;
    const struct ax_pipeline_spec spec = pipeline_spec(rate);
    const struct ax_room_spec house = {.rate = rate, .rt60_ms = 200, .seed = 3, .curve = AX_ROOM_SOFT};
    struct ax_leg_spec ours = leg_spec(rate, AX_LEG_PCMA), theirs = leg_spec(8000, AX_LEG_PCMA);
    struct ax_leg_key keys[AX_LEG_KEYS];
    struct ax_pipeline_stats stats;
    int16_t mic[480] = {0}, speaker[480], far[80];
    double echo = 0, left = 0;
    uint16_t out = 0, back = 0;
    CHECK_EQ(ax_pipeline_new(&p, &spec), AX_OK);
    CHECK_EQ(ax_room_new(&room, &house), AX_OK);
    CHECK_EQ(ax_room_set(room, AX_ROOM_DELAY, 35), AX_OK);
    CHECK_EQ(ax_leg_new(&here, &ours), AX_OK);
    CHECK_EQ(ax_leg_new(&there, &theirs), AX_OK);
    put(p, (struct ax_pipeline_command){.verb = AX_PIPELINE_LEG, .index = 2, .leg = here, .gain = 1});
    for (uint32_t k = 0; k < 600; k++) {
        const uint64_t now_ns = k * 10 * MS;
        const float amplitude = k % 25 < 17 ? 9000.0f : 40.0f;
        for (int i = 0; i < 80; i++)
            far[i] = (int16_t)(amplitude * noise());
        (void)ax_leg_say(there, far);
        carry(there, here, &out, now_ns, 0);
        CHECK(ax_pipeline_step(p, now_ns, mic, speaker) >= 0);
        CHECK_EQ(ax_room_step(room, speaker, NULL, mic), AX_OK);
        carry(here, there, &back, now_ns, 0);
        (void)ax_leg_hear(there, now_ns, far, keys);
        ax_pipeline_get(p, &stats);
        if (k >= 300) {
            echo += pow(10, stats.mic_db / 10);
            left += power(far, 80) / 32768 / 32768;
        }
    }
    CHECK(10 * log10(echo / left) > 25);
    CHECK(stats.erle_db > 20);
    CHECK(fabsf(stats.echo_delay_ms - 45) < 4); /* 35 ms of the room, and the microphone's frame comes a step later. */
    CHECK_EQ(stats.legs, 4);
    CHECK_EQ(stats.steps, 600);
    CHECK_EQ(stats.leg[2].lost, 0);
    CHECK_EQ(ax_pipeline_done(p), 1);
    put(p, (struct ax_pipeline_command){.verb = AX_PIPELINE_LEG, .index = 2});
    CHECK_EQ(ax_pipeline_done(p), 1);
    CHECK_EQ(ax_pipeline_step(p, 7000 * MS, mic, speaker), 0);
    CHECK_EQ(ax_pipeline_done(p), 2);
    ax_leg_free(here);
    ax_leg_free(there);
    ax_room_free(room);
    ax_pipeline_free(p);
}

struct port {
    struct ax_leg *leg;
    double hz; /* That its partner says. */
    int16_t heard[100 * 160];
};

/* Legs of PCM: who hears whom. */
static void run_ports(struct ax_pipeline *p, struct port *ports, int n, int16_t *speaker, double mic_hz)
{
    for (uint32_t k = 0; k < 100; k++) {
        int16_t frame[160], mic[160];
        uint32_t timestamp;
        for (int i = 0; i < n; i++) {
            const struct ax_leg_packet packet = {(const uint8_t *)frame, sizeof frame, 1, 0, 0, false};
            sine(frame, 160, ports[i].hz, 16000, k * 160, 3000);
            CHECK_EQ(ax_leg_offer(ports[i].leg, &packet, 0), AX_OK);
        }
        sine(mic, 160, mic_hz, 16000, k * 160, 3000);
        CHECK_EQ(ax_pipeline_step(p, k * 10 * MS, mic, speaker + k * 160), n);
        for (int i = 0; i < n; i++)
            CHECK_EQ(ax_leg_take(ports[i].leg, &timestamp, (uint8_t *)(ports[i].heard + k * 160), 320), 320);
    }
}

static double part(const int16_t *x, double hz)
{
    return purity(x + 1600, 8000, hz, 16000);
}

static void test_mix(void)
{
    struct ax_pipeline *p = NULL;
    struct ax_pipeline_spec spec = pipeline_spec(16000);
    static struct port ports[3] = {{.hz = 500}, {.hz = 700}, {.hz = 900}};
    static int16_t speaker[100 * 160];
    struct ax_leg_spec pcm = leg_spec(16000, AX_LEG_PCM);
    spec.echo = AX_PIPELINE_ECHO_OFF;
    CHECK_EQ(ax_pipeline_new(&p, &spec), AX_OK);
    CHECK_EQ(ax_pipeline_frame(p), 160);
    for (uint32_t k = 0; k < 3; k++) {
        CHECK_EQ(ax_leg_new(&ports[k].leg, &pcm), AX_OK);
        put(p, (struct ax_pipeline_command){
            .verb = AX_PIPELINE_LEG, .index = k, .leg = ports[k].leg, .gain = 1, .conference = k != 2, .mute = k == 2});
    }
    run_ports(p, ports, 3, speaker, 300);
    CHECK(part(speaker, 500) > 0.45 && part(speaker, 700) > 0.45 && part(speaker, 900) < 0.01); /* Leg 2 is mute. */
    CHECK(part(speaker, 300) < 0.01);
    CHECK(part(ports[0].heard, 300) > 0.45 && part(ports[0].heard, 700) > 0.45 && part(ports[0].heard, 500) < 0.01);
    CHECK(part(ports[1].heard, 300) > 0.45 && part(ports[1].heard, 500) > 0.45);
    CHECK(part(ports[2].heard, 300) > 0.95); /* Leg 2 is not in conference. */
    put(p, (struct ax_pipeline_command){.verb = AX_PIPELINE_MICROPHONE, .gain = 1, .mute = true});
    put(p, (struct ax_pipeline_command){.verb = AX_PIPELINE_SET_LEG, .index = 2, .gain = 2});
    put(p, (struct ax_pipeline_command){.verb = AX_PIPELINE_SPEAKER_GAIN, .gain = 0.5f});
    run_ports(p, ports, 3, speaker, 300);
    CHECK(power(ports[2].heard + 1600, 8000) < 1);
    CHECK(part(speaker, 900) > 0.6); /* Twice as loud as the two others: 4 / 6 of the power. */
    CHECK(fabs(10 * log10(power(speaker + 1600, 8000) / (0.25 * 6 * 4.5e6))) < 0.3);
    for (int k = 0; k < 3; k++)
        ax_leg_free(ports[k].leg);
    ax_pipeline_free(p);
}

static int events(struct ax_pipeline *p, struct ax_pipeline_event *out, int room)
{
    int n = 0;
    while (n < room && ax_pipeline_event(p, &out[n]) == 1)
        n++;
    return n;
}

/* Clips and tones: to whom, how often, what is said when they end; keys that a partner presses. */
static void test_plays_and_keys(void)
{
    struct ax_pipeline *p = NULL;
    struct ax_pipeline_spec spec = pipeline_spec(16000);
    struct ax_leg_spec pcm = leg_spec(16000, AX_LEG_PCM);
    struct ax_leg *leg = NULL;
    struct ax_tone *tone = NULL;
    const struct ax_tone_segment key = {.duration_us = 100000, .mhz = {770000, 1336000}, .amplitude = {0.2f, 0.2f}};
    struct ax_pipeline_event found[16];
    static int16_t clip[250], speaker[160], mic[160];
    uint32_t timestamp;
    uint64_t serial, heard = 0;
    spec.echo = AX_PIPELINE_ECHO_OFF;
    for (int i = 0; i < 250; i++)
        clip[i] = 1000;
    CHECK_EQ(ax_pipeline_new(&p, &spec), AX_OK);
    CHECK_EQ(ax_leg_new(&leg, &pcm), AX_OK);
    CHECK_EQ(ax_tone_new(&tone, &key, 1, false, 16000), AX_OK);
    put(p, (struct ax_pipeline_command){.verb = AX_PIPELINE_LEG, .index = 0, .leg = leg, .gain = 1});
    serial = put(p, (struct ax_pipeline_command){.verb = AX_PIPELINE_PLAY, .index = 3, .samples = clip, .n = 250, .repeat = 3,
                                                 .to = AX_PIPELINE_SPEAKER, .gain = 2});
    CHECK_EQ(ax_pipeline_playing(p, 3), 0);
    for (int k = 0; k < 8; k++) {
        CHECK(ax_pipeline_step(p, (uint64_t)k, mic, speaker) == 1);
        for (int i = 0; i < 160; i++)
            heard += speaker[i] == 2000;
        CHECK_EQ(ax_pipeline_playing(p, 3), k < 4 ? serial : 0);
    }
    CHECK_EQ(heard, 750);
    CHECK_EQ(events(p, found, 16), 1);
    CHECK(found[0].kind == AX_PIPELINE_ENDED && found[0].serial == serial && found[0].index == 3 && found[0].t_ns == 4);
    /* The tone goes to leg 0, whose partner sends it back: a key. */
    put(p, (struct ax_pipeline_command){.verb = AX_PIPELINE_PLAY, .index = 0, .tone = tone, .repeat = 1, .to = 1, .gain = 1});
    for (int k = 0; k < 40; k++) {
        int16_t frame[160];
        while (ax_leg_take(leg, &timestamp, (uint8_t *)frame, sizeof frame) > 0) {
            const struct ax_leg_packet packet = {(const uint8_t *)frame, sizeof frame, 1, 0, 0, false};
            CHECK_EQ(ax_leg_offer(leg, &packet, 0), AX_OK);
        }
        CHECK(ax_pipeline_step(p, 100 + (uint64_t)k, mic, speaker) == 1);
    }
    CHECK_EQ(events(p, found, 16), 3);
    CHECK(found[0].kind == AX_PIPELINE_ENDED && found[0].index == 0); /* What is said comes back three steps later. */
    CHECK(found[1].kind == AX_PIPELINE_KEY_DOWN && found[1].key == '5' && found[1].index == 0);
    CHECK(found[2].kind == AX_PIPELINE_KEY_UP && found[2].key == '5' && abs((int)found[2].value - 100) <= 15);
    /* Without end, until something else takes its place. */
    serial = put(p, (struct ax_pipeline_command){
        .verb = AX_PIPELINE_PLAY, .index = 1, .samples = clip, .n = 250, .to = AX_PIPELINE_SPEAKER, .gain = 1});
    for (int k = 0; k < 50; k++)
        CHECK(ax_pipeline_step(p, 1000, mic, speaker) == 1);
    CHECK(speaker[0] == 1000 && speaker[159] == 1000);
    CHECK_EQ(ax_pipeline_playing(p, 1), serial);
    put(p, (struct ax_pipeline_command){.verb = AX_PIPELINE_PLAY, .index = 1});
    CHECK(ax_pipeline_step(p, 1000, mic, speaker) == 1 && ax_pipeline_step(p, 1000, mic, speaker) == 1);
    CHECK(power(speaker, 160) < 1 && ax_pipeline_playing(p, 1) == 0);
    ax_tone_free(tone);
    ax_leg_free(leg);
    ax_pipeline_free(p);
}

/* Steady noise goes down; behind the whole canceller the suppressor takes no time of its own. */
static void test_noise(uint32_t echo)
{
    struct ax_pipeline *p = NULL, *without = NULL;
    struct ax_pipeline_spec spec = pipeline_spec(16000);
    struct ax_pipeline_stats stats;
    int16_t mic[160], speaker[160];
    spec.echo = echo;
    CHECK_EQ(ax_pipeline_new(&without, &spec), AX_OK);
    spec.max_attenuation_db = 20;
    CHECK_EQ(ax_pipeline_new(&p, &spec), AX_OK);
    const uint32_t more = ax_pipeline_near_latency(p) - ax_pipeline_near_latency(without);
    CHECK(echo == AX_PIPELINE_ECHO_FULL ? more == 0 : more > 0 && more <= 5 * 16);
    for (int k = 0; k < 500; k++) {
        if (k == 10)
            put(p, (struct ax_pipeline_command){.verb = AX_PIPELINE_RESET});
        for (int i = 0; i < 160; i++)
            mic[i] = (int16_t)(500.0f * noise());
        CHECK_EQ(ax_pipeline_step(p, (uint64_t)k, mic, speaker), 0);
    }
    ax_pipeline_get(p, &stats);
    CHECK(stats.near_db < stats.mic_db - 8);
    CHECK(stats.near_db > stats.mic_db - 25);
    ax_pipeline_free(p);
    ax_pipeline_free(without);
    p = NULL;
    spec.max_attenuation_db = 61;
    CHECK_EQ(ax_pipeline_new(&p, &spec), AX_E_RANGE);
    CHECK(p == NULL);
}

/* The microphone's side: level and talk as events, gain control. */
static void test_near(void)
{
    struct ax_pipeline *p = NULL;
    struct ax_pipeline_spec spec = pipeline_spec(16000);
    struct ax_pipeline_event found[16];
    struct ax_pipeline_stats stats;
    int16_t mic[160], speaker[160];
    int n;
    spec.gain_control = spec.volume_control = true;
    spec.threshold = 80;
    CHECK_EQ(ax_pipeline_new(&p, &spec), AX_OK);
    CHECK(ax_pipeline_near_latency(p) > 0 && ax_pipeline_near_latency(p) <= 16 * 8);
    CHECK(ax_pipeline_far_latency(p) > 0 && ax_pipeline_far_latency(p) <= 16 * 3);
    for (int k = 0; k < 600; k++) {
        const float amplitude = k > 200 && k % 24 < 16 ? 700.0f : 3.0f;
        for (int i = 0; i < 160; i++)
            mic[i] = (int16_t)(amplitude * noise());
        CHECK_EQ(ax_pipeline_step(p, (uint64_t)k, mic, speaker), 0);
    }
    ax_pipeline_get(p, &stats);
    CHECK(stats.gain_db > 10); /* -38 dBFS, towards -20. */
    CHECK(stats.legs == 0 && stats.erle_db == 0);
    n = events(p, found, 16);
    CHECK(n >= 1 && found[0].kind == AX_PIPELINE_TALK && found[0].t_ns >= 200 && found[0].t_ns < 230);
    for (int i = 0; i < 160; i++)
        mic[i] = (int16_t)(i % 2 ? 20000 : -20000);
    put(p, (struct ax_pipeline_command){.verb = AX_PIPELINE_THRESHOLD, .gain = 90});
    CHECK_EQ(ax_pipeline_step(p, 1000, mic, speaker), 0);
    memset(mic, 0, sizeof mic);
    for (int k = 0; k < 100; k++)
        CHECK_EQ(ax_pipeline_step(p, 1001 + (uint64_t)k, mic, speaker), 0);
    n = events(p, found, 16);
    CHECK(n >= 2 && found[0].kind == AX_PIPELINE_RISE && found[0].value >= 90 && found[0].t_ns == 1000);
    CHECK(found[1].kind == AX_PIPELINE_FALL || (n > 2 && found[2].kind == AX_PIPELINE_FALL));
    put(p, (struct ax_pipeline_command){.verb = AX_PIPELINE_RESET});
    CHECK_EQ(ax_pipeline_step(p, 2000, mic, speaker), 0);
    ax_pipeline_get(p, &stats);
    CHECK(fabsf(stats.gain_db) < 1);
    ax_pipeline_free(p);
}

static void test_bad(void)
{
    struct ax_pipeline *p = NULL;
    struct ax_pipeline_spec spec = pipeline_spec(44100);
    struct ax_room *room = NULL;
    uint64_t serial = 0;
    int16_t clip[4] = {0};
    CHECK_EQ(ax_pipeline_new(&p, &spec), AX_E_RANGE);
    spec = pipeline_spec(16000);
    spec.tail_ms = 10;
    CHECK_EQ(ax_pipeline_new(&p, &spec), AX_E_RANGE);
    spec.tail_ms = 200;
    spec.threshold = NAN;
    CHECK_EQ(ax_pipeline_new(&p, &spec), AX_E_RANGE);
    CHECK(p == NULL);
    spec.threshold = 50;
    CHECK_EQ(ax_pipeline_new(&p, &spec), AX_OK);
    const struct ax_pipeline_command bad[] = {
        {.verb = 0}, {.verb = AX_PIPELINE_VERB_END}, {.verb = AX_PIPELINE_LEG, .index = 6},
        {.verb = AX_PIPELINE_PLAY, .index = 8}, {.verb = AX_PIPELINE_PLAY, .samples = clip},
        {.verb = AX_PIPELINE_SPEAKER_GAIN, .gain = 17}, {.verb = AX_PIPELINE_SPEAKER_GAIN, .gain = NAN},
        {.verb = AX_PIPELINE_SPEAKER_GAIN, .gain = -1}, {.verb = AX_PIPELINE_THRESHOLD, .gain = 101},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK_EQ(ax_pipeline_put(p, &bad[i], &serial), AX_E_RANGE);
    CHECK_EQ(serial, 0);
    const struct ax_pipeline_command fine = {.verb = AX_PIPELINE_SPEAKER_GAIN, .gain = 1};
    for (int i = 0; i < AX_PIPELINE_COMMANDS; i++)
        CHECK_EQ(ax_pipeline_put(p, &fine, &serial), AX_OK);
    CHECK_EQ(ax_pipeline_put(p, &fine, &serial), AX_E_FULL);
    CHECK_EQ(serial, AX_PIPELINE_COMMANDS);
    ax_pipeline_free(p);
    ax_pipeline_free(NULL);
    struct ax_room_spec house = {.rate = 16000, .curve = AX_ROOM_CURVE_END};
    CHECK_EQ(ax_room_new(&room, &house), AX_E_RANGE);
    house.curve = AX_ROOM_HARD;
    CHECK_EQ(ax_room_new(&room, &house), AX_OK);
    CHECK_EQ(ax_room_set(room, AX_ROOM_DELAY, 501), AX_E_RANGE);
    CHECK_EQ(ax_room_set(room, AX_ROOM_PART_END, 0), AX_E_RANGE);
    CHECK_EQ(ax_room_set(room, AX_ROOM_NOISE_DB, NAN), AX_E_RANGE);
    ax_room_free(room);
}

/* What goes wrong in a room is heard. */
static void test_room(void)
{
    struct ax_room *room = NULL;
    static const float response[3] = {0, 0, 2};
    const struct ax_room_spec house = {.rate = 16000, .response = response, .taps = 3, .seed = 9};
    int16_t speaker[160], mic[160], talker[160] = {0};
    CHECK_EQ(ax_room_new(&room, &house), AX_OK);
    CHECK_EQ(ax_room_frame(room), 160);
    CHECK_EQ(ax_room_set(room, AX_ROOM_ECHO_DB, -20), AX_OK);
    CHECK_EQ(ax_room_set(room, AX_ROOM_NOISE_DB, -100), AX_OK);
    CHECK_EQ(ax_room_set(room, AX_ROOM_DELAY, 2), AX_OK);
    memset(speaker, 0, sizeof speaker);
    speaker[5] = 20000;
    CHECK_EQ(ax_room_step(room, speaker, NULL, mic), AX_OK);
    CHECK(abs(mic[5 + 2 + 32] - 2000) < 8);
    mic[39] = 0;
    CHECK(power(mic, 160) < 10);
    for (int i = 0; i < 160; i++)
        talker[i] = (int16_t)(i % 2 ? 5000 : -5000);
    CHECK_EQ(ax_room_step(room, speaker, talker, mic), AX_OK);
    CHECK(power(mic, 160) > 2.4e7);
    CHECK_EQ(ax_room_set(room, AX_ROOM_COVER_DB, 40), AX_OK);
    CHECK_EQ(ax_room_step(room, speaker, talker, mic), AX_OK);
    CHECK(power(mic + 80, 80) < 100);
    CHECK_EQ(ax_room_set(room, AX_ROOM_COVER_DB, 0), AX_OK);
    CHECK_EQ(ax_room_set(room, AX_ROOM_SPEAKER, 0), AX_OK);
    for (int k = 0; k < 120; k++) /* Long enough that the past is moved. */
        CHECK_EQ(ax_room_step(room, speaker, NULL, mic), AX_OK);
    CHECK(power(mic, 160) < 10);
    ax_room_free(room);
}

/* Packets that come between two ticks, 1 to 9 ms after one: the delay settles, and frames are not stretched for ever. */
static void test_packets_between_ticks(void)
{
    const struct ax_leg_spec spec = {.rate = 16000, .codec = AX_LEG_PCMU, .packet_ms = 20, .max_delay_ms = 300};
    int16_t frame[160], out[160];
    uint8_t payload[160];
    uint32_t timestamp = 0, noise = 1;
    struct ax_leg_key keys[AX_LEG_KEYS];
    for (uint64_t late_ms = 1; late_ms < 10; late_ms += 4) {
        struct ax_leg *here = NULL, *there = NULL;
        struct ax_leg_stats before = {0}, after;
        uint16_t sequence = 0;
        CHECK_EQ(ax_leg_new(&here, &spec), AX_OK);
        CHECK_EQ(ax_leg_new(&there, &spec), AX_OK);
        for (uint64_t tick = 0; tick < 1500; tick++) {
            for (int i = 0; i < 160; i++) {
                noise = noise * 1664525u + 1013904223u;
                frame[i] = (int16_t)((int32_t)noise >> 18);
            }
            ax_leg_hear(there, tick * 10000000, out, keys);
            ax_leg_say(here, frame);
            if (ax_leg_take(here, &timestamp, payload, sizeof payload) > 0) {
                const struct ax_leg_packet packet = {.payload = payload, .size = 160, .ssrc = 5, .timestamp = timestamp,
                                                     .sequence = sequence++};
                CHECK_EQ(ax_leg_offer(there, &packet, tick * 10000000 + late_ms * 1000000), AX_OK);
            }
            if (tick == 1000)
                ax_leg_get(there, &before);
        }
        ax_leg_get(there, &after);
        CHECK_EQ(after.stretched, before.stretched);
        CHECK_EQ(after.concealed_ms, 0);
        CHECK(after.delay_ms <= 12 && after.held <= 2);
        ax_leg_free(here);
        ax_leg_free(there);
    }
}

int main(void)
{
    for (uint32_t codec = 0; codec < AX_LEG_CODEC_END; codec++) {
        test_leg_codecs(16000, codec);
        test_leg_codecs(48000, codec);
    }
    test_leg_codecs(8000, AX_LEG_PCMU);
    test_leg_jitter();
    test_leg_bad();
    test_room();
    test_echo(16000);
    test_echo(48000);
    test_mix();
    test_plays_and_keys();
    test_near();
    test_noise(AX_PIPELINE_ECHO_OFF);
    test_noise(AX_PIPELINE_ECHO_FILTER);
    test_noise(AX_PIPELINE_ECHO_FULL);
    test_bad();
    test_packets_between_ticks();
    return ax_test_done();
}
