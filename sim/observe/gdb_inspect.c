/* The packets that read and write registers and memory. */
#include "cpu/debugger.h"
#include "sim/observe/gdb_server_internal.h"

#include <string.h>

enum { MAX_MEMORY_BYTES = GDB_PACKET_BYTES / 2 };

/* ---- Registers ---- */

bool gdb_change_state(const struct gdb_server *server, const struct cpu_state *state)
{
    const struct gdb_server_params *params = &server->params;
    return params->change_state ? params->change_state(params->opaque, state)
                                : cpu_change_state(params->cpu, state);
}

static struct gdb_values values_of(const struct gdb_server *server)
{
    const struct cpu *cpu = server->params.cpu;
    struct cpu_more_state more = cpu_more_state(cpu);
    return (struct gdb_values){.state = cpu_state(cpu),
                               .kernel_gs_base = more.kernel_gs_base,
                               .cr8 = more.cr8,
                               .cycles = cpu_now(cpu),
                               .instructions = cpu_stats(cpu)->instructions};
}

static char *put_register(const struct gdb_server *server, const struct gdb_values *values, unsigned number,
                          char *to)
{
    uint8_t bytes[GDB_MAX_REGISTER_BYTES];
    gdb_register_get(&server->registers, number, values, bytes);
    return gdb_put_bytes(to, bytes, server->registers.reg[number].bits / 8);
}

static bool set_register(struct gdb_server *server, struct gdb_values *values, unsigned number,
                         const char **from)
{
    uint8_t bytes[GDB_MAX_REGISTER_BYTES];
    return gdb_take_bytes(from, bytes, server->registers.reg[number].bits / 8) &&
           gdb_register_set(&server->registers, number, values, bytes);
}

void gdb_read_registers(struct gdb_server *server, const char *rest)
{
    struct gdb_values values = values_of(server);
    char *to = server->reply;
    (void)rest;
    for (unsigned i = 0; i < server->registers.nr; i++)
        to = put_register(server, &values, i, to);
    gdb_reply(server, server->reply);
}

/* All of them, but it may end earlier. */
void gdb_write_registers(struct gdb_server *server, const char *rest)
{
    struct gdb_values values = values_of(server);
    bool is_good = *rest != '\0';
    for (unsigned i = 0; is_good && *rest && i < server->registers.nr; i++)
        is_good = set_register(server, &values, i, &rest);
    gdb_reply_ok(server, is_good && !*rest && gdb_change_state(server, &values.state));
}

void gdb_read_register(struct gdb_server *server, const char *rest)
{
    uint64_t number;
    if (!gdb_take_number(&rest, &number) || *rest || number >= server->registers.nr) {
        gdb_reply(server, GDB_BAD_REQUEST);
        return;
    }
    struct gdb_values values = values_of(server);
    put_register(server, &values, (unsigned)number, server->reply);
    gdb_reply(server, server->reply);
}

void gdb_write_register(struct gdb_server *server, const char *rest)
{
    uint64_t number;
    struct gdb_values values = values_of(server);
    bool is_good = gdb_take_number(&rest, &number) && gdb_take_char(&rest, '=') &&
                   number < server->registers.nr && set_register(server, &values, (unsigned)number, &rest) &&
                   !*rest;
    gdb_reply_ok(server, is_good && gdb_change_state(server, &values.state));
}

/* ---- Memory ---- */

/* Where `address` lies, by the page tables or as it is. False: nowhere. */
static bool find(const struct gdb_server *server, uint64_t address, struct paddr *at)
{
    const struct cpu_state state = cpu_state(server->params.cpu);
    bool is_long = state.efer & EFER_LMA, is_wide = address > UINT32_MAX;
    *at = paddr(address);
    if (server->is_physical)
        return true;
    if (is_wide && (!is_long || (uint64_t)((int64_t)(address << 7) >> 7) != address))
        return false;
    return cpu_peek_address(server->params.cpu, laddr(address), at);
}

static size_t in_page(uint64_t address, size_t size_bytes)
{
    size_t rest = PAGE_BYTES - (address & PAGE_MASK);
    return rest < size_bytes ? rest : size_bytes;
}

/* How many bytes from there on can be read. */
static size_t read_memory(const struct gdb_server *server, uint64_t address, uint8_t *into, size_t size_bytes)
{
    size_t done = 0;
    while (done < size_bytes) {
        struct paddr at;
        size_t part = in_page(address + done, size_bytes - done);
        if (!find(server, address + done, &at) ||
            !cpu_read_physical(server->params.cpu, at, into + done, part))
            break;
        done += part;
    }
    return done;
}

static bool change_memory(const struct gdb_server *server, struct paddr at, const uint8_t *from,
                          size_t size_bytes)
{
    const struct gdb_server_params *params = &server->params;
    return params->write ? params->write(params->opaque, at, from, size_bytes)
                         : cpu_write_physical(params->cpu, at, from, size_bytes);
}

/* All or nothing. */
static bool write_memory(const struct gdb_server *server, uint64_t address, const uint8_t *from,
                         size_t size_bytes)
{
    struct cpu *cpu = server->params.cpu;
    struct paddr at;
    for (size_t done = 0; done < size_bytes; done += in_page(address + done, size_bytes - done))
        if (!find(server, address + done, &at) ||
            !cpu_is_writable(cpu, at, in_page(address + done, size_bytes - done)))
            return false;
    for (size_t done = 0, part; done < size_bytes; done += part) {
        part = in_page(address + done, size_bytes - done);
        if (!find(server, address + done, &at) || !change_memory(server, at, from + done, part))
            return false;
    }
    return true;
}

void gdb_read_bytes(struct gdb_server *server, const char *rest)
{
    uint8_t bytes[MAX_MEMORY_BYTES];
    uint64_t address, size_bytes;
    if (!gdb_take_range(&rest, &address, &size_bytes) || *rest) {
        gdb_reply(server, GDB_BAD_REQUEST);
        return;
    }
    size_t wanted = size_bytes < sizeof bytes ? (size_t)size_bytes : sizeof bytes;
    size_t nr_bytes = read_memory(server, address, bytes, wanted);
    if (nr_bytes == 0 && wanted != 0) {
        gdb_reply(server, GDB_BAD_ADDRESS);
        return;
    }
    gdb_put_bytes(server->reply, bytes, nr_bytes);
    gdb_reply(server, server->reply);
}

void gdb_write_bytes(struct gdb_server *server, const char *rest)
{
    uint8_t bytes[MAX_MEMORY_BYTES];
    uint64_t address, size_bytes;
    if (!gdb_take_range(&rest, &address, &size_bytes) || !gdb_take_char(&rest, ':') ||
        size_bytes > sizeof bytes || !gdb_take_bytes(&rest, bytes, (size_t)size_bytes) || *rest) {
        gdb_reply(server, GDB_BAD_REQUEST);
        return;
    }
    gdb_reply(server, write_memory(server, address, bytes, (size_t)size_bytes) ? "OK" : GDB_BAD_ADDRESS);
}

void gdb_write_binary(struct gdb_server *server, const char *rest)
{
    uint64_t address, size_bytes;
    bool is_good = gdb_take_range(&rest, &address, &size_bytes) && gdb_take_char(&rest, ':');
    size_t nr_bytes = (size_t)(server->link.packet + server->link.packet_bytes - rest);
    if (!is_good || nr_bytes != size_bytes) {
        gdb_reply(server, GDB_BAD_REQUEST);
        return;
    }
    gdb_reply(server,
              write_memory(server, address, (const uint8_t *)rest, nr_bytes) ? "OK" : GDB_BAD_ADDRESS);
}
