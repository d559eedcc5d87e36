#include "sim/load/elf_symbols.h"

#include "sim/load/elf_image.h"

#include <gelf.h>
#include <libelf.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct symbol {
    uint64_t start, bytes; /* bytes == 0: not known */
    char *name;
};

struct elf_symbols {
    struct symbol *symbol; /* by their start */
    size_t nr;
};

/* Of several at one address, that with the first name, whatever the order in the file. */
static int compare(const void *a, const void *b)
{
    const struct symbol *p = a, *q = b;
    if (p->start != q->start)
        return p->start < q->start ? -1 : 1;
    return strcmp(p->name, q->name);
}

static bool add(struct elf_symbols *symbols, const GElf_Sym *from, const char *name)
{
    struct symbol *more = symbols->symbol;
    if ((symbols->nr & (symbols->nr - 1)) == 0)
        more = realloc(more, (symbols->nr ? 2 * symbols->nr : 1) * sizeof *more);
    if (!more)
        return false;
    symbols->symbol = more;
    more[symbols->nr] =
        (struct symbol){.start = from->st_value, .bytes = from->st_size, .name = strdup(name)};
    return more[symbols->nr].name && ++symbols->nr;
}

static void add_table(struct elf_symbols *symbols, Elf *elf, Elf_Scn *section, const GElf_Shdr *header)
{
    Elf_Data *data = elf_getdata(section, NULL);
    GElf_Sym symbol;
    for (int i = 0; data && gelf_getsym(data, i, &symbol); i++) {
        const char *name = elf_strptr(elf, header->sh_link, symbol.st_name);
        if (GELF_ST_TYPE(symbol.st_info) == STT_FUNC && symbol.st_shndx != SHN_UNDEF && name && *name &&
            !add(symbols, &symbol, name))
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
    if (symbols->nr)
        qsort(symbols->symbol, symbols->nr, sizeof *symbols->symbol, compare);
}

struct elf_symbols *elf_symbols_load(const char *file)
{
    struct file_map map;
    struct diag unwanted;
    struct elf_symbols *symbols = calloc(1, sizeof *symbols);
    diag_init(&unwanted);
    if (symbols && file_map_open(&map, file, &unwanted)) {
        if (is_elf(&map))
            add_all(symbols, &map);
        file_map_close(&map);
    }
    diag_fini(&unwanted);
    if (symbols && symbols->nr)
        return symbols;
    elf_symbols_free(symbols);
    return NULL;
}

void elf_symbols_free(struct elf_symbols *symbols)
{
    if (!symbols)
        return;
    for (size_t i = 0; i < symbols->nr; i++)
        free(symbols->symbol[i].name);
    free(symbols->symbol);
    free(symbols);
}

const char *elf_symbols_find(const struct elf_symbols *symbols, uint64_t address, uint64_t *offset)
{
    size_t low = 0, high = symbols ? symbols->nr : 0;
    while (low < high) { /* the first that begins behind the address */
        size_t middle = low + (high - low) / 2;
        if (symbols->symbol[middle].start <= address)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0)
        return NULL;
    /* Of those that begin at one address, the first by name. */
    const struct symbol *symbol = &symbols->symbol[low - 1];
    while (symbol > symbols->symbol && symbol[-1].start == symbol->start)
        symbol--;
    *offset = address - symbol->start;
    return symbol->bytes == 0 || *offset < symbol->bytes ? symbol->name : NULL;
}
