/*
 * The card's EEPROM, a 93C46 (64 words of 16 bits, Microwire): by EERD a word at a time, or by its four
 * wires in EECD as drivers for Linux do (manual 5.2, 5.3, 13.4.3, 13.4.4).
 *
 * A command begins with a 1 while CS is high: two bits of operation, six of address, and data, high bit
 * first. DI is taken as SK rises, and DO changes with it; a read gives a 0 before its word.
 */
#include "dma/nic_internal.h"

#include <string.h>

/* Words (manual table 5-2). */
enum {
    WORD_STATION = 0x00,
    WORD_COMPATIBILITY = 0x03,
    WORD_BOARD = 0x08,
    WORD_CONTROL_1 = 0x0a,
    WORD_SUBSYSTEM = 0x0b,
    WORD_SUBSYSTEM_VENDOR = 0x0c,
    WORD_DEVICE = 0x0d,
    WORD_VENDOR = 0x0e,
    WORD_CONTROL_2 = 0x0f,
    WORD_CHECKSUM = 0x3f,
};
enum { CHECKSUM = 0xbaba, CONTROL_1 = 0x4408, CONTROL_2 = 0x3049, SUBSYSTEM = 0x001e };

/* Reading a word by EERD takes its 25 bits on wires of 1 MHz. */
enum { READ_NANOSECONDS = 25000 };

enum {
    START_AND_OPERATION = 3,
    ADDRESS_BITS = 6,
    COMMAND_BITS = START_AND_OPERATION + ADDRESS_BITS,
    WORD_BITS = 16
};
enum { EXTENDED, WRITE, READ, ERASE };                      /* operations */
enum { WRITE_DISABLE, WRITE_ALL, ERASE_ALL, WRITE_ENABLE }; /* extended ones: the high bits of the address */
enum { SET_WIRES = EECD_SK | EECD_CS | EECD_DI | EECD_REQ };

static const uint8_t station[] = {0x52, 0x54, 0x00, 0x12, 0x34, 0x56};

const uint8_t *nic_station(void)
{
    return station;
}

void nic_eeprom_init(struct nic_eeprom *eeprom)
{
    uint16_t *words = eeprom->words;
    *eeprom = (struct nic_eeprom){.out = true};
    memset(words, 0xff, sizeof eeprom->words);
    for (unsigned i = 0; i < sizeof station / 2; i++)
        words[WORD_STATION + i] = nic_get16(station + 2 * i);
    words[WORD_COMPATIBILITY] = 0;
    words[WORD_BOARD] = words[WORD_BOARD + 1] = 0;
    words[WORD_CONTROL_1] = CONTROL_1;
    words[WORD_SUBSYSTEM] = SUBSYSTEM;
    words[WORD_SUBSYSTEM_VENDOR] = NIC_VENDOR;
    words[WORD_DEVICE] = NIC_DEVICE;
    words[WORD_VENDOR] = NIC_VENDOR;
    words[WORD_CONTROL_2] = CONTROL_2;
    uint16_t sum = 0;
    for (unsigned i = 0; i < WORD_CHECKSUM; i++)
        sum = (uint16_t)(sum + words[i]);
    words[WORD_CHECKSUM] = (uint16_t)(CHECKSUM - sum);
}

/* ---- Words ---- */

uint32_t nic_read_eerd(const struct nic *nic, cycle_t now)
{
    return now < nic->eeprom.read_done ? nic->eeprom.read & ~(uint32_t)EERD_DONE : nic->eeprom.read;
}

void nic_write_eerd(struct nic *nic, uint32_t value, cycle_t now)
{
    struct nic_eeprom *eeprom = &nic->eeprom;
    uint32_t address = value >> EERD_ADDRESS_SHIFT & 0xff;
    eeprom->read = address << EERD_ADDRESS_SHIFT;
    if (!(value & EERD_START))
        return;
    eeprom->read |= EERD_DONE | (uint32_t)eeprom->words[address % NIC_EEPROM_WORDS] << EERD_DATA_SHIFT;
    eeprom->read_done = now + nic_cycles(nic, READ_NANOSECONDS);
}

/* ---- Wires ---- */

static void put_all(struct nic_eeprom *eeprom, uint16_t word)
{
    for (unsigned i = 0; i < NIC_EEPROM_WORDS; i++)
        eeprom->words[i] = word;
}

/* Start, operation and address are here. */
static void begin_command(struct nic_eeprom *eeprom)
{
    unsigned operation = eeprom->taken >> ADDRESS_BITS & 3, address = eeprom->taken % NIC_EEPROM_WORDS;
    unsigned extended = address >> (ADDRESS_BITS - 2);
    if (operation == READ) {
        eeprom->shifted = eeprom->words[address];
        eeprom->nr_left = WORD_BITS;
        eeprom->out = false;
    } else if (operation == ERASE && eeprom->may_write) {
        eeprom->words[address] = 0xffff;
    } else if (operation == EXTENDED && (extended == WRITE_ENABLE || extended == WRITE_DISABLE)) {
        eeprom->may_write = extended == WRITE_ENABLE;
    } else if (operation == EXTENDED && extended == ERASE_ALL && eeprom->may_write) {
        put_all(eeprom, 0xffff);
    }
}

/* A word behind them. */
static void end_command(struct nic_eeprom *eeprom)
{
    unsigned operation = eeprom->taken >> (ADDRESS_BITS + WORD_BITS) & 3;
    unsigned address = (eeprom->taken >> WORD_BITS) % NIC_EEPROM_WORDS;
    if (!eeprom->may_write)
        return;
    if (operation == WRITE)
        eeprom->words[address] = (uint16_t)eeprom->taken;
    else if (operation == EXTENDED && address >> (ADDRESS_BITS - 2) == WRITE_ALL)
        put_all(eeprom, (uint16_t)eeprom->taken);
}

static void clock_rises(struct nic_eeprom *eeprom, bool in)
{
    if (eeprom->nr_left) {
        eeprom->out = eeprom->shifted >> --eeprom->nr_left & 1;
        return;
    }
    if (eeprom->nr_taken == 0 && !in)
        return; /* it waits for the start bit */
    if (eeprom->nr_taken == COMMAND_BITS + WORD_BITS)
        return;
    eeprom->taken = eeprom->taken << 1 | in;
    eeprom->nr_taken++;
    if (eeprom->nr_taken == COMMAND_BITS)
        begin_command(eeprom);
    else if (eeprom->nr_taken == COMMAND_BITS + WORD_BITS)
        end_command(eeprom);
}

void nic_write_eecd(struct nic_eeprom *eeprom, uint32_t value)
{
    uint32_t before = eeprom->wires;
    eeprom->wires = value & SET_WIRES;
    if (!(value & EECD_CS)) {
        eeprom->taken = eeprom->nr_taken = eeprom->nr_left = 0;
        eeprom->out = true; /* ready: what was written is there at once */
    } else if ((value & EECD_SK) && !(before & EECD_SK)) {
        clock_rises(eeprom, value & EECD_DI);
    }
}

uint32_t nic_read_eecd(const struct nic_eeprom *eeprom)
{
    return eeprom->wires | (eeprom->out ? EECD_DO : 0) | EECD_FWE_DISABLED |
           (eeprom->wires & EECD_REQ ? EECD_GNT : 0) | EECD_PRES;
}
