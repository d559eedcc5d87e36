#include "sim/base/config_internal.h"

#define KIB UINT64_C(1024)
#define MIB (KIB * 1024)
#define GIB (MIB * 1024)

#define FIELD(name) .offset = offsetof(struct config, name)
#define PARAM_SIZE(key, field, value, low, high, text)                                                       \
    {.path = key,                                                                                            \
     FIELD(field),                                                                                           \
     .kind = CFG_SIZE,                                                                                       \
     .initial = (value),                                                                                     \
     .min = (low),                                                                                           \
     .max = (high),                                                                                          \
     .sentence = (text)},
#define PARAM_COUNT(key, field, value, low, high, unit_text, text)                                           \
    {.path = key,                                                                                            \
     FIELD(field),                                                                                           \
     .kind = CFG_COUNT,                                                                                      \
     .initial = (value),                                                                                     \
     .min = (low),                                                                                           \
     .max = (high),                                                                                          \
     .unit = (unit_text),                                                                                    \
     .sentence = (text)},
#define PARAM_HZ(key, field, value, low, high, text)                                                         \
    {.path = key,                                                                                            \
     FIELD(field),                                                                                           \
     .kind = CFG_HZ,                                                                                         \
     .initial = (value),                                                                                     \
     .min = (low),                                                                                           \
     .max = (high),                                                                                          \
     .sentence = (text)},
#define PARAM_BOOL(key, field, value, text)                                                                  \
    {.path = key, FIELD(field), .kind = CFG_BOOL, .initial = (value), .max = 1, .sentence = (text)},
#define PARAM_ENUM(key, field, value, list, text)                                                            \
    {.path = key,                                                                                            \
     FIELD(field),                                                                                           \
     .kind = CFG_ENUM,                                                                                       \
     .initial_name = (value),                                                                                \
     .names = (list),                                                                                        \
     .sentence = (text)},
/* Clocks up to a million; time up to a millisecond. */
#define PARAM_TIME(key, field, text)                                                                         \
    {.path = key,                                                                                            \
     FIELD(field),                                                                                           \
     .kind = CFG_TIME,                                                                                       \
     .initial = CFG_TIME_PRESET,                                                                             \
     .max = 1000000,                                                                                         \
     .sentence = (text)},

static const struct cfg_row rows[] = {
#include "sim/base/config_params.def"
};

const struct cfg_row *cfg_rows(size_t *nr_rows)
{
    *nr_rows = sizeof(rows) / sizeof(rows[0]);
    return rows;
}
