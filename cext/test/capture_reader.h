/* For tests: the records of a capture, by its descriptor. */
#ifndef CAPTURE_READER_H
#define CAPTURE_READER_H

#include "ax/capture.h"

#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/stat.h>

static inline const struct ax_capture_header *capture_map(int fd)
{
    struct stat info = {0};
    fstat(fd, &info);
    void *at = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_SHARED, fd, 0);
    return at == MAP_FAILED ? NULL : at;
}

static inline uint64_t capture_written(const struct ax_capture_header *head)
{
    return atomic_load_explicit((_Atomic uint64_t *)(uintptr_t)&head->written, memory_order_acquire);
}

static inline const struct ax_capture_record *capture_record(const struct ax_capture_header *head, uint64_t number)
{
    return (const void *)((const char *)head + AX_CAPTURE_HEADER + (size_t)((number - 1) % head->records) * head->stride);
}

#endif
