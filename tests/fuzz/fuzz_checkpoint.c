/*
 * Checkpoints with damage in them, behind the checksums: the bytes say which of the machines, and what is
 * done to which part of its checkpoint. A damaged one is refused in one line, or it is a machine that runs,
 * and that can be saved again.
 */
#include "sim/machine.h"
#include "tests/unit/snap_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_SECTIONS = 64, STEP_BYTES = 6, MAX_STEPS = 8, RUN_CYCLES = 4000, SAVED_AT = 30000 };

static const char *const settings[][10] = {
    {"cpu.model=functional"},
    {"cache.l1d.size=4KiB", "cache.l2.size=16KiB"},
    {"dma.coherence=none", "cpu.isa=i486", "cache.l2.size=16KiB"},
    {"cpu.predictor=tage", "cpu.btb_ways=4", "cache.l1d.replacement=srrip", "cache.l2.prefetcher=stream",
     "cache.l1d.prefetcher=stride", "iommu.present=true", "tlb.pde.entries=4", "nic.present=true"},
};
enum { NR_MACHINES = sizeof settings / sizeof *settings };

/* Loads, stores, branches, calls, divisions, ports and string instructions, for ever. */
static const uint8_t code[] = {
    0xbc, 0x00, 0x00, 0x20, 0x00,             /* mov esp, 200000h */
    0xbe, 0x00, 0x00, 0x18, 0x00,             /* mov esi, 180000h */
    0xe8, 0x0f, 0x00, 0x00, 0x00,             /* again: call work */
    0xe6, 0x80,                               /* out 80h, al */
    0xe4, 0x40,                               /* in al, 40h */
    0x81, 0xe6, 0xff, 0xff, 0x1f, 0x00,       /* and esi, 1fffffh */
    0x81, 0xce, 0x00, 0x00, 0x10, 0x00,       /* or esi, 100000h; jmp again */
    0xeb, 0xe9,                               /* (falls on to work when it returns) */
    0x89, 0x06,                               /* work: mov [esi], eax */
    0x03, 0x86, 0x00, 0x10, 0x00, 0x00,       /* add eax, [esi + 1000h] */
    0x81, 0xc6, 0x44, 0x00, 0x00, 0x00,       /* add esi, 68 */
    0x31, 0xd2, 0xb9, 0x07, 0x00, 0x00, 0x00, /* xor edx, edx; mov ecx, 7 */
    0xf7, 0xf1,                               /* div ecx */
    0x85, 0xd2, 0x74, 0x01, 0x40,             /* test edx, edx; jz +1; inc eax */
    0xc3,                                     /* ret */
};

struct section {
    size_t from, nr_bytes;
};

struct original {
    struct config config;
    struct snap_memory memory;
    struct section sections[MAX_SECTIONS];
    unsigned nr_sections;
};

static void must(bool is_good, const struct diag *diag)
{
    if (is_good)
        return;
    fprintf(stderr, "fuzz_checkpoint: %s\n", diag->nr_lines ? diag->lines[0] : "failed");
    abort();
}

static struct machine *create(const struct original *original, struct diag *diag)
{
    const struct machine_params params = {.config = &original->config};
    struct machine *machine = machine_create(&params, diag);
    must(machine, diag);
    return machine;
}

static void find_sections(struct original *original)
{
    const struct snap_memory *memory = &original->memory;
    for (size_t i = 0; i + 4 < memory->nr_bytes && original->nr_sections < MAX_SECTIONS; i++) {
        if (memcmp(memory->bytes + i, "SAPN", 4) != 0)
            continue;
        if (original->nr_sections > 0) {
            struct section *before = &original->sections[original->nr_sections - 1];
            before->nr_bytes = i - before->from;
        }
        size_t from = i + 4 + SNAP_NAME_BYTES;
        original->sections[original->nr_sections++] = (struct section){from, memory->nr_bytes - from};
    }
}

static void make_original(struct original *original, unsigned which)
{
    struct diag diag;
    diag_init(&diag);
    struct cfg *cfg = cfg_create();
    must(cfg && cfg_set(cfg, "machine.ram=4MiB", &diag), &diag);
    for (unsigned i = 0; i < sizeof settings[which] / sizeof *settings[which] && settings[which][i]; i++)
        must(cfg_set(cfg, settings[which][i], &diag), &diag);
    must(cfg_check(cfg, &diag), &diag);
    original->config = *cfg_values(cfg);
    cfg_destroy(cfg);
    char name[] = "/tmp/fuzz_checkpoint.XXXXXX";
    int fd = mkstemp(name);
    must(fd >= 0 && write(fd, code, sizeof code) == (ssize_t)sizeof code, &diag);
    close(fd);
    const struct load_params guest = {.file = name, .protocol = LOAD_FLAT_32};
    struct machine *machine = create(original, &diag);
    must(machine_load_guest(machine, &guest, &diag), &diag);
    remove(name);
    machine_run(machine, SAVED_AT);
    must(snap_save(machine, &original->memory, &diag), &diag);
    machine_destroy(machine);
    find_sections(original);
    diag_fini(&diag);
}

/* What is done to a place: step[0] the section, [1..3] where in it, [4] how, [5] with what. */
static void damage(const struct original *original, struct snap_memory *copy, const uint8_t *step)
{
    const struct section *section = &original->sections[step[0] % original->nr_sections];
    size_t at = step[1] | (size_t)step[2] << 8 | (size_t)step[3] << 16;
    if (section->nr_bytes == 0)
        return;
    at = section->from + at % section->nr_bytes;
    size_t rest = copy->nr_bytes - at, eight = rest < 8 ? rest : 8;
    switch (step[4] % 4) {
    case 0:
        copy->bytes[at] = step[5];
        break;
    case 1:
        copy->bytes[at] ^= (uint8_t)(1u << step[5] % 8);
        break;
    case 2:
        memset(copy->bytes + at, step[5], eight);
        break;
    default:
        if (step[5] == 0)
            copy->nr_bytes = at;
        else
            copy->bytes[at] += step[5];
        break;
    }
}

static void try_it(const struct original *original, struct snap_memory *copy)
{
    struct diag diag;
    diag_init(&diag);
    struct machine *machine = create(original, &diag);
    if (snap_load(machine, copy, &diag)) {
        struct snap_memory again = {0};
        machine_run(machine, cpu_now(machine_parts(machine).cpu) + RUN_CYCLES);
        machine_stats(machine);
        must(snap_save(machine, &again, &diag), &diag);
        free(again.bytes);
    } else if (diag.nr_lines == 0 && !copy->has_ended) {
        fprintf(stderr, "fuzz_checkpoint: refused without a word\n");
        abort();
    }
    machine_destroy(machine);
    diag_fini(&diag);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nr_bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nr_bytes)
{
    static struct original originals[NR_MACHINES];
    if (nr_bytes == 0)
        return 0;
    unsigned which = data[0] % NR_MACHINES;
    struct original *original = &originals[which];
    if (!original->memory.bytes)
        make_original(original, which);
    struct snap_memory copy = {.nr_bytes = original->memory.nr_bytes, .room = original->memory.nr_bytes};
    copy.bytes = malloc(copy.room);
    if (!copy.bytes)
        return 0;
    memcpy(copy.bytes, original->memory.bytes, copy.nr_bytes);
    for (size_t i = 1, n = 0; i + STEP_BYTES <= nr_bytes && n < MAX_STEPS; i += STEP_BYTES, n++)
        damage(original, &copy, data + i);
    try_it(original, &copy);
    free(copy.bytes);
    return 0;
}
