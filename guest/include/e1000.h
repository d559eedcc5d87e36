/*
 * Intel's 82540EM, a PCI card for Gigabit Ethernet: its registers and descriptors. Numbers in comments are
 * sections of the "PCI/PCI-X Family of Gigabit Ethernet Controllers Software Developer's Manual".
 */
#pragma once

#include "compiler.h"
#include "types.h"

#define PCI_VENDOR_ID_INTEL 0x8086u
#define E1000_DEV_ID_82540EM 0x100Eu

/* Registers (13.4). */
#define E1000_CTRL 0x0000u
#define E1000_STATUS 0x0008u
#define E1000_EERD 0x0014u
#define E1000_ICR 0x00C0u /* reading takes the causes away */
#define E1000_ITR 0x00C4u
#define E1000_IMS 0x00D0u
#define E1000_IMC 0x00D8u
#define E1000_RCTL 0x0100u
#define E1000_TCTL 0x0400u
#define E1000_TIPG 0x0410u
#define E1000_RDBAL 0x2800u
#define E1000_RDBAH 0x2804u
#define E1000_RDLEN 0x2808u
#define E1000_RDH 0x2810u
#define E1000_RDT 0x2818u
#define E1000_RDTR 0x2820u
#define E1000_TDBAL 0x3800u
#define E1000_TDBAH 0x3804u
#define E1000_TDLEN 0x3808u
#define E1000_TDH 0x3810u
#define E1000_TDT 0x3818u
#define E1000_RXCSUM 0x5000u
#define E1000_MTA 0x5200u /* 128 words */
#define E1000_RAL0 0x5400u
#define E1000_RAH0 0x5404u
#define E1000_MTA_WORDS 128u

#define E1000_CTRL_ASDE (1u << 5)
#define E1000_CTRL_SLU (1u << 6)
#define E1000_CTRL_RST (1u << 26)
#define E1000_STATUS_LU (1u << 1)
#define E1000_EERD_START (1u << 0)
#define E1000_EERD_DONE (1u << 4)
#define E1000_EERD_ADDRESS_SHIFT 8
#define E1000_EERD_DATA_SHIFT 16
#define E1000_RAH_AV (1u << 31)

/* Causes of interrupts (13.4.17). */
#define E1000_ICR_TXDW (1u << 0)
#define E1000_ICR_LSC (1u << 2)
#define E1000_ICR_RXDMT0 (1u << 4)
#define E1000_ICR_RXO (1u << 6)
#define E1000_ICR_RXT0 (1u << 7)

/* 13.4.22, 13.4.33 */
#define E1000_RCTL_EN (1u << 1)
#define E1000_RCTL_LPE (1u << 5) /* frames longer than 1522 bytes */
#define E1000_RCTL_BAM (1u << 15)
#define E1000_RCTL_BSIZE_SHIFT 16
#define E1000_RCTL_BSEX (1u << 25)
#define E1000_RCTL_SECRC (1u << 26)
#define E1000_TCTL_EN (1u << 1)
#define E1000_TCTL_PSP (1u << 3) /* pads short frames */
#define E1000_TCTL_CT_SHIFT 4
#define E1000_TCTL_COLD_SHIFT 12
/* For copper (13.4.34). */
#define E1000_TIPG_COPPER (10u | 8u << 10 | 6u << 20)
#define E1000_RXCSUM_TUOFL (1u << 9)

/* 3.2.3 */
struct e1000_rx_desc {
    u64 buffer_addr;
    u16 length, csum;
    u8 status, errors;
    u16 special;
};
#define E1000_RXD_STAT_DD 0x01u
#define E1000_RXD_STAT_EOP 0x02u
#define E1000_RXD_STAT_IXSM 0x04u
#define E1000_RXD_STAT_TCPCS 0x20u
#define E1000_RXD_ERR_TCPE 0x20u
#define E1000_RXD_ERR_FRAME 0x97u /* CE, SE, SEQ, CXE, RXE */

/* 3.3.6, 3.3.7: what checksum to make; and data. */
struct e1000_context_desc {
    u8 ipcss, ipcso;
    u16 ipcse;
    u8 tucss, tucso;
    u16 tucse; /* 0: to the packet's end */
    u32 cmd_and_length;
    u8 status, hdr_len;
    u16 mss;
};
struct e1000_data_desc {
    u64 buffer_addr;
    u32 cmd_and_length; /* length: 20 bits */
    u8 status, popts;
    u16 special;
};
union e1000_tx_desc {
    struct e1000_context_desc context;
    struct e1000_data_desc data;
};
#define E1000_TXD_DTYP_DATA (1u << 20)
#define E1000_TXD_CMD_EOP (1u << 24)
#define E1000_TXD_CMD_IFCS (1u << 25)
#define E1000_TXD_CMD_RS (1u << 27)
#define E1000_TXD_CMD_DEXT (1u << 29)
#define E1000_TXD_STAT_DD 0x01u
#define E1000_TXD_POPTS_TXSM 0x02u

/* The words of the EEPROM (5.6): the address first; all 64 add up to E1000_EEPROM_SUM. */
#define E1000_EEPROM_WORDS 64u
#define E1000_EEPROM_SUM 0xBABAu
