/* Feeds every file of the named directories (or single files) to a fuzz target once, without libFuzzer: corpora are
 * replayed with any compiler, under sanitizers, under emulation and for coverage. The target gets a heap block of exactly
 * the file's size, so that a sanitizer sees a read of one byte too many. Prints how many inputs there were; none is a
 * failure. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay_file(const char *path, size_t size)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        return -1;
    }
    uint8_t *data = malloc(size > 0 ? size : 1);
    int rc = -1;
    if (data != NULL && fread(data, 1, size, file) == size) {
        (void)LLVMFuzzerTestOneInput(data, size);
        rc = 0;
    }
    free(data);
    fclose(file);
    return rc;
}

/* Returns the number of inputs, or -1. */
static long replay(const char *path)
{
    struct stat info;
    if (stat(path, &info) != 0) {
        perror(path);
        return -1;
    }
    if (S_ISREG(info.st_mode))
        return replay_file(path, (size_t)info.st_size) == 0 ? 1 : -1;
    DIR *dir = opendir(path);
    if (dir == NULL) {
        perror(path);
        return -1;
    }
    long total = 0;
    for (const struct dirent *entry = readdir(dir); entry != NULL && total >= 0; entry = readdir(dir)) {
        char child[4096];
        if (entry->d_name[0] == '.')
            continue;
        int length = snprintf(child, sizeof child, "%s/%s", path, entry->d_name);
        long found = length < (int)sizeof child ? replay(child) : -1;
        total = found < 0 ? -1 : total + found;
    }
    closedir(dir);
    return total;
}

int main(int argc, char **argv)
{
    long total = 0;
    for (int i = 1; i < argc; i++) {
        long found = replay(argv[i]);
        if (found < 0)
            return 1;
        total += found;
    }
    printf("%ld checks, 0 failed\n", total);
    return total == 0;
}
