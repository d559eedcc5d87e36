/*
 * The card's statistics registers (manual 13.7): they stop at their greatest value, and are cleared when
 * read.
 */
#include "dma/nic_internal.h"

enum statistic {
    PRC64 = 0x5c,
    GPRC = 0x74,
    BPRC = 0x78,
    MPRC = 0x7c,
    GPTC = 0x80,
    GORCL = 0x88,
    GOTCL = 0x90,
    TORL = 0xc0,
    TOTL = 0xc8,
    TPR = 0xd0,
    TPT = 0xd4,
    PTC64 = 0xd8,
    MPTC = 0xf0,
    BPTC = 0xf4,
};

void nic_count(struct nic *nic, unsigned statistic)
{
    uint32_t *count = &nic->statistics[statistic / 4];
    *count += *count != UINT32_MAX;
}

static bool is_pair(unsigned low)
{
    return low == GORCL || low == GOTCL || low == TORL || low == TOTL;
}

static void count_octets(struct nic *nic, unsigned low, uint32_t nr_bytes)
{
    uint32_t *pair = &nic->statistics[low / 4];
    uint64_t count = pair[0] | (uint64_t)pair[1] << 32;
    count = count + nr_bytes < count ? UINT64_MAX : count + nr_bytes;
    pair[0] = (uint32_t)count;
    pair[1] = (uint32_t)(count >> 32);
}

/* By length: 64, to 127, to 255, to 511, to 1023, more; `first` is the register of 64. */
static void count_length(struct nic *nic, unsigned first, uint32_t wire_bytes)
{
    unsigned which = 0;
    for (uint32_t limit = 64; which < 5 && wire_bytes > limit; limit = limit == 64 ? 127 : 2 * limit + 1)
        which++;
    nic_count(nic, first + 4 * which);
}

static void count_groups(struct nic *nic, const uint8_t *frame, unsigned broadcast, unsigned multicast)
{
    bool is_broadcast = true;
    for (unsigned i = 0; i < 6; i++)
        is_broadcast &= frame[i] == 0xff;
    if (is_broadcast)
        nic_count(nic, broadcast);
    else if (frame[0] & 1)
        nic_count(nic, multicast);
}

void nic_count_sent(struct nic *nic, const uint8_t *frame, uint32_t wire_bytes)
{
    nic_count(nic, TPT);
    count_octets(nic, TOTL, wire_bytes);
    if (wire_bytes < ETHER_MIN_BYTES + ETHER_CRC_BYTES)
        return;
    nic_count(nic, GPTC);
    count_octets(nic, GOTCL, wire_bytes);
    count_length(nic, PTC64, wire_bytes);
    count_groups(nic, frame, BPTC, MPTC);
}

void nic_count_arrived(struct nic *nic, uint32_t wire_bytes)
{
    nic_count(nic, TPR);
    count_octets(nic, TORL, wire_bytes);
}

void nic_count_received(struct nic *nic, const uint8_t *frame, uint32_t wire_bytes)
{
    nic_count(nic, GPRC);
    count_octets(nic, GORCL, wire_bytes);
    count_length(nic, PRC64, wire_bytes);
    count_groups(nic, frame, BPRC, MPRC);
}

/* Of a pair the high half is read last, and clears both. */
uint32_t nic_read_statistic(struct nic *nic, unsigned statistic)
{
    uint32_t *count = &nic->statistics[statistic / 4];
    uint32_t value = *count;
    if (is_pair(statistic))
        return value;
    *count = 0;
    if (statistic >= 4 && is_pair(statistic - 4))
        count[-1] = 0;
    return value;
}
