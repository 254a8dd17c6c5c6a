/* What a loudspeaker gives, block by block and without a click: one tone after the other, and on top of it or alone one clip
 * after the other. Sans-I/O: time comes in, samples go out; made for the sound thread (ax/sound_thread.h).
 *
 * A sound is a tone from an epoch on: where it is in its program follows from the time alone, so that a sound which comes
 * back after another one goes on where it would be. Once it runs it counts samples, and so has no jitter. A change
 * takes one block: the old sound goes as the new one comes.
 *
 * A clip is samples, from its first one on, as often as it is asked for. A clip that is stopped or replaced goes within a
 * block. While there is one, the sum goes through the limiter of ax/siren.h.
 *
 * Units: samples; ns of the clock that the caller gives. Threads: one. Allocation: only in new; a block allocates nothing. */
#ifndef AX_SOUND_MIXER_H
#define AX_SOUND_MIXER_H

#include "ax/siren.h"

#define AX_SOUND_BLOCK_MIN 32
#define AX_SOUND_BLOCK_MAX 4096

/** What is to be heard. */
struct ax_sound {
    const struct ax_siren *tone; /**< At the mixer's rate; NULL: silence. Stays the caller's. */
    uint64_t epoch_ns;           /**< When it was, or would have been, at its beginning. One that is to come counts as now. */
    uint64_t serial;             /**< Rises from sound to sound. */
    uint8_t intensity;           /**< 1 .. AX_SIREN_INTENSITIES */
};

/** A recording to be heard on top of that. */
struct ax_sound_clip {
    const int16_t *samples; /**< At the mixer's rate; NULL: no clip. Stays the caller's. */
    uint32_t n;             /**< 1 .. INT32_MAX */
    uint32_t times;         /**< How often it is played; 0: again and again. */
    float gain;             /**< 0 .. 16 */
    uint64_t serial;        /**< Rises from clip to clip; not that of the sounds. */
};

struct ax_sound_mixer;

/** Silent. AX_E_RANGE: rate or block. */
int ax_sound_mixer_new(struct ax_sound_mixer **out, uint32_t rate, uint32_t block);
void ax_sound_mixer_free(struct ax_sound_mixer *mixer);
/** From the next block on this is heard. Of several the last counts. AX_E_RANGE: the rate or the intensity. */
int ax_sound_mixer_put(struct ax_sound_mixer *mixer, const struct ax_sound *sound);
/** Likewise for the clip. AX_E_RANGE: the number of samples, or the gain. */
int ax_sound_mixer_put_clip(struct ax_sound_mixer *mixer, const struct ax_sound_clip *clip);
/** Whether a clip can be played; AX_E_RANGE as above. */
int ax_sound_mixer_check_clip(const struct ax_sound_clip *clip);
/** Whether the next block has to be made: something sounds, or is about to. */
bool ax_sound_mixer_sounds(const struct ax_sound_mixer *mixer);
/** The next block; `t_ns` is the time of its first sample. Blocks are thought to follow one another: with `resume` there was
 * a gap, and the sound goes on where it would be. */
void ax_sound_mixer_block(struct ax_sound_mixer *mixer, uint64_t t_ns, bool resume, int16_t *out);
/** Tones of sounds up to this serial are not used any more. */
uint64_t ax_sound_mixer_done(const struct ax_sound_mixer *mixer);
/** Samples of clips up to this serial are not used any more. */
uint64_t ax_sound_mixer_clips_done(const struct ax_sound_mixer *mixer);

#endif
