/* Who talks? The judgement that keeps the canceller full duplex.
 *
 * Four witnesses, per half frame. Votes: bands that hold more than any echo could, by the gain of the path and what was
 * played within the last tenth of a second. Clear: much is left, and the filter's estimate is in the microphone (the error
 * does not hold it with the opposite sign, as it would after a jump of the delay). Odd: more is left than the filter says it
 * could be wrong by, for a while. Against it speak a shadow filter that does better and a delay search that sees the
 * echo elsewhere: then the path has changed. Units, threads, allocation: see ax_aec_internal.h. */
#include "ax_aec_internal.h"

#include <math.h>
#include <string.h>

#define BOUND_MARGIN 4.0f /* 6 dB over the bound before a band votes. */
#define NOISE_MARGIN 8.0f
#define VOTES 1.5f        /* Nepers over the limit, all bands together. */
#define VOTES_STEP 0.12f
#define HINT 0.5f         /* Over what is likely to be echo just now: a hint. */
#define HINTS 0.5f
#define CLEAR_STEP 0.15f  /* Three half frames until the talker is heard. */
#define SUSPECT_MIXED -0.35f
#define SUSPECT_SHARE 3.0f
#define SUSPECT_LONG 30   /* Half frames. */
#define CLEAR_EXCESS 3.0f
#define CLEAR_SHARE 0.2f  /* Error over estimate. */
#define CLEAR_MIXED -0.25f
#define UNLEARNT 0.5f     /* So much of the estimate in the error is an echo that the filter only begins to learn. */
#define ODD_EXCESS 2.5f
#define ODD_LONG 30       /* Half frames. */
#define CALM_EXCESS 1.5f
#define CALM_STEP 0.004f  /* A talker who pauses is not gone for a second. */

/* The most that an echo could be, per band: kept for 120 to 140 ms (a later echo is still one), then 1 dB less each 5 ms. */
static void follow_bound(struct aec_suppressor *s, const struct aec_bands *p)
{
    if ((++s->beat & 3) == 0) {
        memmove(s->peak[1], s->peak[0], sizeof s->peak - sizeof s->peak[0]);
        memset(s->peak[0], 0, sizeof s->peak[0]);
    }
    for (int b = 0; b < s->bands; b++) {
        const float most = aec_max(p->echo[b], s->path[b] * p->played[b]);
        const int below = b > 0 ? b - 1 : 0, above = b + 1 < s->bands ? b + 1 : b;
        s->peak[0][b] = aec_max(s->peak[0][b], most);
        s->peak[0][below] = aec_max(s->peak[0][below], 0.3f * most);
        s->peak[0][above] = aec_max(s->peak[0][above], 0.3f * most);
    }
    for (int b = 0; b < s->bands; b++) {
        float held = s->peak[0][b];
        for (int i = 1; i < AEC_PEAKS; i++)
            held = aec_max(held, s->peak[i][b]);
        s->bound[b] = aec_max(held, 0.8f * s->bound[b]);
    }
}

void aec_judge(struct aec_core *c, const struct aec_bands *p, float leak)
{
    struct aec_suppressor *s = &c->suppressor;
    float votes = 0.0f, hints = 0.0f, energy = 0.0f, other = 0.0f, doubt = 0.0f, noise = 0.0f;
    follow_bound(s, p);
    for (int b = 0; b < s->bands; b++) {
        const float limit = BOUND_MARGIN * s->bound[b] + NOISE_MARGIN * s->noise[b];
        if (p->error[b] > limit)
            votes += aec_min(logf(p->error[b] / limit), 2.0f);
        const float local = HINT * aec_max(s->peak[0][b], s->peak[1][b]) + NOISE_MARGIN * s->noise[b];
        if (p->error[b] > local)
            hints += aec_min(logf(p->error[b] / local), 2.0f);
        energy += p->error[b];
        noise += s->noise[b];
        other += s->noise[b] + leak * s->bound[b];
        doubt += p->residual[b];
    }
    const float excess = energy / (other + s->caution * doubt + 1e-12f), bold = energy / (other + doubt + 1e-12f);
    const float clear = CLEAR_EXCESS * (1.0f + (float)c->shaken / AEC_SHAKEN); /* A new path leaves much of late echoes. */
    const bool lost = c->smooth_shadow < 0.8f * c->smooth_main; /* The shadow knows the path better. */
    s->doubt = aec_min(1.0f, 1.0f / (bold + 1e-6f));
    s->odd = bold > ODD_EXCESS ? aec_min(s->odd + 1.0f, 2.0f * ODD_LONG) : aec_max(s->odd - 1.0f, 0.0f);
    /* The estimate is missing from the microphone: a jump, until the search has had its say. */
    const bool gone = s->near < 0.8f && excess > CLEAR_EXCESS && s->mixed < SUSPECT_MIXED && s->share < SUSPECT_SHARE;
    s->suspect = gone ? SUSPECT_LONG : s->suspect - (s->suspect > 0);
    if (votes > VOTES)
        s->near += aec_min(0.1f * votes, VOTES_STEP);
    else if (excess > clear && c->search.in_step && !lost && s->suspect == 0 && s->mixed > CLEAR_MIXED &&
             s->mixed < UNLEARNT && (hints > HINTS || s->share > CLEAR_SHARE))
        s->near += CLEAR_STEP;
    else if (s->suspect > SUSPECT_LONG - 6)
        s->near -= 0.15f;
    else if (lost || (!c->search.in_step && (s->near < 0.6f || s->mixed < CLEAR_MIXED)))
        s->near -= 0.05f;
    else if (s->odd > ODD_LONG && bold > ODD_EXCESS)
        s->near += 0.04f;
    else if (excess < CALM_EXCESS)
        s->near -= CALM_STEP;
    s->near = aec_max(0.0f, aec_min(1.0f, s->near));
    /* The filter's variance is cautious: learn by how much, while nobody talks. */
    if (s->near < 0.05f && s->odd < 1.0f && doubt > 4.0f * noise) {
        const float now = aec_max(energy - noise, 0.0f) / doubt;
        s->caution = aec_max(0.1f, aec_min(1.0f, s->caution + 0.03f * (now - s->caution)));
    }
}
