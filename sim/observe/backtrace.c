#include "sim/observe/backtrace.h"

#include "sim/observe/trace_disasm.h"

#include <inttypes.h>

enum {
    MAX_FRAMES = 32,
    MAX_FRAME_BYTES = 1 << 14, /* a caller's frame that lies further up is no frame */
    MAX_SCANNED_BYTES = 1 << 12,
    MAX_CALL_BYTES = 8,
};

struct backtrace {
    const struct cpu *cpu;
    const struct elf_symbols *symbols;
    const struct trace_disasm *disasm;
    FILE *to;
    unsigned word_bytes, code_bits;
    uint64_t stack_base; /* what is added to ESP and EBP */
    uint64_t stack;      /* how far the calls have been found */
};

/* A word of the stack. */
static bool peek_word(const struct backtrace *trace, uint64_t at, uint64_t *word)
{
    *word = 0;
    return cpu_peek(trace->cpu, laddr(at), word, trace->word_bytes);
}

/*
 * A return address is behind its call, which may be the last instruction of a function: it is that of the
 * byte before, and a byte.
 */
static void print_return(const struct backtrace *trace, uint64_t at, bool is_sure)
{
    uint64_t offset;
    const char *name = elf_symbols_find(trace->symbols, at - 1, &offset);
    fprintf(trace->to, "  %08" PRIx64 " %s", at, is_sure ? "" : "? ");
    if (name)
        fprintf(trace->to, "%.80s+%#" PRIx64 "\n", name, offset + 1);
    else
        fprintf(trace->to, "%08" PRIx64 "\n", at);
}

/* Whether some bytes before it are a CALL that ends there. */
static bool is_behind_call(const struct backtrace *trace, uint64_t at)
{
    for (unsigned length = 2; length <= MAX_CALL_BYTES; length++) {
        struct cpu_seen_insn insn = {.rip = at - length,
                                     .linear = laddr(at - length),
                                     .length_bytes = (uint8_t)length,
                                     .code_bits = (uint8_t)trace->code_bits};
        if (at > length && cpu_peek(trace->cpu, insn.linear, insn.bytes, length) &&
            trace_disasm_is_call(trace->disasm, &insn))
            return true;
    }
    return false;
}

/* One frame: the caller's, and where it goes on. False: that is none. */
static bool read_frame(const struct backtrace *trace, uint64_t frame, uint64_t *caller, uint64_t *return_to)
{
    return frame % trace->word_bytes == 0 && frame >= trace->stack &&
           frame - trace->stack <= MAX_FRAME_BYTES && peek_word(trace, frame, caller) &&
           peek_word(trace, frame + trace->word_bytes, return_to) && is_behind_call(trace, *return_to);
}

/*
 * The chain of frame pointers. *is_whole: it ends as chains do, with no caller. A register that is used for
 * something else may look like one frame; so one alone is none. Returns how many were printed.
 */
static unsigned print_frames(struct backtrace *trace, uint64_t frame, bool *is_whole)
{
    uint64_t caller, return_to, next, next_return;
    unsigned nr = 0;
    *is_whole = false;
    while (nr < MAX_FRAMES && read_frame(trace, frame, &caller, &return_to)) {
        struct backtrace above = *trace;
        above.stack = frame + 1;
        *is_whole =
            caller == 0 || (caller > frame && caller - frame <= MAX_FRAME_BYTES &&
                            peek_word(trace, caller + trace->word_bytes, &next_return) && next_return == 0);
        if (nr == 0 && !*is_whole && !read_frame(&above, caller, &next, &next_return))
            break;
        print_return(trace, return_to, true);
        nr++;
        trace->stack = frame + 2 * trace->word_bytes;
        frame = caller;
        if (*is_whole)
            break;
    }
    return nr;
}

static void print_scanned(const struct backtrace *trace, unsigned nr)
{
    uint64_t word, offset, at = trace->stack & ~(uint64_t)(trace->word_bytes - 1);
    for (unsigned i = 0; i < MAX_SCANNED_BYTES && nr < MAX_FRAMES; i += trace->word_bytes) {
        if (!peek_word(trace, at + i, &word))
            return;
        if ((trace->symbols && !elf_symbols_find(trace->symbols, word - 1, &offset)) ||
            !is_behind_call(trace, word))
            continue;
        print_return(trace, word, false);
        nr++;
    }
}

void backtrace_print(const struct cpu *cpu, const struct elf_symbols *symbols, FILE *to)
{
    struct cpu_state s = cpu_state(cpu);
    bool is_64 = cpu_state_is_64bit_code(&s), is_whole;
    struct trace_disasm *disasm = trace_disasm_create();
    struct backtrace trace = {.cpu = cpu,
                              .symbols = symbols,
                              .disasm = disasm,
                              .to = to,
                              .word_bytes = is_64 ? 8 : 4,
                              .code_bits = is_64 ? 64 : 32,
                              .stack_base = is_64 ? 0 : s.segment[2].hidden.base};
    trace.stack = s.gpr[4] + trace.stack_base;
    fprintf(to, "calls, the innermost first:\n");
    char place[128];
    elf_symbols_place(symbols, cpu_state_code_linear(&s), place, sizeof place);
    fprintf(to, "  %08" PRIx64 " %s\n", cpu_state_code_linear(&s), place);
    if (!disasm)
        return;
    unsigned nr = print_frames(&trace, s.gpr[5] ? s.gpr[5] + trace.stack_base : 0, &is_whole);
    if (!is_whole)
        print_scanned(&trace, nr);
    trace_disasm_destroy(disasm);
}
