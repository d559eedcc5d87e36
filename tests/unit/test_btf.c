/* The reader of BTF against the compiler that made it: offsets and sizes of the same structures in C. */
#include "sim/observe/btf.h"

#include "tests/unit/btf_bytes.h"
#include "tests/unit/btf_sample.h"

#include <criterion/criterion.h>
#include <stddef.h>

static uint8_t *bytes;
static size_t nr_bytes;

static void make(void)
{
    bytes = btf_of_source("#include \"tests/unit/btf_sample.h\"\n"
                          "struct sample sample; enum sample_other other;",
                          &nr_bytes);
    if (!bytes)
        cr_skip_test("no clang with a BPF target");
}

static void drop(void)
{
    free(bytes);
}

TestSuite(btf, .init = make, .fini = drop);

static uint8_t *copy_of(const void *from, size_t size)
{
    uint8_t *to = malloc(size ? size : 1);
    cr_assert_not_null(to);
    memcpy(to, from, size);
    return to;
}

static uint8_t *copy(size_t size)
{
    return copy_of(bytes, size);
}

Test(btf, members_lie_where_the_compiler_puts_them)
{
    struct btf *btf = btf_create(copy(nr_bytes), nr_bytes, 8);
    cr_assert_not_null(btf);
#define ROW(path, member, elements)                                                                          \
    {                                                                                                        \
        path, offsetof(struct sample, member), sizeof((struct sample *)0)->member, elements                  \
    }
    const struct {
        const char *path;
        size_t offset, size;
        unsigned nr_elements;
    } rows[] = {
        ROW("byte", byte, 1),
        ROW("number", number, 1),
        ROW("colour", colour, 1),
        ROW("inner", inner, 1),
        ROW("inner.first", inner.first, 1),
        ROW("inner.second", inner.second, 1),
        ROW("inner.third", inner.third, 1),
        ROW("inner.fourth", inner.fourth, 3),
        ROW("inner.fifth", inner.fifth, 1),
        ROW("inners", inners, 3),
        ROW("matrix", matrix, 4),
        ROW("call", call, 1),
        ROW("real", real, 1),
        ROW("raw", raw, 16),
        ROW("last", last, 1),
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct btf_member member;
        cr_assert(btf_member(btf, "sample", rows[i].path, &member), "%s", rows[i].path);
        cr_expect_eq(member.offset_bytes, rows[i].offset, "%s at %u", rows[i].path, member.offset_bytes);
        cr_expect_eq(member.size_bytes, rows[i].size, "%s of %u", rows[i].path, member.size_bytes);
        cr_expect_eq(member.nr_elements, rows[i].nr_elements, "%s: %u", rows[i].path, member.nr_elements);
    }
    struct btf_member bits;
    cr_expect(btf_member(btf, "sample", "bits_a", &bits), "a bit field that begins with a byte");
    cr_expect_eq(bits.offset_bytes, offsetof(struct sample, colour) + sizeof(enum sample_colour));
    cr_expect_eq(btf_struct_bytes(btf, "sample"), sizeof(struct sample));
    cr_expect_eq(btf_struct_bytes(btf, "sample_inner"), sizeof(struct sample_inner));
    btf_destroy(btf);
}

Test(btf, what_is_not_there)
{
    static const char *const paths[] = {
        "",    "none",  "byte.more", "inner.",      "inner.none", ".inner",
        "byt", "bytes", "next.byte", "matrix.byte", "bits_b" /* begins within a byte */};
    struct btf *btf = btf_create(copy(nr_bytes), nr_bytes, 8);
    struct btf_member member;
    int64_t value;
    cr_assert_not_null(btf);
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        cr_expect_not(btf_member(btf, "sample", paths[i], &member), "%s", paths[i]);
    cr_expect_not(btf_member(btf, "samples", "byte", &member));
    cr_expect_not(btf_member(btf, "sample_alias", "byte", &member), "a typedef is no structure");
    cr_expect_eq(btf_struct_bytes(btf, "none"), 0);
    cr_expect_not(btf_enumerator(btf, "SAMPLE_BLUE", &value));
    btf_destroy(btf);
}

Test(btf, enumerators)
{
    struct btf *btf = btf_create(copy(nr_bytes), nr_bytes, 8);
    static const struct {
        const char *name;
        int64_t value;
    } rows[] = {{"SAMPLE_RED", SAMPLE_RED},
                {"SAMPLE_GREEN", SAMPLE_GREEN},
                {"SAMPLE_MINUS", SAMPLE_MINUS},
                {"SAMPLE_LARGE", SAMPLE_LARGE}};
    cr_assert_not_null(btf);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t value = 99;
        cr_expect(btf_enumerator(btf, rows[i].name, &value), "%s", rows[i].name);
        /* Before a flag said so, an enumerator's sign could not be told. */
        cr_expect_eq((int32_t)value, rows[i].value, "%s: %ld", rows[i].name, (long)value);
    }
    btf_destroy(btf);
}

static void ask_all(struct btf *btf)
{
    struct btf_member member;
    int64_t value;
    btf_member(btf, "sample", "inner.fifth", &member);
    btf_member(btf, "sample", "matrix", &member);
    btf_member(btf, "sample", "last", &member);
    btf_struct_bytes(btf, "sample_inner");
    btf_enumerator(btf, "none", &value);
    btf_destroy(btf);
}

/* Every prefix, and every byte changed: an answer or none, and no crash (the build with sanitizers looks). */
Test(btf, damage)
{
    for (size_t size = 0; size < nr_bytes; size++) {
        struct btf *btf = btf_create(copy(size), size, 8);
        cr_assert_null(btf, "the first %zu bytes", size);
    }
    for (size_t at = 0; at < nr_bytes; at++) {
        static const uint8_t changes[] = {0x01, 0x80, 0xff, 0x0f};
        for (size_t i = 0; i < sizeof changes; i++) {
            uint8_t *changed = copy(nr_bytes);
            changed[at] = (uint8_t)(bytes[at] ^ changes[i]);
            struct btf *btf = btf_create(changed, nr_bytes, 8);
            if (btf)
                ask_all(btf);
        }
    }
}

/* Types that lead to themselves, which no compiler makes. */
Test(btf, circles)
{
    enum { WORDS = 6 + 12 + 3 };
    const uint32_t circle[WORDS] = {0x0001eb9f,
                                    24,
                                    0,
                                    15 * 4 - 12,
                                    15 * 4 - 12,
                                    12,
                                    /* 1: struct s { <2> without a name; } */ 1,
                                    4u << 24 | 1,
                                    8,
                                    0,
                                    2,
                                    0,
                                    /* 2: typedef of 3, 3: typedef of 2 */ 0,
                                    8u << 24,
                                    3,
                                    0,
                                    8u << 24,
                                    2,
                                    /* "\0s\0" */ 0x00007300,
                                    0,
                                    0};
    struct btf *btf = btf_create(copy_of(circle, sizeof circle), sizeof circle, 4);
    struct btf_member member;
    cr_assert_not_null(btf);
    cr_expect_eq(btf_struct_bytes(btf, "s"), 8);
    cr_expect_not(btf_member(btf, "s", "x", &member));
    btf_destroy(btf);

    /* The structure holds itself, without a name: four times at each level. */
    const uint32_t nested[] = {0x0001eb9f, 24, 0, 60, 60, 4, 1, 4u << 24 | 4, 8, 0, 1, 0, 0, 1,
                               0,          0,  1, 0,  0,  1, 0, 0x00007300};
    btf = btf_create(copy_of(nested, sizeof nested), sizeof nested, 4);
    cr_assert_not_null(btf);
    cr_expect_not(btf_member(btf, "s", "x", &member));
    btf_destroy(btf);
}
