#include "sim/observe/linux_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where the kernel's text is linked to, minus its physical address (Documentation/x86/x86_64/mm.rst). */
#define START_KERNEL_MAP 0xffffffff80000000ull

bool linux_info(const struct linux_guest *guest, const char *key, uint64_t *value)
{
    size_t length = strlen(key);
    int base = strncmp(key, "SYMBOL", 6) == 0 ? 16 : 10;
    *value = 0;
    for (const char *line = guest->info; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, key, length) != 0 || line[length] != '=')
            continue;
        char *end;
        const char *text = line + length + 1;
        *value = *text == '-' ? (uint64_t)strtoll(text, &end, base) : strtoull(text, &end, base);
        return end != text;
    }
    return false;
}

bool linux_read_number(struct linux_guest *guest, uint64_t linear, size_t size_bytes, uint64_t *value)
{
    *value = 0;
    if (size_bytes == 0 || size_bytes > sizeof *value)
        return false;
    if (linear_read(&guest->kernel, linear, value, size_bytes))
        return true;
    *value = 0;
    return false;
}

bool linux_read_word(struct linux_guest *guest, uint64_t linear, uint64_t *value)
{
    return linux_read_number(guest, linear, guest->word_bytes, value);
}

bool linux_read_member(struct linux_guest *guest, uint64_t base, const struct btf_member *member,
                       uint64_t *value)
{
    *value = 0;
    if (base == 0 || member->nr_elements == 0)
        return false;
    return linux_read_number(guest, base + member->offset_bytes, member->size_bytes / member->nr_elements,
                             value);
}

void linux_read_text(struct linux_guest *guest, uint64_t linear, char *text, size_t size)
{
    size_t length = 0;
    char character;
    while (length < size - 1 && linear_read(&guest->kernel, linear + length, &character, 1) && character)
        text[length++] = character >= 0x20 && character < 0x7f ? character : '?';
    text[length] = 0;
}

/* ---- Where it is ---- */

/* Whether tables at `root` map the first word of the kernel's text. */
static bool try_tables(struct linux_guest *guest, enum paging_kind kind, uint64_t root)
{
    uint64_t text, first;
    linear_space_init(&guest->kernel, guest->ram, kind, root);
    return linux_info(guest, "SYMBOL(_stext)", &text) && linux_read_word(guest, text, &first);
}

static bool find_tables(struct linux_guest *guest)
{
    uint64_t tables, phys_base, has_five_levels;
    if (!linux_info(guest, "SYMBOL(swapper_pg_dir)", &tables))
        return false;
    if (linux_info(guest, "NUMBER(phys_base)", &phys_base)) {
        guest->word_bytes = 8;
        linux_info(guest, "NUMBER(pgtable_l5_enabled)", &has_five_levels);
        return try_tables(guest, has_five_levels ? PAGING_FIVE_LEVEL : PAGING_FOUR_LEVEL,
                          tables - START_KERNEL_MAP + phys_base);
    }
    /* How CONFIG_VMSPLIT_* divides 4 GiB; only with the right one the tables map themselves. */
    static const uint32_t offsets[] = {0xc0000000, 0xb0000000, 0x80000000, 0x78000000, 0x40000000};
    enum paging_kind kind = strstr(guest->info, "\nCONFIG_X86_PAE=y\n") ? PAGING_PAE : PAGING_TWO_LEVEL;
    guest->word_bytes = 4;
    for (size_t i = 0; i < sizeof offsets / sizeof *offsets; i++) {
        struct paddr physical;
        uint64_t root = tables - offsets[i];
        if (tables >= offsets[i] && try_tables(guest, kind, root) &&
            linear_translate(&guest->kernel, tables, &physical) && physical.v == root)
            return true;
    }
    return false;
}

/* Fills `guest` from a page that begins as VMCOREINFO does. */
static bool try_page(struct linux_guest *guest, struct paddr at)
{
    guest->info_at = at;
    if (!ram_read(guest->ram, at, guest->info, PAGE_BYTES))
        return false;
    guest->info[PAGE_BYTES] = 0;
    const char *release = strchr(guest->info, '=');
    snprintf(guest->release, sizeof guest->release, "%.*s", release ? (int)strcspn(release + 1, "\n") : 0,
             release ? release + 1 : "");
    if (!find_tables(guest))
        return false;
    guest->symbols = linux_kallsyms(guest);
    return guest->symbols != NULL;
}

struct linux_guest *linux_guest_find(const struct ram *ram)
{
    static const char beginning[] = "OSRELEASE=";
    pfn_t nr_frames = ram->size_bytes / PAGE_BYTES;
    struct linux_guest *guest = calloc(1, sizeof *guest);
    uint8_t *touched = malloc(nr_frames);
    bool is_found = false, is_known = touched && ram_touched(ram, touched, nr_frames);
    if (guest && touched)
        guest->ram = ram;
    for (pfn_t pfn = 0; guest && touched && pfn < nr_frames && !is_found; pfn++) {
        /* The host's pages that were never written are not read either. */
        if ((!is_known || touched[pfn]) &&
            memcmp(ram->host + pfn * PAGE_BYTES, beginning, sizeof beginning - 1) == 0)
            is_found = try_page(guest, paddr(pfn * PAGE_BYTES));
    }
    free(touched);
    if (is_found) {
        guest->has_layouts = linux_read_layouts(guest);
        return guest;
    }
    linux_guest_destroy(guest);
    return NULL;
}

void linux_guest_destroy(struct linux_guest *guest)
{
    if (!guest)
        return;
    elf_symbols_free(guest->symbols);
    free(guest);
}

bool linux_guest_is_there(const struct linux_guest *guest)
{
    char info[PAGE_BYTES];
    return ram_read(guest->ram, guest->info_at, info, sizeof info) &&
           memcmp(info, guest->info, sizeof info) == 0;
}

const char *linux_guest_release(const struct linux_guest *guest)
{
    return guest->release;
}

const struct elf_symbols *linux_guest_symbols(const struct linux_guest *guest)
{
    return guest->symbols;
}

bool linux_guest_has_layouts(const struct linux_guest *guest)
{
    return guest->has_layouts;
}

/* ---- Layouts ---- */

bool linux_read_layouts(struct linux_guest *guest)
{
    enum { MAX_BTF_BYTES = 64 << 20 };
    struct linux_layout *layout = &guest->layout;
    uint64_t begin, end;
    *layout = (struct linux_layout){.zone_bytes = 0};
    if (!elf_symbols_address(guest->symbols, "__start_BTF", &begin) ||
        !elf_symbols_address(guest->symbols, "__stop_BTF", &end) || end <= begin ||
        end - begin > MAX_BTF_BYTES)
        return false;
    uint8_t *bytes = malloc(end - begin);
    if (!bytes || !linear_read(&guest->kernel, begin, bytes, end - begin)) {
        free(bytes);
        return false;
    }
    struct btf *btf = btf_create(bytes, end - begin, guest->word_bytes);
    if (!btf)
        return false;
    const struct {
        const char *structure, *path;
        struct btf_member *member;
    } members[] = {
#define MEMBER(id, structure, path) {structure, path, &layout->id},
#include "sim/observe/linux_members.def"
#undef MEMBER
    };
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        if (!btf_member(btf, members[i].structure, members[i].path, members[i].member))
            *members[i].member = (struct btf_member){.size_bytes = 0};
    layout->zone_bytes = btf_struct_bytes(btf, "zone");
    layout->free_area_bytes = btf_struct_bytes(btf, "free_area");
    btf_destroy(btf);
    return layout->task_tasks.size_bytes && layout->task_pid.size_bytes && layout->task_comm.size_bytes &&
           layout->task_mm.size_bytes;
}
