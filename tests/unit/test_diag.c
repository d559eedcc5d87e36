#include "sim/base/diag.h"

#include <criterion/criterion.h>
#include <string.h>

static struct diag diag;

static void setup(void)
{
    diag_init(&diag);
}

static void teardown(void)
{
    diag_fini(&diag);
}

TestSuite(diag, .init = setup, .fini = teardown);

Test(diag, first_status_wins_and_every_line_is_kept)
{
    cr_assert_eq(diag.status, EXIT_STATUS_OK);
    cr_assert_not(diag_add(&diag, EXIT_STATUS_NO_INPUT, "a.json: %s", "gone"));
    cr_assert_not(diag_add(&diag, EXIT_STATUS_BAD_DATA, "b.json: %d", 7));
    cr_assert_eq(diag.status, EXIT_STATUS_NO_INPUT);
    cr_assert_eq(diag.nr_lines, 2);
    cr_assert_str_eq(diag.lines[0], "a.json: gone");
    cr_assert_str_eq(diag.lines[1], "b.json: 7");
}

Test(diag, line_of_any_length_is_kept_whole)
{
    char text[5000];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    diag_add(&diag, EXIT_STATUS_BAD_DATA, "%s", text);
    cr_assert_str_eq(diag.lines[0], text);
}

Test(diag, control_characters_cannot_reach_the_terminal)
{
    diag_add(&diag, EXIT_STATUS_BAD_DATA, "key \"%s\"", "\x1b[2J\nb\x7f");
    cr_assert_str_eq(diag.lines[0], "key \"?[2J?b?\"");
}

Test(diag, flood_ends_with_one_line_that_says_so)
{
    for (int i = 0; i < 100000; i++)
        diag_add(&diag, EXIT_STATUS_BAD_DATA, "mistake %d", i);
    cr_assert_eq(diag.nr_lines, 101);
    cr_assert_str_eq(diag.lines[100], "(more mistakes follow)");
}

Test(diag, can_be_used_again_after_fini)
{
    diag_add(&diag, EXIT_STATUS_USAGE, "one");
    diag_fini(&diag);
    cr_assert_eq(diag.nr_lines, 0);
    diag_add(&diag, EXIT_STATUS_BAD_DATA, "two");
    cr_assert_eq(diag.status, EXIT_STATUS_BAD_DATA);
}
