/*
 * The guest's line discipline against Linux's: the same bytes typed into it and into a pseudo-terminal of
 * the host's, under random settings, give the same echo and the same reads; text that is written, the same
 * output.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "compiler.h"
#include "host_pty.h"
#include "n_tty.h"

#define NR_SESSIONS 60u
#define NR_STEPS 120u
#define SHOWN_BYTES 65536u
#define MOST_TRIES 12000u /* 2 seconds and more */

static struct n_tty tty;
static struct host_pty pty;
static char shown[SHOWN_BYTES], host_shown[SHOWN_BYTES];
static u32 nr_shown, nr_host_shown, nr_signals;

/* The same numbers at every run; 0 to limit - 1. */
static u32 random_below(u32 limit)
{
    static u32 state = 2463534242u;
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state % limit;
}

static void show(struct n_tty *unused, const char *text, u32 bytes)
{
    (void)unused;
    cr_assert(nr_shown + bytes <= SHOWN_BYTES);
    memcpy(shown + nr_shown, text, bytes);
    nr_shown += bytes;
}

static void note_signal(struct n_tty *unused, int sig)
{
    (void)unused;
    (void)sig;
    nr_signals++;
}

static const char *in_hex(const char *text, u32 bytes)
{
    static char hex[2][3 * 40 + 1];
    static u32 which;
    char *to = hex[which++ % 2];
    for (u32 i = 0; i < bytes && i < 40; i++)
        snprintf(to + 3 * i, 4, "%02x ", (unsigned char)text[i]);
    return to;
}

/* The host's kernel works on what was typed when it comes to it: until it shows and has the same. */
static void expect_same(const char *after)
{
    bool is_same = false;
    for (u32 tries = 0; tries < MOST_TRIES && !is_same; tries++) {
        long bytes = host_pty_read(pty.master, host_shown + nr_host_shown, SHOWN_BYTES - nr_host_shown);
        if (bytes > 0)
            nr_host_shown += (u32)bytes;
        is_same = nr_host_shown == nr_shown && host_pty_input_bytes(&pty) == n_tty_input_bytes(&tty);
        if (!is_same)
            host_pty_yield(tries);
    }
    cr_assert(is_same,
              "%s shows %s, on the host %s; %u to be read, on the host %u; iflag %x oflag %x lflag %x", after,
              in_hex(shown, nr_shown), in_hex(host_shown, nr_host_shown), n_tty_input_bytes(&tty),
              host_pty_input_bytes(&pty), tty.termios.c_iflag, tty.termios.c_oflag, tty.termios.c_lflag);
    cr_assert(memcmp(shown, host_shown, nr_shown) == 0,
              "%s shows %s, on the host %s; iflag %x oflag %x lflag %x", after, in_hex(shown, nr_shown),
              in_hex(host_shown, nr_shown), tty.termios.c_iflag, tty.termios.c_oflag, tty.termios.c_lflag);
    nr_shown = nr_host_shown = 0;
}

static u32 random_bits(const u32 *bits, u32 nr)
{
    u32 set = 0;
    for (u32 i = 0; i < nr; i++)
        set |= random_below(2) ? bits[i] : 0;
    return set;
}

static void set_random_termios(void)
{
    static const u32 iflags[] = {ICRNL, INLCR, IGNCR, ISTRIP, PARMRK, IUTF8, IUCLC};
    static const u32 oflags[] = {OPOST, OPOST, ONLCR, OCRNL, ONOCR, ONLRET, XTABS, OLCUC};
    static const u32 lflags[] = {ICANON, ICANON, ECHOE,  ECHOE,   ECHOK,  ECHOK,  ECHOKE,
                                 ECHOKE, ECHONL, NOFLSH, ECHOCTL, IEXTEN, IEXTEN, ISIG};
    n_tty_init(&tty);
    struct termios termios = tty.termios;
    termios.c_iflag = random_bits(iflags, ARRAY_SIZE(iflags));
    termios.c_oflag = random_bits(oflags, ARRAY_SIZE(oflags));
    termios.c_lflag = random_bits(lflags, ARRAY_SIZE(lflags)) | (random_below(8) ? ECHO : 0);
    termios.c_cc[VEOL] = random_below(2) ? ';' : DISABLED_CHAR;
    termios.c_cc[VEOL2] = random_below(2) ? '#' : DISABLED_CHAR;
    /* Without an echo nobody sees when the host has come to a signal, which throws away what is under way. */
    if (!(termios.c_lflag & ECHO))
        termios.c_lflag &= ~ISIG;
    n_tty_set_termios(&tty, &termios);
    host_pty_set_termios(&pty, &termios);
}

/* What people type, and now and then what they do not. */
static u8 random_char(void)
{
    static const u8 special[] = {'\n', '\r', '\t', 0x7F, 0x7F, 0x15, 0x17, 0x16, 0x12, 0x04, 0x04,
                                 0x03, 0x1A, 0x1C, ';',  '#',  0xC3, 0xA9, 0xA9, 0xFF, '\b', 0x01};
    u32 kind = random_below(10);
    if (kind < 5)
        return (u8)("abcXYZ_09. "[random_below(11)]);
    return kind < 9 ? special[random_below(ARRAY_SIZE(special))] : (u8)(0x20 + random_below(0xE0));
}

static void type_char(u8 c)
{
    char line[64], name[256];
    u32 nr = 0;
    for (u32 at = tty.canon_head; at != tty.head && nr < sizeof(line); at++)
        line[nr++] = (char)tty.buf[at % N_TTY_BUF_SIZE];
    snprintf(name, sizeof(name), "typing %02x behind %s", c, in_hex(line, nr));
    n_tty_receive_char(&tty, c);
    cr_assert_eq(host_pty_write(pty.master, (const char *)&c, 1), 1);
    expect_same(name);
}

static void read_some(void)
{
    char ours[64], host[64];
    bool ends;
    u32 most = 1 + random_below(sizeof(ours));
    bool is_available = n_tty_input_available(&tty, false);
    long bytes = host_pty_read(pty.slave, host, most);
    if (!is_available) {
        cr_assert_eq(bytes, -1, "a read that should wait gives %ld bytes", bytes);
        return;
    }
    u32 nr = n_tty_take(&tty, ours, most, &ends);
    cr_assert(bytes == (long)nr && memcmp(ours, host, nr) == 0, "a read of %u: %u bytes, the host %ld", most,
              nr, bytes);
}

static void write_some(void)
{
    char text[24], out[sizeof(text) * 8];
    u32 bytes = 1 + random_below(sizeof(text)), used;
    for (u32 i = 0; i < bytes; i++)
        text[i] = "ab z\n\r\t\b\033A"[random_below(10)];
    cr_assert_eq(n_tty_opost(&tty, text, bytes, out, sizeof(out), &used), bytes);
    show(&tty, out, used);
    cr_assert_eq(host_pty_write(pty.slave, text, bytes), (long)bytes);
    expect_same("writing");
}

static void run_session(void)
{
    cr_assert(host_pty_open(&pty));
    nr_shown = nr_host_shown = 0;
    set_random_termios();
    for (u32 step = 0; step < NR_STEPS; step++) {
        u32 what = random_below(20);
        if (what == 0)
            read_some();
        else if (what == 1)
            write_some();
        else
            type_char(random_char());
    }
    while (n_tty_input_available(&tty, false))
        read_some();
    host_pty_close(&pty);
}

Test(guest_n_tty, is_linux_s)
{
    tty.write = show;
    tty.signal = note_signal;
    if (!host_pty_open(&pty))
        cr_skip("the host has no pseudo-terminals");
    host_pty_close(&pty);
    for (u32 session = 0; session < NR_SESSIONS; session++)
        run_session();
    cr_assert(nr_signals > 0, "no character was a signal");
}

/* A line that is longer than there is room for can still be ended; what was typed in between is lost. */
Test(guest_n_tty, full_line)
{
    tty.write = show;
    tty.signal = note_signal;
    n_tty_init(&tty);
    for (u32 i = 0; i < N_TTY_BUF_SIZE + 100; i++) {
        nr_shown = 0;
        n_tty_receive_char(&tty, 'x');
    }
    cr_assert(!n_tty_input_available(&tty, false));
    n_tty_receive_char(&tty, '\n');
    char line[N_TTY_BUF_SIZE];
    bool ends;
    cr_assert_eq(n_tty_input_bytes(&tty), N_TTY_BUF_SIZE - 1);
    cr_assert_eq(n_tty_take(&tty, line, sizeof(line), &ends), N_TTY_BUF_SIZE - 1);
    cr_assert(ends && line[N_TTY_BUF_SIZE - 2] == '\n');
}
