/* printf-style formatting. */
#include "compiler.h"
#include "math64.h"
#include "printk.h"
#include "string.h"

#define FLAG_LEFT 0x1u
#define FLAG_ZERO 0x2u
#define FLAG_ALTERNATE 0x4u
#define FLAG_PLUS 0x8u
#define FLAG_UPPER 0x10u
#define FLAG_SIGNED 0x20u

/* One conversion: % flags width .precision length type. */
struct format_spec {
    u32 flags;
    int width, precision; /* -1: none given */
    bool is_long_long;
};

/* Where the text goes. Counts on when the buffer is full, so that the full length is known in the end. */
struct out {
    char *buf;
    size_t size, length;
};

static void put_char(struct out *out, char c)
{
    if (out->length + 1 < out->size)
        out->buf[out->length] = c;
    out->length++;
}

static void put_padding(struct out *out, char c, int count)
{
    for (int i = 0; i < count; i++)
        put_char(out, c);
}

static void put_string(struct out *out, const char *s, const struct format_spec *spec)
{
    if (s == NULL)
        s = "(null)";
    int bytes = (int)(spec->precision >= 0 ? strnlen(s, (size_t)spec->precision) : strlen(s));
    if (!(spec->flags & FLAG_LEFT))
        put_padding(out, ' ', spec->width - bytes);
    for (int i = 0; i < bytes; i++)
        put_char(out, s[i]);
    if (spec->flags & FLAG_LEFT)
        put_padding(out, ' ', spec->width - bytes);
}

static void put_number(struct out *out, u64 value, u32 base, const struct format_spec *spec)
{
    const char *digits = (spec->flags & FLAG_UPPER) ? "0123456789ABCDEF" : "0123456789abcdef";
    char reversed[24];
    int nr_digits = 0;
    char prefix[3];
    int nr_prefix = 0;

    if ((spec->flags & FLAG_SIGNED) && (s64)value < 0) {
        value = -value;
        prefix[nr_prefix++] = '-';
    } else if (spec->flags & FLAG_PLUS) {
        prefix[nr_prefix++] = '+';
    }
    if ((spec->flags & FLAG_ALTERNATE) && base == 16) {
        prefix[nr_prefix++] = '0';
        prefix[nr_prefix++] = 'x';
    }
    do {
        u32 digit;
        value = div_u64_rem(value, base, &digit);
        reversed[nr_digits++] = digits[digit];
    } while (value);

    int zeroes = max(spec->precision - nr_digits, 0);
    if ((spec->flags & FLAG_ZERO) && !(spec->flags & FLAG_LEFT) && spec->precision < 0)
        zeroes = max(spec->width - nr_prefix - nr_digits, 0);
    int padding = spec->width - nr_prefix - zeroes - nr_digits;
    if (!(spec->flags & FLAG_LEFT))
        put_padding(out, ' ', padding);
    for (int i = 0; i < nr_prefix; i++)
        put_char(out, prefix[i]);
    put_padding(out, '0', zeroes);
    while (nr_digits)
        put_char(out, reversed[--nr_digits]);
    if (spec->flags & FLAG_LEFT)
        put_padding(out, ' ', padding);
}

static const char *parse_flags(const char *fmt, u32 *flags)
{
    for (;; fmt++) {
        switch (*fmt) {
        case '-':
            *flags |= FLAG_LEFT;
            break;
        case '0':
            *flags |= FLAG_ZERO;
            break;
        case '#':
            *flags |= FLAG_ALTERNATE;
            break;
        case '+':
            *flags |= FLAG_PLUS;
            break;
        default:
            return fmt;
        }
    }
}

static const char *parse_digits(const char *fmt, int *number)
{
    *number = 0;
    for (; *fmt >= '0' && *fmt <= '9'; fmt++)
        *number = *number * 10 + (*fmt - '0');
    return fmt;
}

static u64 next_number(va_list *args, const struct format_spec *spec)
{
    if (spec->is_long_long)
        return va_arg(*args, u64);
    if (spec->flags & FLAG_SIGNED)
        return (u64)(s64)va_arg(*args, long);
    return va_arg(*args, unsigned long);
}

/* int, long and size_t have the same size here: only "ll" makes a difference. */
static const char *parse_length(const char *fmt, struct format_spec *spec)
{
    if (*fmt == 'z')
        return fmt + 1;
    if (*fmt != 'l')
        return fmt;
    spec->is_long_long = fmt[1] == 'l';
    return fmt + (spec->is_long_long ? 2 : 1);
}

static const char *parse_spec(const char *fmt, struct format_spec *spec, va_list *args)
{
    *spec = (struct format_spec){.precision = -1};
    fmt = parse_flags(fmt, &spec->flags);
    if (*fmt == '*') {
        spec->width = va_arg(*args, int);
        fmt++;
    } else {
        fmt = parse_digits(fmt, &spec->width);
    }
    if (*fmt == '.') {
        fmt++;
        if (*fmt == '*') {
            spec->precision = va_arg(*args, int);
            fmt++;
        } else {
            fmt = parse_digits(fmt, &spec->precision);
        }
    }
    return parse_length(fmt, spec);
}

static void put_conversion(struct out *out, char type, struct format_spec *spec, va_list *args)
{
    switch (type) {
    case 'd':
    case 'i':
        spec->flags |= FLAG_SIGNED;
        put_number(out, next_number(args, spec), 10, spec);
        break;
    case 'u':
        put_number(out, next_number(args, spec), 10, spec);
        break;
    case 'o':
        put_number(out, next_number(args, spec), 8, spec);
        break;
    case 'X':
        spec->flags |= FLAG_UPPER;
        put_number(out, next_number(args, spec), 16, spec);
        break;
    case 'x':
        put_number(out, next_number(args, spec), 16, spec);
        break;
    case 'p':
        spec->precision = 2 * (int)sizeof(void *);
        put_number(out, (uintptr_t)va_arg(*args, void *), 16, spec);
        break;
    case 's':
        put_string(out, va_arg(*args, const char *), spec);
        break;
    case 'c':
        put_char(out, (char)va_arg(*args, int));
        break;
    default:
        put_char(out, '%');
        if (type != '%')
            put_char(out, type);
    }
}

int vsnprintf(char *buf, size_t size, const char *fmt, va_list args)
{
    struct out out = {.buf = buf, .size = size};
    va_list rest;
    va_copy(rest, args);
    while (*fmt) {
        if (*fmt != '%') {
            put_char(&out, *fmt++);
            continue;
        }
        struct format_spec spec;
        fmt = parse_spec(fmt + 1, &spec, &rest);
        if (*fmt == '\0')
            break;
        put_conversion(&out, *fmt++, &spec, &rest);
    }
    va_end(rest);
    if (size)
        buf[min(out.length, size - 1)] = '\0';
    return (int)out.length;
}

int snprintf(char *buf, size_t size, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    int length = vsnprintf(buf, size, fmt, args);
    va_end(args);
    return length;
}
