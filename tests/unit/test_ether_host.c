/*
 * The host at the other end of a cable: what it says to frames, beside what tests/whole/guests/nic_host.c
 * finds to be as on QEMU's user network; and what it does not answer.
 */
#include "dma/ether_host.h"

#include <criterion/criterion.h>
#include <string.h>

/* An echo request of 12 bytes, from 10.0.2.15 to 10.0.2.2. */
static const uint8_t request[] = {0x52, 0x55, 0x0a, 0x00, 0x02, 0x02, 0x52, 0x54, 0x00, 0x12, 0x34, 0x56,
                                  0x08, 0x00, 0x45, 0x00, 0x00, 0x20, 0x12, 0x34, 0x00, 0x00, 0x40, 0x01,
                                  0x50, 0x99, 0x0a, 0x00, 0x02, 0x0f, 0x0a, 0x00, 0x02, 0x02, 0x08, 0x00,
                                  0x33, 0x31, 0x00, 0x07, 0x00, 0x01, 0x61, 0x62, 0x63, 0x64};
enum { TYPE = 12, IP = 14, IP_SUM = 24, ICMP = 34, ICMP_SUM = 36 };

/* The sum of RFC 1071 in its own words: 16-bit ones' complement of the ones' complement sum. */
static unsigned checksum(const uint8_t *bytes, unsigned nr_bytes)
{
    unsigned long sum = 0;
    for (unsigned i = 0; i < nr_bytes; i += 2)
        sum += bytes[i] * 256ul + (i + 1 < nr_bytes ? bytes[i + 1] : 0);
    return 0xffff - (unsigned)(sum % 0xffff ? sum % 0xffff : 0xffff);
}

static void put16(uint8_t *at, unsigned value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

Test(ether_host, answers_an_echo_request)
{
    uint8_t answer[sizeof request], wanted[sizeof request];
    memcpy(wanted, request, sizeof request);
    memcpy(wanted, request + 6, 6);
    memcpy(wanted + 6, request, 6);
    memcpy(wanted + 26, request + 30, 4);
    memcpy(wanted + 30, request + 26, 4);
    wanted[22] = 255;
    wanted[ICMP] = 0;
    put16(wanted + IP_SUM, 0);
    put16(wanted + IP_SUM, checksum(wanted + IP, 20));
    put16(wanted + ICMP_SUM, 0);
    put16(wanted + ICMP_SUM, checksum(wanted + ICMP, 12));
    cr_assert_eq(ether_host_answer(request, sizeof request, answer), sizeof request);
    cr_assert_eq(memcmp(answer, wanted, sizeof wanted), 0);
}

/* One byte is another, and sums are made right again where that is asked for. */
static size_t says_to(unsigned at, uint8_t value, bool is_mended)
{
    uint8_t frame[sizeof request], answer[sizeof request];
    memcpy(frame, request, sizeof request);
    frame[at] = value;
    if (is_mended) {
        put16(frame + IP_SUM, 0);
        put16(frame + IP_SUM, checksum(frame + IP, 20));
        put16(frame + ICMP_SUM, 0);
        put16(frame + ICMP_SUM, checksum(frame + ICMP, 12));
    }
    return ether_host_answer(frame, sizeof frame, answer);
}

Test(ether_host, leaves_the_rest_alone)
{
    cr_assert_eq(says_to(42, 0x62, true), sizeof request, "other data");
    static const struct {
        unsigned at;
        uint8_t value;
        bool is_mended;
        const char *why;
    } cases[] = {
        {5, 3, false, "another station"},          {TYPE + 1, 1, false, "another protocol"},
        {IP, 0x65, true, "another version"},       {IP, 0x44, true, "a header that is too short"},
        {IP + 3, 0x21, true, "a longer datagram"}, {IP + 3, 0x1b, true, "no room for a message"},
        {IP + 6, 0x20, true, "a fragment"},        {IP + 9, 6, true, "TCP"},
        {IP + 19, 3, true, "another address"},     {IP + 8, 0x41, false, "a wrong sum of IP"},
        {42, 0x62, false, "a wrong sum of ICMP"},  {ICMP, 13, true, "another message"},
    };
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++)
        cr_assert_eq(says_to(cases[i].at, cases[i].value, cases[i].is_mended), 0, "%s", cases[i].why);
}

Test(ether_host, looks_at_no_byte_behind_a_frame)
{
    for (size_t nr_bytes = 0; nr_bytes < sizeof request; nr_bytes++) {
        uint8_t answer[64];
        cr_assert_eq(ether_host_answer(request, nr_bytes, answer), 0, "%zu bytes", nr_bytes);
    }
}
