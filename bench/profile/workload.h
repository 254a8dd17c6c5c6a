/* Reference workloads of the C kernels: fixed input, fixed work, one program per module (workload_<module>.c).
 *
 *   workload_x --list               names, one a line, with what one unit is
 *   workload_x NAME COUNT           run COUNT times: what callgrind counts (only the inside of workload_run)
 *   workload_x NAME COUNT --time    best of seven timings: units a second and ns a unit
 *
 * A workload prepares its input in `prepare` (not counted), does its work in `run` and returns a value that depends on
 * every result, so that the compiler can leave nothing out. */
#ifndef AX_WORKLOAD_H
#define AX_WORKLOAD_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct workload {
    const char *name;
    const char *unit;     /**< What is counted: "edges", "frames". */
    double units;         /**< Units in one run. */
    int (*prepare)(void); /**< 0, or an error that ends the program. */
    uint64_t (*run)(void);
};

uint64_t workload_run(const struct workload *w, long count);
int workload_main(const struct workload *list, size_t n, int argc, char **argv);

/* Callgrind collects between entry and exit of this function, found by its name. */
__attribute__((noinline)) uint64_t workload_run(const struct workload *w, long count)
{
    uint64_t sum = 0;
    for (long i = 0; i < count; i++)
        sum += w->run();
    return sum;
}

static double workload_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void workload_time(const struct workload *w, long count)
{
    double best = 1e9;
    for (int round = 0; round < 7; round++) {
        double start = workload_seconds();
        (void)workload_run(w, count);
        double took = workload_seconds() - start;
        best = took < best ? took : best;
    }
    double units = w->units * (double)count;
    printf("%s %.2f M %s/s %.3f ns\n", w->name, units / best / 1e6, w->unit, best * 1e9 / units);
}

int workload_main(const struct workload *list, size_t n, int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--list") == 0) {
        for (size_t i = 0; i < n; i++)
            printf("%s %s\n", list[i].name, list[i].unit);
        return 0;
    }
    long count = argc >= 3 ? strtol(argv[2], NULL, 10) : 0;
    for (size_t i = 0; i < n && count > 0; i++) {
        if (strcmp(argv[1], list[i].name) != 0)
            continue;
        int rc = list[i].prepare();
        if (rc != 0) {
            fprintf(stderr, "%s: prepare gave %d\n", list[i].name, rc);
            return 1;
        }
        if (argc > 3)
            workload_time(&list[i], count);
        else
            printf("%llu\n", (unsigned long long)workload_run(&list[i], count));
        return 0;
    }
    fprintf(stderr, "usage: %s --list | NAME COUNT [--time]\n", argv[0]);
    return 2;
}

#endif
