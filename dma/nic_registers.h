/*
 * Numbers of an Intel 82540EM as software sees them: "PCI/PCI-X Family of Gigabit Ethernet Controllers
 * Software Developer's Manual" (here: the manual), chapters 3 (descriptors), 5 (EEPROM), 11 and 13
 * (registers).
 */
#ifndef LK_DMA_NIC_REGISTERS_H
#define LK_DMA_NIC_REGISTERS_H

#include <stdint.h>

enum { NIC_REGISTERS_BYTES = 128 << 10, NIC_PORTS_BYTES = 64 };
enum { NIC_VENDOR = 0x8086, NIC_DEVICE = 0x100e };

/* Offsets of registers that hold what is written (dma/nic_held.def), */
enum nic_held_offset {
#define HELD(name, offset, writable, reset) NIC_##name = (offset),
#include "dma/nic_held.def"
#undef HELD
};

/* and of those that do something else. */
enum nic_offset {
    NIC_CTRL_DUP = 0x0004,
    NIC_STATUS = 0x0008,
    NIC_EECD = 0x0010,
    NIC_EERD = 0x0014,
    NIC_MDIC = 0x0020,
    NIC_ICR = 0x00c0,
    NIC_ICS = 0x00c8,
    NIC_IMS = 0x00d0,
    NIC_IMC = 0x00d8,
    NIC_STATISTICS = 0x4000,
    NIC_MTA = 0x5200,
    NIC_RA = 0x5400,
    NIC_VFTA = 0x5600,
};

enum { NIC_NR_MTA = 128, NIC_NR_STATIONS = 16, NIC_NR_RA = 2 * NIC_NR_STATIONS, NIC_NR_VFTA = 128 };

enum nic_ctrl {
    CTRL_FD = 1 << 0,
    CTRL_ASDE = 1 << 5,
    CTRL_SLU = 1 << 6,
    CTRL_SPEED_1000 = 2 << 8,
    CTRL_RST = 1 << 26,
    CTRL_VME = 1 << 30,
};
#define CTRL_PHY_RST UINT32_C(0x80000000)

enum nic_ctrl_ext { CTRL_EXT_EE_RST = 1 << 13 };

enum nic_status {
    STATUS_FD = 1 << 0,
    STATUS_LU = 1 << 1,
    STATUS_SPEED_SHIFT = 6, /* 00 10 Mb/s, 01 100, 10 1000 */
    STATUS_ASDV_SHIFT = 8,
    STATUS_SPEED_10 = 0,
    STATUS_SPEED_100 = 1,
    STATUS_SPEED_1000 = 2,
};

enum nic_eecd {
    EECD_SK = 1 << 0,
    EECD_CS = 1 << 1,
    EECD_DI = 1 << 2,
    EECD_DO = 1 << 3,
    EECD_FWE = 3 << 4,
    EECD_FWE_DISABLED = 1 << 4,
    EECD_REQ = 1 << 6,
    EECD_GNT = 1 << 7,
    EECD_PRES = 1 << 8,
};

enum nic_eerd { EERD_START = 1 << 0, EERD_DONE = 1 << 4, EERD_ADDRESS_SHIFT = 8, EERD_DATA_SHIFT = 16 };

enum nic_mdic {
    MDIC_DATA = 0xffff,
    MDIC_REGISTER_SHIFT = 16,
    MDIC_PHY_SHIFT = 21,
    MDIC_WRITE = 1 << 26,
    MDIC_READ = 2 << 26,
    MDIC_OPERATION = 3 << 26,
    MDIC_READY = 1 << 28,
    MDIC_INTERRUPT = 1 << 29,
    MDIC_ERROR = 1 << 30,
};

/* Of ICR, ICS, IMS and IMC. */
enum nic_cause {
    CAUSE_TXDW = 1 << 0,   /* a transmit descriptor was written back */
    CAUSE_TXQE = 1 << 1,   /* no transmit descriptor is left */
    CAUSE_LSC = 1 << 2,    /* the link went up or down */
    CAUSE_RXDMT0 = 1 << 4, /* few receive descriptors are left */
    CAUSE_RXO = 1 << 6,    /* a frame was lost for want of room */
    CAUSE_RXT0 = 1 << 7,   /* a frame is in memory, and its delay is over */
    CAUSE_MDAC = 1 << 9,   /* an access by MDIC is done */
    CAUSE_TXD_LOW = 1 << 15,
    CAUSE_SRPD = 1 << 16, /* a small frame is in memory */
    CAUSES = 0x1ffff,
};

enum nic_rctl {
    RCTL_EN = 1 << 1,
    RCTL_SBP = 1 << 2,
    RCTL_UPE = 1 << 3,
    RCTL_MPE = 1 << 4,
    RCTL_LPE = 1 << 5,
    RCTL_LBM = 3 << 6,
    RCTL_LBM_MAC = 1 << 6,
    RCTL_RDMTS_SHIFT = 8,
    RCTL_MO_SHIFT = 12,
    RCTL_BAM = 1 << 15,
    RCTL_BSIZE_SHIFT = 16,
    RCTL_VFE = 1 << 18,
    RCTL_CFIEN = 1 << 19,
    RCTL_CFI = 1 << 20,
    RCTL_BSEX = 1 << 25,
    RCTL_SECRC = 1 << 26,
};

enum nic_tctl { TCTL_EN = 1 << 1, TCTL_PSP = 1 << 3 };
enum nic_rxcsum { RXCSUM_PCSS = 0xff, RXCSUM_IPOFLD = 1 << 8, RXCSUM_TUOFLD = 1 << 9 };
#define RDTR_FPD UINT32_C(0x80000000)
#define RAH_AV UINT32_C(0x80000000)

enum { NIC_DESCRIPTOR_BYTES = 16 };

/* A receive descriptor: address, then these. */
enum nic_rx_descriptor {
    RXD_LENGTH = 8,
    RXD_CHECKSUM = 10,
    RXD_STATUS = 12,
    RXD_ERRORS = 13,
    RXD_SPECIAL = 14
};
enum nic_rx_status {
    RXD_DD = 1 << 0,
    RXD_EOP = 1 << 1,
    RXD_IXSM = 1 << 2, /* IPCS and TCPCS say nothing */
    RXD_VP = 1 << 3,
    RXD_TCPCS = 1 << 5,
    RXD_IPCS = 1 << 6,
    RXD_PIF = 1 << 7, /* passed by the multicast table only */
};
enum nic_rx_error { RXD_CE = 1 << 0, RXD_TCPE = 1 << 5, RXD_IPE = 1 << 6 };

/* A transmit descriptor. The second dword of each half has the command at the same place in all kinds. */
enum nic_tx_descriptor {
    TXD_LENGTH = 8,
    TXD_CSO = 10,  /* legacy */
    TXD_TYPE = 10, /* else: bits 7:4 */
    TXD_COMMAND = 11,
    TXD_STATUS = 12,
    TXD_CSS = 13, /* legacy */
    TXD_HDRLEN = 13,
    TXD_POPTS = 13,
    TXD_SPECIAL = 14,
    TXD_MSS = 14,
    TXD_IPCSS = 0,
    TXD_IPCSO = 1,
    TXD_IPCSE = 2,
    TXD_TUCSS = 4,
    TXD_TUCSO = 5,
    TXD_TUCSE = 6,
};
enum nic_tx_command {
    TXD_EOP = 1 << 0,
    TXD_IFCS = 1 << 1,
    TXD_IC = 1 << 2,  /* legacy */
    TXD_TSE = 1 << 2, /* else */
    TXD_RS = 1 << 3,
    TXD_DEXT = 1 << 5,
    TXD_VLE = 1 << 6,
    TXD_IDE = 1 << 7,
    TXD_TCP = 1 << 0, /* of a context */
    TXD_IP = 1 << 1,  /* of a context: IPv4 */
};
enum nic_tx_rest { TXD_DD = 1 << 0, TXD_IXSM = 1 << 0, TXD_TXSM = 1 << 1, TXD_TYPE_DATA = 1 };

#endif
