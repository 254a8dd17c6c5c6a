/* Captures: layout, wrap, what is refused; and a reader beside a writer that never sees half a record. */
#include "ax/capture.h"
#include "ax/err.h"
#include "ax_test.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define WORDS 16
#define ROUNDS 200000

static const struct ax_capture_record *place(const struct ax_capture_header *head, uint64_t number)
{
    return (const void *)((const char *)head + AX_CAPTURE_HEADER + (size_t)((number - 1) % head->records) * head->stride);
}

static void test_layout_and_wrap(void)
{
    struct ax_capture *capture = NULL;
    CHECK_EQ(ax_capture_new(&capture, AX_CAPTURE_LIGHT, 100000, 3, 9, 4), AX_OK);
    const struct ax_capture_header *head = ax_capture_view(capture);
    CHECK(memcmp(head->magic, "AXCAPT1", 8) == 0);
    CHECK(head->kind == AX_CAPTURE_LIGHT && head->rate == 100000 && head->detail == 3 && head->size == 9);
    CHECK(head->stride == 40 && head->records == 4 && head->written == 0);
    for (uint64_t k = 1; k <= 6; k++) {
        char data[9];
        memset(data, (int)k, sizeof data);
        ax_capture_put(capture, 10 * k, 10 * k + 1, data);
    }
    CHECK_EQ(head->written, 6);
    /* The same memory, as another process sees it. */
    size_t bytes = AX_CAPTURE_HEADER + 4 * 40;
    const struct ax_capture_header *other = mmap(NULL, bytes, PROT_READ, MAP_SHARED, ax_capture_fd(capture), 0);
    CHECK(other != MAP_FAILED);
    for (uint64_t k = 3; k <= 6; k++) {
        const struct ax_capture_record *record = place(other, k);
        CHECK(record->number == k && record->t_ns == 10 * k && record->done_ns == 10 * k + 1);
        CHECK_EQ(((const char *)(record + 1))[8], k);
    }
    munmap((void *)(uintptr_t)other, bytes);
    ax_capture_free(capture);
    ax_capture_free(NULL);
}

static void test_refused(void)
{
    struct ax_capture *capture = NULL;
    CHECK_EQ(ax_capture_new(NULL, 1, 1, 1, 8, 4), AX_E_ARG);
    CHECK_EQ(ax_capture_new(&capture, 1, 1, 1, 0, 4), AX_E_RANGE);
    CHECK_EQ(ax_capture_new(&capture, 1, 1, 1, 8, 0), AX_E_RANGE);
    CHECK_EQ(ax_capture_new(&capture, 1, 1, 1, 8, 3), AX_E_RANGE);
    CHECK_EQ(ax_capture_new(&capture, 1, 1, 1, 1 << 20, 1024), AX_E_RANGE);
    CHECK(capture == NULL);
}

static atomic_bool writing;

static void *write_on(void *context)
{
    uint64_t data[WORDS];
    for (uint64_t k = 1; k <= ROUNDS; k++) {
        for (int i = 0; i < WORDS; i++)
            data[i] = k;
        ax_capture_put(context, k, k, data);
    }
    atomic_store(&writing, false);
    return NULL;
}

/* What the header promises: the same number before and after means a whole copy. (To a thread sanitizer the copy is a race:
 * that is what the number is for.) */
static void test_a_reader_beside_the_writer(void)
{
    struct ax_capture *capture = NULL;
    pthread_t thread;
    uint64_t whole = 0, torn = 0;
    CHECK_EQ(ax_capture_new(&capture, AX_CAPTURE_SOUND, 48000, WORDS, WORDS * 8, 2), AX_OK);
    const struct ax_capture_header *head = ax_capture_view(capture);
    atomic_store(&writing, true);
    pthread_create(&thread, NULL, write_on, capture);
#ifndef __SANITIZE_THREAD__
    while (atomic_load(&writing) || whole == 0) {
        uint64_t data[WORDS], k = atomic_load((_Atomic uint64_t *)(uintptr_t)&head->written);
        if (k == 0)
            continue;
        const struct ax_capture_record *record = place(head, k);
        _Atomic uint64_t *number = (_Atomic uint64_t *)(uintptr_t)&record->number;
        uint64_t before = atomic_load(number);
        memcpy(data, record + 1, sizeof data);
        atomic_thread_fence(memory_order_acquire);
        if (before == 0 || atomic_load(number) != before)
            continue;
        whole++;
        for (int i = 0; i < WORDS; i++)
            torn += data[i] != before;
    }
    CHECK(whole > 0);
    CHECK_EQ(torn, 0);
#else
    (void)torn, (void)whole;
#endif
    pthread_join(thread, NULL);
    CHECK_EQ(head->written, ROUNDS);
    ax_capture_free(capture);
}

int main(void)
{
    test_layout_and_wrap();
    test_refused();
    test_a_reader_beside_the_writer();
    return ax_test_done();
}
