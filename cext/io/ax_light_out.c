/* The output of light: the newest frame from three buffers, written by a thread of its own (contract in ax/light.h).
 *
 * The buffers: one is the writer's, one the reader's, and `middle` names the third, with FRESH if it has a frame that was
 * not read. Both sides only ever swap theirs with it. */
#include "ax/err.h"
#include "ax/led_out.h"
#include "ax/light.h"
#include "ax/thread.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/spi/spidev.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define FRESH 4u
#define APA102_HZ 4000000u
#define PATIENCE_MS 100 /* With what takes no bytes: then the frame is an error. */

struct lamp {
    int intensity, brightness; /* Descriptors. */
    uint32_t most;             /* max_brightness */
    uint32_t shown[4];         /* What was written last; not written again. */
};

struct ax_light_out {
    struct ax_light_out_config config;
    size_t leds;
    uint8_t *buffer[3], *wire;
    size_t wire_size;
    uint8_t section[AX_LED_MAX];
    unsigned back, front;
    atomic_uint middle;
    atomic_bool stopping;
    int wake_fd, spi_fd;
    struct lamp lamp[AX_LIGHT_CLASS_MAX];
    bool running;
    pthread_t pthread;
    atomic_ullong written, errors;
};

/* --- the device ------------------------------------------------------------------------------------------------------ */

static int open_in(const char *folder, const char *name, int flags)
{
    char path[AX_LIGHT_PATH_MAX + 32];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return open(path, flags | O_CLOEXEC);
}

static int open_lamp(struct lamp *lamp, const char *folder)
{
    char text[16] = "";
    lamp->intensity = open_in(folder, "multi_intensity", O_WRONLY);
    lamp->brightness = open_in(folder, "brightness", O_WRONLY);
    int most = open_in(folder, "max_brightness", O_RDONLY);
    ssize_t n = most < 0 ? -1 : read(most, text, sizeof text - 1);
    int saved = errno;
    if (most >= 0)
        close(most);
    errno = saved;
    if (lamp->intensity < 0 || lamp->brightness < 0 || n < 0)
        return AX_E_SYS;
    unsigned long value = strtoul(text, NULL, 10);
    lamp->most = value > 0 && value <= 65535 ? (uint32_t)value : 255;
    lamp->shown[3] = UINT32_MAX; /* Nothing yet. */
    return AX_OK;
}

static int open_spi(struct ax_light_out *out)
{
    const struct ax_light_out_config *config = &out->config;
    uint32_t usual = config->kind == AX_LIGHT_WS2812 ? AX_LED_WS2812_HZ : APA102_HZ;
    uint32_t hz = config->speed_hz != 0 ? config->speed_hz : usual;
    uint8_t mode = SPI_MODE_0, bits = 8;
    out->spi_fd = open(config->path[0], O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    if (out->spi_fd < 0)
        return AX_E_SYS;
    /* What is no SPI device (a pipe to another program) takes the bytes as they are. ENOSYS: an emulator says it so. */
    if ((ioctl(out->spi_fd, SPI_IOC_WR_MODE, &mode) < 0 || ioctl(out->spi_fd, SPI_IOC_WR_BITS_PER_WORD, &bits) < 0
         || ioctl(out->spi_fd, SPI_IOC_WR_MAX_SPEED_HZ, &hz) < 0) && errno != ENOTTY && errno != EINVAL && errno != ENOSYS)
        return AX_E_SYS;
    out->wire_size = config->kind == AX_LIGHT_WS2812 ? ax_led_ws2812_size(out->leds, 3) : ax_led_apa102_size(out->leds);
    out->wire = malloc(out->wire_size);
    return out->wire == NULL ? AX_E_NOMEM : AX_OK;
}

static int open_device(struct ax_light_out *out)
{
    int err = AX_OK;
    if (out->config.kind != AX_LIGHT_CLASS)
        return open_spi(out);
    for (uint32_t i = 0; err == AX_OK && i < out->config.paths; i++)
        err = open_lamp(&out->lamp[i], out->config.path[i]);
    return err;
}

static bool write_all(int fd, const void *data, size_t size)
{
    const char *at = data;
    while (size > 0) {
        ssize_t n = write(fd, at, size);
        if (n < 0 && errno == EAGAIN && poll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1, PATIENCE_MS) == 1)
            continue;
        if (n <= 0)
            return false;
        at += n;
        size -= (size_t)n;
    }
    return true;
}

static bool write_lamp(struct lamp *lamp, const uint16_t rgb[3])
{
    uint32_t value[4]; /* intensities, brightness */
    char text[48];
    ax_led_class(rgb, lamp->most, &value[3], value);
    if (memcmp(value, lamp->shown, sizeof value) == 0)
        return true;
    int n = snprintf(text, sizeof text, "%u %u %u\n", value[0], value[1], value[2]);
    bool ok = pwrite(lamp->intensity, text, (size_t)n, 0) == n;
    n = snprintf(text, sizeof text, "%u\n", value[3]);
    ok = pwrite(lamp->brightness, text, (size_t)n, 0) == n && ok;
    if (ok)
        memcpy(lamp->shown, value, sizeof value);
    return ok;
}

/* The mean of each section; what goes beyond the directories is not shown. */
static bool write_class(struct ax_light_out *out, const uint8_t *rgb)
{
    uint32_t sum[AX_LIGHT_CLASS_MAX][3] = {{0}}, count[AX_LIGHT_CLASS_MAX] = {0};
    bool ok = true;
    for (size_t i = 0; i < out->leds; i++, rgb += 3) {
        uint32_t section = out->section[i];
        if (section >= out->config.paths)
            break; /* Sections are listed in order. */
        count[section]++;
        for (int c = 0; c < 3; c++)
            sum[section][c] += rgb[c];
    }
    for (uint32_t i = 0; i < out->config.paths; i++) {
        uint16_t mean[3] = {0};
        for (int c = 0; c < 3 && count[i] > 0; c++)
            mean[c] = (uint16_t)((uint64_t)sum[i][c] * 257 / count[i]);
        ok &= write_lamp(&out->lamp[i], mean);
    }
    return ok;
}

static void show(struct ax_light_out *out, const uint8_t *rgb)
{
    bool ok;
    if (out->config.kind == AX_LIGHT_CLASS)
        ok = write_class(out, rgb);
    else {
        int size = out->config.kind == AX_LIGHT_WS2812
                       ? ax_led_ws2812(rgb, out->leds, 3, out->wire, out->wire_size)
                       : ax_led_apa102(rgb, out->leds, out->config.current, out->wire, out->wire_size);
        ok = size > 0 && write_all(out->spi_fd, out->wire, (size_t)size);
    }
    atomic_fetch_add_explicit(ok ? &out->written : &out->errors, 1, memory_order_relaxed);
}

/* --- the thread ------------------------------------------------------------------------------------------------------ */

static bool take(struct ax_light_out *out)
{
    if ((atomic_load_explicit(&out->middle, memory_order_relaxed) & FRESH) == 0)
        return false;
    out->front = atomic_exchange_explicit(&out->middle, out->front, memory_order_acq_rel) & ~FRESH;
    return true;
}

static void *run(void *context)
{
    struct ax_light_out *out = context;
    for (;;) {
        bool stop = atomic_load(&out->stopping); /* Before the last look for a frame. */
        if (take(out))
            show(out, out->buffer[out->front]);
        else if (stop)
            return NULL;
        else {
            uint64_t value;
            ssize_t n = read(out->wake_fd, &value, sizeof value);
            (void)n;
        }
    }
}

static void wake(struct ax_light_out *out)
{
    uint64_t one = 1;
    ssize_t n = write(out->wake_fd, &one, sizeof one);
    (void)n;
}

static int spawn(struct ax_light_out *out)
{
    const int err = ax_thread_start(&out->pthread, run, out, "ax-light", 0);
    if (err != AX_OK)
        return err;
    out->running = true;
    return AX_OK;
}

static bool fits(const struct ax_light_out_config *config, size_t leds)
{
    if (config->kind == AX_LIGHT_NONE || config->kind >= AX_LIGHT_KIND_END || config->current > 31 || leds == 0
        || leds > AX_LED_MAX)
        return false;
    if (config->paths == 0 || config->paths > (config->kind == AX_LIGHT_CLASS ? AX_LIGHT_CLASS_MAX : 1u))
        return false;
    for (uint32_t i = 0; i < config->paths; i++) {
        size_t length = strnlen(config->path[i], AX_LIGHT_PATH_MAX + 1);
        if (length == 0 || length > AX_LIGHT_PATH_MAX)
            return false;
    }
    return true;
}

int ax_light_out_new(struct ax_light_out **result, const struct ax_light_out_config *config, const uint8_t *sections, size_t leds)
{
    if (result == NULL || config == NULL || sections == NULL)
        return AX_E_ARG;
    *result = NULL;
    if (!fits(config, leds))
        return AX_E_RANGE;
    struct ax_light_out *out = calloc(1, sizeof *out + 9 * leds);
    if (out == NULL)
        return AX_E_NOMEM;
    out->config = *config;
    out->leds = leds;
    memcpy(out->section, sections, leds);
    for (unsigned i = 0; i < 3; i++)
        out->buffer[i] = (uint8_t *)(out + 1) + 3 * leds * i;
    out->front = 1;
    atomic_init(&out->middle, 2);
    out->spi_fd = -1;
    for (int i = 0; i < AX_LIGHT_CLASS_MAX; i++)
        out->lamp[i].intensity = out->lamp[i].brightness = -1;
    out->wake_fd = eventfd(0, EFD_CLOEXEC);
    int err = out->wake_fd < 0 ? AX_E_SYS : open_device(out);
    if (err == AX_OK)
        err = spawn(out);
    if (err == AX_OK) {
        *result = out;
        return AX_OK;
    }
    int saved = errno;
    ax_light_out_free(out);
    errno = saved;
    return err;
}

void ax_light_out_free(struct ax_light_out *out)
{
    if (out == NULL)
        return;
    if (out->running) {
        atomic_store(&out->stopping, true);
        wake(out);
        pthread_join(out->pthread, NULL);
    }
    if (out->spi_fd >= 0)
        close(out->spi_fd);
    for (int i = 0; i < AX_LIGHT_CLASS_MAX; i++) {
        if (out->lamp[i].intensity >= 0)
            close(out->lamp[i].intensity);
        if (out->lamp[i].brightness >= 0)
            close(out->lamp[i].brightness);
    }
    if (out->wake_fd >= 0)
        close(out->wake_fd);
    free(out->wire);
    free(out);
}

void ax_light_out_put(struct ax_light_out *out, const uint8_t *rgb)
{
    memcpy(out->buffer[out->back], rgb, 3 * out->leds);
    unsigned before = atomic_exchange_explicit(&out->middle, out->back | FRESH, memory_order_acq_rel);
    out->back = before & ~FRESH;
    if ((before & FRESH) == 0)
        wake(out); /* Else the reader has not come yet, and will. */
}

uint64_t ax_light_out_written(const struct ax_light_out *out)
{
    return atomic_load_explicit(&out->written, memory_order_relaxed);
}

uint64_t ax_light_out_errors(const struct ax_light_out *out)
{
    return atomic_load_explicit(&out->errors, memory_order_relaxed);
}
