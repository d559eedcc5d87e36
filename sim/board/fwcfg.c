#include "sim/board/fwcfg.h"

#include "sim/base/snap.h"
#include "sim/board/tables.h"

#include <stdlib.h>
#include <string.h>

/* The selector takes writes of 16 bits, the byte above it reads of 8. */
enum { FWCFG_PORT = 0x510, SELECTOR = 0, DATA = 1 };
enum fwcfg_key { KEY_SIGNATURE = 0x00, KEY_VERSION = 0x01, KEY_DIRECTORY = 0x19, KEY_FILES = 0x20 };
enum { VERSION_TRADITIONAL = 1, FILE_NAME_BYTES = 56, MEMORY_USABLE_TYPE = 1 };

/* As the firmware reads them: numbers of the directory are big-endian, those in files little-endian. */
struct directory_entry {
    uint8_t size[4], key[2], reserved[2];
    char name[FILE_NAME_BYTES];
};
enum { MAX_FILES = 5 };
struct directory {
    uint8_t nr_files[4];
    struct directory_entry files[MAX_FILES];
};
struct e820_entry {
    uint8_t base[8], size_bytes[8], type[4];
};

struct fwcfg {
    uint16_t key;
    uint32_t at; /* the next byte of the item */
    uint8_t version[4];
    struct directory directory;
    struct {
        const void *bytes;
        size_t nr_bytes;
    } files[MAX_FILES]; /* as the directory has them */
    unsigned nr_files;
    struct e820_entry e820[1];
    uint8_t console_port[8];
    struct tables_files tables;
};

static void put_big(uint8_t *into, uint32_t value, unsigned nr_bytes)
{
    for (unsigned i = 0; i < nr_bytes; i++)
        into[i] = (uint8_t)(value >> (nr_bytes - 1 - i) * 8);
}

static void put_little(uint8_t *into, uint64_t value, unsigned nr_bytes)
{
    for (unsigned i = 0; i < nr_bytes; i++)
        into[i] = (uint8_t)(value >> i * 8);
}

/* The item that is selected; what is not there has no bytes. */
static const uint8_t *item(const struct fwcfg *fwcfg, size_t *nr_bytes)
{
    static const uint8_t signature[] = {'Q', 'E', 'M', 'U'};
    switch (fwcfg->key) {
    case KEY_SIGNATURE:
        *nr_bytes = sizeof(signature);
        return signature;
    case KEY_VERSION:
        *nr_bytes = sizeof(fwcfg->version);
        return fwcfg->version;
    case KEY_DIRECTORY:
        *nr_bytes = sizeof(fwcfg->directory);
        return (const uint8_t *)&fwcfg->directory;
    default:
        break;
    }
    unsigned file = fwcfg->key - (unsigned)KEY_FILES; /* what is below is far above all files */
    *nr_bytes = file < fwcfg->nr_files ? fwcfg->files[file].nr_bytes : 0;
    return file < fwcfg->nr_files ? fwcfg->files[file].bytes : NULL;
}

/* Behind the end of an item there are zeros. */
static uint64_t read_port(void *opaque, uint64_t offset, unsigned size)
{
    struct fwcfg *fwcfg = opaque;
    size_t nr_bytes;
    const uint8_t *bytes = item(fwcfg, &nr_bytes);
    if (offset != DATA || size != 1)
        return UINT64_MAX;
    return fwcfg->at < nr_bytes ? bytes[fwcfg->at++] : 0;
}

static void write_port(void *opaque, uint64_t offset, unsigned size, uint64_t value)
{
    struct fwcfg *fwcfg = opaque;
    if (offset != SELECTOR || size != 2)
        return;
    fwcfg->key = (uint16_t)value;
    fwcfg->at = 0;
}

static void add_file(struct fwcfg *fwcfg, const char *name, const void *bytes, size_t nr_bytes)
{
    unsigned index = fwcfg->nr_files++;
    fwcfg->files[index].bytes = bytes;
    fwcfg->files[index].nr_bytes = nr_bytes;
    put_big(fwcfg->directory.nr_files, fwcfg->nr_files, 4);
    struct directory_entry *entry = &fwcfg->directory.files[index];
    put_big(entry->size, (uint32_t)nr_bytes, 4);
    put_big(entry->key, KEY_FILES + index, 2);
    strncpy(entry->name, name, sizeof(entry->name) - 1);
}

struct fwcfg *fwcfg_create(const struct fwcfg_params *params, struct iomap *ports, struct diag *diag)
{
    struct fwcfg *fwcfg = calloc(1, sizeof(*fwcfg));
    if (!fwcfg) {
        diag_add(diag, EXIT_STATUS_INTERNAL, "firmware configuration: out of memory");
        return NULL;
    }
    put_little(fwcfg->version, VERSION_TRADITIONAL, 4);
    put_little(fwcfg->e820[0].size_bytes, params->ram_bytes, 8);
    put_little(fwcfg->e820[0].type, MEMORY_USABLE_TYPE, 4);
    put_little(fwcfg->console_port, params->console_port, 8);
    add_file(fwcfg, "etc/e820", fwcfg->e820, sizeof(fwcfg->e820));
    if (params->console_port)
        add_file(fwcfg, "etc/sercon-port", fwcfg->console_port, sizeof(fwcfg->console_port));
    if (params->tables) {
        struct tables_files *tables = &fwcfg->tables;
        *tables = *params->tables;
        add_file(fwcfg, "etc/acpi/tables", tables->tables, tables->tables_bytes);
        add_file(fwcfg, "etc/acpi/rsdp", tables->rsdp, sizeof(tables->rsdp));
        add_file(fwcfg, "etc/table-loader", tables->commands, tables->commands_bytes);
    }
    const struct io_range range = {.name = "firmware configuration",
                                   .base = FWCFG_PORT,
                                   .size = 2,
                                   .widths = IO_WIDTH_1 | IO_WIDTH_2,
                                   .read = read_port,
                                   .write = write_port,
                                   .opaque = fwcfg};
    if (!iomap_add(ports, &range, diag)) {
        fwcfg_destroy(fwcfg);
        return NULL;
    }
    return fwcfg;
}

void fwcfg_destroy(struct fwcfg *fwcfg)
{
    free(fwcfg);
}

void fwcfg_snap(struct fwcfg *fwcfg, struct snap *snap)
{
    SNAP(snap, fwcfg->key); /* the rest is made from the configuration */
    SNAP(snap, fwcfg->at);
}
