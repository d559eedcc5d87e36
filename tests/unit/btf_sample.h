/*
 * Structures for tests of the BTF reader, which a compiler lays out twice: for the host, and for the BPF
 * target, whose object file has their BTF. Both have pointers of 8 bytes and the same alignment.
 */
#ifndef LK_TESTS_BTF_SAMPLE_H
#define LK_TESTS_BTF_SAMPLE_H

typedef unsigned int sample_u32;
typedef sample_u32 sample_alias;

enum sample_colour { SAMPLE_RED = 7, SAMPLE_GREEN, SAMPLE_MINUS = -3 };
enum sample_other { SAMPLE_LARGE = 0x70000001 };

struct sample_inner {
    char first;
    struct {
        short second;
        union {
            long third;
            struct {
                char fourth[3], fifth;
            };
        };
    };
};

typedef struct sample_inner sample_inner_alias;

struct sample {
    char byte;
    const volatile sample_alias number;
    struct sample *next;
    enum sample_colour colour;
    unsigned bits_a : 3, bits_b : 7, bits_c : 6, bits_d : 8;
    sample_inner_alias inner;
    const sample_inner_alias inners[3];
    unsigned short matrix[4][5];
    void (*call)(int a, char *b);
    union {
        double real;
        unsigned char raw[16];
    };
    int last;
};

#endif
