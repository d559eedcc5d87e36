/* Memory and string functions. The compiler calls the first four on its own account too. */
#include "string.h"

void *memcpy(void *dst, const void *src, size_t bytes)
{
    void *to = dst;
    size_t words = bytes / 4;
    __asm__ volatile("rep movsl\n\tmovl %3, %%ecx\n\trep movsb"
                     : "+&D"(to), "+&S"(src), "+&c"(words)
                     : "g"(bytes % 4)
                     : "memory");
    return dst;
}

void *memmove(void *dst, const void *src, size_t bytes)
{
    if ((uintptr_t)dst <= (uintptr_t)src || (uintptr_t)dst >= (uintptr_t)src + bytes)
        return memcpy(dst, src, bytes);
    void *to = (char *)dst + bytes - 1;
    const void *from = (const char *)src + bytes - 1;
    __asm__ volatile("std\n\trep movsb\n\tcld" : "+D"(to), "+S"(from), "+c"(bytes)::"memory");
    return dst;
}

void *memset(void *dst, int value, size_t bytes)
{
    void *to = dst;
    size_t words = bytes / 4;
    __asm__ volatile("rep stosl\n\tmovl %3, %%ecx\n\trep stosb"
                     : "+&D"(to), "+&c"(words)
                     : "a"((value & 0xFF) * 0x01010101u), "g"(bytes % 4)
                     : "memory");
    return dst;
}

int memcmp(const void *a, const void *b, size_t bytes)
{
    const unsigned char *p = a, *q = b;
    for (size_t i = 0; i < bytes; i++)
        if (p[i] != q[i])
            return p[i] - q[i];
    return 0;
}

size_t strlen(const char *s)
{
    size_t n = 0;
    while (s[n])
        n++;
    return n;
}

size_t strnlen(const char *s, size_t max_bytes)
{
    size_t n = 0;
    while (n < max_bytes && s[n])
        n++;
    return n;
}

int strcmp(const char *a, const char *b)
{
    return strncmp(a, b, SIZE_MAX);
}

int strncmp(const char *a, const char *b, size_t max_bytes)
{
    for (size_t i = 0; i < max_bytes; i++) {
        unsigned char p = (unsigned char)a[i], q = (unsigned char)b[i];
        if (p != q)
            return p - q;
        if (p == '\0')
            break;
    }
    return 0;
}

char *strchr(const char *s, int c)
{
    for (;; s++) {
        if (*s == (char)c)
            return (char *)(uintptr_t)s;
        if (*s == '\0')
            return NULL;
    }
}

size_t strlcpy(char *dst, const char *src, size_t size)
{
    size_t bytes = strlen(src);
    if (size) {
        size_t copied = bytes < size ? bytes : size - 1;
        memcpy(dst, src, copied);
        dst[copied] = '\0';
    }
    return bytes;
}
