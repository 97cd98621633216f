/* Fills a buffer with RDRAND. "rdrand BYTES" prints the nanoseconds per buffer: the median of several runs. */
#include <immintrin.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { RUNS = 9, BYTES_PER_RUN = 8 << 20, RETRIES = 10 };

static void fill(uint64_t *buffer, size_t words)
{
    for (size_t i = 0; i < words; i++) {
        unsigned long long value;
        int tries = RETRIES;
        while (!_rdrand64_step(&value)) {
            if (--tries == 0) {
                fputs("rdrand failed\n", stderr);
                exit(1);
            }
        }
        buffer[i] = value;
    }
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1e9 + time.tv_nsec;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(int count, char **arguments)
{
    size_t bytes = count == 2 ? strtoul(arguments[1], NULL, 10) : 0;
    if (bytes < sizeof(uint64_t)) {
        fputs("rdrand BYTES\n", stderr);
        return 2;
    }
    uint64_t *buffer = malloc(bytes);
    double nanos[RUNS];
    size_t fills = BYTES_PER_RUN / bytes;
    for (int run = 0; run < RUNS; run++) {
        double start = now();
        for (size_t i = 0; i < fills; i++) {
            fill(buffer, bytes / sizeof(uint64_t));
            /* Keeps the compiler from removing the stores. */
            __asm__ volatile("" : : "r"(buffer) : "memory");
        }
        nanos[run] = (now() - start) / fills;
    }
    qsort(nanos, RUNS, sizeof nanos[0], ascending);
    printf("%.1f\n", nanos[RUNS / 2]);
    return 0;
}
