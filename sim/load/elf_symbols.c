#include "sim/load/elf_symbols.h"

#include "sim/load/elf_image.h"

#include <ctype.h>
#include <gelf.h>
#include <inttypes.h>
#include <libelf.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct symbol {
    uint64_t start, bytes; /* bytes == 0: not known */
    char *name;
};

/* By their start. */
struct table {
    struct symbol *symbol;
    size_t nr;
};

struct elf_symbols {
    struct table function, data;
};

/* Of several at one address, that with the first name, whatever the order in the file. */
static int compare(const void *a, const void *b)
{
    const struct symbol *p = a, *q = b;
    if (p->start != q->start)
        return p->start < q->start ? -1 : 1;
    return strcmp(p->name, q->name);
}

struct elf_symbols *elf_symbols_create(void)
{
    return calloc(1, sizeof(struct elf_symbols));
}

bool elf_symbols_add(struct elf_symbols *symbols, enum elf_symbol_kind kind, uint64_t address, uint64_t bytes,
                     const char *name, size_t name_chars)
{
    struct table *table = kind == ELF_SYMBOL_FUNCTION ? &symbols->function : &symbols->data;
    struct symbol *more = table->symbol;
    if ((table->nr & (table->nr - 1)) == 0)
        more = realloc(more, (table->nr ? 2 * table->nr : 1) * sizeof *more);
    if (!more)
        return false;
    table->symbol = more;
    more[table->nr] = (struct symbol){.start = address, .bytes = bytes, .name = strndup(name, name_chars)};
    return more[table->nr].name && ++table->nr;
}

static void sort_table(struct table *table)
{
    if (table->nr)
        qsort(table->symbol, table->nr, sizeof *table->symbol, compare);
}

void elf_symbols_settle(struct elf_symbols *symbols)
{
    sort_table(&symbols->function);
    sort_table(&symbols->data);
}

static void add_table(struct elf_symbols *symbols, Elf *elf, Elf_Scn *section, const GElf_Shdr *header)
{
    Elf_Data *data = elf_getdata(section, NULL);
    GElf_Sym symbol;
    for (int i = 0; data && gelf_getsym(data, i, &symbol); i++) {
        const char *name = elf_strptr(elf, header->sh_link, symbol.st_name);
        unsigned type = GELF_ST_TYPE(symbol.st_info);
        if ((type == STT_FUNC || type == STT_OBJECT) && symbol.st_shndx != SHN_UNDEF && name && *name &&
            !elf_symbols_add(symbols, type == STT_FUNC ? ELF_SYMBOL_FUNCTION : ELF_SYMBOL_DATA,
                             symbol.st_value, symbol.st_size, name, strlen(name)))
            return;
    }
}

static void add_all(struct elf_symbols *symbols, const struct file_map *map)
{
    elf_version(EV_CURRENT);
    Elf *elf = elf_memory((char *)(uintptr_t)map->bytes, (size_t)map->size);
    GElf_Shdr header;
    for (Elf_Scn *section = NULL; elf && (section = elf_nextscn(elf, section)) != NULL;) {
        if (gelf_getshdr(section, &header) && header.sh_type == SHT_SYMTAB)
            add_table(symbols, elf, section, &header);
    }
    elf_end(elf);
}

/* One line of a System.map, without its end. False: it is none. */
static bool add_line(struct elf_symbols *symbols, const char *line, size_t length)
{
    uint64_t address = 0;
    size_t at = 0;
    for (; at < length && at < 16 && isxdigit((unsigned char)line[at]); at++) {
        unsigned digit = (unsigned char)line[at];
        address = address << 4 | (digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10u);
    }
    if (at == 0 || at + 3 >= length || line[at] != ' ' || line[at + 2] != ' ')
        return false;
    bool is_function = strchr("tTwW", line[at + 1]) != NULL;
    if (is_function || strchr("aAbBdDrRvV", line[at + 1]))
        elf_symbols_add(symbols, is_function ? ELF_SYMBOL_FUNCTION : ELF_SYMBOL_DATA, address, 0,
                        line + at + 3, length - at - 3);
    return true;
}

static void add_lines(struct elf_symbols *symbols, const struct file_map *map)
{
    if (map->size == 0)
        return; /* and there are no bytes to point at */
    const char *line = (const char *)map->bytes, *end = line + map->size;
    while (line < end) {
        const char *newline = memchr(line, '\n', (size_t)(end - line));
        size_t length = (size_t)((newline ? newline : end) - line);
        if (!add_line(symbols, line, length))
            return;
        line += length + 1;
    }
}

struct elf_symbols *elf_symbols_load(const char *file)
{
    struct file_map map;
    struct diag unwanted;
    struct elf_symbols *symbols = elf_symbols_create();
    diag_init(&unwanted);
    if (symbols && file_map_open(&map, file, &unwanted)) {
        if (is_elf(&map))
            add_all(symbols, &map);
        else
            add_lines(symbols, &map);
        file_map_close(&map);
    }
    diag_fini(&unwanted);
    if (symbols)
        elf_symbols_settle(symbols);
    if (symbols && symbols->function.nr)
        return symbols;
    elf_symbols_free(symbols);
    return NULL;
}

static void free_table(struct table *table)
{
    for (size_t i = 0; i < table->nr; i++)
        free(table->symbol[i].name);
    free(table->symbol);
}

void elf_symbols_free(struct elf_symbols *symbols)
{
    if (!symbols)
        return;
    free_table(&symbols->function);
    free_table(&symbols->data);
    free(symbols);
}

const char *elf_symbols_bounds(const struct elf_symbols *symbols, uint64_t address, uint64_t *start,
                               uint64_t *bytes)
{
    const struct symbol *all = symbols ? symbols->function.symbol : NULL;
    size_t low = 0, high = symbols ? symbols->function.nr : 0;
    while (low < high) { /* the first that begins behind the address */
        size_t middle = low + (high - low) / 2;
        if (all[middle].start <= address)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0)
        return NULL;
    /* Of those that begin at one address, the first by name. */
    const struct symbol *symbol = &all[low - 1];
    while (symbol > all && symbol[-1].start == symbol->start)
        symbol--;
    *start = symbol->start;
    *bytes = symbol->bytes;
    return symbol->bytes == 0 || address - symbol->start < symbol->bytes ? symbol->name : NULL;
}

const char *elf_symbols_find(const struct elf_symbols *symbols, uint64_t address, uint64_t *offset)
{
    uint64_t start = 0, bytes;
    const char *name = elf_symbols_bounds(symbols, address, &start, &bytes);
    *offset = address - start;
    return name;
}

void elf_symbols_place(const struct elf_symbols *symbols, uint64_t address, char *text, size_t size)
{
    uint64_t offset;
    const char *name = elf_symbols_find(symbols, address, &offset);
    if (name)
        snprintf(text, size, "%.80s+%#" PRIx64, name, offset);
    else
        snprintf(text, size, "%08" PRIx64, address);
}

static bool find_name(const struct table *table, const char *name, uint64_t *address)
{
    for (size_t i = 0; i < table->nr; i++) {
        if (strcmp(table->symbol[i].name, name) == 0) {
            *address = table->symbol[i].start;
            return true;
        }
    }
    return false;
}

bool elf_symbols_address(const struct elf_symbols *symbols, const char *name, uint64_t *address)
{
    return symbols &&
           (find_name(&symbols->function, name, address) || find_name(&symbols->data, name, address));
}
