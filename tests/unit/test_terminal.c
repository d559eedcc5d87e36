/*
 * The terminal on a pseudo-terminal and on pipes; what has to happen when the process ends is tried in a
 * child.
 */
#include "sim/board/terminal.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

struct taken {
    char bytes[64];
    unsigned nr_bytes, room, nr_statistics;
};

static struct diag diag;
static struct taken taken;

static bool take_input(void *opaque, uint8_t byte)
{
    struct taken *to = opaque;
    if (to->nr_bytes == to->room)
        return false;
    to->bytes[to->nr_bytes++] = (char)byte;
    return true;
}

static void count_statistics(void *opaque)
{
    ((struct taken *)opaque)->nr_statistics++;
}

static struct terminal *create(int in_fd, int out_fd, int message_fd)
{
    taken = (struct taken){.room = sizeof(taken.bytes) - 1};
    return terminal_create(
        &(struct terminal_params){
            .in_fd = in_fd,
            .out_fd = out_fd,
            .message_fd = message_fd,
            .input = take_input,
            .statistics = count_statistics,
            .opaque = &taken,
        },
        &diag);
}

/* What can be read from `fd` within a second, up to `wanted` bytes. */
static const char *read_some(int fd, size_t wanted)
{
    static char text[4096];
    size_t nr_bytes = 0;
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    while (nr_bytes < wanted && poll(&wait, 1, 1000) > 0) {
        ssize_t got = read(fd, text + nr_bytes, sizeof(text) - 1 - nr_bytes);
        if (got <= 0)
            break;
        nr_bytes += (size_t)got;
    }
    text[nr_bytes] = '\0';
    return text;
}

static int open_pty(int *master)
{
    *master = posix_openpt(O_RDWR | O_NOCTTY);
    cr_assert(*master >= 0 && grantpt(*master) == 0 && unlockpt(*master) == 0);
    int slave = open(ptsname(*master), O_RDWR | O_NOCTTY);
    cr_assert(slave >= 0);
    return slave;
}

static bool is_raw(int fd)
{
    struct termios mode;
    cr_assert_eq(tcgetattr(fd, &mode), 0);
    return !(mode.c_lflag & (ICANON | ECHO | ISIG));
}

static void setup(void)
{
    diag_init(&diag);
}

static void teardown(void)
{
    diag_fini(&diag);
}

TestSuite(terminal, .init = setup, .fini = teardown);

Test(terminal, pipe_is_passed_on_byte_for_byte)
{
    int in[2], out[2];
    cr_assert(pipe(in) == 0 && pipe(out) == 0);
    struct terminal *terminal = create(in[0], out[1], STDERR_FILENO);
    cr_assert_eq(write(in[1], "a\001xb", 4), 4);
    cr_assert_eq(terminal_poll(terminal), TERMINAL_NONE, "Ctrl-A is no escape here");
    cr_assert_eq(taken.nr_bytes, 4);
    cr_assert_arr_eq(taken.bytes, "a\001xb", 4);
    close(in[1]);
    cr_assert_eq(terminal_poll(terminal), TERMINAL_NONE, "the end of the input is not the end of the run");
    terminal_put(terminal, 'o');
    terminal_put(terminal, 'k');
    terminal_destroy(terminal);
    cr_assert_str_eq(read_some(out[0], 2), "ok");
}

Test(terminal, output_waits_for_the_poll_or_a_full_buffer)
{
    int out[2];
    cr_assert_eq(pipe(out), 0);
    struct terminal *terminal = create(-1, out[1], STDERR_FILENO);
    terminal_put(terminal, 'x');
    struct pollfd wait = {.fd = out[0], .events = POLLIN};
    cr_assert_eq(poll(&wait, 1, 0), 0);
    terminal_poll(terminal);
    cr_assert_str_eq(read_some(out[0], 1), "x");
    for (unsigned i = 0; i < 5000; i++)
        terminal_put(terminal, 'y');
    cr_assert_eq(strlen(read_some(out[0], 4095)), 4095);
    terminal_destroy(terminal);
}

Test(terminal, input_is_kept_while_the_guest_has_no_room)
{
    int in[2];
    cr_assert_eq(pipe(in), 0);
    struct terminal *terminal = create(in[0], STDOUT_FILENO, STDERR_FILENO);
    taken.room = 2;
    cr_assert_eq(write(in[1], "abcd", 4), 4);
    terminal_poll(terminal);
    cr_assert_eq(taken.nr_bytes, 2);
    taken.room = 10;
    terminal_poll(terminal);
    cr_assert_str_eq(taken.bytes, "abcd");
    terminal_destroy(terminal);
}

Test(terminal, output_that_cannot_be_written_is_reported)
{
    int out[2];
    cr_assert_eq(pipe(out), 0);
    signal(SIGPIPE, SIG_IGN);
    struct terminal *terminal = create(-1, out[1], STDERR_FILENO);
    close(out[0]);
    terminal_put(terminal, 'x');
    cr_assert_eq(terminal_poll(terminal), TERMINAL_CANNOT_WRITE);
    terminal_destroy(terminal);
}

Test(terminal, there_is_one_in_a_process)
{
    struct terminal *terminal = create(-1, STDOUT_FILENO, STDERR_FILENO);
    cr_assert(terminal);
    cr_assert_null(create(-1, STDOUT_FILENO, STDERR_FILENO));
    cr_assert_eq(diag.nr_lines, 1);
    terminal_destroy(terminal);
}

Test(terminal, signals_are_requests)
{
    struct terminal *terminal = create(-1, STDOUT_FILENO, STDERR_FILENO);
    raise(SIGINT);
    cr_assert_eq(terminal_poll(terminal), TERMINAL_INTERRUPTED);
    cr_assert_eq(terminal_poll(terminal), TERMINAL_NONE);
    raise(SIGTERM);
    cr_assert_eq(terminal_poll(terminal), TERMINAL_TERMINATED);
    terminal_destroy(terminal);
}

/*
 * Runs `play` in a child whose controlling terminal is a new pseudo-terminal, and gives the child's wait
 * status; afterwards *restored tells whether the terminal is in the mode it had at first.
 */
static int play_in_child(void (*play)(int slave), int *master, bool *restored)
{
    int slave = open_pty(master);
    cr_assert_not(is_raw(slave));
    pid_t child = fork();
    cr_assert(child >= 0);
    if (child == 0) {
        setsid();
        ioctl(slave, TIOCSCTTY, 0);
        alarm(20);
        play(slave);
        _exit(99);
    }
    int status = 0;
    cr_assert_eq(waitpid(child, &status, 0), child);
    *restored = !is_raw(slave);
    close(slave);
    return status;
}

/* Ends the child with a status that tells which step went wrong. */
static void must(bool holds, int step)
{
    if (!holds)
        _exit(step);
}

static void play_keys(int slave)
{
    struct terminal *terminal = create(slave, slave, slave);
    must(terminal && is_raw(slave), 1);
    enum terminal_request request = TERMINAL_NONE;
    for (unsigned i = 0; i < 1000 && request == TERMINAL_NONE; i++) {
        request = terminal_poll(terminal);
        usleep(1000);
    }
    must(request == TERMINAL_QUIT, 2);
    must(taken.nr_statistics == 1, 3);
    must(strcmp(taken.bytes, "q\003\001\001z") == 0, 4);
    terminal_destroy(terminal);
    _exit(0);
}

Test(terminal, escape_key)
{
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    cr_assert(grantpt(master) == 0 && unlockpt(master) == 0);
    int slave = open(ptsname(master), O_RDWR | O_NOCTTY);
    pid_t child = fork();
    if (child == 0) {
        setsid();
        ioctl(slave, TIOCSCTTY, 0);
        alarm(20);
        play_keys(slave);
    }
    while (!is_raw(slave))
        usleep(1000);
    cr_assert_eq(write(master, "q\003\001\001\001az\001s\001h\001x", 13), 13);
    int status = 0;
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "step %d", WEXITSTATUS(status));
    cr_assert_not(is_raw(slave));
    cr_assert(strstr(read_some(master, 40), "Ctrl-A x       quit"));
}

/* What a child does not destroy, so that a leak checker sees that it is still held. */
static struct terminal *volatile kept;

static void play_exit(int slave)
{
    kept = create(slave, slave, slave);
    must(kept != NULL, 1);
    must(is_raw(slave), 2);
    exit(7);
}

static void play_crash(int slave)
{
    must(create(slave, slave, slave) != NULL, 1);
    must(is_raw(slave), 2);
    raise(SIGQUIT);
}

static void play_two_interrupts(int slave)
{
    must(create(slave, slave, slave) != NULL, 1);
    raise(SIGINT);
    raise(SIGINT);
}

static void play_destroy(int slave)
{
    struct terminal *terminal = create(slave, slave, slave);
    must(terminal && is_raw(slave), 1);
    terminal_destroy(terminal);
    must(!is_raw(slave), 2);
    raise(SIGINT);
}

Test(terminal, is_restored_at_every_end)
{
    const struct {
        void (*play)(int slave);
        bool by_signal;
        int number;
    } ends[] = {
        {play_exit, false, 7},
        {play_crash, true, SIGQUIT},
        {play_two_interrupts, true, SIGINT},
        {play_destroy, true, SIGINT},
    };
    for (unsigned i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
        int master;
        bool restored = false;
        int status = play_in_child(ends[i].play, &master, &restored);
        cr_assert(restored, "end %u", i);
        cr_assert_eq(WIFSIGNALED(status), ends[i].by_signal, "end %u", i);
        cr_assert_eq(ends[i].by_signal ? WTERMSIG(status) : WEXITSTATUS(status), ends[i].number, "end %u", i);
        close(master);
    }
}

static void play_stop(int slave)
{
    must(create(slave, slave, slave) != NULL, 1);
    raise(SIGTSTP);
    must(is_raw(slave), 2);
    _exit(0);
}

Test(terminal, is_given_back_while_stopped)
{
    int master;
    int slave = open_pty(&master);
    pid_t child = fork();
    if (child == 0) {
        setsid();
        ioctl(slave, TIOCSCTTY, 0);
        alarm(20);
        play_stop(slave);
    }
    int status = 0;
    cr_assert_eq(waitpid(child, &status, WUNTRACED), child);
    cr_assert(WIFSTOPPED(status));
    cr_assert_not(is_raw(slave));
    kill(child, SIGCONT);
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "step %d", WEXITSTATUS(status));
    cr_assert(is_raw(slave), "it ended by _exit(), which nobody can catch");
}
