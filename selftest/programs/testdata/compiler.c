/* Enough work for a compiler at -O2: loops to vectorise, a switch, recursion, a structure by value. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

struct vec { double x, y, z; };

static struct vec cross(struct vec a, struct vec b) {
    return (struct vec){a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x};
}

static int cmp(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static long step(long x) {
    switch (x % 7) {
    case 0: return x / 7;
    case 1: return 3 * x + 1;
    case 2: return x + 5;
    case 3: return x - 3;
    case 4: return x / 2;
    default: return x - 1;
    }
}

static unsigned ackermann(unsigned m, unsigned n) {
    return m == 0 ? n + 1 : n == 0 ? ackermann(m - 1, 1) : ackermann(m - 1, ackermann(m, n - 1));
}

int main(void) {
    static float a[4096], b[4096];
    static uint32_t u[10000];
    for (int i = 0; i < 4096; i++) {
        a[i] = i % 13;
        b[i] = i % 7;
    }
    float dot = 0;
    for (int i = 0; i < 4096; i++)
        dot += a[i] * b[i];
    uint32_t s = 1;
    for (int i = 0; i < 10000; i++)
        u[i] = s = s * 1664525 + 1013904223;
    qsort(u, 10000, sizeof *u, cmp);
    struct vec v = {1, 2, 3};
    for (int i = 0; i < 9; i++)
        v = cross(v, (struct vec){3, 1, 2});
    long n = 1000003;
    int steps = 0;
    while (n > 10 && steps < 1000) {
        n = step(n);
        steps++;
    }
    printf("%.0f %u %u %.3f %d %u\n", dot, u[0], u[9999], v.x + v.y + v.z, steps, ackermann(2, 9));
    return 0;
}
