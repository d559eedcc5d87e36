/*
 * What a debugger sends: the bytes choose packets by their names, their operands and how they are framed, or
 * are sent as they are, to a core with some code and page tables. Whatever comes, replies are well-formed,
 * and the core can run.
 */
#include "cpu/debugger.h"
#include "sim/observe/gdb_server.h"
#include "tests/unit/core_fixture.h"

#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nr_bytes);

enum {
    DIRECTORY = 0x1000,
    TABLE = 0x2000,
    CODE = 0x10000,
    STACK = 0x30000,
    MAX_PIECES = 30,
    MAX_STEPS = 300
};

static const char *const names[] = {"?",
                                    "!",
                                    "g",
                                    "G",
                                    "p",
                                    "P",
                                    "m",
                                    "M",
                                    "X",
                                    "Z0,",
                                    "Z1,",
                                    "Z2,",
                                    "Z3,",
                                    "Z4,",
                                    "z0,",
                                    "z2,",
                                    "bs",
                                    "bc",
                                    "c",
                                    "C",
                                    "s",
                                    "S",
                                    "D",
                                    "k",
                                    "Hg",
                                    "Hc",
                                    "T",
                                    "vCont",
                                    "vCont;s",
                                    "vCont;c",
                                    "vKill;",
                                    "qSupported",
                                    "qRcmd,",
                                    "qXfer:features:read:target.xml:",
                                    "qC",
                                    "Qqemu.PhyMemMode:",
                                    "QStartNoAckMode",
                                    "QNonStop:"};
static const char operands[] = "0123456789abcdef0123456789abcdef0f8,,:;=-.p1,4:100,10000,";

/* A loop that loads, stores and copies: mov [ebx], eax; mov eax, [ebx]; movsb; inc ebx; jmp to the first. */
static const uint8_t code[] = {0x89, 0x03, 0x8b, 0x03, 0xa4, 0x43, 0xeb, 0xf8};

static void set_up(struct core *core)
{
    core_put32(core, DIRECTORY, TABLE | 7);
    for (uint32_t page = 0; page < 64; page++)
        core_put32(core, TABLE + 4 * page, page << PAGE_SHIFT | 7);
    core_put32(core, TABLE + 4 * 63, 0);
    core_put(core, CODE, code, sizeof code);
    struct cpu_state state = cpu_state(core->cpu);
    static const struct descriptor flat = {
        .limit_bytes = UINT32_MAX, .type = 3, .is_code_or_data = true, .is_present = true, .is_big = true};
    for (unsigned i = 0; i < 6; i++)
        state.segment[i] = (struct segment){.selector = 16, .is_usable = true, .hidden = flat};
    state.segment[1].selector = 8;
    state.segment[1].hidden.type = 11;
    state.cr0 = 0x80000011;
    state.cr3 = DIRECTORY;
    state.rip = CODE;
    state.gpr[CPU_BX] = state.gpr[CPU_SP] = STACK;
    state.rflags = 2;
    cpu_set_state(core->cpu, &state);
}

/* Acknowledgements and whole packets with the right checksum; else the program ends here. */
static void check_output(struct gdb_server *server)
{
    size_t nr_bytes, i = 0;
    bool is_broken;
    const uint8_t *bytes = gdb_server_output(server, &nr_bytes, &is_broken);
    while (i < nr_bytes) {
        uint8_t sum = 0;
        char digits[3] = "";
        if (bytes[i] == '+' || bytes[i] == '-') {
            i++;
            continue;
        }
        if (bytes[i++] != '$')
            abort();
        while (i < nr_bytes && bytes[i] != '#')
            sum = (uint8_t)(sum + bytes[i++]);
        if (nr_bytes - i < 3)
            abort();
        memcpy(digits, bytes + i + 1, 2);
        if (strtoul(digits, NULL, 16) != sum)
            abort();
        i += 3;
    }
    gdb_server_sent(server, nr_bytes);
}

static void run(struct core *core, struct gdb_server *server, bool is_step)
{
    struct cpu_point met;
    enum cpu_stop why = CPU_STOP_DEADLINE;
    cpu_pass_point(core->cpu);
    for (unsigned i = 0; i < (is_step ? 1 : MAX_PIECES) && why == CPU_STOP_DEADLINE; i++)
        why = cpu_run_piece(core->cpu, cpu_now(core->cpu) + 1000, is_step);
    if (why == CPU_STOP_SHUTDOWN) {
        gdb_server_exited(server, 81);
        return;
    }
    bool is_met = cpu_take_met_point(core->cpu, &met);
    gdb_server_stopped(server, GDB_SIGTRAP, is_met ? &met : NULL);
}

static void send(struct core *core, struct gdb_server *server, const uint8_t *bytes, size_t nr_bytes)
{
    while (nr_bytes > 0) {
        size_t nr_taken;
        enum gdb_wish wish = gdb_server_take(server, bytes, nr_bytes, &nr_taken);
        bytes += nr_taken;
        nr_bytes -= nr_taken;
        if (wish == GDB_WISH_CONTINUE || wish == GDB_WISH_STEP)
            run(core, server, wish == GDB_WISH_STEP);
        else if (wish == GDB_WISH_STEP_BACK || wish == GDB_WISH_CONTINUE_BACK)
            gdb_server_stopped_at_begin(server);
        else if (wish == GDB_WISH_DETACH || wish == GDB_WISH_KILL)
            gdb_server_begin(server);
    }
    check_output(server);
}

/* One packet: a name, so many operands from the alphabet or as they are, and a checksum that may be wrong. */
static size_t make_packet(const uint8_t *data, size_t nr_bytes, uint8_t packet[400], size_t *packet_bytes)
{
    size_t used = 3, nr_operands = data[1] % 128;
    int length = snprintf((char *)packet, 64, "$%s", names[data[0] % (sizeof names / sizeof *names)]);
    size_t at = (size_t)length;
    for (size_t i = 0; i < nr_operands && used < nr_bytes; i++, used++)
        packet[at++] = data[1] & 128 ? data[used] : (uint8_t)operands[data[used] % (sizeof operands - 1)];
    uint8_t sum = 0;
    for (size_t i = 1; i < at; i++)
        sum = (uint8_t)(sum + packet[i]);
    at += (size_t)snprintf((char *)packet + at, 8, "#%02x+", data[2] == 0 ? sum ^ 1u : sum);
    *packet_bytes = at;
    return used;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nr_bytes)
{
    struct core core;
    uint8_t packet[400];
    if (nr_bytes < 1)
        return 0;
    core_init(&core, data[0] & 1 ? CORE_INORDER : CORE_FUNCTIONAL, NULL);
    set_up(&core);
    struct gdb_server_params params = {
        .cpu = core.cpu, .is_64bit = data[0] & 2, .has_sse = !(data[0] & 4), .can_go_back = data[0] & 8};
    struct gdb_server *server = gdb_server_create(&params);
    if (!server)
        abort();
    data++;
    nr_bytes--;
    for (unsigned step = 0; nr_bytes >= 3 && step < MAX_STEPS; step++) {
        size_t packet_bytes = 0, used;
        if (data[0] >= 240) { /* as they are */
            used = 3;
            send(&core, server, data, used);
        } else {
            used = make_packet(data, nr_bytes, packet, &packet_bytes);
            send(&core, server, packet, packet_bytes);
        }
        data += used;
        nr_bytes -= used;
    }
    gdb_server_destroy(server);
    core_fini(&core);
    return 0;
}
