/* The answer to IDENTIFY DEVICE, word by word (ATA/ATAPI-6 table 27). */
#include "dma/ata_internal.h"

#include <stdio.h>
#include <string.h>

enum { DEFAULT_HEADS = 16, DEFAULT_SECTORS = 63, MAX_CYLINDERS = 16383, MAX_LBA28 = 0x0fffffff };

void ata_default_geometry(struct ata *ata)
{
    ata->heads = DEFAULT_HEADS;
    ata->sectors = DEFAULT_SECTORS;
}

unsigned ata_cylinders(const struct ata *ata, unsigned heads, unsigned sectors)
{
    uint64_t cylinders = disk_nr_sectors(ata->params.disk) / (heads * sectors);
    if (cylinders == 0)
        return 1; /* which then ends before its end */
    return cylinders < MAX_CYLINDERS ? (unsigned)cylinders : MAX_CYLINDERS;
}

/* Strings are filled with blanks, and the first of two characters is the high byte. */
static void put_text(uint16_t *words, unsigned nr_words, const char *text)
{
    size_t length = strlen(text);
    for (unsigned i = 0; i < nr_words * 2; i++) {
        uint16_t byte = i < length ? (uint8_t)text[i] : ' ';
        words[i / 2] |= (uint16_t)(i % 2 ? byte : byte << 8);
    }
}

static void put_count(uint16_t *words, unsigned nr_words, uint64_t count)
{
    for (unsigned i = 0; i < nr_words; i++)
        words[i] = (uint16_t)(count >> (16 * i));
}

static void put_geometry(const struct ata *ata, uint16_t *words)
{
    unsigned cylinders = ata_cylinders(ata, ata->heads, ata->sectors);
    words[1] = (uint16_t)ata_cylinders(ata, DEFAULT_HEADS, DEFAULT_SECTORS);
    words[3] = DEFAULT_HEADS;
    words[6] = DEFAULT_SECTORS;
    words[54] = (uint16_t)cylinders;
    words[55] = (uint16_t)ata->heads;
    words[56] = (uint16_t)ata->sectors;
    put_count(words + 57, 2, (uint64_t)cylinders * ata->heads * ata->sectors);
}

static void put_features(const struct ata *ata, uint16_t *words)
{
    enum { POWER = 1 << 3, WRITE_CACHE = 1 << 5, LOOK_AHEAD = 1 << 6, NOP = 1 << 14 };    /* 82 */
    enum { ADDRESS_48 = 1 << 10, FLUSH = 1 << 12, FLUSH_EXT = 1 << 13, VALID = 1 << 14 }; /* 83 */
    enum { MULTIWORD_MODES = 7, ULTRA_MODES = 0x3f, MULTIWORD = 0x20, ULTRA = 0x40, MODE = 7 };
    unsigned in_use = 1u << (8 + (ata->dma_mode & MODE));
    words[63] = (uint16_t)(MULTIWORD_MODES | ((ata->dma_mode & ~MODE) == MULTIWORD ? in_use : 0));
    words[88] = (uint16_t)(ULTRA_MODES | ((ata->dma_mode & ~MODE) == ULTRA ? in_use : 0));
    words[82] = NOP | LOOK_AHEAD | WRITE_CACHE | POWER;
    words[83] = VALID | FLUSH_EXT | FLUSH | ADDRESS_48;
    words[84] = VALID;
    words[85] = (uint16_t)(NOP | POWER | (ata->has_look_ahead ? LOOK_AHEAD : 0) |
                           (ata->has_write_cache ? WRITE_CACHE : 0));
    words[86] = FLUSH_EXT | FLUSH | ADDRESS_48;
    words[87] = VALID;
}

void ata_identify(const struct ata *ata, uint16_t words[ATA_IDENTIFY_WORDS])
{
    enum { FIXED = 0x0040, LBA = 1 << 9, DMA = 1 << 8, IORDY = 1 << 11 };
    enum { CYCLE_NS = 120, VERSIONS = 0x70 /* ATA/ATAPI-4 to 6 */, IS_SET = 1 << 8 };
    uint64_t nr_sectors = disk_nr_sectors(ata->params.disk);
    char serial[21];
    memset(words, 0, ATA_IDENTIFY_WORDS * sizeof *words);
    words[0] = FIXED;
    put_geometry(ata, words);
    snprintf(serial, sizeof serial, "LK%05u", ata->params.number + 1);
    put_text(words + 10, 10, serial);
    put_text(words + 23, 4, "1.0");
    put_text(words + 27, 20, "lookaside disk");
    words[47] = 0x8000 | ATA_MAX_MULTIPLE;
    words[49] = IORDY | LBA | DMA;
    words[50] = 1 << 14;
    words[53] = 7; /* words 54-58, 64-70 and 88 mean something */
    words[59] = (uint16_t)(ata->multiple ? IS_SET | ata->multiple : 0);
    put_count(words + 60, 2, nr_sectors < MAX_LBA28 ? nr_sectors : MAX_LBA28);
    words[64] = 3; /* PIO modes 3 and 4 */
    for (unsigned i = 65; i <= 68; i++)
        words[i] = CYCLE_NS;
    words[80] = VERSIONS;
    put_features(ata, words);
    words[93] = 1 << 14 | 1 << 13 | 1; /* device 0 behind a cable of 80 wires, as determined by itself */
    put_count(words + 100, 4, nr_sectors);
}
