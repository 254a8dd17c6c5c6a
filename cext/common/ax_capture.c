/* Captures in shared memory. Units, threads, allocation: see ax/capture.h. */
#define _GNU_SOURCE /* memfd_create */
#include "ax/capture.h"

#include "ax/err.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

_Static_assert(sizeof(struct ax_capture_header) <= AX_CAPTURE_HEADER, "the header fits");
_Static_assert(sizeof(struct ax_capture_record) == AX_CAPTURE_RECORD, "the head of a record");

struct ax_capture {
    int fd;
    size_t bytes;
    struct ax_capture_header *head;
    uint64_t written;
};

static int map(struct ax_capture *capture)
{
    capture->fd = memfd_create("axcore-capture", MFD_CLOEXEC);
    if (capture->fd < 0)
        return AX_E_SYS;
    int failed = posix_fallocate(capture->fd, 0, (off_t)capture->bytes); /* Pages that are not there would be a SIGBUS. */
    if (failed != 0)
        return AX_E_SYS;
    void *at = mmap(NULL, capture->bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, capture->fd, 0);
    if (at == MAP_FAILED)
        return AX_E_SYS;
    capture->head = at;
    memset(at, 0, capture->bytes); /* Every page is this process's from here on. */
    return AX_OK;
}

int ax_capture_new(struct ax_capture **out, uint32_t kind, uint32_t rate, uint32_t detail, uint32_t size, uint32_t records)
{
    if (out == NULL)
        return AX_E_ARG;
    *out = NULL;
    uint64_t stride = (AX_CAPTURE_RECORD + (uint64_t)size + 7) / 8 * 8;
    if (size == 0 || records == 0 || (records & (records - 1)) != 0 || stride * records > AX_CAPTURE_MAX)
        return AX_E_RANGE;
    struct ax_capture *capture = calloc(1, sizeof *capture);
    if (capture == NULL)
        return AX_E_NOMEM;
    capture->bytes = AX_CAPTURE_HEADER + (size_t)(stride * records);
    int err = map(capture);
    if (err != AX_OK) {
        ax_capture_free(capture);
        return err;
    }
    *capture->head = (struct ax_capture_header){
        .magic = AX_CAPTURE_MAGIC, .kind = kind, .rate = rate, .detail = detail, .size = size, .stride = (uint32_t)stride,
        .records = records,
    };
    *out = capture;
    return AX_OK;
}

void ax_capture_free(struct ax_capture *capture)
{
    if (capture == NULL)
        return;
    if (capture->head != NULL)
        munmap(capture->head, capture->bytes);
    if (capture->fd >= 0)
        close(capture->fd);
    free(capture);
}

int ax_capture_fd(const struct ax_capture *capture)
{
    return capture->fd;
}

const struct ax_capture_header *ax_capture_view(const struct ax_capture *capture)
{
    return capture->head;
}

void ax_capture_put(struct ax_capture *capture, uint64_t t_ns, uint64_t done_ns, const void *data)
{
    struct ax_capture_header *head = capture->head;
    size_t place = (size_t)(capture->written & (head->records - 1));
    struct ax_capture_record *record = (void *)((char *)head + AX_CAPTURE_HEADER + place * head->stride);
    _Atomic uint64_t *number = (_Atomic uint64_t *)&record->number;
    atomic_store_explicit(number, 0, memory_order_relaxed);
    atomic_thread_fence(memory_order_release);
    record->t_ns = t_ns;
    record->done_ns = done_ns;
    memcpy(record + 1, data, head->size);
    capture->written++;
    atomic_store_explicit(number, capture->written, memory_order_release);
    atomic_store_explicit((_Atomic uint64_t *)&head->written, capture->written, memory_order_release);
}
