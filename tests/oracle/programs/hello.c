/* The C library's start-up, and what nearly every program uses of it. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static jmp_buf jump;

static int compare(const void *a, const void *b)
{
    int x = *(const int *)a, y = *(const int *)b;
    return (x > y) - (x < y);
}

static double sum(int nr, ...)
{
    va_list list;
    double s = 0;
    va_start(list, nr);
    while (nr-- > 0)
        s += va_arg(list, double);
    va_end(list);
    return s;
}

static void leave(int depth)
{
    if (depth == 0)
        longjmp(jump, 42);
    leave(depth - 1);
}

int main(int argc, char **argv)
{
    static const char *const numbers[] = {
        "0.1",     "1e308", "4.9e-324", "3.14159265358979323846", "-1.5e-5", "123456789012345678901234567890",
        "0x1.8p3", "inf"};
    uint32_t seed = 1;
    int nr = 2000, *values = malloc((size_t)nr * sizeof *values);
    printf("%d arguments, first %s\n", argc, argv[0]);
    for (unsigned i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        double d = strtod(numbers[i], NULL);
        printf("%s: %.17g %a %.3f %e\n", numbers[i], d, d, d, d);
    }
    for (int i = 0; i < nr; i++) {
        seed = seed * 1664525 + 1013904223;
        values[i] = (int)(seed >> 8) - (1 << 23);
    }
    qsort(values, (size_t)nr, sizeof *values, compare);
    for (int i = 0; i < nr; i += 199)
        printf("%d: %d %x %o %+08d\n", i, values[i], (unsigned)values[i], (unsigned)values[i], values[i]);
    printf("jumped with %d\n", setjmp(jump) == 0 ? (leave(10), 0) : 42);
    printf("sum %.17g\n", sum(5, 0.1, 0.2, 0.3, 1e10, -1e10));
    long long big = 0x123456789abcdefLL;
    printf("%lld %lld %llu\n", big / 1000007, big % 1000007, (unsigned long long)big * 77);
    for (int i = 1; i < 30; i++)
        printf("%d: %.10f %.10f %.10f %.10f %.10f\n", i, sqrt(i), sin(i), exp(i / 3.0), log(i), pow(i, 1.7));
    for (int i = 0; i < 40; i++) {
        char *block = malloc((size_t)1 << (i % 18));
        memset(block, i, (size_t)1 << (i % 18));
        if (i % 3)
            free(block);
    }
    fprintf(stderr, "to the other stream\n");
    char *copy = NULL;
    copy = realloc(copy, 100);
    snprintf(copy, 100, "%-10s|%5.2f|%c|%p", "left", 2.5, 'x', (void *)0);
    puts(copy);
    return 7;
}
