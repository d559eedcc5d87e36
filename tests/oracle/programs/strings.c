/* The C library's string functions, whose variants its start-up code picks by CPUID. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <wchar.h>

enum { ROUNDS = 3000, SIZE = 2048 };

static char x[SIZE + 64], y[SIZE + 64];
static uint32_t seed = 99, hash;

static unsigned below(unsigned n)
{
    seed = seed * 1664525 + 1013904223;
    return (seed >> 8) % n;
}

static void fold(long value)
{
    hash = (hash ^ (uint32_t)value) * 16777619u;
    hash ^= hash >> 13;
}

static void fill(char *s, unsigned nr_bytes)
{
    for (unsigned i = 0; i < nr_bytes; i++)
        s[i] = (char)("abcdefgABC \n"[below(12)]);
    s[nr_bytes] = 0;
}

static int sign(int v)
{
    return (v > 0) - (v < 0);
}

static long place(const char *from, const void *at)
{
    return at ? (long)((const char *)at - from) : -1;
}

static void one(void)
{
    unsigned length = below(8) ? below(80) : below(SIZE - 64), i = below(32), j = below(32);
    char *a = x + i, *b = y + j;
    fill(a, length);
    memcpy(b, a, length + 1);
    if (length && below(2))
        b[below(length)] ^= 1;
    fold(sign(strcmp(a, b)));
    fold(sign(memcmp(a, b, length)));
    fold(sign(strncmp(a, b, below(length + 2))));
    fold(sign(strcasecmp(a, b)));
    fold((long)strlen(a));
    fold((long)strnlen(a, below(100)));
    fold(place(a, strchr(a, 'g')));
    fold(place(a, strrchr(a, 'g')));
    fold(place(a, memchr(a, 'C', length)));
    fold(place(a, memrchr(a, 'C', length)));
    fold(place(a, strstr(a, "ab")));
    fold(place(a, strpbrk(a, "\n ")));
    fold((long)strspn(a, "abcdefg"));
    fold((long)strcspn(a, "AB"));
    memmove(a + below(16), a, length / 2);
    memset(b + below(8), (int)below(256), below(40));
    b[length] = 0;
    fold((long)strlen(strcpy(x + i, b)));
    fold((long)strlen(strcat(a, "tail")));
    fold(place(a, rawmemchr(a, 0)));
    fold(place(b, stpcpy(b, a)));
    for (unsigned k = 0; k < sizeof x; k++)
        hash = hash * 31 + (uint8_t)x[k] + (uint8_t)y[k];
}

int main(void)
{
    for (unsigned i = 0; i < ROUNDS; i++) {
        one();
        if (i % 100 == 0)
            printf("%u: %08x\n", i, hash);
    }
    wchar_t wide[64];
    swprintf(wide, 64, L"%ls %d", L"wide", 5);
    printf("%08x, %zu wide, %d\n", hash, wcslen(wide), (int)(wcschr(wide, L'5') - wide));
    return 0;
}
