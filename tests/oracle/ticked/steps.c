#include "tests/oracle/ticked/steps.h"

#include <stdlib.h>

enum {
    EXCEPTION_CYCLES = 20,
    VECTOR_UD = 6,
    VECTOR_NM = 7,
    VECTOR_GP = 13,
    VECTOR_MF = 16,
    DEVICE_BYTES = 8
};

/* An item on its way to steps: requests are taken one access after the other. */
struct build {
    const struct stream *stream;
    const struct item *item;
    const struct recipe *recipe;
    struct steps *steps;
    uint64_t next, end; /* requests */
    unsigned io_cycles;
    bool is_hit_under_walk;
};

static struct step *add(struct build *b, enum step_kind kind)
{
    struct steps *steps = b->steps;
    if (steps->nr == steps->max) {
        steps->max = steps->max ? steps->max * 2 : 64;
        steps->step = reallocarray(steps->step, steps->max, sizeof *steps->step);
        if (!steps->step)
            abort();
    }
    steps->step[steps->nr] = (struct step){.kind = kind};
    return &steps->step[steps->nr++];
}

static void wait_for(struct build *b, uint64_t places)
{
    if (places)
        add(b, STEP_WAIT)->places = places;
}

static void pass(struct build *b, unsigned cycles)
{
    add(b, STEP_SERIALISE);
    add(b, STEP_PASS)->nr = cycles;
}

static bool has_more(const struct build *b)
{
    return b->next < b->end;
}

static const struct request *peek(const struct build *b)
{
    return stream_request(b->stream, b->next);
}

/* How many requests the next access is. */
static unsigned access_length(const struct build *b)
{
    unsigned nr = 1;
    while (b->next + nr < b->end && stream_request(b->stream, b->next + nr)->is_rest)
        nr++;
    return nr;
}

static bool is_next(const struct build *b, enum request_kind kind)
{
    return has_more(b) && peek(b)->kind == kind;
}

/* One access, translated whole before it is sent. */
static void access(struct build *b)
{
    unsigned nr = access_length(b);
    enum request_kind kind = peek(b)->kind;
    bool is_ram_store = false;
    bool waits_aside = b->is_hit_under_walk && kind == REQUEST_LOAD && peek(b)->may_wait_aside;
    for (unsigned i = 1; i < nr; i++) /* not in two pages */
        waits_aside &= !stream_request(b->stream, b->next + i)->is_translated;
    for (unsigned i = 0; i < nr; i++)
        add(b, waits_aside ? STEP_ASIDE : STEP_TRANSLATE)->request = b->next + i;
    for (unsigned i = 0; i < nr && kind != REQUEST_PROBE; i++) {
        const struct request *request = stream_request(b->stream, b->next + i);
        if (request->is_device)
            for (unsigned done = 0; done < request->size_bytes; done += DEVICE_BYTES)
                pass(b, b->io_cycles);
        if (request->is_uncached)
            add(b, STEP_SERIALISE);
        add(b, STEP_SEND)->request = b->next + i;
        is_ram_store |= kind == REQUEST_STORE && !request->is_device;
    }
    if (kind == REQUEST_LOAD)
        add(b, STEP_LOADED);
    if (is_ram_store)
        add(b, STEP_BUFFER);
    b->next += nr;
}

/* An instruction's own load or store. Returns whether there was one, and nothing is missing of it. */
static bool own_access(struct build *b)
{
    if (!has_more(b))
        return false;
    bool is_fault = peek(b)->is_fault;
    add(b, STEP_PORT);
    if (peek(b)->is_write)
        add(b, STEP_PLACE);
    access(b);
    return !is_fault;
}

/* An access of the processor itself: a load is waited for. */
static void system_access(struct build *b)
{
    const struct request *request = peek(b);
    enum request_kind kind = request->kind;
    bool is_probe = kind == REQUEST_PROBE && !request->is_fault; /* a fault is an access's */
    if (!is_probe)
        add(b, STEP_PORT);
    if (!is_probe && request->is_write)
        add(b, STEP_PLACE);
    if (kind == REQUEST_LOAD)
        add(b, STEP_NEW_DATA);
    access(b);
    if (kind == REQUEST_LOAD)
        add(b, STEP_DATA);
}

/* What is left is of that kind. */
static void sequence(struct build *b)
{
    while (has_more(b))
        system_access(b);
}

/* Everything but its end of what has a load, a store or both. */
static void plain_accesses(struct build *b)
{
    if (!has_more(b))
        return;
    if (is_next(b, REQUEST_PROBE) && !peek(b)->is_fault) { /* it could be written, but is not */
        access(b);
        return;
    }
    unsigned nr = access_length(b);
    bool is_rmw = is_next(b, REQUEST_LOAD) && b->next + nr < b->end;
    if (!is_rmw) {
        own_access(b);
        return;
    }
    add(b, STEP_PORT);
    add(b, STEP_PLACE);
    access(b);
    struct step *behind = add(b, STEP_BEHIND);
    behind->request = b->next;
    behind->nr = (unsigned)(b->end - b->next);
    b->next = b->end;
}

/* Leaves the issue stage; the result is there when `done` says. */
static void finish(struct build *b, enum step_kind done)
{
    const struct recipe *recipe = b->recipe;
    if (b->item->kind == ITEM_PART)
        return;
    add(b, STEP_ISSUED);
    if (recipe->is_iterative)
        add(b, STEP_TAKE_UNIT);
    if (recipe->swaps)
        add(b, STEP_SWAP)->places = recipe->exchanged;
    if (recipe->steps_on)
        add(b, STEP_STEPPED)->places = recipe->steps_on;
    if (recipe->writes)
        add(b, done == STEP_DONE_NEXT ? STEP_STEPPED : STEP_RESULT)->places = recipe->writes;
    add(b, done);
    add(b, STEP_NEXT_SLOT);
}

static bool is_store_last(const struct build *b)
{
    return b->item->nr_requests > 0 && stream_request(b->stream, b->end - 1)->kind == REQUEST_STORE;
}

static bool has_load(const struct build *b)
{
    return b->item->nr_requests > 0 &&
           stream_request(b->stream, b->item->first_request)->kind == REQUEST_LOAD;
}

static void plain(struct build *b)
{
    const struct recipe *recipe = b->recipe;
    wait_for(b, recipe->reads);
    if (recipe->is_iterative)
        add(b, STEP_UNIT);
    plain_accesses(b);
    if (b->item->kind == ITEM_PART && has_load(b)) /* what it loaded was wrong */
        add(b, STEP_DATA);
    if (recipe->branch != BRANCH_NONE)
        add(b, has_load(b) ? STEP_RESOLVE_DATA : STEP_RESOLVE);
    bool ends_at_once = recipe->branch != BRANCH_NONE || (is_store_last(b) && !has_load(b));
    finish(b, ends_at_once ? STEP_DONE_NEXT : STEP_DONE_RESULT);
}

static void push_memory(struct build *b)
{
    wait_for(b, b->recipe->reads);
    if (own_access(b)) {
        add(b, STEP_DATA);
        own_access(b);
    }
    finish(b, STEP_DONE_NEXT);
}

/* rSP has moved when the address is made. */
static void pop_memory(struct build *b)
{
    wait_for(b, b->recipe->reads);
    if (own_access(b)) {
        add(b, STEP_STEPPED)->places = 1ull << PLACE_SP;
        wait_for(b, b->recipe->address);
        add(b, STEP_DATA);
        own_access(b);
    }
    if (b->item->kind == ITEM_PART)
        return;
    add(b, STEP_ISSUED);
    add(b, STEP_DONE_NEXT);
    add(b, STEP_NEXT_SLOT);
}

static void call_indirect(struct build *b)
{
    wait_for(b, b->recipe->address);
    if (b->recipe->shape == SHAPE_CALL_REGISTER) {
        add(b, STEP_RESOLVE);
    } else if (own_access(b)) {
        add(b, STEP_RESOLVE_DATA);
    }
    wait_for(b, 1ull << PLACE_SP);
    own_access(b);
    finish(b, STEP_DONE_NEXT);
}

static void waits_for_data(struct build *b)
{
    wait_for(b, b->recipe->reads);
    own_access(b);
    add(b, STEP_DATA);
    if (b->recipe->latency_cycles == 1) {
        finish(b, STEP_DONE_NEXT);
        return;
    }
    add(b, STEP_NEW_DATA);
    finish(b, STEP_DONE_RESULT);
}

/* One iteration. False: it faulted. */
static bool string_iteration(struct build *b)
{
    const struct recipe *recipe = b->recipe;
    wait_for(b, recipe->reads);
    add(b, STEP_NEW_DATA);
    if (!own_access(b))
        return false;
    if (recipe->moves_string) {
        add(b, STEP_DATA_NEARLY);
        if (!own_access(b))
            return false;
    }
    bool has_two_loads = recipe->compares_string && recipe->reads & 1ull << 6; /* CMPS has rSI */
    if (has_two_loads && !own_access(b))
        return false;
    if (recipe->compares_string && recipe->is_repeated)
        add(b, STEP_DATA);
    return true;
}

static void string(struct build *b)
{
    const struct recipe *recipe = b->recipe;
    const uint64_t counters = recipe->writes & (1ull << 1 | 1ull << 6 | 1ull << 7);
    const uint64_t flags = recipe->writes & 1ull << PLACE_FLAGS;
    if (!has_more(b)) { /* a count of zero */
        wait_for(b, recipe->reads);
        if (b->item->kind == ITEM_PART)
            return;
        add(b, STEP_ISSUED);
        add(b, STEP_DONE_NEXT);
        add(b, STEP_NEXT_SLOT);
        return;
    }
    while (has_more(b)) {
        if (!string_iteration(b))
            return;
        bool ends_with_data = recipe->loads_string || (recipe->compares_string && !recipe->is_repeated);
        uint64_t result = recipe->loads_string ? 1 : flags;
        if (result)
            add(b, ends_with_data ? STEP_RESULT : STEP_STEPPED)->places = result;
        if (has_more(b) || b->item->kind == ITEM_PART) {
            add(b, STEP_NEXT_SLOT);
            continue;
        }
        add(b, STEP_ISSUED);
        add(b, STEP_STEPPED)->places = counters;
        add(b, ends_with_data ? STEP_DONE_RESULT : STEP_DONE_NEXT);
        add(b, STEP_NEXT_SLOT);
    }
}

/* The instruction's own operands in memory, before what the processor reads and writes for it. */
static bool operand_loads(struct build *b)
{
    const struct recipe *recipe = b->recipe;
    if (recipe->nr_operand_loads == 0) {
        wait_for(b, recipe->reads);
        return true;
    }
    wait_for(b, recipe->address ? recipe->address : recipe->reads);
    for (unsigned i = 0; i < recipe->nr_operand_loads; i++)
        if (!own_access(b))
            return false;
    add(b, STEP_DATA);
    wait_for(b, recipe->reads);
    return true;
}

static void serial(struct build *b)
{
    const struct recipe *recipe = b->recipe;
    if (operand_loads(b))
        sequence(b);
    if (b->item->kind == ITEM_PART)
        return;
    if (recipe->waits_for_all)
        add(b, STEP_SERIALISE);
    add(b, STEP_ISSUED);
    pass(b, recipe->serial_cycles);
    add(b, STEP_DONE_NOW);
    add(b, STEP_REDIRECT);
    add(b, STEP_NEXT_SLOT);
}

static void far_transfer(struct build *b)
{
    const struct recipe *recipe = b->recipe;
    bool is_part = b->item->kind == ITEM_PART;
    bool is_delivered = recipe->is_interrupt && (has_more(b) || is_part);
    wait_for(b, recipe->reads);
    add(b, STEP_ISSUED);
    if (is_delivered)
        wait_for(b, 1ull << PLACE_SP);
    sequence(b);
    if (is_delivered)
        pass(b, EXCEPTION_CYCLES);
    if (is_part)
        return;
    pass(b, recipe->serial_cycles);
    add(b, STEP_DONE_NOW);
    add(b, STEP_REDIRECT);
}

static void port_string(struct build *b)
{
    const uint64_t counters = b->recipe->writes & (1ull << 1 | 1ull << 6 | 1ull << 7);
    bool is_input = counters & 1ull << 7;
    add(b, STEP_SERIALISE);
    while (has_more(b)) {
        while (has_more(b) && peek(b)->is_io_map)
            system_access(b);
        if (!has_more(b)) /* the port is not allowed, or the count is zero */
            break;
        while (is_input && is_next(b, REQUEST_PROBE) && !peek(b)->is_fault)
            access(b);
        if (is_input && is_next(b, REQUEST_PROBE)) {
            access(b);
            return;
        }
        if (is_input)
            pass(b, b->io_cycles);
        add(b, STEP_NEW_DATA);
        if (!own_access(b))
            return;
        if (!is_input) {
            add(b, STEP_DATA);
            pass(b, b->io_cycles);
        }
        add(b, STEP_STEPPED)->places = counters;
        bool is_part = b->item->kind == ITEM_PART;
        if (has_more(b) || is_part)
            add(b, STEP_NEXT_SLOT);
        if (has_more(b) || (is_part && !b->item->is_interrupt))
            add(b, STEP_SERIALISE); /* of the next iteration, which may be the one that faults */
    }
    if (b->item->kind == ITEM_PART)
        return;
    add(b, STEP_ISSUED);
    add(b, STEP_DONE_NEXT);
    add(b, STEP_NEXT_SLOT);
}

static void state_image(struct build *b)
{
    wait_for(b, b->recipe->reads);
    add(b, STEP_NEW_DATA);
    bool has_loads = false;
    while (has_more(b)) {
        enum request_kind kind = peek(b)->kind;
        if (kind != REQUEST_PROBE)
            add(b, STEP_PORT);
        if (kind == REQUEST_STORE)
            add(b, STEP_PLACE);
        has_loads |= kind == REQUEST_LOAD;
        access(b);
    }
    if (has_loads)
        add(b, STEP_DATA);
    finish(b, STEP_DONE_NEXT);
}

static void masked(struct build *b)
{
    wait_for(b, b->recipe->reads);
    while (is_next(b, REQUEST_PROBE))
        access(b);
    while (has_more(b))
        own_access(b);
    finish(b, STEP_DONE_NEXT);
}

static void exchange16(struct build *b)
{
    wait_for(b, b->recipe->reads);
    add(b, STEP_PORT);
    add(b, STEP_PLACE);
    while (has_more(b))
        access(b);
    if (b->item->kind == ITEM_PART)
        return;
    add(b, STEP_ISSUED);
    add(b, STEP_RESULT)->places = b->recipe->writes;
    add(b, STEP_DONE_NEXT);
    add(b, STEP_NEXT_SLOT);
}

/* Whether it was refused before it waited for anything. */
static bool is_refused(const struct build *b)
{
    if (b->item->kind != ITEM_PART || has_more(b))
        return false;
    unsigned vector = b->item->vector;
    return vector == VECTOR_UD || vector == VECTOR_NM || vector == VECTOR_MF ||
           (vector == VECTOR_GP && b->recipe->is_privileged);
}

static void instruction(struct build *b)
{
    if (is_refused(b))
        return;
    switch (b->recipe->shape) {
    case SHAPE_PLAIN:
        plain(b);
        break;
    case SHAPE_PUSH_MEMORY:
        push_memory(b);
        break;
    case SHAPE_POP_MEMORY:
        pop_memory(b);
        break;
    case SHAPE_CALL_MEMORY:
    case SHAPE_CALL_REGISTER:
        call_indirect(b);
        break;
    case SHAPE_WAITS_FOR_DATA:
        waits_for_data(b);
        break;
    case SHAPE_STRING:
        string(b);
        break;
    case SHAPE_SEQUENCE:
        wait_for(b, b->recipe->reads);
        sequence(b);
        finish(b, STEP_DONE_NEXT);
        break;
    case SHAPE_SEGMENT:
        if (operand_loads(b))
            sequence(b);
        finish(b, STEP_DONE_NEXT);
        break;
    case SHAPE_SERIAL:
        serial(b);
        break;
    case SHAPE_FAR:
        far_transfer(b);
        break;
    case SHAPE_PORT:
        wait_for(b, b->recipe->reads);
        sequence(b);
        if (b->item->kind != ITEM_PART)
            pass(b, b->io_cycles);
        finish(b, STEP_DONE_NEXT);
        break;
    case SHAPE_PORT_STRING:
        port_string(b);
        break;
    case SHAPE_STATE:
        state_image(b);
        break;
    case SHAPE_MASKED:
        masked(b);
        break;
    case SHAPE_FENCE:
        if (b->recipe->fences_loads)
            add(b, STEP_ALL_RESULTS);
        if (b->recipe->fences_stores)
            add(b, STEP_DRAINED);
        finish(b, STEP_DONE_NEXT);
        break;
    case SHAPE_FLUSH_LINE:
        wait_for(b, b->recipe->reads);
        add(b, STEP_DRAINED);
        add(b, STEP_PORT);
        while (has_more(b))
            access(b);
        finish(b, STEP_DONE_NEXT);
        break;
    case SHAPE_EXCHANGE16:
        exchange16(b);
        break;
    case SHAPE_SERIALISED:
        add(b, STEP_SERIALISE);
        finish(b, STEP_DONE_NEXT);
        break;
    }
}

void steps_of(const struct stream *stream, const struct item *item, const struct recipe *recipe,
              bool is_woken, const struct config *config, struct steps *steps)
{
    struct build b = {.stream = stream,
                      .item = item,
                      .recipe = recipe,
                      .steps = steps,
                      .next = item->first_request,
                      .end = item->first_request + item->nr_requests,
                      .io_cycles = (unsigned)config->cpu_io_cycles,
                      .is_hit_under_walk = config->mmu_hit_under_walk};
    steps->nr = 0;
    switch (item->kind) {
    case ITEM_BLOCK:
        add(&b, STEP_ENTER_BLOCK);
        break;
    case ITEM_INSN:
    case ITEM_PART:
        instruction(&b);
        break;
    case ITEM_EXCEPTION:
        if (is_woken)
            add(&b, STEP_WAKE);
        add(&b, STEP_BEGIN);
        wait_for(&b, 1ull << PLACE_SP);
        sequence(&b);
        pass(&b, EXCEPTION_CYCLES);
        add(&b, STEP_REDIRECT);
        break;
    }
}
