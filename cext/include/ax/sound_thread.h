/* The sound thread: a loudspeaker that plays tones and clips on time, whatever the rest of the process does.
 *
 * A pthread around a mixer (ax/sound_mixer.h). Commands go in through a bounded queue. While something sounds it makes a
 * block at a time: into a capture (ax/capture.h), and to a sound card if one is named; the card sets the pace then, else
 * the clock does. In silence it sleeps. The tap hears the name of the loudspeaker: active with the first sample, inactive
 * after the last.
 *
 * Sound cards: ALSA, loaded when it is asked for (libasound.so.2), so that nothing has to be there to build or to run
 * without. A write that the card does not take within a second counts as an error, and the sound goes on without it.
 *
 * Units: ns, CLOCK_MONOTONIC; samples. Threads: every function may be called from any thread, except start, stop and free,
 * which belong to the owner. Allocation: in new and start. */
#ifndef AX_SOUND_THREAD_H
#define AX_SOUND_THREAD_H

#include "ax/sound_mixer.h"

#define AX_SOUND_COMMANDS 64 /**< Sounds and clips that may wait for the thread. */

struct ax_sound_thread_config {
    uint32_t rate;           /**< 8000, 16000, 32000, 44100 or 48000. */
    uint32_t block;          /**< Samples: AX_SOUND_BLOCK_MIN .. AX_SOUND_BLOCK_MAX. */
    uint32_t records;        /**< Blocks that the capture holds, a power of two. */
    uint32_t fifo_priority;  /**< SCHED_FIFO priority, if the system allows it; 0 = ordinary scheduling. */
    const char *tap_path;    /**< UNIX datagram socket; NULL = none. Copied. */
    const char *device;      /**< ALSA's name of a sound card (`default`, `hw:0`); NULL = none. Copied. */
    const char *library;     /**< Of ALSA; NULL = libasound.so.2. Copied. */
    const char *name;        /**< On the tap; NULL = speaker. Copied. */
};

/** Each rises only. */
struct ax_sound_thread_counters {
    uint64_t blocks;      /**< Made. */
    uint64_t missed;      /**< Left out, because the thread came too late. */
    uint64_t card_errors; /**< Blocks that the sound card did not take. */
    uint64_t tap_errors;
};

struct ax_sound_thread;

int ax_sound_thread_new(struct ax_sound_thread **out, const struct ax_sound_thread_config *config);
/** Opens the sound card. AX_E_SYS: errno tells why it cannot be opened (ELIBACC: there is no ALSA); a second try, or
 * one without a card after ax_sound_thread_without_card(), is possible then. AX_E_STATE when it was started before. */
int ax_sound_thread_start(struct ax_sound_thread *t);
/** Before start: no sound card after all. */
void ax_sound_thread_without_card(struct ax_sound_thread *t);
/** Fades out and ends. Again: no effect. */
void ax_sound_thread_stop(struct ax_sound_thread *t);
void ax_sound_thread_free(struct ax_sound_thread *t);

/** Play a tone (NULL: silence) in place of what sounds. `*serial` is the number of this command, 1 for the first. The tone must
 * stay as it is until ax_sound_thread_released() has come to that number. AX_E_RANGE: a tone of another rate, or an intensity
 * outside 1 .. AX_SIREN_INTENSITIES; AX_E_FULL. */
int ax_sound_thread_play(struct ax_sound_thread *t, const struct ax_siren *tone, uint8_t intensity, uint64_t epoch_ns,
                         uint64_t *serial);
/** Play a clip (without samples: none) on top of the tone, in place of the one that sounds; its own serial is ignored.
 * `*serial` counts clips. The samples must stay until ax_sound_thread_clips_released() has come to it. AX_E_RANGE: as
 * ax_sound_mixer_put_clip(); AX_E_FULL. */
int ax_sound_thread_play_clip(struct ax_sound_thread *t, const struct ax_sound_clip *clip, uint64_t *serial);
/** Tones of commands up to this number may be freed. All of them when the thread has been stopped. */
uint64_t ax_sound_thread_released(const struct ax_sound_thread *t);
/** Likewise for the samples of clips. */
uint64_t ax_sound_thread_clips_released(const struct ax_sound_thread *t);
/** The memfd of the captured blocks (ax/capture.h). Belongs to the thread. */
int ax_sound_thread_fd(const struct ax_sound_thread *t);
void ax_sound_thread_count(const struct ax_sound_thread *t, struct ax_sound_thread_counters *out);

#endif
