/* Takes three frames that come over the wire, and sends each back with its addresses exchanged. */
#include "nic.h"

static void answer(u32 i)
{
    u32 nr_bytes = rx[i].length;
    for (u32 j = 0; j < nr_bytes; j++)
        tx_buffer(i)[j] = rx_buffer(i)[j < 6 ? j + 6 : j < 12 ? j - 6 : j];
    send_legacy(i, nr_bytes, EOP | IFCS | RS);
}

void main(const char *word)
{
    enum { NR_FRAMES = 3 };
    is_qemu = word[0] == 'q';
    pic_init();
    check("it is there", find_nic(), 1);
    set_config(4, (config(4) & 0xffff) | 7);
    registers_at = config(0x10) & ~0xfu;
    check("the link is up", get(STATUS) & 2, 2);
    make_rings();
    phy_write(0, 0x1140);
    for (u32 i = 0; i < NR_FRAMES; i++) {
        while (!(rx[i].status & 1))
            ;
        check("whole, and good", rx[i].status & 3, 3);
        answer(i);
        check("sent back", wait_for_slot_sent(i), 1);
    }
    for (volatile u32 wait = 0; wait < 100000; wait = wait + 1)
        ;
    check("no more come", rx[NR_FRAMES].status, 0);
    finish();
}
