/* A sound card that is none: the part of ALSA's PCM interface that the sound thread and the audio thread ask for. The name
 * of the card says how it behaves, in either direction: `good`, `none` (is not there), `wrong` (has not our format), `dry`
 * (runs empty or over once, and again and again), `dead` (takes and gives nothing), `full` (has room now and then). As long
 * as `fake_asound_stuck` is set, every call that reads or writes hangs in the driver.
 * What is recorded counts up from 0. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

struct card {
    char name[16];
    unsigned calls;
};
static struct card cards[2]; /* That plays, that records. */

EXPORT unsigned long long fake_asound_samples, fake_asound_recorded;
EXPORT int fake_asound_open;
EXPORT volatile int fake_asound_stuck;

EXPORT int snd_pcm_open(void **pcm, const char *name, int stream, int mode);
EXPORT int snd_pcm_set_params(void *pcm, int format, int access, unsigned channels, unsigned rate, int resample, unsigned latency);
EXPORT long snd_pcm_writei(void *pcm, const void *buffer, unsigned long size);
EXPORT int snd_pcm_wait(void *pcm, int timeout);
EXPORT int snd_pcm_recover(void *pcm, int err, int silent);
EXPORT int snd_pcm_close(void *pcm);
EXPORT long snd_pcm_readi(void *pcm, void *buffer, unsigned long size);
EXPORT int snd_pcm_prepare(void *pcm);
EXPORT int snd_pcm_start(void *pcm);
EXPORT int snd_pcm_drop(void *pcm);
EXPORT int snd_pcm_link(void *pcm, void *other);

int snd_pcm_open(void **pcm, const char *name, int stream, int mode)
{
    if (strcmp(name, "none") == 0 || stream < 0 || stream > 1 || mode != 1)
        return -ENOENT;
    struct card *card = &cards[stream];
    memset(card, 0, sizeof *card);
    strncpy(card->name, name, sizeof card->name - 1);
    *pcm = card;
    fake_asound_open++;
    return 0;
}

int snd_pcm_set_params(void *pcm, int format, int access, unsigned channels, unsigned rate, int resample, unsigned latency)
{
    struct card *card = pcm;
    int fits = format == 2 && access == 3 && channels == 1 && rate == 48000 && resample == 1 && latency > 0;
    return strcmp(card->name, "wrong") == 0 || !fits ? -EINVAL : 0;
}

static long size_of(struct card *card, unsigned long size)
{
    card->calls++;
    while (fake_asound_stuck)
        usleep(1000);
    if (strcmp(card->name, "dead") == 0)
        return -ENODEV;
    if (strcmp(card->name, "dry") == 0 && card->calls % 5 == 1)
        return -EPIPE;
    if (strcmp(card->name, "full") == 0) {
        if (card->calls % 2 == 1)
            return -EAGAIN;
        size = size > 100 ? 100 : size;
    }
    return (long)size;
}

long snd_pcm_writei(void *pcm, const void *buffer, unsigned long size)
{
    const long n = size_of(pcm, size);
    (void)buffer;
    fake_asound_samples += n > 0 ? (unsigned long)n : 0;
    return n;
}

long snd_pcm_readi(void *pcm, void *buffer, unsigned long size)
{
    const long n = size_of(pcm, size);
    for (long i = 0; i < n; i++)
        ((short *)buffer)[i] = (short)fake_asound_recorded++;
    return n;
}

int snd_pcm_prepare(void *pcm)
{
    return pcm != NULL ? 0 : -EBADFD;
}

int snd_pcm_start(void *pcm)
{
    return pcm == &cards[0] ? 0 : -EBADFD; /* Its link started it. */
}

int snd_pcm_drop(void *pcm)
{
    return pcm != NULL ? 0 : -EBADFD;
}

int snd_pcm_link(void *pcm, void *other)
{
    return pcm == &cards[0] && other == &cards[1] ? 0 : -ENOSYS;
}

int snd_pcm_wait(void *pcm, int timeout)
{
    (void)pcm;
    return timeout > 0;
}

int snd_pcm_recover(void *pcm, int err, int silent)
{
    (void)pcm;
    return err == -EPIPE && silent ? 0 : err;
}

int snd_pcm_close(void *pcm)
{
    (void)pcm;
    fake_asound_open--;
    return 0;
}
