/* The network of the noise suppressor over vectors of VW bands. Included once per instruction set, after
 *   #define VW 8        lanes
 *   #define NS_STEP     the name of its function.
 * Bands are lanes: every weight is one number for all of them. Units, threads, allocation: see ax_ns_internal.h. */
#include "ax_ns_internal.h"

typedef float vec __attribute__((vector_size(4 * VW), aligned(4), may_alias));
typedef int lanes __attribute__((vector_size(4 * VW), aligned(4), may_alias));

#define V(at) (*(const vec *)(at))
#define SET(at) (*(vec *)(at))
#define UNIT (1.0f / NS_UNIT) /* Of the weights. */

enum { VECTORS = NS_BANDS / VW, AT_ONCE = VW == 8 ? 2 : 1 };

static inline vec chosen(lanes when, vec yes, vec no)
{
    return (vec)((when & (lanes)yes) | (~when & (lanes)no));
}

/* tanh by a continued fraction; the error is below 2e-4 of one. */
static inline vec tanh_of(vec x)
{
    const vec most = (vec){0} + 4.7f;
    x = chosen(x > most, most, x);
    x = chosen(x < -most, -most, x);
    const vec q = x * x;
    return x * (135135.0f + q * (17325.0f + q * (378.0f + q))) / (135135.0f + q * (62370.0f + q * (3150.0f + 28.0f * q)));
}

static inline vec sigmoid_of(vec x)
{
    return 0.5f + 0.5f * tanh_of(0.5f * x);
}

/* y[o] += sum of w[o][i] x[i] for n outputs; rows of w are `inputs` long. */
static inline void add_layer(int n, int inputs, const float *w, const float *const *x, vec y[][VECTORS])
{
    for (int i = 0; i < inputs; i++)
        for (int v = 0; v < VECTORS; v++) {
            const vec now = V(x[i] + v * VW);
            for (int o = 0; o < n; o++)
                y[o][v] += w[o * inputs + i] * now;
        }
}

static inline void add_two(int inputs, const float *w, const float *u, const float *const *x, vec *y, vec *z)
{
    for (int i = 0; i < inputs; i++)
        for (int v = 0; v < VECTORS; v++) {
            const vec now = V(x[i] + v * VW);
            y[v] += w[i] * now;
            z[v] += u[i] * now;
        }
}

static inline void add_one(int inputs, const float *w, const float *const *x, vec *y)
{
    for (int i = 0; i < inputs; i++)
        for (int v = 0; v < VECTORS; v++)
            y[v] += w[i] * V(x[i] + v * VW);
}

/* Beyond the ends of a row: what is at the end. */
static inline void pad(float *row, int bands)
{
    for (int i = 0; i < NS_PAD; i++) {
        row[i] = row[NS_PAD];
        row[NS_PAD + bands + i] = row[NS_PAD + bands - 1];
    }
}

static void front(const struct ns_weights *w, struct ns_net *net, int bands, float out[][NS_BANDS])
{
    const float *x[NS_INPUTS];
    for (int f = 0; f < NS_FEATURES; f++)
        pad(net->feature[f], bands);
    for (int t = 0; t < NS_TAPS; t++)
        for (int f = 0; f < NS_FEATURES; f++)
            x[t * NS_FEATURES + f] = net->feature[f] + t;
    for (int o = 0; o < NS_FRONT; o += AT_ONCE) {
        vec y[AT_ONCE][VECTORS];
        for (int j = 0; j < AT_ONCE; j++)
            for (int v = 0; v < VECTORS; v++)
                y[j][v] = V(w->front_bias[o + j] + v * VW);
        add_layer(AT_ONCE, NS_INPUTS, w->front[o], x, y);
        for (int j = 0; j < AT_ONCE; j++)
            for (int v = 0; v < VECTORS; v++)
                SET(out[o + j] + v * VW) = tanh_of(UNIT * y[j][v]);
    }
}

/* What the gates get from the means of the regions, beside their bias. A region without bands is like the last that has some. */
static void whole(const struct ns_weights *w, const struct ns_net *net, int bands, float *out)
{
    enum { MEANS = NS_REGIONS * NS_STATES };
    float mean[MEANS];
    for (int r = 0, from = 0; r < NS_REGIONS; r++, from += NS_REGION) {
        const int at = from < bands ? from : bands - 1, most = bands - at < NS_REGION ? bands - at : NS_REGION;
        for (int s = 0; s < NS_STATES; s++) {
            const float *x = net->state[s] + NS_PAD + at;
            float sum = 0.0f;
            for (int b = 0; b < most; b++)
                sum += x[b];
            mean[r * NS_STATES + s] = sum / (float)most;
        }
    }
    for (int o = 0; o < 3 * NS_STATES; o++) {
        vec sum = {0};
        for (int i = 0; i < MEANS; i += VW)
            sum += V(w->whole[o] + i) * V(mean + i);
        out[o] = w->bias[o];
        for (int i = 0; i < VW; i++)
            out[o] += sum[i];
    }
}

static void gates(const struct ns_weights *w, struct ns_net *net, int bands, const float in[][NS_BANDS])
{
    const float *x[NS_FRONT], *h[NS_STATES];
    float bias[3 * NS_STATES], next[NS_STATES][NS_BANDS];
    whole(w, net, bands, bias);
    for (int i = 0; i < NS_FRONT; i++)
        x[i] = in[i];
    for (int s = 0; s < NS_STATES; s++)
        h[s] = net->state[s] + NS_PAD;
    for (int s = 0; s < NS_STATES; s++) {
        vec gate[2][VECTORS], now[2][VECTORS]; /* Update and reset; the candidate's part from the front, and from the past. */
        for (int v = 0; v < VECTORS; v++) {
            gate[0][v] = (vec){0} + bias[s];
            gate[1][v] = (vec){0} + bias[NS_STATES + s];
            now[0][v] = (vec){0} + bias[2 * NS_STATES + s];
            now[1][v] = (vec){0};
        }
        add_two(NS_FRONT, w->input[s], w->input[NS_STATES + s], x, gate[0], gate[1]);
        add_two(NS_STATES, w->past[s], w->past[NS_STATES + s], h, gate[0], gate[1]);
        add_one(NS_FRONT, w->input[2 * NS_STATES + s], x, now[0]);
        add_one(NS_STATES, w->past[2 * NS_STATES + s], h, now[1]);
        for (int v = 0; v < VECTORS; v++) {
            const vec was = V(h[s] + v * VW);
            const vec then = tanh_of(UNIT * (now[0][v] + sigmoid_of(UNIT * gate[1][v]) * now[1][v]));
            SET(next[s] + v * VW) = was + sigmoid_of(UNIT * gate[0][v]) * (then - was);
        }
    }
    for (int s = 0; s < NS_STATES; s++) {
        for (int v = 0; v < VECTORS; v++)
            SET(net->state[s] + NS_PAD + v * VW) = V(next[s] + v * VW);
        pad(net->state[s], bands);
    }
}

static void back(const struct ns_weights *w, struct ns_net *net)
{
    const float *x[3 * NS_STATES];
    for (int t = 0; t < 3; t++)
        for (int s = 0; s < NS_STATES; s++)
            x[t * NS_STATES + s] = net->state[s] + NS_PAD - 1 + t;
    vec y[2][VECTORS];
    for (int o = 0; o < 2; o++)
        for (int v = 0; v < VECTORS; v++)
            y[o][v] = (vec){0} + w->gain_bias[o];
    add_layer(2, 3 * NS_STATES, w->gain[0], x, y);
    for (int o = 0; o < 2; o++)
        for (int v = 0; v < VECTORS; v++)
            SET(net->gain[o] + v * VW) = sigmoid_of(UNIT * y[o][v]);
}

void NS_STEP(const struct ns_weights *w, struct ns_net *net, int bands)
{
    float out[NS_FRONT][NS_BANDS];
    front(w, net, bands, out);
    gates(w, net, bands, (const float(*)[NS_BANDS])out);
    back(w, net);
}
