/* What docs/dma.md says of registers, descriptors and errors, as numbers. */
#ifndef LK_DMA_ENGINE_REGISTERS_H
#define LK_DMA_ENGINE_REGISTERS_H

enum {
    ENGINE_REGISTERS_BYTES = 0x1000,
    ENGINE_ID = 0x4c4b0001,
    ENGINE_MAX_CHANNELS = 8,
    ENGINE_MAX_RING = 4096,
    ENGINE_MAX_ENTRIES = 4096, /* of a segment list that are read for one descriptor */
};

enum engine_register {
    ENGINE_REG_ID = 0x00,
    ENGINE_REG_CAPS = 0x04,
    ENGINE_REG_BUS_OFFSET_LO = 0x08,
    ENGINE_REG_BUS_OFFSET_HI = 0x0c,
    ENGINE_REG_INT_STATUS = 0x10,
    ENGINE_REG_CHANNELS = 0x100,
    ENGINE_CHANNEL_STRIDE = 0x40,
};

enum { ENGINE_CAPS_SNOOPS = 1 << 4, ENGINE_CAPS_ADDRESS_BITS_SHIFT = 8 };

enum engine_channel_register {
    ENGINE_CH_CONTROL = 0x00,
    ENGINE_CH_STATUS = 0x04,
    ENGINE_CH_RING_LO = 0x08,
    ENGINE_CH_RING_HI = 0x0c,
    ENGINE_CH_RING_SIZE = 0x10,
    ENGINE_CH_TAIL = 0x14,
    ENGINE_CH_HEAD = 0x18,
    ENGINE_CH_PROGRESS = 0x1c,
    ENGINE_CH_FAULT_LO = 0x20,
    ENGINE_CH_FAULT_HI = 0x24,
};

enum engine_control { ENGINE_RUN = 1 << 0, ENGINE_RESET = 1 << 1, ENGINE_INT_ENABLE = 1 << 2 };
enum engine_status { ENGINE_BUSY = 1 << 0, ENGINE_DONE = 1 << 1, ENGINE_ERROR = 1 << 2 };
enum { ENGINE_CODE_SHIFT = 8, ENGINE_PART_SHIFT = 16 };

enum engine_code {
    ENGINE_NO_ERROR,
    ENGINE_BAD_COMMAND,
    ENGINE_BAD_RING,
    ENGINE_OVERRUN,
    ENGINE_NO_MEMORY,
    ENGINE_TOO_HIGH,
    ENGINE_IOMMU_FAULT,
    ENGINE_BAD_LIST,
    ENGINE_NOT_MASTER,
};

enum engine_part {
    ENGINE_PART_RING,
    ENGINE_PART_SOURCE,
    ENGINE_PART_DESTINATION,
    ENGINE_PART_SOURCE_LIST,
    ENGINE_PART_DESTINATION_LIST,
    ENGINE_PART_REPORT,
    ENGINE_PART_COMMAND,
};

/* A descriptor: offsets of the driver's half and, from ENGINE_DESC_STATUS on, of the engine's. */
enum engine_descriptor {
    ENGINE_DESC_COMMAND = 0x00,
    ENGINE_DESC_LENGTH = 0x04,
    ENGINE_DESC_SOURCE = 0x08,
    ENGINE_DESC_DESTINATION = 0x10,
    ENGINE_DESC_SEED = 0x18,
    ENGINE_DESC_RESERVED = 0x1c,
    ENGINE_DESC_STATUS = 0x20,
    ENGINE_DESC_DONE = 0x24,
    ENGINE_DESC_CRC = 0x28,
    ENGINE_DESC_NUMBER = 0x2c,
    ENGINE_DESC_FAULT = 0x30,
    ENGINE_DESC_BYTES = 0x40,
    ENGINE_DESC_HALF_BYTES = 0x20,
};

enum engine_operation { ENGINE_NOP, ENGINE_COPY, ENGINE_FILL, ENGINE_CRC32C, ENGINE_NR_OPERATIONS };
enum engine_command {
    ENGINE_OPERATION_MASK = 0xff,
    ENGINE_INT = 1 << 8,
    ENGINE_SRC_LIST = 1 << 9,
    ENGINE_DST_LIST = 1 << 10,
};
enum engine_descriptor_status { ENGINE_FINISHED = 1 << 0, ENGINE_FAILED = 1 << 1 };

enum engine_entry {
    ENGINE_ENTRY_ADDRESS = 0x0,
    ENGINE_ENTRY_LENGTH = 0x8,
    ENGINE_ENTRY_FLAGS = 0xc,
    ENGINE_ENTRY_BYTES = 0x10,
};
enum engine_entry_flags { ENGINE_END = 1 << 0, ENGINE_LINK = 1 << 1 };

#endif
