#include "sim/observe/vmcoreinfo.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

static const char name[12] = "VMCOREINFO"; /* padded to a multiple of four bytes */
static const char first_key[] = "OSRELEASE=";

/* The note begins a page: the kernel has allocated pages for it. */
static size_t note_bytes_at(const struct ram *ram, uint64_t at)
{
    Elf32_Nhdr header;
    uint64_t room = ram->size_bytes - at;
    memcpy(&header, ram->host + at, sizeof header);
    if (header.n_namesz != sizeof "VMCOREINFO" || header.n_type != 0 || header.n_descsz < sizeof first_key ||
        header.n_descsz > VMCOREINFO_MAX_BYTES)
        return 0;
    size_t nr_bytes = sizeof header + sizeof name + ((header.n_descsz + 3) & ~(size_t)3);
    bool is_note = nr_bytes <= room && memcmp(ram->host + at + sizeof header, name, sizeof name) == 0 &&
                   memcmp(ram->host + at + sizeof header + sizeof name, first_key, sizeof first_key - 1) == 0;
    return is_note ? nr_bytes : 0;
}

const uint8_t *vmcoreinfo_find(const struct ram *ram, size_t *nr_bytes)
{
    uint64_t nr_pages = ram->size_bytes >> PAGE_SHIFT;
    uint8_t *touched = calloc(nr_pages, 1);
    const uint8_t *found = NULL;
    *nr_bytes = 0;
    if (touched && !ram_touched(ram, touched, nr_pages))
        memset(touched, 1, nr_pages);
    for (uint64_t i = 0; touched && !found && i < nr_pages; i++) {
        *nr_bytes = touched[i] ? note_bytes_at(ram, i << PAGE_SHIFT) : 0;
        if (*nr_bytes)
            found = ram->host + (i << PAGE_SHIFT);
    }
    free(touched);
    return found;
}
