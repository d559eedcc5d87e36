/* Numbers of Intel VT-d, legacy mode (rev. 3.3; chapter 11 registers, 9 tables, 6.5.2 descriptors). */
#ifndef LK_DMA_IOMMU_REGISTERS_H
#define LK_DMA_IOMMU_REGISTERS_H

#include <stdint.h>

enum { VTD_NR_FAULT_RECORDS = 8, VTD_RECORDS_AT = 0x200, VTD_IOTLB_AT = 0x100 };

enum vtd_register {
    VTD_VER = 0x00,
    VTD_CAP = 0x08,
    VTD_ECAP = 0x10,
    VTD_GCMD = 0x18,
    VTD_GSTS = 0x1c,
    VTD_RTADDR = 0x20,
    VTD_CCMD = 0x28,
    VTD_FSTS = 0x34,
    VTD_FECTL = 0x38,
    VTD_FEDATA = 0x3c,
    VTD_FEADDR = 0x40,
    VTD_FEUADDR = 0x44,
    VTD_IQH = 0x80,
    VTD_IQT = 0x88,
    VTD_IQA = 0x90,
    VTD_ICS = 0x9c,
    VTD_IECTL = 0xa0,
    VTD_IEDATA = 0xa4,
    VTD_IEADDR = 0xa8,
    VTD_IEUADDR = 0xac,
    VTD_IVA = VTD_IOTLB_AT,
    VTD_IOTLB = VTD_IOTLB_AT + 8,
};

/* Bits of GCMD, and of GSTS, which shows what they have led to. */
#define VTD_TRANSLATION (UINT32_C(1) << 31)
#define VTD_ROOT_TABLE (UINT32_C(1) << 30)
#define VTD_QUEUE (UINT32_C(1) << 26)

/* FSTS; those that are cleared by writing ones are the first three. */
enum {
    VTD_FSTS_OVERFLOW = 1 << 0,
    VTD_FSTS_QUEUE_ERROR = 1 << 4,
    VTD_FSTS_CLEARS = VTD_FSTS_OVERFLOW | VTD_FSTS_QUEUE_ERROR,
    VTD_FSTS_PENDING = 1 << 1,
    VTD_FSTS_INDEX_SHIFT = 8,
};

/* FECTL and IECTL: the event is masked, and waits. */
#define VTD_EVENT_MASKED (UINT32_C(1) << 31)
#define VTD_EVENT_WAITS (UINT32_C(1) << 30)

/* The dwords that carry the commands: the upper ones of CCMD and IOTLB, and of a fault record. */
#define VTD_GO (UINT32_C(1) << 31)
enum { VTD_CCMD_GRANULARITY_SHIFT = 29, VTD_CCMD_DONE_SHIFT = 27 };
enum { VTD_IOTLB_GRANULARITY_SHIFT = 28, VTD_IOTLB_DONE_SHIFT = 25 };
enum vtd_granularity { VTD_NO_GRANULARITY, VTD_GLOBAL, VTD_DOMAIN, VTD_SELECTIVE };

/* Fault reasons (7.1.3, legacy mode). */
enum vtd_fault {
    VTD_FAULT_ROOT_ABSENT = 0x1,
    VTD_FAULT_CONTEXT_ABSENT = 0x2,
    VTD_FAULT_CONTEXT_INVALID = 0x3,
    VTD_FAULT_TOO_HIGH = 0x4,
    VTD_FAULT_WRITE = 0x5,
    VTD_FAULT_READ = 0x6,
    VTD_FAULT_ENTRY_ACCESS = 0x7,
    VTD_FAULT_ROOT_ACCESS = 0x8,
    VTD_FAULT_CONTEXT_ACCESS = 0x9,
    VTD_FAULT_ROOT_RESERVED = 0xa,
    VTD_FAULT_CONTEXT_RESERVED = 0xb,
    VTD_FAULT_ENTRY_RESERVED = 0xc,
};

/* Bits 127:96 of a fault record. */
#define VTD_RECORD_VALID (UINT32_C(1) << 31)
#define VTD_RECORD_READ (UINT32_C(1) << 30)

/* Context entries: lower and upper half. */
enum { VTD_PRESENT = 1 << 0, VTD_CONTEXT_QUIET = 1 << 1, VTD_CONTEXT_TYPE_SHIFT = 2 };
enum { VTD_CONTEXT_TYPE_MASK = 3, VTD_TYPE_TRANSLATES = 0, VTD_TYPE_PASSES = 2 };
enum { VTD_CONTEXT_WIDTH_MASK = 7, VTD_WIDTH_3_LEVELS = 1, VTD_WIDTH_4_LEVELS = 2 };
enum { VTD_CONTEXT_DOMAIN_SHIFT = 8 };

/* Second-level entries. */
enum {
    VTD_ENTRY_READ = 1 << 0,
    VTD_ENTRY_WRITE = 1 << 1,
    VTD_ENTRY_LARGE = 1 << 7,
    VTD_ENTRY_SNOOP = 1 << 11
};
#define VTD_ENTRY_TRANSIENT (UINT64_C(1) << 62)
#define VTD_ADDRESS_MASK UINT64_C(0x000ffffffffff000)

/* Descriptors of the invalidation queue. */
enum { VTD_DESCRIPTOR_BYTES = 16 };
enum vtd_descriptor { VTD_INV_CONTEXT = 1, VTD_INV_IOTLB = 2, VTD_INV_WAIT = 5 };
enum { VTD_WAIT_INTERRUPT = 1 << 4, VTD_WAIT_STATUS = 1 << 5 };

#endif
