#include "sim/run_symbols.h"

#include <stdlib.h>

struct run_symbols {
    struct elf_symbols *file;
    struct guest_kernel kernel;
};

struct run_symbols *run_symbols_create(const char *named, const char *image, struct diag *diag)
{
    struct run_symbols *symbols = calloc(1, sizeof *symbols);
    if (!symbols) {
        diag_add(diag, EXIT_STATUS_INTERNAL, "out of memory");
        return NULL;
    }
    const char *file = named ? named : image;
    symbols->file = file ? elf_symbols_load(file) : NULL;
    if (symbols->file || !named)
        return symbols;
    diag_add(diag, EXIT_STATUS_NO_INPUT,
             "--symbols: %s: no functions found; allowed: an ELF file with a symbol table, or a System.map",
             named);
    free(symbols);
    return NULL;
}

void run_symbols_destroy(struct run_symbols *symbols)
{
    if (!symbols)
        return;
    elf_symbols_free(symbols->file);
    guest_kernel_fini(&symbols->kernel);
    free(symbols);
}

const struct guest_kernel *run_symbols_kernel(struct run_symbols *symbols, const struct machine *machine,
                                              bool is_cheap)
{
    struct machine_parts parts = machine_parts(machine);
    if (symbols->kernel.ram != parts.ram) { /* a debugger that goes back takes another machine */
        guest_kernel_fini(&symbols->kernel);
        guest_kernel_init(&symbols->kernel, parts.ram, parts.note, parts.note_bytes);
    }
    guest_kernel_look(&symbols->kernel, is_cheap);
    return &symbols->kernel;
}

const struct elf_symbols *run_symbols_now(struct run_symbols *symbols, const struct machine *machine)
{
    if (symbols->file)
        return symbols->file;
    const struct guest_kernel *kernel = run_symbols_kernel(symbols, machine, false);
    return kernel->linux_guest ? linux_guest_symbols(kernel->linux_guest) : NULL;
}
