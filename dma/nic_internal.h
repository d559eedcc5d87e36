/*
 * What the network card's files share: registers are in nic.c, their statistics in nic_statistics.c,
 * interrupts in nic_interrupts.c, EEPROM and PHY in nic_eeprom.c and nic_phy.c, frames in nic_transmit.c
 * and nic_receive.c, what is reckoned in them in nic_checksum.c.
 */
#ifndef LK_DMA_NIC_INTERNAL_H
#define LK_DMA_NIC_INTERNAL_H

#include "dma/inet_sum.h"
#include "dma/nic.h"

/* Indices of the registers that hold what is written. */
enum nic_held {
#define HELD(name, offset, writable, reset) HELD_##name,
#include "dma/nic_held.def"
#undef HELD
    NR_NIC_HELD
};

enum { NIC_NR_STATISTICS = 64, NIC_FIFO_BYTES = 64 << 10, NIC_PIECE_BYTES = 256 };
enum { NIC_EEPROM_WORDS = 64, NIC_PHY_REGISTERS = 32, NIC_PHY_ADDRESS = 1, NIC_MAX_HEADER_BYTES = 256 };

/* A frame with its check sequence; cut from a larger one it may be a header and a segment. */
enum { NIC_FRAME_BYTES = ETHER_MAX_BYTES + ETHER_CRC_BYTES };

/* An 93C46 behind four wires, and as words (manual 5). */
struct nic_eeprom {
    uint16_t words[NIC_EEPROM_WORDS];
    bool may_write;    /* EWEN was the last of EWEN and EWDS */
    uint32_t wires;    /* SK, CS, DI and REQ as they were set */
    uint32_t taken;    /* bits that came by DI since CS rose, behind the start bit's first 1 */
    unsigned nr_taken; /* of them, the start bit included */
    uint16_t shifted;  /* what leaves by DO */
    unsigned nr_left;  /* bits of it */
    bool out;          /* DO */
    uint32_t read;     /* EERD */
    cycle_t read_done; /* when its word is here */
};

/* Who asks for interrupts, and when (manual 13.4.16 to 13.4.21). */
struct nic_interrupts {
    uint32_t causes, mask;
    bool asks;      /* its line is high */
    bool has_asked; /* at `asked`, and ITR counts from there */
    cycle_t asked;
    struct event throttle;
    struct event rx_delay, rx_absolute; /* RDTR, RADV */
    struct event tx_delay, tx_absolute; /* TIDV, TADV */
};

struct nic_phy {
    uint16_t registers[NIC_PHY_REGISTERS];
    bool has_link;
    struct event negotiated; /* the link is up again */
    uint32_t mdic;
    struct event moved; /* an access by MDIC is done */
};

/* What a context descriptor says (manual 3.3.6). */
struct nic_context {
    uint8_t ipcss, ipcso, tucss, tucso, hdrlen;
    uint16_t ipcse, tucse, mss;
    bool is_tcp, is_ipv4;
};
enum { CONTEXT_PLAIN, CONTEXT_SEGMENTS, NR_CONTEXTS };

enum nic_tx_step {
    TX_REST,   /* nothing: no event is scheduled */
    TX_FETCH,  /* reads the descriptor at the head */
    TX_BEGIN,  /* which is there: looks at it */
    TX_MOVE,   /* the last piece of data is there: reads the next */
    TX_SEND,   /* a frame is whole, and waits for the wire */
    TX_REPORT, /* writes the descriptor back */
    TX_FINISH, /* which is done */
};

struct nic_transmitter {
    struct event event;
    enum nic_tx_step step;
    bool has_failed; /* until it is enabled anew */
    uint8_t descriptor[NIC_DESCRIPTOR_BYTES];
    struct nic_context contexts[NR_CONTEXTS];
    /* The data that is fetched. */
    uint64_t at;
    uint32_t left_bytes;
    /* The frame that it goes to. */
    bool is_begun;    /* a descriptor of it was seen */
    bool is_cut;      /* it is cut into segments */
    uint8_t options;  /* POPTS of its first descriptor */
    bool is_too_long; /* and will not be sent */
    uint32_t frame_bytes;
    uint32_t payload_bytes; /* cut from it so far */
    uint32_t nr_segments;
    uint8_t frame[NIC_FRAME_BYTES];
    uint8_t header[NIC_MAX_HEADER_BYTES];
    /* What is on the wire. */
    struct event crossed;
    uint32_t wire_bytes; /* 0: nothing */
    uint8_t wire[NIC_FRAME_BYTES];
};

enum nic_rx_step {
    RX_REST,
    RX_FETCH,  /* reads the descriptor at the head */
    RX_STORE,  /* which is there, or the last piece is stored: writes the next */
    RX_REPORT, /* writes the descriptor back */
    RX_FINISH, /* which is done */
};

struct nic_receiver {
    struct event event, arrival;
    enum nic_rx_step step;
    bool has_failed;
    /* Frames that came, each behind its length (two bytes) and what was wrong or seen (two bytes). */
    uint8_t fifo[NIC_FIFO_BYTES];
    uint32_t fifo_first, fifo_used_bytes;
    /* The frame that is stored. */
    bool has_frame;
    uint8_t frame[NIC_FRAME_BYTES];
    uint32_t frame_bytes, stored_bytes;
    uint8_t status, errors; /* for its last descriptor, from the filter */
    uint16_t special;
    /* Its present buffer. */
    uint64_t buffer;
    uint32_t buffer_bytes, filled_bytes;
    uint8_t arriving[NIC_FRAME_BYTES]; /* what the wire gives, for as long as it is looked at */
};

struct nic {
    struct nic_params params;
    struct dma_master *path;
    uint32_t held[NR_NIC_HELD];
    uint32_t mta[NIC_NR_MTA], ra[NIC_NR_RA], vfta[NIC_NR_VFTA];
    uint32_t statistics[NIC_NR_STATISTICS];
    struct nic_eeprom eeprom;
    struct nic_phy phy;
    struct nic_interrupts interrupts;
    struct nic_transmitter tx;
    struct nic_receiver rx;
    struct nic_stats stats;
};

/* ---- nic.c ---- */

/* An event that finds room whenever it is scheduled. False: the host's memory is short. */
bool nic_make_event(struct nic *nic, struct event *event, ev_handler *handler, const char *name);

/* Accesses to memory. False: refused, and counted; *done is when that is known. */
bool nic_memory_read(struct nic *nic, uint64_t at, void *to, size_t nr_bytes, cycle_t now, cycle_t *done);
bool nic_memory_write(struct nic *nic, uint64_t at, const void *from, size_t nr_bytes, cycle_t now,
                      cycle_t *done);
bool nic_may_master(const struct nic *nic);
/* Nanoseconds as cycles, at least one. */
cycle_t nic_cycles(const struct nic *nic, uint64_t nanoseconds);
uint64_t nic_ring_at(uint32_t low, uint32_t high, uint32_t index);

/* ---- nic_statistics.c ---- */

void nic_count_sent(struct nic *nic, const uint8_t *frame, uint32_t wire_bytes);
/*
 * One that came while the receiver was enabled; then one that passed the filter. Lengths with the check
 * sequence.
 */
void nic_count_arrived(struct nic *nic, uint32_t wire_bytes);
void nic_count_received(struct nic *nic, const uint8_t *frame, uint32_t wire_bytes);
enum nic_statistic {
    STATISTIC_CRCERRS = 0x00,
    STATISTIC_MPC = 0x10,
    STATISTIC_RNBC = 0xa0,
    STATISTIC_RUC = 0xa4
};
enum { STATISTIC_ROC = 0xac, STATISTIC_TSCTC = 0xf8, STATISTIC_TSCTFC = 0xfc };
/* `statistic` is the register's offset from NIC_STATISTICS. */
void nic_count(struct nic *nic, unsigned statistic);
uint32_t nic_read_statistic(struct nic *nic, unsigned statistic);

/* ---- nic_interrupts.c ---- */

bool nic_interrupts_init(struct nic *nic);
void nic_interrupts_reset(struct nic *nic);
void nic_raise(struct nic *nic, uint32_t causes, cycle_t now);
/* Causes, mask or ITR have changed. */
void nic_interrupts_update(struct nic *nic, cycle_t now);
/* A descriptor was written back, a frame stored: at once, or when the registers' delays are over. */
void nic_tx_done(struct nic *nic, bool may_wait, cycle_t now);
void nic_rx_done(struct nic *nic, uint32_t frame_bytes, cycle_t now);
void nic_flush_rx_delay(struct nic *nic, cycle_t now);

/* ---- nic_eeprom.c ---- */

void nic_eeprom_init(struct nic_eeprom *eeprom);
const uint8_t *nic_station(void);
uint32_t nic_read_eecd(const struct nic_eeprom *eeprom);
void nic_write_eecd(struct nic_eeprom *eeprom, uint32_t value);
uint32_t nic_read_eerd(const struct nic *nic, cycle_t now);
void nic_write_eerd(struct nic *nic, uint32_t value, cycle_t now);

/* ---- nic_phy.c ---- */

bool nic_phy_init(struct nic *nic);
void nic_phy_reset(struct nic *nic, cycle_t now);
bool nic_phy_loops(const struct nic *nic);
void nic_write_mdic(struct nic *nic, uint32_t value, cycle_t now);

/* ---- nic_transmit.c, nic_receive.c ---- */

bool nic_tx_init(struct nic *nic);
void nic_tx_reset(struct nic *nic);
/* If it is enabled, rests and has a descriptor, it begins; if a frame waits for the link, it goes. */
void nic_tx_wake(struct nic *nic, cycle_t now);

bool nic_rx_init(struct nic *nic);
void nic_rx_reset(struct nic *nic);
void nic_rx_wake(struct nic *nic, cycle_t now);
/* A whole frame, with its check sequence, has come. */
void nic_rx_frame(struct nic *nic, const uint8_t *frame, uint32_t nr_bytes, cycle_t now);
/* A frame has come by the wire, without a check sequence and perhaps too short. */
void nic_rx_arrive(struct nic *nic, const uint8_t *bytes, size_t nr_bytes, cycle_t now);
/* The receiver has been enabled, or the card reset: when do frames of the wire's come? */
void nic_rx_listen(struct nic *nic, cycle_t now);

/* ---- nic_checksum.c ---- */

/* IEEE 802.3's check sequence of these bytes, as it stands behind them. */
void nic_put_crc(uint8_t *frame, uint32_t nr_bytes);
bool nic_has_good_crc(const uint8_t *frame, uint32_t nr_bytes);
/* RXD_IPCS, RXD_TCPCS and RXD_IXSM, and the errors, of a received frame without its check sequence. */
struct nic_verdict {
    uint8_t status, errors;
};
struct nic_verdict nic_check_sums(const uint8_t *frame, uint32_t nr_bytes, uint32_t rxcsum);

static inline bool nic_is_waiting(const struct event *event)
{
    return event->heap_index != 0 && event->due != EV_NEVER;
}

static inline uint16_t nic_get16(const uint8_t *at)
{
    return (uint16_t)(at[0] | at[1] << 8);
}

static inline uint32_t nic_get32(const uint8_t *at)
{
    return nic_get16(at) | (uint32_t)nic_get16(at + 2) << 16;
}

static inline uint64_t nic_get64(const uint8_t *at)
{
    return nic_get32(at) | (uint64_t)nic_get32(at + 4) << 32;
}

static inline void nic_put16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)value;
    at[1] = (uint8_t)(value >> 8);
}

#endif
