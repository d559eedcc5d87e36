#include "sim/observe/profile_symbols.h"

#include <elfutils/libdwfl.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * Addresses that have the same symbol, up to where the next range begins. libdw goes through the whole
 * symbol table for each address it is asked about, and a profile has millions.
 */
struct range {
    uint64_t begin;
    bool is_known; /* libdw was asked */
    const char *function;
    uint64_t function_begin, size_bytes;
};

struct object {
    char *name; /* the file's, without its folders */
    Dwfl *dwfl;
    Dwfl_Module *module;
    bool is_image;
    struct range *range; /* sorted; the first begins at 0; made when the first address is looked for */
    size_t nr_ranges;
    size_t last; /* the range found last: neighbours in a profile mostly lie in the same one */
};

struct profile_symbols {
    const struct profile *profile;
    struct object *object;
    size_t nr_objects;
};

/* Symbols that lie in other files are not looked for, on this host or anywhere else. */
static int find_no_debuginfo(Dwfl_Module *module, void **user, const char *name, Dwarf_Addr base,
                             const char *file, const char *link, GElf_Word crc, char **found)
{
    (void)module, (void)user, (void)name, (void)base, (void)file, (void)link, (void)crc, (void)found;
    return -1;
}

static const Dwfl_Callbacks callbacks = {
    .find_elf = dwfl_build_id_find_elf,
    .find_debuginfo = find_no_debuginfo,
    .section_address = dwfl_offline_section_address,
};

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* False when it is no ELF file, or cannot be read. */
static bool open_object(struct object *object, const char *file, uint64_t base)
{
    object->name = strdup(base_name(file));
    object->dwfl = dwfl_begin(&callbacks);
    if (!object->name || !object->dwfl)
        return false;
    object->module = dwfl_report_elf(object->dwfl, object->name, file, -1, base, true);
    dwfl_report_end(object->dwfl, NULL, NULL);
    return object->module != NULL;
}

static void close_object(struct object *object)
{
    free(object->name);
    free(object->range);
    if (object->dwfl)
        dwfl_end(object->dwfl);
}

/* FILE or FILE@ADDRESS. */
static bool add_file(struct profile_symbols *symbols, const char *text, struct diag *diag)
{
    const char *at = strrchr(text, '@');
    uint64_t base = 0;
    char *end, *file = strndup(text, at ? (size_t)(at - text) : strlen(text));
    bool is_good = true;
    if (!file)
        return diag_add(diag, EXIT_STATUS_INTERNAL, "out of memory");
    errno = 0;
    if (at) {
        base = strtoull(at + 1, &end, 0);
        if (at[1] < '0' || at[1] > '9' || *end || errno)
            is_good = diag_add(diag, EXIT_STATUS_USAGE,
                               "profile: --symbols: '%s': allowed: FILE, FILE@ADDRESS", text);
    }
    struct object *object = &symbols->object[symbols->nr_objects];
    if (is_good && access(file, R_OK) != 0)
        is_good = diag_add(diag, EXIT_STATUS_NO_INPUT, "%s: cannot be read: %s", file, strerror(errno));
    else if (is_good && !open_object(object, file, base))
        is_good =
            diag_add(diag, EXIT_STATUS_BAD_DATA, "%s: no ELF file with symbols: %s", file, dwfl_errmsg(-1));
    symbols->nr_objects++;
    free(file);
    return is_good;
}

struct profile_symbols *profile_symbols_create(const struct profile *profile, const char *const *files,
                                               size_t nr_files, struct diag *diag)
{
    const char *image = profile->image;
    struct profile_symbols *symbols = calloc(1, sizeof *symbols);
    if (symbols)
        symbols->object = calloc(nr_files + 1, sizeof *symbols->object);
    if (!symbols || !symbols->object) {
        free(symbols);
        diag_add(diag, EXIT_STATUS_INTERNAL, "out of memory");
        return NULL;
    }
    symbols->profile = profile;
    if (*image && open_object(&symbols->object[0], image, 0))
        symbols->object[symbols->nr_objects++].is_image = true;
    else
        close_object(&symbols->object[0]);
    if (symbols->nr_objects == 0)
        symbols->object[0] = (struct object){.name = NULL};
    for (size_t i = 0; i < nr_files; i++) {
        if (!add_file(symbols, files[i], diag)) {
            profile_symbols_destroy(symbols);
            return NULL;
        }
    }
    return symbols;
}

void profile_symbols_destroy(struct profile_symbols *symbols)
{
    if (!symbols)
        return;
    for (size_t i = 0; i < symbols->nr_objects; i++)
        close_object(&symbols->object[i]);
    free(symbols->object);
    free(symbols);
}

static int compare_ranges(const void *left, const void *right)
{
    const struct range *a = left, *b = right;
    return a->begin < b->begin ? -1 : a->begin > b->begin;
}

/* Where a symbol begins and ends, and behind its first byte: an absolute symbol is of that alone. */
static size_t add_symbols(const struct object *object, int nr_symbols, struct range *range)
{
    size_t nr = 0;
    for (int i = 1; i < nr_symbols; i++) {
        GElf_Sym symbol;
        GElf_Addr address;
        if (!dwfl_module_getsym_info(object->module, i, &symbol, &address, NULL, NULL, NULL))
            continue;
        range[nr++].begin = address;
        range[nr++].begin = address + 1;
        range[nr++].begin = address + symbol.st_size;
    }
    return nr;
}

static size_t add_sections(Elf *elf, GElf_Addr bias, struct range *range)
{
    size_t nr = 0;
    for (Elf_Scn *section = NULL; (section = elf_nextscn(elf, section));) {
        GElf_Shdr header;
        if (!gelf_getshdr(section, &header))
            continue;
        range[nr++].begin = header.sh_addr + bias;
        range[nr++].begin = header.sh_addr + bias + header.sh_size;
    }
    return nr;
}

/* All that the choice of a symbol for an address can depend on. False when memory is short. */
static bool make_ranges(struct object *object)
{
    enum { OF_A_SYMBOL = 3, OF_A_SECTION = 2, OTHERS = 1 };
    GElf_Addr bias;
    Elf *elf = dwfl_module_getelf(object->module, &bias);
    int nr_symbols = dwfl_module_getsymtab(object->module);
    size_t nr_sections = 0, room = OTHERS, nr = 1, kept = 0;
    if (nr_symbols > 0)
        room += OF_A_SYMBOL * (size_t)nr_symbols;
    if (elf && elf_getshdrnum(elf, &nr_sections) == 0)
        room += OF_A_SECTION * nr_sections;
    struct range *range = calloc(room, sizeof *range);
    if (!range)
        return false;
    nr += add_symbols(object, nr_symbols, range + nr);
    if (nr_sections)
        nr += add_sections(elf, bias, range + nr);
    qsort(range, nr, sizeof *range, compare_ranges);
    for (size_t i = 1; i < nr; i++)
        if (range[i].begin != range[kept].begin)
            range[++kept] = range[i];
    object->range = range;
    object->nr_ranges = kept + 1;
    return true;
}

static bool is_in(const struct object *object, size_t range, uint64_t linear)
{
    return linear >= object->range[range].begin &&
           (range + 1 == object->nr_ranges || linear < object->range[range + 1].begin);
}

static struct range *range_of(struct object *object, uint64_t linear)
{
    if (!object->range && !make_ranges(object))
        return NULL;
    size_t low = 0, high = object->nr_ranges;
    if (is_in(object, object->last, linear))
        return &object->range[object->last];
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (object->range[middle].begin <= linear)
            low = middle;
        else
            high = middle;
    }
    object->last = low;
    return &object->range[low];
}

/* What libdw says, a range with no name when it does not know. */
static struct range ask(const struct object *object, uint64_t linear)
{
    GElf_Off offset = 0;
    GElf_Sym symbol = {.st_size = 0};
    const char *name = dwfl_module_addrinfo(object->module, linear, &offset, &symbol, NULL, NULL, NULL);
    return (struct range){.is_known = true,
                          .function = name && *name ? name : NULL,
                          .function_begin = linear - offset,
                          .size_bytes = symbol.st_size};
}

static bool find_in(struct object *object, uint64_t linear, struct profile_place *place)
{
    if (!object->module || dwfl_addrmodule(object->dwfl, linear) != object->module)
        return false;
    struct range *range = range_of(object, linear), answer;
    if (range && range->is_known) {
        answer = *range;
    } else {
        answer = ask(object, linear);
        if (range) {
            answer.begin = range->begin;
            *range = answer;
        }
    }
    if (!answer.function)
        return false;
    *place = (struct profile_place){.function = answer.function,
                                    .begin = answer.function_begin,
                                    .size_bytes = answer.size_bytes,
                                    .object = object};
    return true;
}

void profile_symbols_line(uint64_t linear, struct profile_place *place)
{
    const struct object *object = place->object;
    Dwfl_Line *line = object ? dwfl_module_getsrc(object->module, linear) : NULL;
    int number = 0;
    place->source = line ? dwfl_lineinfo(line, NULL, &number, NULL, NULL, NULL) : NULL;
    place->line = number > 0 ? (unsigned)number : 0;
}

/* What the kernel calls it. */
static void find_function(const struct profile *profile, uint64_t linear, struct profile_place *place)
{
    size_t low = 0, high = profile->nr_functions;
    while (low < high) { /* the first that begins behind the address */
        size_t middle = low + (high - low) / 2;
        if (profile->functions[middle].begin <= linear)
            low = middle + 1;
        else
            high = middle;
    }
    const struct profile_function *function = low ? &profile->functions[low - 1] : NULL;
    if (function && linear - function->begin < function->size_bytes)
        *place = (struct profile_place){
            .function = function->name, .begin = function->begin, .size_bytes = function->size_bytes};
}

void profile_symbols_find(const struct profile_symbols *symbols, const char *process, unsigned cpl,
                          uint64_t linear, struct profile_place *place)
{
    struct object *object = symbols->object, *end = object + symbols->nr_objects;
    *place = (struct profile_place){.function = NULL};
    bool is_user = cpl == 3;
    for (object = symbols->object; object < end; object++)
        if ((is_user ? strcmp(object->name, process) == 0 && !object->is_image : object->is_image) &&
            find_in(object, linear, place))
            return;
    for (object = symbols->object; object < end; object++)
        if (!object->is_image && find_in(object, linear, place))
            return;
    for (object = symbols->object; object < end; object++)
        if (find_in(object, linear, place))
            return;
    if (!is_user)
        find_function(symbols->profile, linear, place);
}

bool profile_symbols_address(const struct profile_symbols *symbols, const char *function,
                             struct profile_place *place)
{
    for (size_t i = 0; i < symbols->nr_objects; i++) {
        struct object *object = &symbols->object[i];
        int nr_symbols = dwfl_module_getsymtab(object->module);
        for (int s = 1; s < nr_symbols; s++) {
            GElf_Sym symbol;
            GElf_Addr address;
            const char *name =
                dwfl_module_getsym_info(object->module, s, &symbol, &address, NULL, NULL, NULL);
            if (name && strcmp(name, function) == 0 && symbol.st_shndx != SHN_UNDEF &&
                find_in(object, address, place))
                return true;
        }
    }
    return false;
}

size_t profile_symbols_code(const void *opaque, uint64_t linear, uint8_t *bytes, size_t nr_bytes)
{
    const struct object *object = opaque;
    GElf_Addr bias;
    Elf *elf = dwfl_module_getelf(object->module, &bias);
    size_t nr_headers, size;
    const char *raw = elf ? elf_rawfile(elf, &size) : NULL;
    if (!raw || elf_getphdrnum(elf, &nr_headers) != 0)
        return 0;
    for (size_t i = 0; i < nr_headers; i++) {
        GElf_Phdr header;
        if (!gelf_getphdr(elf, (int)i, &header) || header.p_type != PT_LOAD)
            continue;
        uint64_t offset = linear - bias - header.p_vaddr;
        if (offset >= header.p_filesz || header.p_offset > size || offset >= size - header.p_offset)
            continue;
        uint64_t room = header.p_filesz - offset, rest = size - header.p_offset - offset;
        room = room < rest ? room : rest;
        size_t nr = room < nr_bytes ? (size_t)room : nr_bytes;
        memcpy(bytes, raw + header.p_offset + offset, nr);
        return nr;
    }
    return 0;
}

unsigned profile_symbols_code_bits(const void *opaque)
{
    const struct object *object = opaque;
    GElf_Addr bias;
    Elf *elf = dwfl_module_getelf(object->module, &bias);
    return elf && gelf_getclass(elf) == ELFCLASS64 ? 64 : 32;
}
