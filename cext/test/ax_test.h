/* A test harness of one page: CHECK counts, prints the failing line and makes main() return 1. */
#ifndef AX_TEST_H
#define AX_TEST_H

#include <stdio.h>

static int ax_test_checks, ax_test_failures;

#define CHECK(cond)                                                                                                    \
    do {                                                                                                               \
        ax_test_checks++;                                                                                              \
        if (!(cond)) {                                                                                                 \
            ax_test_failures++;                                                                                        \
            fprintf(stderr, "%s:%d: CHECK failed: %s\n", __FILE__, __LINE__, #cond);                                   \
        }                                                                                                              \
    } while (0)

#define CHECK_EQ(a, b)                                                                                                 \
    do {                                                                                                               \
        long long ax_a_ = (long long)(a), ax_b_ = (long long)(b);                                                      \
        ax_test_checks++;                                                                                              \
        if (ax_a_ != ax_b_) {                                                                                          \
            ax_test_failures++;                                                                                        \
            fprintf(stderr, "%s:%d: %s is %lld, expected %s = %lld\n", __FILE__, __LINE__, #a, ax_a_, #b, ax_b_);       \
        }                                                                                                              \
    } while (0)

static inline int ax_test_done(void)
{
    printf("%d checks, %d failed\n", ax_test_checks, ax_test_failures);
    return ax_test_failures != 0 || ax_test_checks == 0;
}

#endif
