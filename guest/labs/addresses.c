/*
 * A13. One byte has several addresses: physical 0, which is what RAM is asked for; virtual C0000000, by
 * which this kernel reaches it; bus 80000000, by which a device does.
 */
#include "asm/fixmap.h"
#include "asm/pgtable.h"
#include "asm/setup.h"
#include "bug.h"
#include "dmaengine.h"
#include "lab.h"

#define BUS_OF_PHYSICAL_0 0x80000000u

/* What the engine reads at that bus address is what the CPU wrote at physical 0. */
static void check_bus_address(volatile u8 *direct)
{
    struct dma_chan *chan = dma_request_channel();
    if (chan == NULL) {
        lab_skip("no DMA engine reaches memory here: there are no bus addresses");
        return;
    }
    struct device *engine = dma_engine_device();
    dma_addr_t to_bus;
    u8 *to = dma_alloc_coherent(engine, 1, &to_bus, GFP_KERNEL), kept = *direct, other = kept ^ 0x55;
    BUG_ON(to == NULL);
    *direct = other;
    dma_addr_t bus = dma_map_single(engine, __va(0), 1, DMA_TO_DEVICE);
    int error = dma_memcpy(chan, to_bus, BUS_OF_PHYSICAL_0, 1, NULL);
    dma_unmap_single(engine, bus, 1, DMA_TO_DEVICE);
    lab_check(bus == BUS_OF_PHYSICAL_0, "bus %08llx: dma_map_single() says so", bus);
    lab_check(error == 0 && *to == other, "%02x, written there, is what the DMA engine reads at %08llx",
              other, bus);
    *direct = kept;
    dma_free_coherent(engine, 1, to, to_bus);
    dma_release_channel(chan);
}

static void addresses(void)
{
    volatile u8 *direct = __va(0);
    lab_say("The first byte of RAM, by the addresses that it has:");
    phys_addr_t physical = show_page_walk((unsigned long)direct);
    lab_check((unsigned long)direct == 0xC0000000 && physical == 0,
              "virtual %08lx: the page tables lead to physical %08llx", (unsigned long)direct, physical);

    /*
     * Its frame mapped a second time: if what is written by the one is read by the other, they are one
     * byte.
     */
    set_fixmap(FIX_LAB, 0, _PAGE_KERNEL);
    volatile u8 *alias = (volatile u8 *)fix_to_virt(FIX_LAB);
    u8 kept = *direct, other = kept ^ 0xFF;
    *direct = other;
    lab_check(*alias == other, "%02x, written there, is read at physical 0, mapped at %08lx", other,
              (unsigned long)alias);
    *alias = kept;
    lab_check(*direct == kept, "%02x, written at %08lx, is read at %08lx", kept, (unsigned long)alias,
              (unsigned long)direct);
    set_fixmap(FIX_LAB, 0, 0);
    check_bus_address(direct);
}
LAB("addresses", addresses);
