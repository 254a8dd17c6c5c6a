/* The mixer on a made-up clock: blocks are the tone at the elapsed time, changes are without a click, tones are given back. */
#include "ax/err.h"
#include "ax/sound_mixer.h"
#include "ax_test.h"

#include <stdlib.h>
#include <string.h>

#define RATE 48000u
#define BLOCK 240u
#define MS UINT64_C(1000000)
#define EPOCH (7000 * MS)

static struct ax_siren *make(uint32_t mhz)
{
    const struct ax_siren_segment segment = {
        .duration_us = 1000000, .start_mhz = mhz, .end_mhz = mhz, .peak = AX_SIREN_PEAK};
    const struct ax_siren_voice voice = {&segment, 1};
    const struct ax_siren_program program = {.voices = &voice, .nvoices = 1};
    struct ax_siren *tone = NULL;
    CHECK_EQ(ax_siren_new(&tone, &program, RATE), AX_OK);
    return tone;
}

static void expect(const struct ax_siren *tone, uint8_t intensity, uint64_t pos, const int16_t *found)
{
    int16_t wanted[BLOCK];
    const struct ax_siren_play play = {.end = AX_SIREN_ENDLESS, .intensity = intensity};
    ax_siren_render(tone, &play, pos, wanted, BLOCK);
    CHECK(memcmp(wanted, found, sizeof wanted) == 0);
}

static int biggest_step(int16_t before, const int16_t *samples)
{
    int biggest = 0;
    for (uint32_t i = 0; i < BLOCK; i++) {
        int step = abs(samples[i] - before);
        biggest = step > biggest ? step : biggest;
        before = samples[i];
    }
    return biggest;
}

static void put(struct ax_sound_mixer *mixer, const struct ax_siren *tone, uint64_t epoch_ns, uint64_t serial)
{
    CHECK_EQ(ax_sound_mixer_put(mixer, &(struct ax_sound){tone, epoch_ns, serial, 5}), AX_OK);
}

static void test_from_its_beginning(void)
{
    struct ax_sound_mixer *mixer = NULL;
    struct ax_siren *tone = make(440000);
    int16_t block[BLOCK];
    CHECK_EQ(ax_sound_mixer_new(&mixer, RATE, BLOCK), AX_OK);
    CHECK(!ax_sound_mixer_sounds(mixer));
    put(mixer, NULL, 0, 1); /* Silence after silence is nothing to do. */
    CHECK(!ax_sound_mixer_sounds(mixer));
    CHECK_EQ(ax_sound_mixer_done(mixer), 1);
    put(mixer, tone, EPOCH, 2);
    CHECK(ax_sound_mixer_sounds(mixer));
    CHECK_EQ(ax_sound_mixer_done(mixer), 1);
    for (uint64_t k = 0; k < 20; k++) {
        ax_sound_mixer_block(mixer, EPOCH + 5 * MS * k, false, block);
        expect(tone, 5, k * BLOCK, block);
    }
    /* Once it runs it counts samples: a time that wanders changes nothing. */
    ax_sound_mixer_block(mixer, EPOCH + 100 * MS + 700000, false, block);
    expect(tone, 5, 20 * BLOCK, block);
    ax_sound_mixer_free(mixer);
    ax_siren_free(tone);
}

static void test_change_and_come_back(void)
{
    struct ax_sound_mixer *mixer = NULL;
    struct ax_siren *low = make(300000), *high = make(500000);
    int16_t block[BLOCK];
    CHECK_EQ(ax_sound_mixer_new(&mixer, RATE, BLOCK), AX_OK);
    put(mixer, low, EPOCH, 1);
    ax_sound_mixer_block(mixer, EPOCH, false, block);
    int16_t last = block[BLOCK - 1];
    put(mixer, high, EPOCH + 5 * MS, 2);
    CHECK_EQ(ax_sound_mixer_done(mixer), 0); /* Both are needed. */
    ax_sound_mixer_block(mixer, EPOCH + 5 * MS, false, block);
    CHECK_EQ(ax_sound_mixer_done(mixer), 1);
    /* A sine of 500 Hz goes by 2145 at most from sample to sample, the fade adds 2 * 32767 / 240. */
    CHECK(biggest_step(last, block) < 2145 + 300);
    ax_sound_mixer_block(mixer, EPOCH + 10 * MS, false, block);
    expect(high, 5, BLOCK, block);
    last = block[BLOCK - 1];
    /* The first one comes back after 3 s, and is where it would be. */
    put(mixer, low, EPOCH, 3);
    ax_sound_mixer_block(mixer, EPOCH + 3015 * MS, false, block);
    CHECK(biggest_step(last, block) < 2145 + 300);
    ax_sound_mixer_block(mixer, EPOCH + 3020 * MS, false, block);
    expect(low, 5, 3020 * 48, block);
    last = block[BLOCK - 1];
    /* Silence: one block to fade, then nothing. */
    put(mixer, NULL, 0, 4);
    CHECK(ax_sound_mixer_sounds(mixer));
    ax_sound_mixer_block(mixer, EPOCH + 3025 * MS, false, block);
    CHECK(biggest_step(last, block) < 2145 && abs(block[BLOCK - 1]) < 300 && !ax_sound_mixer_sounds(mixer));
    CHECK_EQ(ax_sound_mixer_done(mixer), 4);
    ax_sound_mixer_free(mixer);
    ax_siren_free(low);
    ax_siren_free(high);
}

static void test_newest_counts_and_a_gap(void)
{
    struct ax_sound_mixer *mixer = NULL;
    struct ax_siren *low = make(300000), *high = make(500000);
    int16_t block[BLOCK];
    CHECK_EQ(ax_sound_mixer_new(&mixer, RATE, BLOCK), AX_OK);
    put(mixer, low, EPOCH, 1);
    put(mixer, NULL, 0, 2);
    CHECK(!ax_sound_mixer_sounds(mixer)); /* It never began. */
    CHECK_EQ(ax_sound_mixer_done(mixer), 2);
    put(mixer, low, EPOCH, 3);
    put(mixer, high, EPOCH, 4);
    CHECK_EQ(ax_sound_mixer_done(mixer), 3);
    ax_sound_mixer_block(mixer, EPOCH, false, block);
    expect(high, 5, 0, block);
    /* After a gap of 2 s it is where it would be, with a fade. */
    ax_sound_mixer_block(mixer, EPOCH + 2000 * MS, true, block);
    ax_sound_mixer_block(mixer, EPOCH + 2005 * MS, false, block);
    expect(high, 5, 2005 * 48, block);
    /* An epoch that is to come counts as now. */
    put(mixer, NULL, 0, 5);
    ax_sound_mixer_block(mixer, EPOCH + 2010 * MS, false, block);
    put(mixer, low, EPOCH + 9000 * MS, 6);
    ax_sound_mixer_block(mixer, EPOCH + 2015 * MS, false, block);
    expect(low, 5, 0, block);
    ax_sound_mixer_free(mixer);
    ax_siren_free(low);
    ax_siren_free(high);
}

static void test_three_days(void)
{
    struct ax_sound_mixer *mixer = NULL;
    struct ax_siren *tone = make(440000);
    int16_t block[BLOCK];
    const uint64_t days = UINT64_C(72) * 3600 * 1000;
    CHECK_EQ(ax_sound_mixer_new(&mixer, RATE, BLOCK), AX_OK);
    put(mixer, tone, 1, 1);
    ax_sound_mixer_block(mixer, 1 + days * MS, false, block);
    ax_sound_mixer_block(mixer, 1 + (days + 5) * MS, false, block);
    expect(tone, 5, (days + 5) * 48, block);
    ax_sound_mixer_free(mixer);
    ax_siren_free(tone);
}

static void put_clip(struct ax_sound_mixer *mixer, const int16_t *samples, uint32_t n, uint32_t times, uint64_t serial)
{
    CHECK_EQ(ax_sound_mixer_put_clip(mixer, &(struct ax_sound_clip){samples, n, times, 1.0f, serial}), AX_OK);
}

static void test_a_clip_alone(void)
{
    enum { N = 100 };
    struct ax_sound_mixer *mixer = NULL;
    int16_t clip[N], block[BLOCK];
    for (int i = 0; i < N; i++)
        clip[i] = (int16_t)(100 * i - 5000);
    CHECK_EQ(ax_sound_mixer_new(&mixer, RATE, BLOCK), AX_OK);
    put_clip(mixer, NULL, 0, 0, 1); /* No clip after no clip is nothing to do. */
    CHECK(!ax_sound_mixer_sounds(mixer));
    CHECK_EQ(ax_sound_mixer_clips_done(mixer), 1);
    put_clip(mixer, clip, N, 3, 2); /* Three times: 300 samples, the first at the start of the next block. */
    CHECK(ax_sound_mixer_sounds(mixer));
    for (int k = 0; k < 2; k++) {
        CHECK_EQ(ax_sound_mixer_clips_done(mixer), 1);
        ax_sound_mixer_block(mixer, EPOCH, false, block);
        for (uint32_t i = 0; i < BLOCK; i++)
            CHECK_EQ(block[i], k * BLOCK + i < 3 * N ? clip[(k * BLOCK + i) % N] : 0);
    }
    CHECK(!ax_sound_mixer_sounds(mixer));
    CHECK_EQ(ax_sound_mixer_clips_done(mixer), 2);
    CHECK_EQ(ax_sound_mixer_done(mixer), 0); /* Clips and tones are counted apart. */
    ax_sound_mixer_free(mixer);
}

static void test_a_clip_on_a_tone(void)
{
    enum { N = 4 * BLOCK };
    struct ax_sound_mixer *mixer = NULL;
    struct ax_siren *tone = make(440000);
    static int16_t clip[N], other[1] = {16000};
    int16_t block[BLOCK], both[BLOCK], after = 0;
    for (int i = 0; i < N; i++)
        clip[i] = (int16_t)(i % 48 < 24 ? 3000 : -3000);
    CHECK_EQ(ax_sound_mixer_new(&mixer, RATE, BLOCK), AX_OK);
    CHECK_EQ(ax_sound_mixer_put(mixer, &(struct ax_sound){tone, EPOCH, 1, 3}), AX_OK);
    put_clip(mixer, clip, N, 0, 1);
    for (uint64_t k = 0; k < 6; k++) { /* It begins anew by itself. */
        ax_sound_mixer_block(mixer, EPOCH + 5 * MS * k, false, block);
        const struct ax_siren_clip wanted = {clip, 0, N, 1.0f, true};
        const struct ax_siren_play play = {.end = AX_SIREN_ENDLESS, .intensity = 3, .clip = &wanted};
        ax_siren_render(tone, &play, k * BLOCK, both, BLOCK);
        for (uint32_t i = 0; i < BLOCK; i++)
            CHECK(abs(block[i] - both[i]) <= 2); /* Rounded once more. */
    }
    after = block[BLOCK - 1];
    put_clip(mixer, NULL, 0, 0, 2); /* Goes within a block; the tone stays as it was. */
    ax_sound_mixer_block(mixer, EPOCH + 30 * MS, false, block);
    CHECK(biggest_step(after, block) < 6000 + 700); /* The clip's own steps, and the tone. */
    CHECK_EQ(ax_sound_mixer_clips_done(mixer), 2);
    ax_sound_mixer_block(mixer, EPOCH + 35 * MS, false, block);
    expect(tone, 3, 7 * BLOCK, block);
    /* Much too loud: it is bent and does not wrap. */
    CHECK_EQ(ax_sound_mixer_put_clip(mixer, &(struct ax_sound_clip){other, 1, 0, 16.0f, 3}), AX_OK);
    for (uint64_t k = 8; k < 12; k++) {
        ax_sound_mixer_block(mixer, EPOCH + 5 * MS * k, false, block);
        for (uint32_t i = 0; i < BLOCK; i++)
            CHECK(block[i] > 24575);
    }
    ax_sound_mixer_free(mixer);
    ax_siren_free(tone);
}

static void test_clips_that_are_refused(void)
{
    struct ax_sound_mixer *mixer = NULL;
    int16_t clip[1] = {1};
    CHECK_EQ(ax_sound_mixer_new(&mixer, RATE, BLOCK), AX_OK);
    CHECK_EQ(ax_sound_mixer_put_clip(mixer, NULL), AX_E_ARG);
    CHECK_EQ(ax_sound_mixer_put_clip(NULL, &(struct ax_sound_clip){clip, 1, 1, 1.0f, 1}), AX_E_ARG);
    CHECK_EQ(ax_sound_mixer_put_clip(mixer, &(struct ax_sound_clip){clip, 0, 1, 1.0f, 1}), AX_E_RANGE);
    CHECK_EQ(ax_sound_mixer_put_clip(mixer, &(struct ax_sound_clip){clip, UINT32_MAX, 1, 1.0f, 1}), AX_E_RANGE);
    CHECK_EQ(ax_sound_mixer_put_clip(mixer, &(struct ax_sound_clip){clip, 1, 1, -0.1f, 1}), AX_E_RANGE);
    CHECK_EQ(ax_sound_mixer_put_clip(mixer, &(struct ax_sound_clip){clip, 1, 1, 16.1f, 1}), AX_E_RANGE);
    CHECK_EQ(ax_sound_mixer_put_clip(mixer, &(struct ax_sound_clip){clip, 1, 1, 0.0f / 0.0f, 1}), AX_E_RANGE);
    CHECK(!ax_sound_mixer_sounds(mixer));
    ax_sound_mixer_free(mixer);
}

static void test_refused(void)
{
    struct ax_sound_mixer *mixer = NULL;
    struct ax_siren *tone = make(440000);
    CHECK_EQ(ax_sound_mixer_new(NULL, RATE, BLOCK), AX_E_ARG);
    CHECK_EQ(ax_sound_mixer_new(&mixer, 11025, BLOCK), AX_E_RANGE);
    CHECK_EQ(ax_sound_mixer_new(&mixer, RATE, AX_SOUND_BLOCK_MIN - 1), AX_E_RANGE);
    CHECK_EQ(ax_sound_mixer_new(&mixer, RATE, AX_SOUND_BLOCK_MAX + 1), AX_E_RANGE);
    CHECK_EQ(ax_sound_mixer_new(&mixer, 8000, BLOCK), AX_OK);
    CHECK_EQ(ax_sound_mixer_put(mixer, NULL), AX_E_ARG);
    CHECK_EQ(ax_sound_mixer_put(mixer, &(struct ax_sound){tone, 0, 1, 5}), AX_E_RANGE); /* Another rate. */
    ax_sound_mixer_free(mixer);
    CHECK_EQ(ax_sound_mixer_new(&mixer, RATE, BLOCK), AX_OK);
    CHECK_EQ(ax_sound_mixer_put(mixer, &(struct ax_sound){tone, 0, 1, 0}), AX_E_RANGE);
    CHECK_EQ(ax_sound_mixer_put(mixer, &(struct ax_sound){tone, 0, 1, 6}), AX_E_RANGE);
    CHECK(!ax_sound_mixer_sounds(mixer));
    ax_sound_mixer_free(mixer);
    ax_sound_mixer_free(NULL);
    ax_siren_free(tone);
}

int main(void)
{
    test_from_its_beginning();
    test_change_and_come_back();
    test_newest_counts_and_a_gap();
    test_three_days();
    test_a_clip_alone();
    test_a_clip_on_a_tone();
    test_clips_that_are_refused();
    test_refused();
    return ax_test_done();
}
