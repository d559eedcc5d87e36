/* Bits of the bitmaps of blocks and inodes: the lowest of a byte comes first. */
#include "ext2.h"

u32 ext2_find_next_zero_bit(const u8 *bitmap, u32 end, u32 first)
{
    while (first < end) {
        if (first % 8 == 0 && bitmap[first / 8] == 0xFF)
            first += 8;
        else if (ext2_test_bit(bitmap, first))
            first++;
        else
            return first;
    }
    return end;
}

bool ext2_set_bit(u8 *bitmap, u32 nr)
{
    bool was_set = ext2_test_bit(bitmap, nr);
    bitmap[nr / 8] |= (u8)(1u << nr % 8);
    return was_set;
}

bool ext2_clear_bit(u8 *bitmap, u32 nr)
{
    bool was_set = ext2_test_bit(bitmap, nr);
    bitmap[nr / 8] &= (u8) ~(1u << nr % 8);
    return was_set;
}
