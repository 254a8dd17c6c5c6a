/* Playback through ALSA (alsa-lib, PCM interface: snd_pcm_open, snd_pcm_set_params, snd_pcm_writei, snd_pcm_recover), by
 * dlopen: nothing of it is needed to build. Constants are those of its public headers. Units: frames are samples, one
 * channel. Threads: one. Allocation: in open. */
#include "ax_sound_alsa.h"

#include "ax/err.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PLAYBACK 0
#define NONBLOCK 1
#define RW_INTERLEAVED 3
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define FORMAT_S16 3
#else
#define FORMAT_S16 2
#endif
#define LATENCY_US 20000u
#define WAIT_MS 100
#define WAITS 10

struct sound_card {
    void *library, *pcm;
    int (*open)(void **pcm, const char *name, int stream, int mode);
    int (*set_params)(void *pcm, int format, int access, unsigned channels, unsigned rate, int resample, unsigned latency);
    long (*writei)(void *pcm, const void *buffer, unsigned long size);
    int (*wait)(void *pcm, int timeout);
    int (*recover)(void *pcm, int err, int silent);
    int (*close)(void *pcm);
};

static bool load(struct sound_card *card, const char *name)
{
    struct { const char *name; void *slot; } symbols[] = {
        {"snd_pcm_open", &card->open},     {"snd_pcm_set_params", &card->set_params}, {"snd_pcm_writei", &card->writei},
        {"snd_pcm_wait", &card->wait},     {"snd_pcm_recover", &card->recover},       {"snd_pcm_close", &card->close},
    };
    card->library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    for (size_t i = 0; card->library != NULL && i < sizeof symbols / sizeof symbols[0]; i++) {
        void *symbol = dlsym(card->library, symbols[i].name);
        if (symbol == NULL)
            return false;
        memcpy(symbols[i].slot, &symbol, sizeof symbol); /* POSIX: a function's address is an object's in size. */
    }
    return card->library != NULL;
}

int sound_card_open(struct sound_card **out, const char *library, const char *device, uint32_t rate)
{
    struct sound_card *card = calloc(1, sizeof *card);
    *out = NULL;
    if (card == NULL)
        return AX_E_NOMEM;
    int err = load(card, library) ? 0 : -ELIBACC;
    if (err == 0)
        err = card->open(&card->pcm, device, PLAYBACK, NONBLOCK);
    if (err == 0)
        err = card->set_params(card->pcm, FORMAT_S16, RW_INTERLEAVED, 1, rate, 1, LATENCY_US);
    if (err < 0) {
        sound_card_close(card);
        errno = -err;
        return AX_E_SYS;
    }
    *out = card;
    return AX_OK;
}

void sound_card_close(struct sound_card *card)
{
    if (card == NULL)
        return;
    if (card->pcm != NULL)
        card->close(card->pcm);
    if (card->library != NULL)
        dlclose(card->library);
    free(card);
}

bool sound_card_write(struct sound_card *card, const int16_t *samples, size_t n)
{
    for (int tries = 0; n > 0 && tries < WAITS; tries++) {
        long done = card->writei(card->pcm, samples, n);
        if (done == -EAGAIN)
            card->wait(card->pcm, WAIT_MS);
        else if (done < 0) {
            if (card->recover(card->pcm, (int)done, 1) < 0) /* It ran dry when the last sound was over. */
                return false;
        } else {
            samples += done;
            n -= (size_t)done < n ? (size_t)done : n;
            tries = -1;
            if (done == 0)
                return false;
        }
    }
    return n == 0;
}
