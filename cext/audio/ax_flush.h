/* Tiny numbers count as zero between begin and end: as denormals they would take a hundred times as long.
 * Units: none. Threads: the mode belongs to the calling one. Allocation: none. */
#ifndef AX_FLUSH_H
#define AX_FLUSH_H

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

static inline unsigned flush_begin(void)
{
#if defined(__x86_64__)
    const unsigned was = _mm_getcsr();
    _mm_setcsr(was | 0x8040u);
    return was;
#elif defined(__aarch64__)
    unsigned long was;
    __asm__ __volatile__("mrs %0, fpcr" : "=r"(was));
    __asm__ __volatile__("msr fpcr, %0" : : "r"(was | 1ul << 24));
    return (unsigned)was;
#else
    return 0;
#endif
}

static inline void flush_end(unsigned was)
{
#if defined(__x86_64__)
    _mm_setcsr(was);
#elif defined(__aarch64__)
    __asm__ __volatile__("msr fpcr, %0" : : "r"((unsigned long)was));
#else
    (void)was;
#endif
}

#endif
