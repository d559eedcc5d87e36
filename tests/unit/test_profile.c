/* A profile's functions: what was written is read, places have their names, and a bad line is none. */
#include "sim/observe/profile_symbols.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char file[] = "/tmp/profile.XXXXXX";

static void make(void)
{
    int fd = mkstemp(file);
    cr_assert(fd >= 0);
    close(fd);
}

static void drop(void)
{
    unlink(file);
}

TestSuite(profile, .init = make, .fini = drop);

static char text[] = "text";
static char names[3][16] = {"first", "second", "last"};
static struct profile_function functions[] = {{0xffffffff81000000, 0x40, names[0]},
                                              {0xffffffff81000040, 1, names[1]},
                                              {0xffffffffffffff00, 0xff, names[2]}};

static void write_sample(void)
{
    const struct profile profile = {
        .version = text, .config_digest = text, .image = text + 4, .functions = functions, .nr_functions = 3};
    FILE *to = fopen(file, "w");
    cr_assert_not_null(to);
    profile_write(&profile, to);
    fclose(to);
}

Test(profile, functions_have_names_of_their_own)
{
    static const struct {
        uint64_t linear;
        const char *name;
    } rows[] = {{0xffffffff80ffffff, NULL},     {0xffffffff81000000, "first"}, {0xffffffff8100003f, "first"},
                {0xffffffff81000040, "second"}, {0xffffffff81000041, NULL},    {0xfffffffffffffffe, "last"},
                {0xffffffffffffffff, NULL}};
    struct profile profile;
    struct profile_place place;
    struct diag diag;
    diag_init(&diag);
    write_sample();
    cr_assert(profile_read(&profile, file, &diag) && !profile.is_cut);
    cr_assert_eq(profile.nr_functions, 3);
    struct profile_symbols *symbols = profile_symbols_create(&profile, NULL, 0, &diag);
    cr_assert_not_null(symbols);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        profile_symbols_find(symbols, "", 0, rows[i].linear, &place);
        cr_expect(rows[i].name ? place.function && strcmp(place.function, rows[i].name) == 0
                               : !place.function,
                  "%zu", i);
        profile_symbols_find(symbols, "", 3, rows[i].linear, &place);
        cr_expect_null(place.function, "user code is not the kernel's");
    }
    profile_symbols_destroy(symbols);
    profile_fini(&profile);
    diag_fini(&diag);
}

Test(profile, bad_functions)
{
    static const char *const lines[] = {"1000 0 nothing",
                                        "1000 10",
                                        "1000 10 ",
                                        "1000 ten name",
                                        "1000 10 a b",
                                        "1000 10 a;b",
                                        "1000 10 a\x7f",
                                        "fffffffffffffff0 20 name",
                                        "x 10 name",
                                        "1000 10 a\nfunction 1009 1 b",
                                        "1000 10 a\nfunction 999 1 b"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct profile profile;
        struct diag diag;
        diag_init(&diag);
        FILE *to = fopen(file, "w");
        cr_assert_not_null(to);
        fputs("lookaside-profile 1\nevents", to);
        for (unsigned e = 0; e < NR_PROFILE_EVENTS; e++)
            fprintf(to, " %s", profile_event_names[e]);
        fprintf(to, "\nfunction %s\n", lines[i]);
        fclose(to);
        cr_expect_not(profile_read(&profile, file, &diag), "%s", lines[i]);
        cr_expect_eq(diag.nr_lines, 1);
        profile_fini(&profile);
        diag_fini(&diag);
    }
}
