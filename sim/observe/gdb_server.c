#include "sim/observe/gdb_server.h"

#include "cpu/debugger.h"
#include "sim/observe/gdb_server_internal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { CONSOLE_PART_BYTES = 4000 };

void gdb_reply(struct gdb_server *server, const char *text)
{
    gdb_link_reply(&server->link, text, strlen(text));
}

void gdb_reply_ok(struct gdb_server *server, bool is_good)
{
    gdb_reply(server, is_good ? "OK" : GDB_BAD_REQUEST);
}

/* ---- Stop points ---- */

static void set_points(struct gdb_server *server)
{
    cpu_set_points(server->params.cpu, server->point, server->nr_points);
}

/* TYPE,ADDRESS,KIND: kind is the size of what is watched. */
static bool take_point(const char **rest, struct cpu_point *point, bool *is_hardware)
{
    static const enum cpu_point_kind kinds[] = {CPU_POINT_EXECUTE, CPU_POINT_EXECUTE, CPU_POINT_WRITE,
                                                CPU_POINT_READ, CPU_POINT_ACCESS};
    uint64_t type, address, size_bytes;
    if (!gdb_take_number(rest, &type) || !gdb_take_char(rest, ',') ||
        !gdb_take_range(rest, &address, &size_bytes) || **rest || type >= sizeof kinds / sizeof *kinds ||
        size_bytes == 0)
        return false;
    *is_hardware = type == 1;
    *point = (struct cpu_point){.kind = kinds[type], .at = laddr(address), .size_bytes = size_bytes};
    return true;
}

static unsigned index_of(const struct gdb_server *server, const struct cpu_point *point, bool is_hardware)
{
    unsigned i = 0;
    for (; i < server->nr_points; i++)
        if (server->point[i].kind == point->kind && server->point[i].at.v == point->at.v &&
            server->point[i].size_bytes == point->size_bytes && server->is_hardware_point[i] == is_hardware)
            break;
    return i;
}

static void insert_point(struct gdb_server *server, const char *rest)
{
    struct cpu_point point;
    bool is_hardware;
    if (!take_point(&rest, &point, &is_hardware)) {
        gdb_reply(server, GDB_BAD_REQUEST);
        return;
    }
    unsigned i = index_of(server, &point, is_hardware);
    if (i == CPU_MAX_DEBUGGER_POINTS) {
        gdb_reply(server, GDB_NO_ROOM);
        return;
    }
    if (i == server->nr_points)
        server->nr_points++;
    server->point[i] = point;
    server->is_hardware_point[i] = is_hardware;
    set_points(server);
    gdb_reply(server, "OK");
}

static void remove_point(struct gdb_server *server, const char *rest)
{
    struct cpu_point point;
    bool is_hardware;
    if (!take_point(&rest, &point, &is_hardware)) {
        gdb_reply(server, GDB_BAD_REQUEST);
        return;
    }
    unsigned i = index_of(server, &point, is_hardware);
    if (i < server->nr_points) {
        server->nr_points--;
        server->point[i] = server->point[server->nr_points];
        server->is_hardware_point[i] = server->is_hardware_point[server->nr_points];
        set_points(server);
    }
    gdb_reply(server, "OK");
}

/* ---- Running ---- */

static void resume(struct gdb_server *server, enum gdb_wish wish)
{
    server->is_running = true;
    server->wish = wish;
}

static void resume_at(struct gdb_server *server, const char *rest, enum gdb_wish wish)
{
    uint64_t address;
    struct cpu_state state = cpu_state(server->params.cpu);
    if (*rest) {
        if (!gdb_take_number(&rest, &address) || *rest) {
            gdb_reply(server, GDB_BAD_REQUEST);
            return;
        }
        state.rip = address;
        if (!gdb_change_state(server, &state)) {
            gdb_reply(server, GDB_BAD_REQUEST);
            return;
        }
    }
    resume(server, wish);
}

static void continue_at(struct gdb_server *server, const char *rest)
{
    resume_at(server, rest, GDB_WISH_CONTINUE);
}

static void step_at(struct gdb_server *server, const char *rest)
{
    resume_at(server, rest, GDB_WISH_STEP);
}

/* The processor takes no signals: with one it goes on as without. */
static void resume_with_signal(struct gdb_server *server, const char *rest, enum gdb_wish wish)
{
    uint64_t number;
    if (!gdb_take_number(&rest, &number) || (*rest && !gdb_take_char(&rest, ';')))
        gdb_reply(server, GDB_BAD_REQUEST);
    else
        resume_at(server, rest, wish);
}

/* Nothing is known of the past: the packet is not known either. */
static void go_back(struct gdb_server *server, enum gdb_wish wish)
{
    if (server->params.can_go_back)
        resume(server, wish);
    else
        gdb_reply(server, "");
}

static void step_back(struct gdb_server *server, const char *rest)
{
    (void)rest;
    go_back(server, GDB_WISH_STEP_BACK);
}

static void continue_back(struct gdb_server *server, const char *rest)
{
    (void)rest;
    go_back(server, GDB_WISH_CONTINUE_BACK);
}

static void continue_with_signal(struct gdb_server *server, const char *rest)
{
    resume_with_signal(server, rest, GDB_WISH_CONTINUE);
}

static void step_with_signal(struct gdb_server *server, const char *rest)
{
    resume_with_signal(server, rest, GDB_WISH_STEP);
}

/* 1, or any (0), or all (-1); with the multiprocess form p1.1 too. */
static bool take_thread(const char **rest)
{
    uint64_t number = 1;
    if (gdb_take_char(rest, 'p') && !((gdb_take_char(rest, '-') || true) && gdb_take_number(rest, &number)))
        return false;
    if (number > 1)
        return false;
    gdb_take_char(rest, '.');
    if (!**rest)
        return true;
    gdb_take_char(rest, '-');
    return gdb_take_number(rest, &number) && number <= 1;
}

/* ;ACTION[:THREAD] ...: the first that is for our thread counts. */
static void continue_threads(struct gdb_server *server, const char *rest)
{
    enum gdb_wish wish = GDB_WISH_NONE;
    bool is_good = true;
    while (is_good && gdb_take_char(&rest, ';')) {
        char action = *rest;
        uint64_t number;
        bool has_signal = action == 'C' || action == 'S';
        is_good =
            action && strchr("cCsS", action) && (++rest, !has_signal || gdb_take_number(&rest, &number));
        if (is_good && gdb_take_char(&rest, ':')) {
            char thread[24] = "";
            size_t length = strcspn(rest, ";");
            is_good = length < sizeof thread;
            memcpy(thread, rest, is_good ? length : 0);
            const char *text = thread;
            is_good = is_good && take_thread(&text) && !*text;
            rest += length;
        }
        if (is_good && wish == GDB_WISH_NONE)
            wish = action == 's' || action == 'S' ? GDB_WISH_STEP : GDB_WISH_CONTINUE;
    }
    if (!is_good || *rest || wish == GDB_WISH_NONE)
        gdb_reply(server, GDB_BAD_REQUEST);
    else
        resume(server, wish);
}

static void forget_points(struct gdb_server *server)
{
    server->nr_points = 0;
    set_points(server);
}

static void detach(struct gdb_server *server, const char *rest)
{
    (void)rest;
    forget_points(server);
    gdb_reply(server, "OK");
    server->wish = GDB_WISH_DETACH;
}

static void kill_run(struct gdb_server *server, const char *rest)
{
    (void)rest;
    forget_points(server);
    server->wish = GDB_WISH_KILL;
}

static void kill_process(struct gdb_server *server, const char *rest)
{
    gdb_reply(server, "OK");
    kill_run(server, rest);
}

/* ---- Questions ---- */

static void tell_stop(struct gdb_server *server, const char *rest)
{
    (void)rest;
    gdb_reply(server, server->stop_reply);
}

static void tell_features(struct gdb_server *server, const char *rest)
{
    server->says_swbreak = strstr(rest, "swbreak+");
    server->says_hwbreak = strstr(rest, "hwbreak+");
    snprintf(server->reply, sizeof server->reply,
             "PacketSize=%x;qXfer:features:read+;vContSupported+;QStartNoAckMode+;swbreak+;hwbreak+%s",
             GDB_PACKET_BYTES, server->params.can_go_back ? ";ReverseStep+;ReverseContinue+" : "");
    gdb_reply(server, server->reply);
}

/* A slice of the description: l for the last, m if there is more. */
static void tell_description(struct gdb_server *server, const char *rest)
{
    static const char name[] = "target.xml:";
    uint64_t offset, size_bytes;
    bool is_good = strncmp(rest, name, sizeof name - 1) == 0;
    rest += is_good ? sizeof name - 1 : 0;
    if (!is_good || !gdb_take_range(&rest, &offset, &size_bytes) || *rest ||
        offset > server->description_bytes) {
        gdb_reply(server, is_good ? GDB_BAD_REQUEST : "E00");
        return;
    }
    /* Each byte may need an escape. */
    size_t left = server->description_bytes - (size_t)offset, room = GDB_PACKET_BYTES / 2;
    size_t part = left < size_bytes ? left : (size_t)size_bytes;
    part = part < room ? part : room;
    server->reply[0] = part == left ? 'l' : 'm';
    memcpy(server->reply + 1, server->description + offset, part);
    gdb_link_reply(&server->link, server->reply, part + 1);
}

static void set_thread(struct gdb_server *server, const char *rest)
{
    bool is_good = gdb_take_char(&rest, 'g') || gdb_take_char(&rest, 'c');
    gdb_reply_ok(server, is_good && take_thread(&rest) && !*rest);
}

static void ask_thread(struct gdb_server *server, const char *rest)
{
    gdb_reply_ok(server, take_thread(&rest) && !*rest);
}

static void describe_thread(struct gdb_server *server, const char *rest)
{
    const char *text = server->is_running ? "runs" : "stands";
    (void)rest;
    gdb_put_bytes(server->reply, (const uint8_t *)text, strlen(text));
    gdb_reply(server, server->reply);
}

static void start_no_acks(struct gdb_server *server, const char *rest)
{
    (void)rest;
    gdb_reply(server, "OK");
    server->link.starts_no_acks = true;
}

static void set_physical(struct gdb_server *server, const char *rest)
{
    uint64_t value;
    bool is_good = gdb_take_number(&rest, &value) && !*rest && value <= 1;
    if (is_good)
        server->is_physical = value;
    gdb_reply_ok(server, is_good);
}

static void tell_physical(struct gdb_server *server, const char *rest)
{
    (void)rest;
    gdb_reply(server, server->is_physical ? "1" : "0");
}

/* QEMU's bits of a single step (its gdbstub.c); the clock never stands still here. */
enum { SSTEP_ENABLE = 1, SSTEP_NO_INTERRUPTS = 2 };

static void tell_step_bits(struct gdb_server *server, const char *rest)
{
    (void)rest;
    snprintf(server->reply, sizeof server->reply, "ENABLE=%x,NOIRQ=%x", SSTEP_ENABLE, SSTEP_NO_INTERRUPTS);
    gdb_reply(server, server->reply);
}

static void tell_step(struct gdb_server *server, const char *rest)
{
    (void)rest;
    snprintf(server->reply, sizeof server->reply, "0x%x",
             SSTEP_ENABLE | (server->steps_into_interrupts ? 0 : SSTEP_NO_INTERRUPTS));
    gdb_reply(server, server->reply);
}

static void set_step(struct gdb_server *server, const char *rest)
{
    uint64_t value;
    rest += strncmp(rest, "0x", 2) == 0 ? 2 : 0;
    bool is_good = gdb_take_number(&rest, &value) && !*rest &&
                   (value | SSTEP_NO_INTERRUPTS) == (SSTEP_ENABLE | SSTEP_NO_INTERRUPTS);
    if (is_good)
        server->steps_into_interrupts = !(value & SSTEP_NO_INTERRUPTS);
    gdb_reply_ok(server, is_good);
}

static void set_non_stop(struct gdb_server *server, const char *rest)
{
    gdb_reply_ok(server, strcmp(rest, "0") == 0);
}

/* Output for gdb's user, in O packets. */
static void send_text(struct gdb_server *server, const char *text, size_t nr_bytes)
{
    for (size_t done = 0, part; done < nr_bytes; done += part) {
        part = nr_bytes - done < CONSOLE_PART_BYTES ? nr_bytes - done : CONSOLE_PART_BYTES;
        server->reply[0] = 'O';
        gdb_put_bytes(server->reply + 1, (const uint8_t *)text + done, part);
        gdb_reply(server, server->reply);
    }
}

/* What the monitor itself does not know: how gdb sees the machine. */
static bool is_own_command(struct gdb_server *server, const char *line, FILE *to)
{
    const struct {
        const char *line, *answer;
        bool *what, value;
    } commands[] = {
        {"phys on", "addresses are physical from now on\n", &server->is_physical, true},
        {"phys off", "addresses are linear from now on\n", &server->is_physical, false},
        {"pc linear", "the pc has the base of CS in it from now on\n", &server->registers.is_pc_linear, true},
        {"pc offset", "the pc is an offset in CS from now on\n", &server->registers.is_pc_linear, false},
        {"interrupts over", "a step goes over interrupts from now on\n", &server->steps_into_interrupts,
         false},
        {"interrupts into", "a step may end in an interrupt's handler from now on\n",
         &server->steps_into_interrupts, true},
    };
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        if (strcmp(line, commands[i].line) != 0)
            continue;
        *commands[i].what = commands[i].value;
        fputs(commands[i].answer, to);
        return true;
    }
    if (strcmp(line, "help") == 0)
        fputs("phys on|off       gdb's addresses are physical, or linear\n"
              "pc linear|offset  gdb's pc is a linear address, or an offset in CS\n"
              "interrupts over|into  a step runs an interrupt's handler to its end, or ends in it\n",
              to);
    return false;
}

static void run_monitor(struct gdb_server *server, const char *rest)
{
    char line[256];
    size_t nr_bytes = strlen(rest) / 2, text_bytes = 0;
    char *text = NULL;
    if (nr_bytes >= sizeof line || !gdb_take_bytes(&rest, (uint8_t *)line, nr_bytes) || *rest) {
        gdb_reply(server, GDB_BAD_REQUEST);
        return;
    }
    line[nr_bytes] = '\0';
    FILE *to = open_memstream(&text, &text_bytes);
    if (!to) {
        gdb_reply(server, GDB_NO_ROOM);
        return;
    }
    if (!is_own_command(server, line, to) && server->params.monitor)
        server->params.monitor(server->params.opaque, line, to);
    if (fclose(to) == 0)
        send_text(server, text, text_bytes);
    free(text);
    gdb_reply(server, "OK");
}

/* ---- The packets ---- */

static const struct command {
    const char *name;
    void (*run)(struct gdb_server *server, const char *rest); /* NULL: `answer` is all */
    const char *answer;
    bool is_whole; /* nothing may follow */
} commands[] = {
    {"?", tell_stop, NULL, true},
    {"!", NULL, "OK", true},
    {"g", gdb_read_registers, NULL, true},
    {"G", gdb_write_registers, NULL, false},
    {"p", gdb_read_register, NULL, false},
    {"P", gdb_write_register, NULL, false},
    {"m", gdb_read_bytes, NULL, false},
    {"M", gdb_write_bytes, NULL, false},
    {"X", gdb_write_binary, NULL, false},
    {"Z", insert_point, NULL, false},
    {"z", remove_point, NULL, false},
    {"c", continue_at, NULL, false},
    {"C", continue_with_signal, NULL, false},
    {"s", step_at, NULL, false},
    {"S", step_with_signal, NULL, false},
    {"bs", step_back, NULL, true},
    {"bc", continue_back, NULL, true},
    {"D", detach, NULL, false},
    {"k", kill_run, NULL, true},
    {"H", set_thread, NULL, false},
    {"T", ask_thread, NULL, false},
    {"vCont?", NULL, "vCont;c;C;s;S", true},
    {"vCont", continue_threads, NULL, false},
    {"vKill;", kill_process, NULL, false},
    {"qSupported", tell_features, NULL, false},
    {"qXfer:features:read:", tell_description, NULL, false},
    {"qfThreadInfo", NULL, "m1", true},
    {"qsThreadInfo", NULL, "l", true},
    {"qThreadExtraInfo,", describe_thread, NULL, false},
    {"qC", NULL, "QC1", true},
    {"qAttached", NULL, "1", false},
    {"qSymbol::", NULL, "OK", true},
    {"qRcmd,", run_monitor, NULL, false},
    {"qqemu.PhyMemMode", tell_physical, NULL, true},
    {"Qqemu.PhyMemMode:", set_physical, NULL, false},
    {"qqemu.sstepbits", tell_step_bits, NULL, true},
    {"qqemu.sstep", tell_step, NULL, true},
    {"Qqemu.sstep=", set_step, NULL, false},
    {"QStartNoAckMode", start_no_acks, NULL, true},
    {"QNonStop:", set_non_stop, NULL, false},
};

/* What is not known is answered by nothing, which means just that. */
static void obey(struct gdb_server *server)
{
    const char *packet = server->link.packet;
    if (packet[0] != 'X' && strlen(packet) != server->link.packet_bytes) {
        gdb_reply(server, GDB_BAD_REQUEST);
        return;
    }
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        const struct command *c = &commands[i];
        size_t length = strlen(c->name);
        if (strncmp(packet, c->name, length) != 0 || (c->is_whole && packet[length]))
            continue;
        if (c->run)
            c->run(server, packet + length);
        else
            gdb_reply(server, c->answer);
        return;
    }
    gdb_reply(server, "");
}

enum gdb_wish gdb_server_take(struct gdb_server *server, const uint8_t *bytes, size_t nr_bytes,
                              size_t *nr_taken)
{
    *nr_taken = 0;
    server->wish = GDB_WISH_NONE;
    while (*nr_taken < nr_bytes && server->wish == GDB_WISH_NONE) {
        size_t nr;
        enum gdb_event event = gdb_link_take(&server->link, bytes + *nr_taken, nr_bytes - *nr_taken, &nr);
        *nr_taken += nr;
        if (event == GDB_EVENT_BREAK && server->is_running)
            server->wish = GDB_WISH_INTERRUPT;
        else if (event == GDB_EVENT_TOO_LONG || (event == GDB_EVENT_PACKET && server->is_running))
            gdb_reply(server, GDB_BAD_REQUEST);
        else if (event == GDB_EVENT_PACKET)
            obey(server);
    }
    return server->wish;
}

bool gdb_server_steps_over_interrupts(const struct gdb_server *server)
{
    return !server->steps_into_interrupts;
}

enum gdb_signal gdb_signal_of(unsigned vector)
{
    static const uint8_t signals[] = {
        [0] = GDB_SIGFPE,   [1] = GDB_SIGTRAP,  [3] = GDB_SIGTRAP,  [4] = GDB_SIGSEGV,
        [5] = GDB_SIGSEGV,  [6] = GDB_SIGILL,   [7] = GDB_SIGFPE,   [8] = GDB_SIGSEGV,
        [10] = GDB_SIGSEGV, [11] = GDB_SIGSEGV, [12] = GDB_SIGSEGV, [13] = GDB_SIGSEGV,
        [14] = GDB_SIGSEGV, [16] = GDB_SIGFPE,  [17] = GDB_SIGSEGV, [19] = GDB_SIGFPE,
    };
    unsigned signal = vector < sizeof signals ? signals[vector] : 0;
    return signal ? (enum gdb_signal)signal : GDB_SIGTRAP;
}

/* "watch:ADDRESS;" and the like; nothing for a breakpoint of which the peer does not want to hear. */
static void name_point(const struct gdb_server *server, const struct cpu_point *point, char text[40])
{
    static const char *const names[] = {
        [CPU_POINT_WRITE] = "watch", [CPU_POINT_READ] = "rwatch", [CPU_POINT_ACCESS] = "awatch"};
    text[0] = '\0';
    if (point->kind != CPU_POINT_EXECUTE) {
        snprintf(text, 40, "%s:%" PRIx64 ";", names[point->kind], point->at.v);
        return;
    }
    bool is_hardware = index_of(server, point, false) == server->nr_points;
    if (is_hardware ? server->says_hwbreak : server->says_swbreak)
        snprintf(text, 40, "%s", is_hardware ? "hwbreak:;" : "swbreak:;");
}

static void tell_of_stop(struct gdb_server *server, enum gdb_signal signal, const char *reason)
{
    snprintf(server->stop_reply, sizeof server->stop_reply, "T%02xthread:1;%s", (unsigned)signal & 0xff,
             reason);
    if (server->is_running)
        gdb_reply(server, server->stop_reply);
    server->is_running = false;
}

void gdb_server_stopped(struct gdb_server *server, enum gdb_signal signal, const struct cpu_point *point)
{
    char reason[40] = "";
    if (point)
        name_point(server, point, reason);
    tell_of_stop(server, signal, reason);
}

void gdb_server_stopped_at_begin(struct gdb_server *server)
{
    tell_of_stop(server, GDB_SIGTRAP, "replaylog:begin;");
}

void gdb_server_set_cpu(struct gdb_server *server, struct cpu *cpu)
{
    server->params.cpu = cpu;
}

void gdb_server_exited(struct gdb_server *server, unsigned status)
{
    snprintf(server->stop_reply, sizeof server->stop_reply, "W%02x", status & 0xff);
    if (server->is_running)
        gdb_reply(server, server->stop_reply);
    server->is_running = false;
}

const uint8_t *gdb_server_output(const struct gdb_server *server, size_t *nr_bytes, bool *is_broken)
{
    *nr_bytes = server->link.nr_out;
    *is_broken = server->link.is_broken;
    return server->link.out;
}

void gdb_server_sent(struct gdb_server *server, size_t nr_bytes)
{
    struct gdb_link *link = &server->link;
    if (nr_bytes == 0)
        return;
    memmove(link->out, link->out + nr_bytes, link->nr_out - nr_bytes);
    link->nr_out -= nr_bytes;
}

void gdb_server_begin(struct gdb_server *server)
{
    gdb_link_fini(&server->link);
    forget_points(server);
    server->is_running = server->is_physical = server->steps_into_interrupts = false;
    server->registers.is_pc_linear = server->says_swbreak = server->says_hwbreak = false;
    gdb_server_stopped(server, GDB_SIGTRAP, NULL);
}

struct gdb_server *gdb_server_create(const struct gdb_server_params *params)
{
    struct gdb_server *server = calloc(1, sizeof *server);
    if (!server)
        return NULL;
    server->params = *params;
    gdb_registers_init(&server->registers, params->is_64bit, params->has_sse);
    FILE *to = open_memstream(&server->description, &server->description_bytes);
    if (to)
        gdb_registers_describe(&server->registers, to);
    if (!to || fclose(to) != 0) {
        gdb_server_destroy(server);
        return NULL;
    }
    gdb_server_begin(server);
    return server;
}

void gdb_server_destroy(struct gdb_server *server)
{
    if (!server)
        return;
    gdb_link_fini(&server->link);
    free(server->description);
    free(server);
}
