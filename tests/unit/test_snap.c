#include "sim/base/snap.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { STREAM_BYTES = 1 << 20 };

/* A struct with all that can be named, and with padding behind what has an odd size. */
struct inner {
    uint64_t number;
    uint8_t byte;
};
struct part {
    bool is_first;
    uint32_t word;
    uint16_t halves[3];
    struct inner inner[12]; /* an array whose elements have padding */
    bool is_last;
    void *made_anew;
    uint8_t index;
};
enum { NR_INDEXES = 5 };

enum omission { NOTHING, IS_FIRST, WORD, HALVES, INNER, IS_LAST, MADE_ANEW, INDEX, NR_OMISSIONS };

static uint8_t stream[STREAM_BYTES];
static size_t nr_written, nr_read;
static struct diag diag;
static struct snap *snap;

static bool write_stream(void *opaque, const void *bytes, size_t nr_bytes)
{
    (void)opaque;
    if (nr_bytes > sizeof stream - nr_written)
        return false;
    memcpy(stream + nr_written, bytes, nr_bytes);
    nr_written += nr_bytes;
    return true;
}

static bool read_stream(void *opaque, void *bytes, size_t nr_bytes)
{
    (void)opaque;
    if (nr_bytes > nr_written - nr_read)
        return false;
    memcpy(bytes, stream + nr_read, nr_bytes);
    nr_read += nr_bytes;
    return true;
}

static void begin(bool is_load)
{
    const struct snap_stream through = {.write = write_stream, .read = read_stream};
    snap_begin(snap, &through, is_load, "file", &diag);
    if (is_load)
        nr_read = 0;
    else
        nr_written = 0;
}

static void setup(void)
{
    snap = malloc(sizeof *snap);
    diag_init(&diag);
}

static void teardown(void)
{
    free(snap);
    diag_fini(&diag);
}

TestSuite(snap, .init = setup, .fini = teardown);

static void inner_snap(struct inner *inner)
{
    SNAP_OPEN(snap, inner);
    SNAP(snap, inner->number);
    SNAP(snap, inner->byte);
    SNAP_CLOSE(snap, inner);
}

static void part_snap(struct part *part, enum omission omitted)
{
    snap_section(snap, "part");
    SNAP_OPEN(snap, part);
    if (omitted != IS_FIRST)
        SNAP_FLAG(snap, part->is_first);
    if (omitted != WORD)
        SNAP(snap, part->word);
    if (omitted != HALVES)
        SNAP_ARRAY(snap, part->halves);
    for (unsigned i = 0; i < 12; i++)
        if (omitted != INNER || i != 7)
            inner_snap(&part->inner[i]);
    if (omitted != IS_LAST)
        SNAP_FLAG(snap, part->is_last);
    if (omitted != MADE_ANEW)
        SNAP_SKIP(snap, part->made_anew);
    if (omitted != INDEX)
        SNAP_BELOW(snap, part->index, NR_INDEXES);
    SNAP_CLOSE(snap, part);
}

static struct part example(void)
{
    struct part part = {
        .is_first = true, .word = 0x12345678, .halves = {1, 2, 0xffff}, .is_last = true, .index = 4};
    for (unsigned i = 0; i < 12; i++)
        part.inner[i] = (struct inner){.number = i * 0x0123456789abcdef, .byte = (uint8_t)(200 + i)};
    return part;
}

static bool is_same(const struct part *a, const struct part *b)
{
    bool is_same_inner = true;
    for (unsigned i = 0; i < 12; i++)
        is_same_inner &= a->inner[i].number == b->inner[i].number && a->inner[i].byte == b->inner[i].byte;
    return a->is_first == b->is_first && a->word == b->word && a->is_last == b->is_last &&
           a->index == b->index && is_same_inner && memcmp(a->halves, b->halves, sizeof a->halves) == 0;
}

Test(snap, what_is_written_comes_back)
{
    struct part part = example(), other = {.made_anew = &other};
    begin(false);
    part_snap(&part, NOTHING);
    cr_assert(snap_end(snap));
    begin(true);
    part_snap(&other, NOTHING);
    cr_assert(snap_end(snap));
    cr_assert(is_same(&part, &other));
    cr_assert_eq(other.made_anew, &other);
    cr_assert_eq(nr_read, nr_written);
}

/* More than the walk's own buffer holds. */
Test(snap, long_arrays)
{
    enum { NR = 3 * SNAP_BUFFER_BYTES / 8 + 5 };
    uint64_t *numbers = calloc(NR, sizeof *numbers), *others = calloc(NR, sizeof *others);
    for (uint64_t i = 0; i < NR; i++)
        numbers[i] = i * i + 1;
    begin(false);
    SNAP_VALUES(snap, numbers, 3);
    SNAP_VALUES(snap, numbers + 3, NR - 3);
    cr_assert(snap_end(snap));
    begin(true);
    SNAP_VALUES(snap, others, NR);
    cr_assert(snap_end(snap));
    cr_assert_eq(memcmp(numbers, others, NR * sizeof *numbers), 0);
    free(numbers);
    free(others);
}

#if SNAP_CAN_AUDIT
Test(snap, a_field_that_nobody_names_is_found)
{
    for (enum omission omitted = NOTHING; omitted < NR_OMISSIONS; omitted++) {
        struct part part = example();
        diag_fini(&diag);
        diag_init(&diag);
        begin(false);
        snap->is_audited = true;
        part_snap(&part, omitted);
        cr_assert_eq(snap_end(snap), omitted == NOTHING, "omission %d", (int)omitted);
        cr_assert_eq(diag.nr_lines, omitted != NOTHING);
    }
}
#endif

Test(snap, what_cannot_be_is_refused)
{
    struct part part = example(), other;
    part.index = NR_INDEXES;
    begin(false);
    part_snap(&part, NOTHING);
    cr_assert(snap_end(snap));
    begin(true);
    part_snap(&other, NOTHING);
    cr_assert_not(snap_end(snap));
    cr_assert_eq(other.index, 0);
    cr_assert_str_eq(diag.lines[0], "file: section part: part->index is 5; allowed: below 5");
    cr_assert_eq(diag.status, EXIT_STATUS_BAD_DATA);
}

Test(snap, after_a_mistake_all_is_zero)
{
    struct part part = example(), other = example();
    begin(false);
    part_snap(&part, NOTHING);
    cr_assert(snap_end(snap));
    nr_written -= 20;
    begin(true);
    part_snap(&other, NOTHING);
    cr_assert_not(snap_end(snap));
    cr_assert_eq(other.word, 0x12345678);
    cr_assert_eq(other.inner[11].number, 0);
    cr_assert_eq(other.index, 0);
    cr_assert_not(other.is_last);
}

Test(snap, a_reader_that_is_lost_is_found_out)
{
    uint32_t word = 7;
    begin(false);
    snap_section(snap, "one");
    SNAP(snap, word);
    SNAP(snap, word);
    snap_section(snap, "two");
    cr_assert(snap_end(snap));
    begin(true);
    snap_section(snap, "one");
    SNAP(snap, word);
    snap_section(snap, "two");
    cr_assert_not(snap_end(snap));
    cr_assert_str_eq(diag.lines[0], "file: section one: is followed by something else than section two");
}

Test(snap, truth_is_one_or_zero)
{
    bool flag = true;
    begin(false);
    SNAP_FLAG(snap, flag);
    cr_assert(snap_end(snap));
    stream[0] = 0x82;
    begin(true);
    SNAP_FLAG(snap, flag);
    cr_assert(snap_end(snap));
    uint8_t byte;
    memcpy(&byte, &flag, sizeof byte);
    cr_assert_eq(byte, 1);
}

Test(snap, strings)
{
    char name[8] = "seven.c", short_room[4];
    begin(false);
    snap_string(snap, name, sizeof name);
    cr_assert(snap_end(snap));
    memset(name, 'x', sizeof name);
    begin(true);
    snap_string(snap, name, sizeof name);
    cr_assert(snap_end(snap));
    cr_assert_str_eq(name, "seven.c");
    begin(true);
    snap_string(snap, short_room, sizeof short_room);
    cr_assert_not(snap_end(snap));
    cr_assert_eq(short_room[0], '\0');
}

static int fired[4], nr_fired;

static void fire(void *opaque, cycle_t now)
{
    (void)now;
    fired[nr_fired++] = *(int *)opaque;
}

/* Of events that are due in the same cycle the one that was scheduled first still comes first. */
Test(snap, events_keep_their_order)
{
    int names[3] = {0, 1, 2};
    struct event events[3], others[3];
    struct ev_queue *queue = ev_queue_create(), *other = ev_queue_create();
    for (int i = 0; i < 3; i++)
        events[i] = others[i] = (struct event){.handler = fire, .opaque = &names[i]};
    ev_schedule(queue, &events[2], 50);
    ev_schedule(queue, &events[0], 50);
    ev_set_now(queue, 7);
    begin(false);
    ev_queue_snap(queue, snap);
    for (int i = 0; i < 3; i++)
        snap_event(snap, queue, &events[i]);
    cr_assert(snap_end(snap));
    ev_schedule(other, &others[1], 3); /* is not in the checkpoint */
    begin(true);
    ev_queue_snap(other, snap);
    for (int i = 0; i < 3; i++)
        snap_event(snap, other, &others[i]);
    cr_assert(snap_end(snap));
    cr_assert_eq(ev_now(other), 7);
    ev_schedule(other, &others[1], 50);
    ev_run(other, 50);
    cr_assert_eq(nr_fired, 3);
    cr_assert(fired[0] == 2 && fired[1] == 0 && fired[2] == 1);
    ev_queue_destroy(queue);
    ev_queue_destroy(other);
}
