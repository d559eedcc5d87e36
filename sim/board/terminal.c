#include "sim/board/terminal.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

enum { OUTPUT_BYTES = 4096, INPUT_BYTES = 256, ESCAPE_KEY = 'A' & 0x1f };

/*
 * The only state outside a struct that somebody passes: a signal handler gets nothing but the signal's
 * number, and has to leave the terminal usable. Written while no handler is installed, except for `signal`.
 */
static struct {
    volatile sig_atomic_t signal; /* what the next poll reports; 0 for none */
    volatile sig_atomic_t is_raw_wanted;
    int fd;
    struct termios cooked, raw;
    bool is_taken;
} host;

enum on_signal { REPORT, STOP, CONTINUE, END };

static const struct {
    int number;
    enum on_signal what;
} signals[] = {
    {SIGINT, REPORT},    {SIGTERM, REPORT}, {SIGHUP, REPORT}, {SIGTSTP, STOP},
    {SIGCONT, CONTINUE}, {SIGQUIT, END},    {SIGABRT, END},   {SIGSEGV, END},
    {SIGBUS, END},       {SIGFPE, END},     {SIGILL, END},
};
enum { NR_SIGNALS = sizeof(signals) / sizeof(*signals) };

struct terminal {
    struct terminal_params params;
    bool is_raw;
    bool has_input; /* not yet at its end */
    bool cannot_write;
    bool is_escaped; /* the last key was the escape key */
    bool wants_quit, wants_monitor;
    uint8_t output[OUTPUT_BYTES];
    size_t nr_output;
    uint8_t input[INPUT_BYTES]; /* read but not yet taken: [first_input, nr_input) */
    size_t first_input, nr_input;
    struct sigaction old_actions[NR_SIGNALS];
    bool is_installed[NR_SIGNALS];
};

/* What handlers call is async-signal-safe (POSIX 2.4.3). In the background tcsetattr() would stop us. */
static void set_mode(const struct termios *mode)
{
    if (host.is_raw_wanted && tcgetpgrp(host.fd) == getpgrp())
        tcsetattr(host.fd, TCSADRAIN, mode);
}

static void restore_at_exit(void)
{
    set_mode(&host.cooked);
}

static void on_report(int number)
{
    if (host.signal == SIGINT && number == SIGINT) {
        /* The second one while the first was never answered: the machine no longer polls. */
        set_mode(&host.cooked);
        signal(number, SIG_DFL);
        raise(number);
    }
    host.signal = number;
}

static void on_stop(int number)
{
    int saved_errno = errno;
    (void)number;
    set_mode(&host.cooked);
    raise(SIGSTOP);
    errno = saved_errno;
}

static void on_continue(int number)
{
    int saved_errno = errno;
    (void)number;
    set_mode(&host.raw);
    errno = saved_errno;
}

/* The action is back at its default when this runs (SA_RESETHAND). */
static void on_end(int number)
{
    set_mode(&host.cooked);
    raise(number);
}

static void install_signals(struct terminal *terminal)
{
    static void (*const handlers[])(int) = {
        [REPORT] = on_report, [STOP] = on_stop, [CONTINUE] = on_continue, [END] = on_end};
    for (size_t i = 0; i < NR_SIGNALS; i++) {
        sigaction(signals[i].number, NULL, &terminal->old_actions[i]);
        /* What is ignored (nohup) stays ignored, and a sanitizer keeps its reports. */
        if (terminal->old_actions[i].sa_handler != SIG_DFL)
            continue;
        struct sigaction action = {.sa_handler = handlers[signals[i].what]};
        action.sa_flags = signals[i].what == END ? (int)(SA_RESETHAND | SA_NODEFER) : SA_RESTART;
        sigemptyset(&action.sa_mask);
        terminal->is_installed[i] = sigaction(signals[i].number, &action, NULL) == 0;
    }
}

static bool enter_raw_mode(struct terminal *terminal, struct diag *diag)
{
    if (terminal->params.in_fd < 0 || !isatty(terminal->params.in_fd))
        return true;
    if (tcgetattr(terminal->params.in_fd, &host.cooked) != 0)
        return diag_add(diag, EXIT_STATUS_INTERNAL, "terminal: cannot read its mode: %s", strerror(errno));
    host.raw = host.cooked;
    cfmakeraw(&host.raw);
    /* Guests that end a line with a newline alone stay readable. */
    host.raw.c_oflag |= OPOST;
    host.fd = terminal->params.in_fd;
    host.is_raw_wanted = 1;
    terminal->is_raw = true;
    set_mode(&host.raw);
    return true;
}

struct terminal *terminal_create(const struct terminal_params *params, struct diag *diag)
{
    struct terminal *terminal = calloc(1, sizeof(*terminal));
    if (!terminal || host.is_taken) {
        diag_add(diag, EXIT_STATUS_INTERNAL,
                 terminal ? "terminal: in use already" : "terminal: out of memory");
        free(terminal);
        return NULL;
    }
    terminal->params = *params;
    terminal->has_input = params->in_fd >= 0;
    host.is_taken = true;
    host.signal = 0;
    if (atexit(restore_at_exit) != 0 || !enter_raw_mode(terminal, diag)) {
        host.is_taken = false;
        free(terminal);
        return NULL;
    }
    install_signals(terminal);
    return terminal;
}

static bool write_all(int fd, const uint8_t *bytes, size_t nr_bytes)
{
    while (nr_bytes) {
        ssize_t written = write(fd, bytes, nr_bytes);
        if (written < 0 && errno == EAGAIN) {
            struct pollfd wait = {.fd = fd, .events = POLLOUT};
            poll(&wait, 1, -1);
            continue;
        }
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return false;
        bytes += written;
        nr_bytes -= (size_t)written;
    }
    return true;
}

static void flush(struct terminal *terminal)
{
    if (terminal->nr_output && !write_all(terminal->params.out_fd, terminal->output, terminal->nr_output))
        terminal->cannot_write = true;
    terminal->nr_output = 0;
}

void terminal_put(struct terminal *terminal, uint8_t byte)
{
    terminal->output[terminal->nr_output++] = byte;
    if (terminal->nr_output == OUTPUT_BYTES)
        flush(terminal);
}

void terminal_destroy(struct terminal *terminal)
{
    if (!terminal)
        return;
    flush(terminal);
    set_mode(&host.cooked);
    for (size_t i = 0; i < NR_SIGNALS; i++) {
        if (terminal->is_installed[i])
            sigaction(signals[i].number, &terminal->old_actions[i], NULL);
    }
    host.is_raw_wanted = 0;
    host.is_taken = false;
    free(terminal);
}

static void say(const struct terminal *terminal, const char *text)
{
    write_all(terminal->params.message_fd, (const uint8_t *)text, strlen(text));
}

static void help(const struct terminal *terminal)
{
    say(terminal, "\nCtrl-A x       quit\n");
    if (terminal->params.statistics)
        say(terminal, "Ctrl-A s       statistics so far\n");
    if (terminal->params.screen)
        say(terminal, "Ctrl-A v       what the VGA shows\n");
    if (terminal->params.has_monitor)
        say(terminal, "Ctrl-A c       the monitor: the machine stands still and answers questions\n");
    say(terminal, "Ctrl-A h       this help\n"
                  "Ctrl-A Ctrl-A  send Ctrl-A to the guest\n");
}

/* The key after the escape key. True when it stands for a byte that the guest gets. */
static bool take_escaped(struct terminal *terminal, uint8_t *byte)
{
    terminal->is_escaped = false;
    switch (*byte) {
    case 'x':
        terminal->wants_quit = true;
        return false;
    case 's':
        if (terminal->params.statistics)
            terminal->params.statistics(terminal->params.opaque);
        return false;
    case 'c':
        if (terminal->params.has_monitor)
            terminal->wants_monitor = true;
        return false;
    case 'v':
        if (terminal->params.screen)
            terminal->params.screen(terminal->params.opaque);
        return false;
    case 'a':
    case ESCAPE_KEY:
        *byte = ESCAPE_KEY;
        return true;
    default:
        help(terminal);
        return false;
    }
}

static bool is_readable(const struct terminal *terminal)
{
    struct pollfd in = {.fd = terminal->params.in_fd, .events = POLLIN};
    if (!terminal->has_input || poll(&in, 1, 0) <= 0 || !(in.revents & (POLLIN | POLLHUP)))
        return false;
    /* Reading in the background would stop us. */
    return !terminal->is_raw || tcgetpgrp(terminal->params.in_fd) == getpgrp();
}

static void read_input(struct terminal *terminal)
{
    if (terminal->first_input < terminal->nr_input || !is_readable(terminal))
        return;
    ssize_t nr_bytes = read(terminal->params.in_fd, terminal->input, INPUT_BYTES);
    if (nr_bytes == 0 || (nr_bytes < 0 && errno != EAGAIN && errno != EINTR))
        terminal->has_input = false;
    terminal->first_input = 0;
    terminal->nr_input = nr_bytes > 0 ? (size_t)nr_bytes : 0;
}

static void hand_over_input(struct terminal *terminal)
{
    while (terminal->first_input < terminal->nr_input && !terminal->wants_quit && !terminal->wants_monitor) {
        uint8_t byte = terminal->input[terminal->first_input];
        bool was_escaped = terminal->is_escaped;
        bool is_for_guest = true;
        if (was_escaped) {
            is_for_guest = take_escaped(terminal, &byte);
        } else if (terminal->is_raw && byte == ESCAPE_KEY) {
            terminal->is_escaped = true;
            is_for_guest = false;
        }
        if (is_for_guest && !terminal->params.input(terminal->params.opaque, byte)) {
            terminal->is_escaped = was_escaped;
            return;
        }
        terminal->first_input++;
    }
}

static enum terminal_request request_of(struct terminal *terminal)
{
    int number = host.signal;
    if (number) {
        host.signal = 0;
        return number == SIGINT ? TERMINAL_INTERRUPTED : TERMINAL_TERMINATED;
    }
    if (terminal->wants_quit)
        return TERMINAL_QUIT;
    if (terminal->wants_monitor) {
        terminal->wants_monitor = false;
        return TERMINAL_MONITOR;
    }
    return terminal->cannot_write ? TERMINAL_CANNOT_WRITE : TERMINAL_NONE;
}

/* A byte that was read before, else the next. False: none, or a signal. */
static bool next_byte(struct terminal *terminal, char *byte)
{
    struct pollfd in = {.fd = terminal->params.in_fd, .events = POLLIN};
    if (terminal->first_input < terminal->nr_input) {
        *byte = (char)terminal->input[terminal->first_input++];
        return true;
    }
    while (!host.signal) {
        if (poll(&in, 1, -1) <= 0)
            continue;
        ssize_t nr_bytes = read(terminal->params.in_fd, byte, 1);
        if (nr_bytes == 1)
            return true;
        if (nr_bytes == 0 || (errno != EAGAIN && errno != EINTR))
            break;
    }
    return false;
}

bool terminal_ask(struct terminal *terminal, const char *prompt, char *line, size_t room)
{
    size_t length = 0;
    char byte = 0;
    bool is_good;
    flush(terminal);
    if (terminal->is_raw)
        set_mode(&host.cooked);
    say(terminal, prompt);
    while ((is_good = next_byte(terminal, &byte)) && byte != '\n' && byte != '\r')
        if (length + 1 < room)
            line[length++] = byte;
    line[length] = '\0';
    if (terminal->is_raw)
        set_mode(&host.raw);
    return is_good;
}

enum terminal_request terminal_poll_still(struct terminal *terminal)
{
    flush(terminal);
    if (terminal->is_raw) {
        read_input(terminal);
        hand_over_input(terminal);
    }
    return request_of(terminal);
}

enum terminal_request terminal_poll(struct terminal *terminal)
{
    flush(terminal);
    read_input(terminal);
    hand_over_input(terminal);
    return request_of(terminal);
}
