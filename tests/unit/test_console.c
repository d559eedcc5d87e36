#include "sim/observe/console.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

enum { COLUMNS = 10, ROWS = 4, SCROLLBACK = 6 };

static struct console *console;

static void setup(void)
{
    console = console_create(&(struct console_params){COLUMNS, ROWS, SCROLLBACK});
    cr_assert_not_null(console);
}

static void teardown(void)
{
    console_destroy(console);
}

TestSuite(console, .init = setup, .fini = teardown);

static void write_text(const char *text)
{
    for (; *text; text++)
        console_put(console, (uint8_t)*text);
}

Test(console, starts_with_one_empty_line)
{
    cr_assert_eq(console_begin(console), 0);
    cr_assert_eq(console_end(console), 1);
    cr_assert_str_eq(console_line(console, 0), "");
}

Test(console, carriage_return_and_line_feed_are_two_things)
{
    write_text("abc\ndef\r\nxyz\rX");
    cr_assert_str_eq(console_line(console, 0), "abc");
    cr_assert_str_eq(console_line(console, 1), "   def");
    cr_assert_str_eq(console_line(console, 2), "Xyz");
}

Test(console, a_full_line_wraps_only_when_more_comes)
{
    write_text("0123456789");
    cr_assert_eq(console_end(console), 1);
    cr_assert_eq(console_cursor(console).column, COLUMNS);
    write_text("\r\nab");
    cr_assert_str_eq(console_line(console, 1), "ab", "a full line and CR LF leave no empty line");
    write_text("\r\n0123456789X");
    cr_assert_str_eq(console_line(console, 2), "0123456789");
    cr_assert_str_eq(console_line(console, 3), "X");
}

Test(console, backspace_and_tab_move_the_cursor)
{
    write_text("ab\b\bC\tD\tE");
    cr_assert_str_eq(console_line(console, 0), "Cb      DE", "the second TAB stops at the last column");
    write_text("\r\b\b!");
    cr_assert_str_eq(console_line(console, 0), "!b      DE", "BS stops at the first");
}

Test(console, lines_that_leave_the_screen_are_kept_and_the_oldest_go)
{
    for (int i = 0; i < 25; i++) {
        char line[16];
        snprintf(line, sizeof line, "%s%d", i ? "\r\n" : "", i);
        write_text(line);
    }
    cr_assert_eq(console_end(console), 25);
    cr_assert_eq(console_begin(console), 25 - ROWS - SCROLLBACK);
    for (uint64_t number = console_begin(console); number < console_end(console); number++) {
        char expected[16];
        snprintf(expected, sizeof expected, "%d", (int)number);
        cr_assert_str_eq(console_line(console, number), expected);
    }
    cr_assert_str_eq(console_line(console, console_begin(console) - 1), "");
    cr_assert_str_eq(console_line(console, 25 + ROWS), "");
    cr_assert_str_eq(console_line(console, UINT64_MAX), "");
}

Test(console, colours_and_unknown_sequences_leave_no_trace)
{
    write_text("\033[1;31mred\033[0m \033]0;title\007\033[?25lok\033(\033[99~!");
    cr_assert_str_eq(console_line(console, 0), "red ok!");
}

Test(console, cursor_moves_and_erasing_are_applied)
{
    write_text("one\r\ntwo\r\nthree");
    write_text("\033[2;2HX\033[K");
    cr_assert_str_eq(console_line(console, 1), "tX");
    write_text("\033[A\033[2DY\033[3C!");
    cr_assert_str_eq(console_line(console, 0), "Yne !");
    write_text("\033[1K");
    cr_assert_str_eq(console_line(console, 0), "     ");
    write_text("\033[2J\033[Hnew");
    cr_assert_str_eq(console_line(console, 0), "new");
    cr_assert_str_eq(console_line(console, 2), "");
    cr_assert_eq(console_end(console), 1);
}

Test(console, absurd_moves_stay_on_the_screen)
{
    write_text("\033[9999999999;9999999999H#\033[99999A\033[99999D*\033[1;2;3;4;5;6;7;8;9m\033[;;;;;;;H");
    cr_assert_str_eq(console_line(console, 0), "*");
    cr_assert_str_eq(console_line(console, ROWS - 1), "         #");
}

Test(console, what_is_no_ascii_shows_as_a_question_mark)
{
    write_text("a\x01\x7f\xc3\xa9z");
    cr_assert_str_eq(console_line(console, 0), "a??z");
}

Test(console, random_bytes_never_leave_the_buffer)
{
    uint32_t seed = 1;
    for (int i = 0; i < 200000; i++) {
        seed = seed * 1664525 + 1013904223;
        static const char often[] = "\033[;019ABCDGHJKf\r\n\b\t]\007?";
        uint8_t byte = (uint8_t)(seed >> 24);
        console_put(console, seed >> 23 & 1 ? byte : (uint8_t)often[byte % (sizeof often - 1)]);
    }
    struct console_cursor cursor = console_cursor(console);
    cr_assert_leq(cursor.column, COLUMNS);
    cr_assert(cursor.line >= console_begin(console) && cursor.line < console_end(console));
    cr_assert_leq(console_end(console) - console_begin(console), ROWS + SCROLLBACK);
    for (uint64_t number = console_begin(console); number < console_end(console); number++)
        cr_assert_leq(strlen(console_line(console, number)), COLUMNS);
}

Test(console, one_column_and_one_row_are_enough)
{
    struct console *small = console_create(&(struct console_params){1, 1, 0});
    const char *text = "ab\tc\b\n\033[2J\033[Kd";
    for (; *text; text++)
        console_put(small, (uint8_t)*text);
    cr_assert_eq(console_end(small) - console_begin(small), 1);
    cr_assert_str_eq(console_line(small, console_begin(small)), "d");
    console_destroy(small);
}
