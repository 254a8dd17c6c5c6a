/* A sound card by ALSA; see ax/card.h. Two PCMs (alsa-lib, PCM interface: snd_pcm_open, set_params, readi, writei, wait,
 * prepare, start, close), linked where they can be, so that one clock drives both. The loudspeaker starts with PREFILL
 * half frames of silence; whichever side runs over or dry, both start again with PREFILL_SURE, and so from then on: a card
 * that is served in time waits 5 ms less, and after the first time the delay from loudspeaker to microphone stays the same.
 * Constants are those of its public headers.
 * Units: frames are samples, one channel. Threads: one. Allocation: in open. */
#include "ax/err.h"
#include "ax_card_internal.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PLAYBACK 0
#define CAPTURE 1
#define NONBLOCK 1
#define RW_INTERLEAVED 3
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define FORMAT_S16 3
#else
#define FORMAT_S16 2
#endif
#define LATENCY_US 40000u /* Of each ring: four periods of 10 ms. */
#define PREFILL 3 /* A frame is played until the next one comes; half a frame is what that one may be late. */
#define PREFILL_SURE 4
#define WAIT_MS 100
#define WAITS 10
#define ALSA "libasound.so.2"

enum { MOST_FRAME = 480 };

struct alsa_card {
    struct ax_card card;
    void *library, *speaker, *microphone;
    bool started;
    int prefill; /* Half frames. */
    int (*open)(void **pcm, const char *name, int stream, int mode);
    int (*set_params)(void *pcm, int format, int access, unsigned channels, unsigned rate, int resample, unsigned latency);
    long (*readi)(void *pcm, void *buffer, unsigned long size);
    long (*writei)(void *pcm, const void *buffer, unsigned long size);
    int (*wait)(void *pcm, int timeout);
    int (*prepare)(void *pcm);
    int (*start)(void *pcm);
    int (*drop)(void *pcm);
    int (*link)(void *pcm, void *other);
    int (*close)(void *pcm);
};

static bool alsa_open_library(struct alsa_card *c, const char *name)
{
    const struct { const char *name; void *slot; } symbols[] = {
        {"snd_pcm_open", &c->open},   {"snd_pcm_set_params", &c->set_params}, {"snd_pcm_readi", &c->readi},
        {"snd_pcm_wait", &c->wait},   {"snd_pcm_writei", &c->writei},         {"snd_pcm_prepare", &c->prepare},
        {"snd_pcm_start", &c->start}, {"snd_pcm_drop", &c->drop},             {"snd_pcm_link", &c->link},
        {"snd_pcm_close", &c->close},
    };
    c->library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    for (size_t i = 0; c->library != NULL && i < sizeof symbols / sizeof symbols[0]; i++) {
        void *symbol = dlsym(c->library, symbols[i].name);
        if (symbol == NULL)
            return false;
        memcpy(symbols[i].slot, &symbol, sizeof symbol); /* POSIX: a function's address is an object's in size. */
    }
    return c->library != NULL;
}

/* Write all, or tell why not: a negative errno. */
static long write_all(struct alsa_card *c, const int16_t *samples, unsigned long n)
{
    for (int tries = 0; n > 0 && tries < WAITS; tries++) {
        const long done = c->writei(c->speaker, samples, n);
        if (done == -EAGAIN)
            c->wait(c->speaker, WAIT_MS);
        else if (done < 0)
            return done;
        else {
            samples += done;
            n -= (unsigned long)done < n ? (unsigned long)done : n;
            tries = done > 0 ? -1 : tries;
        }
    }
    return n == 0 ? 0 : -EIO;
}

static long read_all(struct alsa_card *c, int16_t *samples, unsigned long n)
{
    for (int tries = 0; n > 0 && tries < WAITS; tries++) {
        const long done = c->readi(c->microphone, samples, n);
        if (done == -EAGAIN)
            c->wait(c->microphone, WAIT_MS);
        else if (done < 0)
            return done;
        else {
            samples += done;
            n -= (unsigned long)done < n ? (unsigned long)done : n;
            tries = done > 0 ? -1 : tries;
        }
    }
    return n == 0 ? 0 : -EIO;
}

/* Both sides from the beginning. A PCM that was started by its link says EBADFD: that is as well. */
static int begin(struct alsa_card *c)
{
    static const int16_t silence[MOST_FRAME];
    long err = c->started ? c->drop(c->speaker) : 0;
    if (c->started)
        (void)c->drop(c->microphone);
    err = c->prepare(c->speaker);
    if (err >= 0)
        (void)c->prepare(c->microphone);
    for (int i = 0; i < c->prefill && err >= 0; i++)
        err = write_all(c, silence, c->card.frame / 2);
    c->prefill = PREFILL_SURE;
    if (err >= 0)
        (void)c->start(c->speaker);
    if (err >= 0)
        (void)c->start(c->microphone);
    c->started = err >= 0;
    return err >= 0 ? AX_OK : AX_E_SYS;
}

static int alsa_read(struct ax_card *card, int16_t *mic)
{
    struct alsa_card *c = (struct alsa_card *)card;
    int again = 0;
    if (!c->started && begin(c) != AX_OK)
        again = 2;
    for (; again < 2; again++) {
        if (read_all(c, mic, card->frame) == 0)
            return again;
        if (begin(c) != AX_OK)
            break;
    }
    c->started = false;
    memset(mic, 0, card->frame * sizeof *mic);
    return AX_E_SYS;
}

static int alsa_write(struct ax_card *card, const int16_t *speaker)
{
    struct alsa_card *c = (struct alsa_card *)card;
    if (!c->started)
        return AX_E_SYS;
    if (write_all(c, speaker, card->frame) == 0)
        return 0;
    if (begin(c) != AX_OK || write_all(c, speaker, card->frame) != 0) {
        c->started = false;
        return AX_E_SYS;
    }
    return 1;
}

static void alsa_close(struct ax_card *card)
{
    struct alsa_card *c = (struct alsa_card *)card;
    if (c->speaker != NULL)
        c->close(c->speaker);
    if (c->microphone != NULL)
        c->close(c->microphone);
    if (c->library != NULL)
        dlclose(c->library);
    free(c);
}

static int alsa_open_pcms(struct alsa_card *c, const struct ax_card_alsa *config)
{
    int err = c->open(&c->speaker, config->speaker, PLAYBACK, NONBLOCK);
    if (err < 0)
        c->speaker = NULL;
    if (err >= 0) {
        err = c->open(&c->microphone, config->microphone, CAPTURE, NONBLOCK);
        if (err < 0)
            c->microphone = NULL;
    }
    if (err >= 0)
        err = c->set_params(c->speaker, FORMAT_S16, RW_INTERLEAVED, 1, config->rate, 1, LATENCY_US);
    if (err >= 0)
        err = c->set_params(c->microphone, FORMAT_S16, RW_INTERLEAVED, 1, config->rate, 1, LATENCY_US);
    if (err >= 0)
        (void)c->link(c->speaker, c->microphone); /* Two cards cannot be: the echo canceller follows their drift. */
    return err;
}

int ax_card_open_alsa(struct ax_card **out, const struct ax_card_alsa *config)
{
    if (!out || !config || !config->speaker || !config->microphone || config->rate / 100 > MOST_FRAME)
        return AX_E_ARG;
    *out = NULL;
    struct alsa_card *c = calloc(1, sizeof *c);
    if (!c)
        return AX_E_NOMEM;
    c->card = (struct ax_card){alsa_read, alsa_write, alsa_close, NULL, -1, config->rate, config->rate / 100};
    c->prefill = PREFILL;
    int err = alsa_open_library(c, config->library ? config->library : ALSA) ? 0 : -ELIBACC;
    if (err == 0)
        err = alsa_open_pcms(c, config);
    if (err < 0) {
        alsa_close(&c->card);
        errno = -err;
        return AX_E_SYS;
    }
    *out = &c->card;
    return AX_OK;
}
