/*
 * Three IDE disks: on the primary channel one of 131072 old sectors as ide.sh makes them and a slave of
 * 2048 new ones, on the secondary channel new ones.
 */
#include "ide.h"

static void use_secondary(bool is_secondary)
{
    if (is_secondary == (block == 0x170))
        return;
    block = is_secondary ? 0x170 : 0x1f0;
    control = is_secondary ? 0x376 : 0x3f6;
    irq_bit = is_secondary ? 7 : 6;
    bus_master = (uint16_t)(is_secondary ? bus_master + 8 : bus_master - 8);
}

static void select(u8 which)
{
    set(DEVICE, LBA | which);
    settle();
}

/* Sector 3 of each of three disks, by PIO, where the first has old sectors, and the others new ones. */
static void check_sector_3(const char *what, u8 which, bool is_new)
{
    clear(BUFFER, 1);
    address_28(3, 1);
    select(which);
    set(STATUS, READ);
    check(what, read_blocks(BUFFER, 128), 1);
    check("its sector", is_new ? nr_wrong(BUFFER, 3, 1, 2000003, 5) : nr_old(BUFFER, 3, 1), 0);
}

/* A slave of 2048 sectors beside the disk, and another disk as the secondary master. */
static void more_disks(void)
{
    outb(control, NO_INTERRUPT);
    select(0);
    set(COUNT, 0x77);
    select(SLAVE);
    check("both take what is written", reg(COUNT), 0x77);
    check("the slave is ready", reg(STATUS) & (u8)~DSC, DRDY);
    get_identity();
    check("the slave's sectors", words[60] | (u32)words[61] << 16, 2048);
    check_sector_3("READ SECTORS of the slave", SLAVE, true);
    check_sector_3("READ SECTORS of the master", 0, false);
    select(SLAVE);
    check("no such command of the slave", command(0xff), DRDY | ERR);
    select(0);
    check("the master has no error", reg(STATUS) & (u8)~DSC, DRDY);
    select(SLAVE);
    check("the slave has it still", reg(ERROR), ABRT);
    address_28(2048, 1);
    select(SLAVE);
    check("READ SECTORS behind the slave's end", command(READ), DRDY | ERR);
    check_refused("refused");
    address_28(2048, 1);
    check("which the master has", command(VERIFY), DRDY);
    select(SLAVE);
    check("EXECUTE DEVICE DIAGNOSTIC", command(DIAGNOSE), DRDY);
    check("it selects the master", reg(DEVICE) & SLAVE, 0);
    for (unsigned i = 0; i < 2; i++) {
        check("diagnosed", reg(ERROR), 1);
        check("signature", reg(COUNT) | reg(LOW) << 8 | reg(MID) << 16 | reg(HIGH) << 24, 0x0101);
        select(SLAVE);
    }
    reset(NO_INTERRUPT);
    check("after a reset", settle(), DRDY);
    check("the master is selected", reg(DEVICE) & SLAVE, 0);
    select(SLAVE);
    check("the slave is ready", reg(STATUS) & (u8)~DSC, DRDY);
    region(0, BUFFER, 1024, true);
    start(true);
    address_28(10, 2);
    set(DEVICE, LBA | SLAVE);
    set(STATUS, READ_DMA);
    check("READ DMA of the slave", stop(), ASKED);
    check("it ends", told(), DRDY);
    check("its sectors", nr_wrong(BUFFER, 10, 2, 2000003, 5), 0);

    use_secondary(true);
    outb(control, NO_INTERRUPT);
    check_sector_3("READ SECTORS of the secondary channel", 0, true);
    select(SLAVE);
    check("no secondary slave", reg(STATUS), 0);
    select(0);
    outb(control, 0);
    check("IRQ 15 is quiet", asks(), false);
    command(0xe7);
    check("IRQ 15", asks(), true);
    use_secondary(false);
    check("not IRQ 14", asks(), false);
    use_secondary(true);
    told();
    check("IRQ 15 is quiet", asks(), false);
}

/* Both channels move at once: 128 sectors of each. */
static void both_channels(void)
{
    enum { OTHER = BUFFER + 0x100000 };
    clear(BUFFER, 128);
    clear(OTHER, 128);
    for (unsigned i = 0; i < 2; i++) {
        use_secondary(i);
        region(2 * i, i ? OTHER : BUFFER, 0, true);
        start(true);
        outb(bus_master + BM_COMMAND, 0);
        outl(bus_master + BM_LIST, address(prd + 4 * i));
        outb(bus_master + BM_COMMAND, TO_MEMORY | START);
        address_28(300 + 100 * i, 128);
        set(STATUS, READ_DMA);
    }
    for (unsigned i = 0; i < 2; i++) {
        use_secondary(i);
        check("READ DMA on both channels", stop(), ASKED);
        check("it ends", told(), DRDY);
    }
    check("the primary one's sectors", nr_old(BUFFER, 300, 128), 0);
    check("the secondary one's sectors", nr_wrong(OTHER, 400, 128, 2000003, 5), 0);
    use_secondary(false);
}

void main(const char *word)
{
    (void)word;
    pic_init();
    outb(0x4d1, inb(0x4d1) | 0xc0);
    find();
    more_disks();
    both_channels();
}
