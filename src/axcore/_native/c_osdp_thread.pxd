from libc.stdint cimport uint32_t, uint64_t

from .c_osdp_line cimport ax_osdp_cp, ax_osdp_pd


cdef extern from "ax/osdp_thread.h" nogil:
    struct ax_osdp_thread:
        pass

    struct ax_osdp_line:
        pass

    struct ax_osdp_thread_counters:
        uint64_t progress
        uint64_t reads
        uint64_t writes
        uint64_t lost
        uint64_t failures

    int ax_osdp_thread_new(ax_osdp_thread **out, int event_fd, uint32_t fifo_priority)
    int ax_osdp_thread_start(ax_osdp_thread *t)
    void ax_osdp_thread_stop(ax_osdp_thread *t)
    void ax_osdp_thread_free(ax_osdp_thread *t)
    int ax_osdp_thread_event_fd(const ax_osdp_thread *t)
    void ax_osdp_thread_count(const ax_osdp_thread *t, ax_osdp_thread_counters *out)
    int ax_osdp_line_open(ax_osdp_thread *t, ax_osdp_cp *cp, ax_osdp_pd *pd, int fd, ax_osdp_line **out)
    void ax_osdp_line_close(ax_osdp_line *line)
    void ax_osdp_line_set_fd(ax_osdp_line *line, int fd)
    bint ax_osdp_line_up(ax_osdp_line *line)
    void ax_osdp_line_enter(ax_osdp_line *line)
    void ax_osdp_line_leave(ax_osdp_line *line, bint changed)
