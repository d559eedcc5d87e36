/*
 * CRC-32C (Castagnoli): polynomial 1EDC6F41h, bits reflected, as in RFC 3720 appendix B.4 and in the CRC32
 * instruction (SDM 2A).
 */
#ifndef LK_SIM_BASE_CRC32C_H
#define LK_SIM_BASE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* The register after these bytes; RFC 3720 presets it to all ones and complements what comes out. */
static inline uint32_t crc32c_update(uint32_t crc, const void *bytes, size_t nr_bytes)
{
    /* What four zero bits make of each value of the register's low four. */
    static const uint32_t by_nibble[16] = {
        0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
        0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9, 0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
    };
    const uint8_t *at = bytes;
    for (size_t i = 0; i < nr_bytes; i++) {
        crc ^= at[i];
        crc = crc >> 4 ^ by_nibble[crc & 15];
        crc = crc >> 4 ^ by_nibble[crc & 15];
    }
    return crc;
}

#endif
