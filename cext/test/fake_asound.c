/* A sound card that is none: the part of ALSA's PCM interface that the sound thread asks for. The name of the card says how
 * it behaves: `good`, `none` (is not there), `wrong` (has not our format), `dry` (runs empty once, and again and again),
 * `dead` (takes nothing), `full` (has room now and then). */
#include <errno.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

struct card {
    char name[16];
    unsigned calls;
};
static struct card only;

EXPORT unsigned long long fake_asound_samples;
EXPORT int fake_asound_open;

EXPORT int snd_pcm_open(void **pcm, const char *name, int stream, int mode);
EXPORT int snd_pcm_set_params(void *pcm, int format, int access, unsigned channels, unsigned rate, int resample, unsigned latency);
EXPORT long snd_pcm_writei(void *pcm, const void *buffer, unsigned long size);
EXPORT int snd_pcm_wait(void *pcm, int timeout);
EXPORT int snd_pcm_recover(void *pcm, int err, int silent);
EXPORT int snd_pcm_close(void *pcm);

int snd_pcm_open(void **pcm, const char *name, int stream, int mode)
{
    if (strcmp(name, "none") == 0 || stream != 0 || mode != 1)
        return -ENOENT;
    memset(&only, 0, sizeof only);
    strncpy(only.name, name, sizeof only.name - 1);
    *pcm = &only;
    fake_asound_open++;
    return 0;
}

int snd_pcm_set_params(void *pcm, int format, int access, unsigned channels, unsigned rate, int resample, unsigned latency)
{
    struct card *card = pcm;
    int fits = format == 2 && access == 3 && channels == 1 && rate == 48000 && resample == 1 && latency > 0;
    return strcmp(card->name, "wrong") == 0 || !fits ? -EINVAL : 0;
}

long snd_pcm_writei(void *pcm, const void *buffer, unsigned long size)
{
    struct card *card = pcm;
    (void)buffer;
    card->calls++;
    if (strcmp(card->name, "dead") == 0)
        return -ENODEV;
    if (strcmp(card->name, "dry") == 0 && card->calls % 5 == 1)
        return -EPIPE;
    if (strcmp(card->name, "full") == 0) {
        if (card->calls % 2 == 1)
            return -EAGAIN;
        size = size > 100 ? 100 : size;
    }
    fake_asound_samples += size;
    return (long)size;
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
