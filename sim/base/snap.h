/*
 * A walk over the state of the machine's parts, for checkpoints. Each part has one function that names its
 * fields; the same function writes them into a stream and reads them back, so that the two cannot differ.
 * What is not of the state is named as well (SNAP_SKIP), with the reason beside it: in an audited walk
 * each byte of a struct between SNAP_OPEN and SNAP_CLOSE that was not named, and is no padding, is a
 * mistake.
 *
 * A stream is a stranger's file: whatever it holds, a part must be one afterwards that can run without
 * harm. So what is used as an index, a count or a choice is read by SNAP_BELOW or checked by SNAP_REQUIRE.
 * After the first mistake all reads give zeros, and the part is not to be run.
 *
 * Numbers stand in the stream as the host has them, low byte first.
 */
#ifndef LK_SIM_BASE_SNAP_H
#define LK_SIM_BASE_SNAP_H

#include "sim/base/diag.h"
#include "sim/base/event.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where a walk writes to, or reads from: all bytes or false. `opaque` is handed on. */
struct snap_stream {
    bool (*write)(void *opaque, const void *bytes, size_t nr_bytes);
    bool (*read)(void *opaque, void *bytes, size_t nr_bytes);
    void *opaque;
};

enum { SNAP_BUFFER_BYTES = 1 << 16, SNAP_MAX_OPEN = 8, SNAP_NAME_BYTES = 64 };

/* A struct under audit. */
struct snap_open {
    const uint8_t *base;
    size_t size_bytes;
    uint8_t *wanted; /* by byte: not 0 where it has still to be named */
    const char *name;
};

struct snap {
    struct snap_stream stream;
    bool is_load, has_failed;
    bool is_audited;
    const char *file; /* for messages */
    char section[SNAP_NAME_BYTES];
    struct diag *diag;
    size_t at, filled; /* in the buffer */
    uint8_t buffer[SNAP_BUFFER_BYTES];
    struct snap_open open[SNAP_MAX_OPEN];
    unsigned nr_open;
};

/* `file` is what messages begin with. What is wrong becomes one line of `diag`. They outlive the walk. */
void snap_begin(struct snap *snap, const struct snap_stream *stream, bool is_load, const char *file,
                struct diag *diag);
/* Writes what is in the buffer. False if anything was wrong with the walk. */
bool snap_end(struct snap *snap);

/* The parts of a stream bear names: a reader that has lost its way is found out, and says where. */
void snap_section(struct snap *snap, const char *name);

/*
 * The walk fails, with a line "FILE: section SECTION: ..."; only the first is kept. Always returns false.
 * What is wrong with a stream has status 65.
 */
bool snap_fail(struct snap *snap, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool snap_out_of_memory(struct snap *snap);

static inline bool snap_is_good(const struct snap *snap)
{
    return !snap->has_failed;
}

void snap_bytes(struct snap *snap, void *at, size_t nr_bytes);
void snap_flags(struct snap *snap, bool *at, size_t nr);
void snap_skip(struct snap *snap, const void *from, const void *to);
uint8_t *snap_audit_open(struct snap *snap, const void *base, size_t size_bytes, const char *name);
void snap_audit_close(struct snap *snap, const void *base);
void snap_below_failed(struct snap *snap, const char *what, uint64_t value, uint64_t bound);

/* A number that has to be the same on both sides, such as a size that the configuration gives. */
void snap_same(struct snap *snap, const char *what, uint64_t value);

/*
 * An event of the queue: whether it is scheduled, when it is due, and which comes first of those that are due
 * in the same cycle.
 */
void snap_event(struct snap *snap, struct ev_queue *queue, struct event *event);

/* A string of up to size_bytes - 1 characters. */
void snap_string(struct snap *snap, char *text, size_t size_bytes);

#define SNAP_ONLY_NUMBERS(value)                                                                             \
    _Generic((value), uint8_t : 1, uint16_t : 2, uint32_t : 4, uint64_t : 8, int8_t : 1, int16_t : 2,        \
             int32_t : 4, int64_t : 8)

/* `nr` numbers from `at` on; or truth values, by SNAP_FLAGS. Other types do not compile. */
#define SNAP_VALUES(snap, at, nr) snap_bytes(snap, at, (size_t)(nr)*SNAP_ONLY_NUMBERS(*(at)))
#define SNAP(snap, value) SNAP_VALUES(snap, &(value), 1)
#define SNAP_ARRAY(snap, array) SNAP_VALUES(snap, array, sizeof(array) / sizeof *(array))
#define SNAP_FLAG(snap, value) snap_flags(snap, &(value), 1)

/* A struct of nothing but 64-bit counters. */
#define SNAP_COUNTERS(snap, counters)                                                                        \
    do {                                                                                                     \
        _Static_assert(sizeof(counters) % sizeof(uint64_t) == 0, "a struct of 64-bit counters");             \
        snap_bytes(snap, &(counters), sizeof(counters));                                                     \
    } while (0)

/* A number that must be below `bound`; it reads as 0 if it is not. */
#define SNAP_BELOW(snap, value, bound)                                                                       \
    do {                                                                                                     \
        SNAP(snap, value);                                                                                   \
        if ((snap)->is_load && (uint64_t)(value) >= (uint64_t)(bound)) {                                     \
            snap_below_failed(snap, #value, (uint64_t)(value), (uint64_t)(bound));                           \
            (value) = 0;                                                                                     \
        }                                                                                                    \
    } while (0)

/* What must be true of what was read. */
#define SNAP_REQUIRE(snap, condition)                                                                        \
    ((void)(!(snap)->is_load || (condition) ||                                                               \
            snap_fail(snap, "not as this version writes it: %s", #condition)))

/* Not of the state. */
#define SNAP_SKIP(snap, field) snap_skip(snap, &(field), &(field) + 1)

/* GCC can say which bytes of a type are padding; with other compilers nothing is audited. */
#if defined(__GNUC__) && !defined(__clang__)
#define SNAP_CLEAR_PADDING(pointer) __builtin_clear_padding(pointer)
#define SNAP_CAN_AUDIT 1
#else
#define SNAP_CLEAR_PADDING(pointer) ((void)(pointer))
#define SNAP_CAN_AUDIT 0
#endif

/*
 * Between these, all fields of *pointer are named. The union is for GCC 12, which otherwise looks for
 * padding in the wrong place behind an array whose elements have some.
 */
#define SNAP_OPEN(snap, pointer)                                                                             \
    do {                                                                                                     \
        if (SNAP_CAN_AUDIT && (snap)->is_audited) {                                                          \
            union {                                                                                          \
                __typeof__(*(pointer)) all;                                                                  \
            } *wanted_ = (void *)snap_audit_open(snap, pointer, sizeof *(pointer), #pointer);                \
            if (wanted_)                                                                                     \
                SNAP_CLEAR_PADDING(wanted_);                                                                 \
        }                                                                                                    \
    } while (0)
#define SNAP_CLOSE(snap, pointer)                                                                            \
    do {                                                                                                     \
        if (SNAP_CAN_AUDIT && (snap)->is_audited)                                                            \
            snap_audit_close(snap, pointer);                                                                 \
    } while (0)

#endif
