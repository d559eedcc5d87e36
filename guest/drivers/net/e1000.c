/*
 * Intel's 82540EM. Packets go out from where they lie, in as many descriptors as they have pieces, and the
 * card makes UDP's checksum; they come in into buffers that become packets. All but opening and closing is
 * done with interrupts off.
 */
#include "e1000.h"
#include "asm/io.h"
#include "asm/irq.h"
#include "asm/irqflags.h"
#include "dma-mapping.h"
#include "errno.h"
#include "iommu.h"
#include "jiffies.h"
#include "netdevice.h"
#include "pci.h"
#include "printk.h"
#include "sched.h"
#include "slab.h"
#include "string.h"

#define NR_RX 64u
#define NR_TX 128u
/* Of one packet: what checksum, the headers, and the pieces. */
#define TX_DESCS_MOST (2 + MAX_SKB_FRAGS)
#define FRAME_MOST 16128u /* bytes, with header and checksum */
#define FRAME_EXTRA (ETH_HLEN + 4u)
#define TIMEOUT_TICKS (HZ / 10)

/* What a descriptor of the transmit ring stands for. */
struct tx_buffer {
    struct sk_buff *skb; /* with the packet's last descriptor */
    dma_addr_t head;     /* the packet's own memory */
    u32 head_bytes;      /* 0: a piece of a page, or nothing */
    struct scatterlist piece;
};

struct rx_buffer {
    struct sk_buff *skb;
    dma_addr_t handle;
};

static struct e1000 {
    struct net_device netdev;
    struct device dma;
    u8 *registers;
    union e1000_tx_desc *tx_ring;
    struct e1000_rx_desc *rx_ring;
    dma_addr_t tx_ring_bus, rx_ring_bus;
    struct tx_buffer tx[NR_TX];
    struct rx_buffer rx[NR_RX];
    u32 tx_next, tx_clean; /* the next free descriptor, and the first that the card has not given back */
    u32 rx_next;
    u32 rx_bytes;                /* of a receive buffer */
    u16 csum_start, csum_offset; /* what the card was told last; 0: nothing */
} e1000 = {.dma = {.name = "e1000", .dma_mask = DMA_BIT_MASK(32)}};

static u32 read_register(u32 reg)
{
    return readl(e1000.registers + reg);
}

static void write_register(u32 reg, u32 value)
{
    writel(value, e1000.registers + reg);
}

/* ---- Out ---- */

static u32 nr_tx_free(void)
{
    return (e1000.tx_clean + NR_TX - e1000.tx_next - 1) % NR_TX;
}

/* The next descriptor is filled in; returns its number. */
static u32 put_desc(const union e1000_tx_desc *desc)
{
    u32 i = e1000.tx_next;
    e1000.tx_ring[i] = *desc;
    e1000.tx_next = (i + 1) % NR_TX;
    return i;
}

/* The card sums from csum_start to the packet's end; it remembers what it was told (3.3.5). */
static void put_context(const struct sk_buff *skb)
{
    u16 start = (u16)(skb->csum_start - skb_headroom(skb)), offset = (u16)(start + skb->csum_offset);
    if (start == e1000.csum_start && offset == e1000.csum_offset)
        return;
    e1000.csum_start = start;
    e1000.csum_offset = offset;
    e1000.tx[e1000.tx_next] = (struct tx_buffer){.skb = NULL};
    put_desc(&(union e1000_tx_desc){.context = {.ipcss = ETH_HLEN,
                                                .tucss = (u8)start,
                                                .tucso = (u8)offset,
                                                .cmd_and_length = E1000_TXD_CMD_DEXT}});
}

static u32 put_data(dma_addr_t address, u32 bytes, u8 popts)
{
    return put_desc(&(union e1000_tx_desc){
        .data = {.buffer_addr = address,
                 .cmd_and_length = bytes | E1000_TXD_DTYP_DATA | E1000_TXD_CMD_DEXT | E1000_TXD_CMD_IFCS,
                 .popts = popts}});
}

static void unmap(const struct tx_buffer *buffer)
{
    struct scatterlist piece = buffer->piece;
    if (buffer->head_bytes)
        dma_unmap_single(&e1000.dma, buffer->head, buffer->head_bytes, DMA_TO_DEVICE);
    else if (piece.page)
        dma_unmap_sg(&e1000.dma, &piece, 1, DMA_TO_DEVICE);
}

static bool put_head(const struct sk_buff *skb, u8 popts)
{
    u32 bytes = skb_headlen(skb);
    dma_addr_t handle = dma_map_single(&e1000.dma, skb->data, bytes, DMA_TO_DEVICE);
    if (dma_mapping_error(handle))
        return false;
    e1000.tx[e1000.tx_next] = (struct tx_buffer){.head = handle, .head_bytes = bytes};
    put_data(handle, bytes, popts);
    return true;
}

static bool put_frag(const struct skb_frag *frag, u8 popts)
{
    struct scatterlist piece = {.page = frag->page, .offset = frag->offset, .length = frag->size};
    if (dma_map_sg(&e1000.dma, &piece, 1, DMA_TO_DEVICE) == 0)
        return false;
    e1000.tx[e1000.tx_next] = (struct tx_buffer){.piece = piece};
    put_data(piece.dma_address, piece.dma_length, popts);
    return true;
}

static bool put_packet(const struct sk_buff *skb)
{
    u8 popts = skb->ip_summed == CHECKSUM_PARTIAL ? E1000_TXD_POPTS_TXSM : 0;
    if (popts)
        put_context(skb);
    bool is_mapped = put_head(skb, popts);
    for (u32 i = 0; i < skb->nr_frags && is_mapped; i++)
        is_mapped = put_frag(&skb->frags[i], popts);
    return is_mapped;
}

static bool e1000_xmit(struct sk_buff *skb, struct net_device *dev)
{
    u32 first = e1000.tx_next;
    if (nr_tx_free() < TX_DESCS_MOST) {
        netif_stop_queue(dev);
        return false;
    }
    if (skb->len > FRAME_MOST || !put_packet(skb)) {
        for (u32 i = first; i != e1000.tx_next; i = (i + 1) % NR_TX)
            unmap(&e1000.tx[i]);
        e1000.tx_next = first;
        e1000.csum_start = 0;
        dev->stats.tx_dropped++;
        kfree_skb(skb);
        return true;
    }
    u32 last = (e1000.tx_next + NR_TX - 1) % NR_TX;
    e1000.tx_ring[last].data.cmd_and_length |= E1000_TXD_CMD_EOP | E1000_TXD_CMD_RS;
    e1000.tx[last].skb = skb;
    write_register(E1000_TDT, e1000.tx_next);
    return true;
}

/* The descriptors of a packet whose last is `last` are free again. */
static void finish_packet(u32 last)
{
    u32 end = (last + 1) % NR_TX;
    for (; e1000.tx_clean != end; e1000.tx_clean = (e1000.tx_clean + 1) % NR_TX)
        unmap(&e1000.tx[e1000.tx_clean]);
    struct sk_buff *skb = e1000.tx[last].skb;
    e1000.netdev.stats.tx_packets++;
    e1000.netdev.stats.tx_bytes += skb->len;
    kfree_skb(skb);
}

/* Looks at the last descriptor of each packet, for the others the card reports nothing. */
static void clean_tx(void)
{
    u32 i = e1000.tx_clean;
    while (i != e1000.tx_next) {
        u32 last = i;
        while (e1000.tx[last].skb == NULL)
            last = (last + 1) % NR_TX;
        if (!(READ_ONCE(e1000.tx_ring[last].data.status) & E1000_TXD_STAT_DD))
            break;
        finish_packet(last);
        i = e1000.tx_clean;
    }
    if (e1000.netdev.is_stopped && nr_tx_free() >= TX_DESCS_MOST)
        netif_wake_queue(&e1000.netdev);
}

/* ---- In ---- */

static bool make_rx_buffer(struct rx_buffer *buffer, gfp_t gfp)
{
    struct sk_buff *skb = alloc_skb(e1000.rx_bytes, gfp);
    if (skb == NULL)
        return false;
    dma_addr_t handle = dma_map_single(&e1000.dma, skb->data, e1000.rx_bytes, DMA_FROM_DEVICE);
    if (dma_mapping_error(handle)) {
        kfree_skb(skb);
        return false;
    }
    *buffer = (struct rx_buffer){.skb = skb, .handle = handle};
    return true;
}

static void give_rx_buffer(u32 i)
{
    e1000.rx_ring[i] = (struct e1000_rx_desc){.buffer_addr = e1000.rx[i].handle};
}

static void receive(struct sk_buff *skb, const struct e1000_rx_desc *desc)
{
    skb_put(skb, desc->length);
    e1000.netdev.stats.rx_packets++;
    e1000.netdev.stats.rx_bytes += skb->len;
    bool is_summed = (desc->status & E1000_RXD_STAT_TCPCS) && !(desc->status & E1000_RXD_STAT_IXSM) &&
                     !(desc->errors & E1000_RXD_ERR_TCPE);
    skb->ip_summed = is_summed ? CHECKSUM_UNNECESSARY : CHECKSUM_NONE;
    if (eth_type_trans(skb, &e1000.netdev))
        netif_rx(skb);
    else
        kfree_skb(skb);
}

/* A frame whose place cannot be filled again is dropped, so that the card never runs out of buffers. */
static void take_frame(u32 i, const struct e1000_rx_desc *desc)
{
    struct net_device_stats *stats = &e1000.netdev.stats;
    struct rx_buffer old = e1000.rx[i];
    bool is_right = (desc->status & E1000_RXD_STAT_EOP) && !(desc->errors & E1000_RXD_ERR_FRAME) &&
                    desc->length && desc->length <= e1000.rx_bytes;
    stats->rx_errors += !is_right;
    if (is_right && make_rx_buffer(&e1000.rx[i], GFP_ATOMIC)) {
        dma_unmap_single(&e1000.dma, old.handle, e1000.rx_bytes, DMA_FROM_DEVICE);
        receive(old.skb, desc);
        return;
    }
    stats->rx_dropped += is_right;
    dma_sync_single_for_device(&e1000.dma, old.handle, e1000.rx_bytes, DMA_FROM_DEVICE);
}

/* Filled buffers follow each other; one in front of the next to be filled is the tail (3.2.6). */
static void clean_rx(void)
{
    u32 i = e1000.rx_next;
    while (READ_ONCE(e1000.rx_ring[i].status) & E1000_RXD_STAT_DD) {
        struct e1000_rx_desc desc = e1000.rx_ring[i];
        take_frame(i, &desc);
        give_rx_buffer(i);
        write_register(E1000_RDT, i);
        i = (i + 1) % NR_RX;
        e1000.rx_next = i;
    }
}

static void update_link(void)
{
    if (read_register(E1000_STATUS) & E1000_STATUS_LU)
        e1000.netdev.flags |= IFF_RUNNING;
    else
        e1000.netdev.flags &= ~IFF_RUNNING;
}

static void e1000_interrupt(void)
{
    u32 causes = read_register(E1000_ICR);
    if (causes == 0 || !(e1000.netdev.flags & IFF_UP))
        return;
    if (causes & E1000_ICR_LSC)
        update_link();
    e1000.netdev.stats.rx_fifo_errors += (causes & E1000_ICR_RXO) != 0;
    clean_rx();
    clean_tx();
}

/* ---- Up and down ---- */

/* All registers as after power on, no interrupts; false: it does not answer. */
static bool reset(void)
{
    unsigned long until = jiffies + TIMEOUT_TICKS;
    write_register(E1000_IMC, ~0u);
    write_register(E1000_RCTL, 0);
    write_register(E1000_TCTL, 0);
    write_register(E1000_CTRL, read_register(E1000_CTRL) | E1000_CTRL_RST);
    do {
        schedule_timeout_uninterruptible(1);
    } while ((read_register(E1000_CTRL) & E1000_CTRL_RST) && !time_after_eq(jiffies, until));
    write_register(E1000_IMC, ~0u);
    read_register(E1000_ICR);
    return !(read_register(E1000_CTRL) & E1000_CTRL_RST);
}

static void free_buffers(void)
{
    for (u32 i = 0; i < NR_RX; i++) {
        struct rx_buffer *buffer = &e1000.rx[i];
        if (buffer->skb == NULL)
            continue;
        dma_unmap_single(&e1000.dma, buffer->handle, e1000.rx_bytes, DMA_FROM_DEVICE);
        kfree_skb(buffer->skb);
        buffer->skb = NULL;
    }
    for (; e1000.tx_clean != e1000.tx_next; e1000.tx_clean = (e1000.tx_clean + 1) % NR_TX) {
        struct tx_buffer *buffer = &e1000.tx[e1000.tx_clean];
        unmap(buffer);
        if (buffer->skb)
            kfree_skb(buffer->skb);
    }
    if (e1000.tx_ring)
        dma_free_coherent(&e1000.dma, NR_TX * sizeof(*e1000.tx_ring), e1000.tx_ring, e1000.tx_ring_bus);
    if (e1000.rx_ring)
        dma_free_coherent(&e1000.dma, NR_RX * sizeof(*e1000.rx_ring), e1000.rx_ring, e1000.rx_ring_bus);
    e1000.tx_ring = NULL;
    e1000.rx_ring = NULL;
}

static bool make_buffers(void)
{
    e1000.tx_next = e1000.tx_clean = e1000.rx_next = 0;
    e1000.csum_start = 0;
    memset(e1000.tx, 0, sizeof(e1000.tx));
    e1000.tx_ring =
        dma_alloc_coherent(&e1000.dma, NR_TX * sizeof(*e1000.tx_ring), &e1000.tx_ring_bus, GFP_KERNEL);
    e1000.rx_ring =
        dma_alloc_coherent(&e1000.dma, NR_RX * sizeof(*e1000.rx_ring), &e1000.rx_ring_bus, GFP_KERNEL);
    if (e1000.tx_ring == NULL || e1000.rx_ring == NULL)
        return false;
    for (u32 i = 0; i < NR_RX; i++) {
        if (!make_rx_buffer(&e1000.rx[i], GFP_KERNEL))
            return false;
        give_rx_buffer(i);
    }
    return true;
}

/* BSIZE and BSEX of a receive buffer that a frame fits into (13.4.22). */
static u32 rx_buffer_bits(u32 frame_bytes)
{
    e1000.rx_bytes = 2048;
    if (frame_bytes <= e1000.rx_bytes)
        return 0;
    u32 bits = 3;
    for (e1000.rx_bytes = 4096; e1000.rx_bytes < frame_bytes; e1000.rx_bytes *= 2)
        bits--;
    return bits << E1000_RCTL_BSIZE_SHIFT | E1000_RCTL_BSEX | E1000_RCTL_LPE;
}

static void set_address(const u8 *address)
{
    write_register(E1000_RAL0,
                   (u32)address[0] | (u32)address[1] << 8 | (u32)address[2] << 16 | (u32)address[3] << 24);
    write_register(E1000_RAH0, (u32)address[4] | (u32)address[5] << 8 | E1000_RAH_AV);
    for (u32 i = 0; i < E1000_MTA_WORDS; i++)
        write_register(E1000_MTA + i * 4, 0);
}

/* 14.4, 14.5 */
static void start_card(u32 buffer_bits)
{
    set_address(e1000.netdev.dev_addr);
    write_register(E1000_CTRL, read_register(E1000_CTRL) | E1000_CTRL_SLU | E1000_CTRL_ASDE);
    write_register(E1000_RDBAL, (u32)e1000.rx_ring_bus);
    write_register(E1000_RDBAH, (u32)(e1000.rx_ring_bus >> 32));
    write_register(E1000_RDLEN, NR_RX * (u32)sizeof(*e1000.rx_ring));
    write_register(E1000_RDH, 0);
    write_register(E1000_RDT, NR_RX - 1);
    write_register(E1000_RDTR, 0);
    write_register(E1000_RXCSUM, E1000_RXCSUM_TUOFL);
    write_register(E1000_TDBAL, (u32)e1000.tx_ring_bus);
    write_register(E1000_TDBAH, (u32)(e1000.tx_ring_bus >> 32));
    write_register(E1000_TDLEN, NR_TX * (u32)sizeof(*e1000.tx_ring));
    write_register(E1000_TDH, 0);
    write_register(E1000_TDT, 0);
    write_register(E1000_TIPG, E1000_TIPG_COPPER);
    write_register(E1000_TCTL, E1000_TCTL_EN | E1000_TCTL_PSP | 0x0Fu << E1000_TCTL_CT_SHIFT |
                                   0x40u << E1000_TCTL_COLD_SHIFT);
    write_register(E1000_RCTL, E1000_RCTL_EN | E1000_RCTL_BAM | E1000_RCTL_SECRC | buffer_bits);
    write_register(E1000_ITR, 0);
    write_register(E1000_IMS,
                   E1000_ICR_TXDW | E1000_ICR_LSC | E1000_ICR_RXDMT0 | E1000_ICR_RXO | E1000_ICR_RXT0);
}

static int e1000_open(struct net_device *dev)
{
    u32 buffer_bits = rx_buffer_bits(dev->mtu + FRAME_EXTRA);
    if (!reset())
        return -EIO;
    skb_free_thread_start();
    unsigned long flags = local_irq_save();
    bool has_buffers = make_buffers();
    if (has_buffers) {
        start_card(buffer_bits);
        dev->flags |= IFF_UP; /* from here on interrupts come */
    } else {
        free_buffers();
    }
    local_irq_restore(flags);
    return has_buffers ? 0 : -ENOMEM;
}

static void e1000_stop(struct net_device *dev)
{
    (void)dev;
    reset();
    unsigned long flags = local_irq_save();
    free_buffers();
    local_irq_restore(flags);
}

static const struct net_device_ops e1000_ops = {
    .open = e1000_open, .stop = e1000_stop, .start_xmit = e1000_xmit};

/* ---- Finding it ---- */

/* A word of the EEPROM, or a negative number: there is no answer. */
static int __init read_eeprom(u32 word)
{
    unsigned long until = jiffies + TIMEOUT_TICKS;
    write_register(E1000_EERD, word << E1000_EERD_ADDRESS_SHIFT | E1000_EERD_START);
    while (!time_after_eq(jiffies, until)) {
        u32 value = read_register(E1000_EERD);
        if (value & E1000_EERD_DONE)
            return (int)(value >> E1000_EERD_DATA_SHIFT);
    }
    return -1;
}

static bool __init read_address(u8 *address)
{
    u16 sum = 0;
    for (u32 i = 0; i < E1000_EEPROM_WORDS; i++) {
        int word = read_eeprom(i);
        if (word < 0)
            return false;
        sum = (u16)(sum + word);
        if (i < ETH_ALEN / 2) {
            address[2 * i] = (u8)word;
            address[2 * i + 1] = (u8)(word >> 8);
        }
    }
    return sum == E1000_EEPROM_SUM;
}

void __init e1000_init(void)
{
    const struct pci_dev *pci = pci_get_device(PCI_VENDOR_ID_INTEL, E1000_DEV_ID_82540EM, NULL);
    struct net_device *dev = &e1000.netdev;
    if (pci == NULL)
        return;
    pci_enable_device(pci);
    pci_set_master(pci);
    e1000.registers = pci_iomap(pci, 0);
    if (e1000.registers == NULL || pci->irq == 0 || pci->irq == 255) {
        pr_warn("e1000: no registers, or no interrupt\n");
        return;
    }
    write_register(E1000_IMC, ~0u);
    ether_setup(dev);
    strlcpy(dev->name, "eth%d", sizeof(dev->name));
    if (!read_address(dev->dev_addr)) {
        pr_warn("e1000: the EEPROM's checksum is wrong\n");
        return;
    }
    e1000.dma.is_coherent = dma_default_coherent;
    iommu_attach_device(&e1000.dma, pci);
    dev->mtu_most = FRAME_MOST - FRAME_EXTRA;
    dev->irq = pci->irq;
    dev->hw_features = NETIF_F_SG | NETIF_F_HW_CSUM;
    dev->features = dev->hw_features | NETIF_F_HIGHDMA;
    dev->ops = &e1000_ops;
    register_netdev(dev);
    request_irq(pci->irq, e1000_interrupt, "e1000");
}
