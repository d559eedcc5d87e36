/* Values as text: numbers with units, exact; enumerations; and what a message says about them. */
#include "sim/base/config_internal.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

struct unit {
    const char *name;
    uint64_t factor;
};

/* The first name of a factor is the one that we print. */
static const struct unit size_units[] = {
    {"", 1},
    {"B", 1},
    {"KiB", UINT64_C(1) << 10},
    {"K", UINT64_C(1) << 10},
    {"MiB", UINT64_C(1) << 20},
    {"M", UINT64_C(1) << 20},
    {"GiB", UINT64_C(1) << 30},
    {"G", UINT64_C(1) << 30},
    {0},
};
static const struct unit hz_units[] = {
    {"Hz", 1}, {"", 1}, {"kHz", 1000}, {"MHz", 1000000}, {"GHz", 1000000000}, {0},
};
static const struct unit count_units[] = {{"", 1}, {0}};
static const struct unit time_units[] = {{"ps", 1}, {"ns", 1000}, {"us", 1000000}, {0}};

static const struct unit *units_of(const struct cfg_row *row)
{
    return row->kind == CFG_SIZE ? size_units : row->kind == CFG_HZ ? hz_units : count_units;
}

static const struct unit *find_unit(const struct unit *units, const char *name)
{
    for (; units->name; units++) {
        if (strcasecmp(units->name, name) == 0)
            return units;
    }
    return NULL;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

enum { MAX_FRACTION_DIGITS = 9 }; /* 10^9 x 1 GiB fits 64 bits */

/* A decimal number, split so that it can be multiplied exactly. */
struct decimal {
    uint64_t whole, fraction, fraction_scale;
    bool is_too_large, is_too_fine;
};

static const char *parse_decimal(const char *text, struct decimal *decimal)
{
    *decimal = (struct decimal){.fraction_scale = 1};
    for (; is_digit(*text); text++) {
        uint64_t digit = (uint64_t)(*text - '0');
        if (__builtin_mul_overflow(decimal->whole, UINT64_C(10), &decimal->whole) ||
            __builtin_add_overflow(decimal->whole, digit, &decimal->whole))
            decimal->is_too_large = true;
    }
    if (text[0] != '.' || !is_digit(text[1]))
        return text;
    unsigned nr_digits = 0;
    for (text++; is_digit(*text); text++) {
        if (nr_digits++ < MAX_FRACTION_DIGITS) {
            decimal->fraction = decimal->fraction * 10 + (uint64_t)(*text - '0');
            decimal->fraction_scale *= 10;
        } else if (*text != '0') {
            decimal->is_too_fine = true;
        }
    }
    return text;
}

/* As cfg_parse, for the three kinds that are numbers with one unit. */
static bool parse_number(const struct cfg_row *row, const char *text, uint64_t *value,
                         char problem[CFG_TEXT_CHARS])
{
    struct decimal decimal;
    if (!is_digit(*text))
        return false;
    const char *rest = parse_decimal(text, &decimal);
    while (*rest == ' ')
        rest++;
    const struct unit *unit = find_unit(units_of(row), rest);
    if (!unit) {
        if (row->kind == CFG_COUNT)
            return false;
        snprintf(problem, CFG_TEXT_CHARS, "; unknown unit \"%.20s\": %s", rest,
                 row->kind == CFG_SIZE ? "B, KiB, MiB and GiB are known" : "Hz, kHz, MHz and GHz are known");
        return false;
    }
    uint64_t part = decimal.fraction * unit->factor;
    if (decimal.is_too_fine || part % decimal.fraction_scale != 0) {
        snprintf(problem, CFG_TEXT_CHARS, "; this is no whole number of %s",
                 row->kind == CFG_SIZE ? "bytes"
                 : row->kind == CFG_HZ ? "Hz"
                                       : row->unit);
        return false;
    }
    part /= decimal.fraction_scale;
    if (decimal.is_too_large || __builtin_mul_overflow(decimal.whole, unit->factor, value) ||
        __builtin_add_overflow(*value, part, value))
        return false;
    return *value >= row->min && *value <= row->max;
}

bool cfg_enum_name(const char *names, uint64_t index, const char **name, size_t *length)
{
    for (; index > 0; index--) {
        names = strchr(names, '|');
        if (!names)
            return false;
        names++;
    }
    *name = names;
    *length = strcspn(names, "|");
    return true;
}

static bool parse_enum(const struct cfg_row *row, const char *text, uint64_t *value,
                       char problem[CFG_TEXT_CHARS])
{
    const char *name = NULL;
    size_t length = 0;
    size_t best = 3; /* more edits than two is another word */
    for (uint64_t i = 0; cfg_enum_name(row->names, i, &name, &length); i++) {
        char copy[64];
        snprintf(copy, sizeof(copy), "%.*s", (int)length, name);
        if (strcmp(copy, text) == 0) {
            *value = i;
            return true;
        }
        size_t distance = cfg_edit_distance(text, copy);
        if (distance < best && distance < length) {
            best = distance;
            snprintf(problem, CFG_TEXT_CHARS, " (did you mean \"%s\"?)", copy);
        }
    }
    return false;
}

/* Clocks, or time, or "preset". */
static bool parse_time(const struct cfg_row *row, const char *text, uint64_t *value,
                       char problem[CFG_TEXT_CHARS])
{
    const uint64_t ps_in_largest = 1000000000;
    struct decimal decimal;
    *value = CFG_TIME_PRESET;
    if (strcmp(text, "preset") == 0)
        return true;
    if (!is_digit(*text))
        return false;
    const char *rest = parse_decimal(text, &decimal);
    while (*rest == ' ')
        rest++;
    *value = decimal.whole;
    if (!*rest)
        return decimal.fraction_scale == 1 && !decimal.is_too_large && decimal.whole <= row->max;
    const struct unit *unit = find_unit(time_units, rest);
    if (!unit) {
        snprintf(problem, CFG_TEXT_CHARS, "; unknown unit \"%.20s\": ps, ns and us are known", rest);
        return false;
    }
    uint64_t part = decimal.fraction * unit->factor;
    if (decimal.is_too_fine || part % decimal.fraction_scale != 0) {
        snprintf(problem, CFG_TEXT_CHARS, "; this is no whole number of ps");
        return false;
    }
    if (decimal.is_too_large || decimal.whole > ps_in_largest ||
        decimal.whole * unit->factor + part / decimal.fraction_scale > ps_in_largest)
        return false;
    *value = CFG_TIME_IS_PS | (decimal.whole * unit->factor + part / decimal.fraction_scale);
    return true;
}

bool cfg_parse(const struct cfg_row *row, const char *text, uint64_t *value, char problem[CFG_TEXT_CHARS])
{
    problem[0] = '\0';
    if (row->kind == CFG_ENUM)
        return parse_enum(row, text, value, problem);
    if (row->kind == CFG_TIME)
        return parse_time(row, text, value, problem);
    if (row->kind == CFG_BOOL) {
        *value = strcmp(text, "true") == 0;
        return *value || strcmp(text, "false") == 0;
    }
    return parse_number(row, text, value, problem);
}

/* With the largest unit that leaves a whole number; the plain number when that unit is one. */
static void format_number(const struct unit *units, uint64_t value, char text[CFG_TEXT_CHARS])
{
    const struct unit *best = units;
    for (const struct unit *unit = units; unit->name; unit++) {
        if (unit->factor > best->factor && value != 0 && value % unit->factor == 0)
            best = unit;
    }
    snprintf(text, CFG_TEXT_CHARS, "%" PRIu64 "%s", value / best->factor, best->name);
}

/* Whole nanoseconds without a point: "7500ps" reads as "7.5ns". */
static void format_time(uint64_t value, char text[CFG_TEXT_CHARS])
{
    const unsigned ps_per_ns = 1000;
    uint64_t ps = value & ~CFG_TIME_IS_PS;
    if (value == CFG_TIME_PRESET)
        snprintf(text, CFG_TEXT_CHARS, "\"preset\"");
    else if (!(value & CFG_TIME_IS_PS))
        snprintf(text, CFG_TEXT_CHARS, "%" PRIu64, value);
    else if (ps % ps_per_ns == 0)
        snprintf(text, CFG_TEXT_CHARS, "\"%" PRIu64 "ns\"", ps / ps_per_ns);
    else
        snprintf(text, CFG_TEXT_CHARS, "\"%" PRIu64 ".%03uns\"", ps / ps_per_ns, (unsigned)(ps % ps_per_ns));
}

void cfg_format(const struct cfg_row *row, uint64_t value, char text[CFG_TEXT_CHARS])
{
    const char *name = NULL;
    size_t length = 0;
    char number[CFG_TEXT_CHARS];
    if (row->kind == CFG_BOOL) {
        snprintf(text, CFG_TEXT_CHARS, "%s", value ? "true" : "false");
    } else if (row->kind == CFG_TIME) {
        format_time(value, text);
    } else if (row->kind == CFG_ENUM) {
        bool is_known = cfg_enum_name(row->names, value, &name, &length);
        snprintf(text, CFG_TEXT_CHARS, "\"%.*s\"", is_known ? (int)length : 0, is_known ? name : "");
    } else {
        format_number(units_of(row), value, number);
        bool is_bare = strspn(number, "0123456789") == strlen(number);
        snprintf(text, CFG_TEXT_CHARS, is_bare ? "%.40s" : "\"%.40s\"", number);
    }
}

void cfg_range(const struct cfg_row *row, char text[CFG_TEXT_CHARS])
{
    char min[CFG_TEXT_CHARS], max[CFG_TEXT_CHARS];
    size_t used = 0;
    const char *name = NULL;
    size_t length = 0;
    text[0] = '\0';
    switch (row->kind) {
    case CFG_BOOL:
        snprintf(text, CFG_TEXT_CHARS, "true or false");
        break;
    case CFG_TIME:
        snprintf(text, CFG_TEXT_CHARS, "0 to %" PRIu64 " clocks, a time up to \"1000us\", or \"preset\"",
                 row->max);
        break;
    case CFG_ENUM:
        for (uint64_t i = 0;
             cfg_enum_name(row->names, i, &name, &length) && used + length + 8 < CFG_TEXT_CHARS; i++)
            used += (size_t)snprintf(text + used, CFG_TEXT_CHARS - used, "%s\"%.*s\"", i ? ", " : "",
                                     (int)length, name);
        break;
    default:
        format_number(units_of(row), row->min, min);
        format_number(units_of(row), row->max, max);
        snprintf(text, CFG_TEXT_CHARS, "%.40s%s to %.40s%s%.60s", min,
                 row->kind == CFG_SIZE && row->min < 1024 ? "B" : "", max, row->unit ? " " : "",
                 row->unit ? row->unit : "");
    }
}

void cfg_describe(const struct cfg_row *row, char text[CFG_TEXT_CHARS])
{
    char range[CFG_TEXT_CHARS];
    cfg_range(row, range);
    const char *kind = row->kind == CFG_COUNT  ? "a whole number, "
                       : row->kind == CFG_SIZE ? "a size, such as \"32KiB\", "
                       : row->kind == CFG_HZ   ? "a frequency, such as \"1GHz\", "
                                               : "";
    snprintf(text, CFG_TEXT_CHARS, "%s%.200s", kind, range);
}

size_t cfg_edit_distance(const char *a, const char *b)
{
    enum { MAX_CHARS = 96 };
    size_t previous[MAX_CHARS + 1], current[MAX_CHARS + 1];
    size_t length_a = strnlen(a, MAX_CHARS), length_b = strnlen(b, MAX_CHARS);
    for (size_t j = 0; j <= length_b; j++)
        previous[j] = j;
    for (size_t i = 1; i <= length_a; i++) {
        current[0] = i;
        for (size_t j = 1; j <= length_b; j++) {
            size_t change = previous[j - 1] + (a[i - 1] != b[j - 1]);
            size_t shift = (previous[j] < current[j - 1] ? previous[j] : current[j - 1]) + 1;
            current[j] = change < shift ? change : shift;
        }
        memcpy(previous, current, sizeof(previous));
    }
    return previous[length_b];
}
