/* A capture: the latest records of what an output really did, in shared memory that others read while it is written.
 *
 * One writer, any number of readers in any process. The memory is that of a memfd: it is never written back to a disk, so
 * that the writer cannot be held up, and it is gone with the last process that has it open. Who may open
 * /proc/<pid>/fd/<fd> may read it. A record carries the number that it has (1 for the first ever); the writer sets that to 0
 * while it writes. A reader copies a record and looks at the number before and after: equal and not 0 means that the copy
 * is whole.
 *
 * Layout: a header of AX_CAPTURE_HEADER bytes, then `records` times `stride` bytes; record k is in place (k - 1) % records.
 * All numbers are of this machine's byte order. Units: ns, CLOCK_MONOTONIC. Allocation: only in ax_capture_new, which also
 * has every page at hand: writing takes no page fault. */
#ifndef AX_CAPTURE_H
#define AX_CAPTURE_H

#include <stddef.h>
#include <stdint.h>

#define AX_CAPTURE_MAGIC "AXCAPT1" /**< Eight bytes, with the zero. */
#define AX_CAPTURE_HEADER 64
#define AX_CAPTURE_RECORD 24       /**< Bytes of a record before its data. */
#define AX_CAPTURE_MAX (256u << 20)

enum ax_capture_kind {
    AX_CAPTURE_LIGHT = 1, /**< Data: red, green, blue codes of each LED. `rate`: frames in 1,000 s; `detail`: LEDs. */
    AX_CAPTURE_SOUND = 2, /**< Data: int16 samples, one channel. `rate`: samples in a second; `detail`: samples a record. */
};

struct ax_capture_header {
    char magic[8];
    uint32_t kind, rate, detail;
    uint32_t size;    /**< Bytes of data in a record. */
    uint32_t stride;  /**< From record to record: AX_CAPTURE_RECORD and `size`, rounded up to 8. */
    uint32_t records; /**< Places, a power of two. */
    uint64_t written; /**< Records ever written: the number of the newest. */
};

struct ax_capture_record {
    uint64_t number;  /**< 0: is being written. */
    uint64_t t_ns;    /**< The time that the data belongs to: of a frame, of the first sample. */
    uint64_t done_ns; /**< When it was given out. */
};

struct ax_capture;

/** AX_E_RANGE: `records` is no power of two, no data, or more than AX_CAPTURE_MAX bytes. AX_E_SYS. */
int ax_capture_new(struct ax_capture **out, uint32_t kind, uint32_t rate, uint32_t detail, uint32_t size, uint32_t records);
void ax_capture_free(struct ax_capture *capture);
/** The memfd; close-on-exec; belongs to the capture. */
int ax_capture_fd(const struct ax_capture *capture);
/** The header at address 0 of the mapping. */
const struct ax_capture_header *ax_capture_view(const struct ax_capture *capture);
/** Writes a record of `size` bytes. The writer's thread only. */
void ax_capture_put(struct ax_capture *capture, uint64_t t_ns, uint64_t done_ns, const void *data);

#endif
