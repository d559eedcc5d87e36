/* QEMU as a child, spoken to by the gdb remote protocol over a Unix socket. */
#include "lockstep.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PACKET_BYTES = 8192, ANSWER_TIMEOUT_MS = 5000, START_TRIES = 400, START_WAIT_US = 25000 };
/* Bits of Qqemu.sstep. */
enum { STEP_ENABLE = 1, STEP_NO_IRQ = 2, STEP_NO_TIMER = 4 };

struct qemu {
    pid_t child;
    int socket;
    uint8_t *ram;
    uint64_t ram_bytes;
    bool takes_interrupts;
    char in[PACKET_BYTES];
    size_t nr_in;
    char answer[PACKET_BYTES];
};

static const unsigned field_bytes[NR_FIELDS] = {
#define FIELD(name, bytes, kind) bytes,
#include "fields.def"
#undef FIELD
};

static bool send_all(const struct qemu *qemu, const char *text, size_t nr)
{
    while (nr > 0) {
        ssize_t part = send(qemu->socket, text, nr, MSG_NOSIGNAL);
        if (part <= 0)
            return false;
        text += part;
        nr -= (size_t)part;
    }
    return true;
}

/* The next packet's contents into qemu->answer; acknowledgements are skipped. */
static bool receive(struct qemu *qemu)
{
    for (;;) {
        char *begin = memchr(qemu->in, '$', qemu->nr_in);
        char *end = begin ? memchr(begin, '#', qemu->nr_in - (size_t)(begin - qemu->in)) : NULL;
        if (end && end + 3 <= qemu->in + qemu->nr_in) {
            size_t nr = (size_t)(end - begin - 1);
            memcpy(qemu->answer, begin + 1, nr);
            qemu->answer[nr] = '\0';
            qemu->nr_in -= (size_t)(end + 3 - qemu->in);
            memmove(qemu->in, end + 3, qemu->nr_in);
            return send_all(qemu, "+", 1);
        }
        if (qemu->nr_in == sizeof qemu->in)
            return false;
        struct pollfd fd = {.fd = qemu->socket, .events = POLLIN};
        if (poll(&fd, 1, ANSWER_TIMEOUT_MS) != 1)
            return false;
        ssize_t nr = recv(qemu->socket, qemu->in + qemu->nr_in, sizeof qemu->in - qemu->nr_in, 0);
        if (nr <= 0)
            return false;
        qemu->nr_in += (size_t)nr;
    }
}

static bool ask(struct qemu *qemu, const char *command)
{
    char packet[256];
    unsigned sum = 0;
    for (const char *c = command; *c; c++)
        sum += (unsigned char)*c;
    int nr = snprintf(packet, sizeof packet, "$%s#%02x", command, sum & 0xff);
    return send_all(qemu, packet, (size_t)nr) && receive(qemu);
}

static bool start_child(struct qemu *qemu, const char *program, const char *cpu, const char *image,
                        const char *arguments, const char *folder)
{
    char gdb[300], memory[400], size[32];
    snprintf(gdb, sizeof gdb, "unix:%s/gdb,server=on,wait=off", folder);
    snprintf(memory, sizeof memory, "memory-backend-file,id=ram,size=%lu,mem-path=%s/ram,share=on",
             (unsigned long)qemu->ram_bytes, folder);
    snprintf(size, sizeof size, "%lu", (unsigned long)(qemu->ram_bytes >> 20));
    qemu->child = fork();
    if (qemu->child != 0)
        return qemu->child > 0;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    execlp(program, program, "-S", "-gdb", gdb, "-object", memory, "-m", size, "-machine",
           "pc,memory-backend=ram", "-accel", "tcg", "-cpu", cpu, "-display", "none", "-monitor", "none",
           "-serial", "null", "-no-reboot", "-debugcon", "null", "-device",
           "isa-debug-exit,iobase=0xf4,iosize=4", "-net", "none", "-kernel", image, "-append", arguments,
           (char *)NULL);
    fprintf(stderr, "lockstep: %s: %s\n", program, strerror(errno));
    _exit(127);
}

static bool connect_to(struct qemu *qemu, const char *folder)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s/gdb", folder);
    qemu->socket = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    for (unsigned tries = 0; tries < START_TRIES; tries++) {
        if (connect(qemu->socket, (struct sockaddr *)&address, sizeof address) == 0)
            return true;
        usleep(START_WAIT_US);
    }
    return false;
}

static bool map_ram(struct qemu *qemu, const char *folder)
{
    char path[300];
    snprintf(path, sizeof path, "%s/ram", folder);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return false;
    void *at = mmap(NULL, qemu->ram_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    qemu->ram = at == MAP_FAILED ? NULL : at;
    return qemu->ram;
}

static bool set_stepping(struct qemu *qemu, bool takes_interrupts)
{
    char command[32];
    qemu->takes_interrupts = takes_interrupts;
    snprintf(command, sizeof command, "Qqemu.sstep=%x",
             (unsigned)(STEP_ENABLE | (takes_interrupts ? 0 : STEP_NO_IRQ)));
    return ask(qemu, command) && strcmp(qemu->answer, "OK") == 0;
}

struct qemu *qemu_create(const char *program, const char *cpu, const char *image, const char *arguments,
                         const char *folder, uint64_t ram_bytes, uint64_t entry)
{
    struct qemu *qemu = calloc(1, sizeof *qemu);
    if (!qemu)
        return NULL;
    qemu->ram_bytes = ram_bytes;
    qemu->socket = -1;
    if (!start_child(qemu, program, cpu, image, arguments, folder) || !connect_to(qemu, folder) ||
        !map_ram(qemu, folder) || !ask(qemu, "qSupported:xmlRegisters=i386") ||
        !ask(qemu, "qXfer:features:read:target.xml:0,1000") || !qemu_run_to(qemu, &entry, 1) ||
        !set_stepping(qemu, false)) {
        fprintf(stderr, "lockstep: %s does not come to the image's entry\n", program);
        qemu_destroy(qemu);
        return NULL;
    }
    return qemu;
}

void qemu_destroy(struct qemu *qemu)
{
    if (!qemu)
        return;
    if (qemu->child > 0) {
        kill(qemu->child, SIGKILL);
        waitpid(qemu->child, NULL, 0);
    }
    if (qemu->socket >= 0)
        close(qemu->socket);
    if (qemu->ram)
        munmap(qemu->ram, qemu->ram_bytes);
    free(qemu);
}

static bool has_stopped(const struct qemu *qemu)
{
    return qemu->answer[0] == 'T' || qemu->answer[0] == 'S';
}

bool qemu_step(struct qemu *qemu, bool with_interrupts)
{
    if (with_interrupts != qemu->takes_interrupts && !set_stepping(qemu, with_interrupts))
        return false;
    return ask(qemu, "s") && has_stopped(qemu);
}

bool qemu_run_to(struct qemu *qemu, const uint64_t *places, unsigned nr_places)
{
    char command[64];
    for (unsigned i = 0; i < nr_places; i++) {
        snprintf(command, sizeof command, "Z0,%lx,1", (unsigned long)places[i]);
        if (!ask(qemu, command))
            return false;
    }
    bool is_there = ask(qemu, "c") && has_stopped(qemu);
    for (unsigned i = 0; is_there && i < nr_places; i++) {
        snprintf(command, sizeof command, "z0,%lx,1", (unsigned long)places[i]);
        is_there = ask(qemu, command);
    }
    return is_there;
}

static unsigned nibble(char c)
{
    return (unsigned)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
}

bool qemu_state(struct qemu *qemu, struct state *state)
{
    if (!ask(qemu, "g"))
        return false;
    const char *hex = qemu->answer;
    for (unsigned field = 0; field < NR_FIELDS; field++) {
        uint64_t value = 0;
        for (unsigned i = 0; i < field_bytes[field]; i++) {
            if (!hex[0] || !hex[1])
                return false;
            value |= (uint64_t)(nibble(hex[0]) << 4 | nibble(hex[1])) << (8 * i);
            hex += 2;
        }
        state->v[field] = value;
    }
    return true;
}

bool qemu_set(struct qemu *qemu, enum state_field field, uint64_t value)
{
    char command[64];
    unsigned number = field; /* the same up to GS */
    if (field > FIELD_gs)
        return false;
    int nr = snprintf(command, sizeof command, "P%x=", number);
    for (unsigned i = 0; i < field_bytes[field]; i++)
        nr +=
            snprintf(command + nr, sizeof command - (size_t)nr, "%02x", (unsigned)(value >> (8 * i) & 0xff));
    return ask(qemu, command) && strcmp(qemu->answer, "OK") == 0;
}

uint8_t *qemu_ram(const struct qemu *qemu)
{
    return qemu->ram;
}
