/* An image in the making, a file for it, and RAM to load it into; for the tests of loaders. */
#ifndef LK_TESTS_UNIT_LOAD_FIXTURE_H
#define LK_TESTS_UNIT_LOAD_FIXTURE_H

#include "sim/load/image.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { RAM_BYTES = 32 << 20, IMAGE_MAX = 64 * 1024 };

static struct ram ram;
static struct memory_map map;
static struct diag diag;
static struct load_result result;
static struct load_params params;
static char folder[] = "/tmp/test_load.XXXXXX";
static char image_name[64], module_name[64];
static uint8_t image[IMAGE_MAX];
static size_t image_size;

static inline void put(size_t offset, size_t nr_bytes, uint64_t value)
{
    memcpy(image + offset, &value, nr_bytes);
}

/* A bzImage's setup header: protocol 2.15, relocatable, three sectors before the code. */
enum { SETUP_BYTES = 3 * 512, INIT_BYTES = 0x40000 };
static inline void put_linux_header(size_t code_bytes)
{
    put(0x1f1, 1, SETUP_BYTES / 512 - 1);
    put(0x1f4, 4, code_bytes / 16);
    put(0x1fe, 2, 0xaa55);
    put(0x200, 2, 0x6aeb);
    put(0x202, 4, 0x53726448);
    put(0x206, 2, 0x20f);
    put(0x211, 1, 1);
    put(0x22c, 4, 0x7fffffff);
    put(0x230, 4, 0x200000);
    put(0x234, 1, 1);
    put(0x235, 1, 16);
    put(0x238, 4, 100);
    put(0x258, 8, 0x800000);
    put(0x260, 4, INIT_BYTES);
}

static inline uint64_t ram_number(uint64_t at, size_t nr_bytes)
{
    uint64_t value = 0;
    cr_assert(ram_read(&ram, paddr(at), &value, nr_bytes));
    return value;
}

static inline void write_file(const char *name, const void *bytes, size_t size)
{
    FILE *file = fopen(name, "wb");
    cr_assert(file);
    cr_assert_eq(fwrite(bytes, 1, size, file), size);
    fclose(file);
}

static inline void set_up_load(void)
{
    cr_assert(ram_init(&ram, RAM_BYTES));
    map = memory_map(RAM_BYTES);
    diag_init(&diag);
    cr_assert(mkdtemp(folder));
    snprintf(image_name, sizeof(image_name), "%s/image", folder);
    snprintf(module_name, sizeof(module_name), "%s/module", folder);
    params = (struct load_params){.file = image_name, .map = &map};
}

static inline void tear_down_load(void)
{
    load_result_fini(&result);
    diag_fini(&diag);
    ram_fini(&ram);
    unlink(image_name);
    unlink(module_name);
    rmdir(folder);
}

static inline bool load(void)
{
    load_result_fini(&result);
    diag_fini(&diag);
    diag_init(&diag);
    write_file(image_name, image, image_size);
    return load_image(&params, &ram, &result, &diag);
}

#define must_load() cr_assert(load(), "%s", diag.nr_lines ? diag.lines[0] : "no line")

/* The image as it stands is refused with one line of that status that has both words in it. */
#define must_refuse_as(name, word, wanted)                                                                   \
    do {                                                                                                     \
        cr_assert_not(load(), "%s: was loaded", word);                                                       \
        cr_assert_eq(diag.nr_lines, 1);                                                                      \
        cr_assert_eq(diag.status, wanted, "%s: %s", word, diag.lines[0]);                                    \
        cr_assert(strstr(diag.lines[0], word), "%s: %s", word, diag.lines[0]);                               \
        cr_assert(strstr(diag.lines[0], name), "%s: %s", name, diag.lines[0]);                               \
    } while (0)
#define must_refuse(word, wanted) must_refuse_as(image_name, word, wanted)

#endif
