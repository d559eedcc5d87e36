#include "tests/oracle/ticked/pipeline.h"

#include "tests/oracle/ticked/predictor.h"
#include "tests/oracle/ticked/steps.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

typedef uint64_t slot_t; /* cpu.width of them are a cycle */

enum {
    MAX_BLOCKS = 64, /* more than cpu.fetch_queue, a power of two */
    MAX_STORES = 128,
    /* Items that must be there before the pipeline ticks on: a front end cannot run ahead by more. */
    LOOK_AHEAD = 8192,
    WINDOW = 24, /* items shown around a difference */
    /* Ticks in which nothing happens; more than that is a pipeline that waits for what will never come. */
    MAX_IDLE_CYCLES = 1000000,
};

/* A recipe that the front end made, for the issue stage. */
struct prepared {
    struct recipe recipe;
    bool is_known; /* bytes that mean something */
};

/* The bytes of an access, by physical address, a piece for each line that it lies in. */
struct bytes {
    uint64_t at[2];
    unsigned size_bytes[2];
    unsigned nr;
};

/* A store on its way to the L1D. */
struct store {
    cycle_t line_there; /* it can leave the buffer one cycle later */
    cycle_t data_there;
    struct bytes bytes;
    bool is_watched; /* the stream says when it leaves: */
    cycle_t drained;
    uint64_t item;
};

struct difference {
    bool is_there;
    const char *what;
    uint64_t item;
    const struct request *request;
    cycle_t ours, theirs;
};

struct front_end {
    uint64_t item; /* the next to pass */
    bool is_asking;
    slot_t there_at; /* of the block that is asked for */
    slot_t may_ask;  /* not before */
    bool is_waiting; /* for `item` to say where the front end goes on, and when */
    bool is_told;
    slot_t told;
    unsigned x87_top;
};

struct pipeline {
    const struct config *config;
    const struct stream *stream;
    struct insn_tables *tables;
    struct guesser *guesser;
    unsigned width;
    slot_t now;

    struct front_end front;
    /* Blocks are numbered as they are asked for; the latches between fetch and issue. */
    uint64_t nr_asked, nr_entered;
    slot_t arrives[MAX_BLOCKS], left[MAX_BLOCKS];
    cycle_t there[MAX_BLOCKS];

    /* The issue stage. */
    uint64_t item;
    struct prepared *prepared; /* a ring, by item */
    uint64_t prepared_mask;
    struct steps steps;
    size_t step;
    bool is_loaded;
    bool is_mid_step;
    slot_t step_ends;
    bool has_data;
    slot_t data;
    struct bytes loaded, stored; /* of the access under way */
    slot_t aside;        /* when the load under way is translated, if it waits for that aside; else 0 */
    slot_t loaded_there; /* when the caches have all of what is loaded */
    bool is_halted;
    unsigned ports_used;
    slot_t ready[NR_PLACES];
    slot_t unit_free; /* the unit that divides */
    slot_t line_there;
    cycle_t fetched; /* when the block of the instruction was there */

    struct store stores[MAX_STORES];
    uint64_t nr_stores, nr_drained;

    slot_t last_move; /* when something last went on */
    struct pipeline_counts counts;
    struct difference difference;
    struct {
        cycle_t issued, done;
    } ours;
};

static cycle_t cycle_of(const struct pipeline *p, slot_t slot)
{
    return slot / p->width;
}

static slot_t slot_of(const struct pipeline *p, cycle_t cycle)
{
    return cycle * p->width;
}

/* What takes `cycles` from a moment: whole cycles later, or at once. */
static slot_t after(const struct pipeline *p, slot_t from, cycle_t cycles)
{
    return cycles ? slot_of(p, cycle_of(p, from) + cycles) : from;
}

static void compare(struct pipeline *p, const char *what, uint64_t item, const struct request *request,
                    cycle_t ours, cycle_t theirs)
{
    if (ours == theirs || p->difference.is_there)
        return;
    p->difference = (struct difference){true, what, item, request, ours, theirs};
}

struct pipeline *pipeline_create(const struct config *config, const struct stream *stream)
{
    struct pipeline *p = calloc(1, sizeof *p);
    if (!p)
        abort();
    p->config = config;
    p->stream = stream;
    p->tables = insn_tables_create();
    p->guesser = guesser_create(config);
    p->width = (unsigned)config->cpu_width;
    p->now = p->front.may_ask = p->width; /* a core starts in cycle 1 */
    p->prepared_mask = 2 * LOOK_AHEAD - 1;
    p->prepared = calloc(p->prepared_mask + 1, sizeof *p->prepared);
    if (!p->prepared)
        abort();
    return p;
}

void pipeline_destroy(struct pipeline *p)
{
    if (!p)
        return;
    insn_tables_destroy(p->tables);
    guesser_destroy(p->guesser);
    free(p->prepared);
    free(p->steps.step);
    free(p);
}

/* How many items are complete. */
static uint64_t nr_items(const struct pipeline *p)
{
    return p->stream->nr_items - p->stream->is_delivering;
}

static struct prepared *prepared(const struct pipeline *p, uint64_t item)
{
    return &p->prepared[item & p->prepared_mask];
}

/* ---- The store buffer: one store leaves in a cycle, in order ---- */

static void store_stage(struct pipeline *p)
{
    if (p->now % p->width != 0 || p->nr_drained == p->nr_stores)
        return;
    const struct store *store = &p->stores[p->nr_drained % MAX_STORES];
    cycle_t cycle = cycle_of(p, p->now);
    if (cycle <= store->line_there)
        return;
    if (store->is_watched)
        compare(p, "store drained", store->item, NULL, cycle, store->drained);
    p->nr_drained++;
    p->counts.stores++;
    p->last_move = p->now;
}

/* ---- Issue ---- */

static bool are_ready(const struct pipeline *p, uint64_t places)
{
    for (unsigned place = 0; place < NR_PLACES; place++)
        if (places >> place & 1 && p->ready[place] > p->now)
            return false;
    return true;
}

static bool is_drained(const struct pipeline *p)
{
    return p->nr_drained == p->nr_stores;
}

/* Something that takes time, begun in the first tick in which it is looked at. */
static bool pass_time(struct pipeline *p, cycle_t cycles)
{
    if (!p->is_mid_step) {
        p->is_mid_step = true;
        p->step_ends = after(p, p->now, cycles);
    }
    if (p->now < p->step_ends)
        return false;
    p->is_mid_step = false;
    return true;
}

static bool translate(struct pipeline *p, const struct request *request)
{
    if (!p->is_mid_step) {
        compare(p, "asked", p->item, request, cycle_of(p, p->now), request->asked);
        p->counts.requests++;
    }
    return pass_time(p, request->translation_cycles);
}

/* When the access under way asks the caches. */
static slot_t sent_at(const struct pipeline *p)
{
    return p->aside > p->now ? p->aside : p->now;
}

/* The load goes on when it is translated; nothing else waits for that. */
static void translate_aside(struct pipeline *p, const struct request *request)
{
    compare(p, "asked", p->item, request, cycle_of(p, sent_at(p)), request->asked);
    p->counts.requests++;
    p->aside = after(p, sent_at(p), request->translation_cycles);
}

static void add_bytes(struct bytes *bytes, const struct request *request)
{
    if (!request->is_rest)
        bytes->nr = 0;
    if (bytes->nr == 2)
        abort(); /* no access lies in three lines */
    bytes->at[bytes->nr] = request->physical;
    bytes->size_bytes[bytes->nr++] = request->size_bytes;
}

static bool overlap(const struct bytes *a, const struct bytes *b)
{
    for (unsigned i = 0; i < a->nr; i++)
        for (unsigned j = 0; j < b->nr; j++)
            if (a->at[i] < b->at[j] + b->size_bytes[j] && b->at[j] < a->at[i] + a->size_bytes[i])
                return true;
    return false;
}

static bool contain(const struct bytes *outer, const struct bytes *inner)
{
    return outer->nr == 1 && inner->nr == 1 && outer->at[0] <= inner->at[0] &&
           inner->at[0] + inner->size_bytes[0] <= outer->at[0] + outer->size_bytes[0];
}

/*
 * When the load that is sent now (or later, if it waits aside) has its bytes, which the caches have at
 * `there` (timing.md, section 5).
 */
static slot_t hear_stores(const struct pipeline *p, slot_t there)
{
    const struct config *config = p->config;
    cycle_t now = cycle_of(p, sent_at(p)), drained = cycle_of(p, p->now), drained_of_met = 0;
    const struct store *met = NULL;
    for (uint64_t i = p->nr_drained; i < p->nr_stores; i++) {
        const struct store *store = &p->stores[i % MAX_STORES];
        drained = (drained > store->line_there ? drained : store->line_there) + 1;
        if (drained > now + 1 && overlap(&store->bytes, &p->loaded)) {
            met = store;
            drained_of_met = drained;
        }
    }
    if (!met)
        return there;
    cycle_t hit = config->cache_l1d_latency_cycles;
    if (contain(&met->bytes, &p->loaded)) {
        cycle_t forward = config->cpu_store_forward_cycles ? config->cpu_store_forward_cycles : hit;
        return slot_of(p, (now > met->data_there ? now : met->data_there) + forward);
    }
    slot_t replayed = slot_of(p, drained_of_met + hit + config->cpu_store_forward_fail_cycles);
    return there > replayed ? there : replayed;
}

/* All of a load has been sent. */
static void end_load(struct pipeline *p)
{
    slot_t ready = hear_stores(p, p->loaded_there);
    p->data = p->has_data && p->data > ready ? p->data : ready;
    p->has_data = true;
    p->loaded_there = 0;
    p->aside = 0;
}

/* A store's line was answered for `there`. One that the L1D serves is there a hit's time before. */
static void line_comes(struct pipeline *p, const struct request *request, slot_t there)
{
    if (request->is_l1)
        there -= slot_of(p, p->config->cache_l1d_latency_cycles);
    if (there > p->line_there)
        p->line_there = there;
}

static bool send(struct pipeline *p, const struct request *request)
{
    if (request->is_uncached && p->is_mid_step)
        return pass_time(p, 0);
    if (!request->is_device)
        compare(p, "sent", p->item, request, cycle_of(p, sent_at(p)), request->sent);
    slot_t there = after(p, sent_at(p), request->data_cycles);
    if (request->kind == REQUEST_LOAD) {
        add_bytes(&p->loaded, request);
        p->loaded_there = there > p->loaded_there ? there : p->loaded_there;
    } else {
        add_bytes(&p->stored, request);
        if (!request->is_device)
            line_comes(p, request, there);
    }
    return request->is_uncached ? pass_time(p, request->data_cycles) : true;
}

static slot_t result_slot(const struct pipeline *p)
{
    const struct recipe *recipe = &prepared(p, p->item)->recipe;
    slot_t start = slot_of(p, cycle_of(p, p->now));
    if (!p->has_data)
        return start + slot_of(p, recipe->latency_cycles);
    unsigned cycles = recipe->is_load_only ? 0 : recipe->latency_cycles - recipe->is_push_of_x87;
    return (p->data > start ? p->data : start) + slot_of(p, cycles);
}

/* Its data are there at `data`. A line that hits is there, and only has to be written. */
static void put_store(struct pipeline *p, slot_t data)
{
    p->stores[p->nr_stores++ % MAX_STORES] =
        (struct store){.line_there = cycle_of(p, p->line_there > data ? p->line_there : data),
                       .data_there = cycle_of(p, data),
                       .bytes = p->stored,
                       .item = p->item};
    p->line_there = 0;
}

/* The store of a read-modify-write goes its own way; its instruction does not wait for it. */
static void put_store_behind(struct pipeline *p, const struct step *step)
{
    slot_t at = p->now;
    for (unsigned i = 0; i < step->nr; i++) {
        const struct request *request = stream_request(p->stream, step->request + i);
        compare(p, "asked", p->item, request, cycle_of(p, at), request->asked);
        at = after(p, at, request->translation_cycles);
        p->counts.requests++;
    }
    for (unsigned i = 0; i < step->nr; i++) {
        const struct request *request = stream_request(p->stream, step->request + i);
        if (request->is_device) /* what it takes was paid by the load */
            return;
        compare(p, "sent", p->item, request, cycle_of(p, at), request->sent);
        add_bytes(&p->stored, request);
        slot_t there = after(p, at, request->data_cycles);
        line_comes(p, request, there);
        if (request->is_uncached)
            at = there;
    }
    slot_t result = result_slot(p);
    put_store(p, result > at ? result : at);
}

static void set_ready(struct pipeline *p, uint64_t places, slot_t slot)
{
    for (unsigned place = 0; place < NR_PLACES; place++)
        if (places >> place & 1)
            p->ready[place] = slot;
}

/* There is one place, or two. */
static void swap_ready(struct pipeline *p, uint64_t places)
{
    unsigned first = (unsigned)__builtin_ctzll(places), second = 63 - (unsigned)__builtin_clzll(places);
    slot_t ready = p->ready[first];
    p->ready[first] = p->ready[second];
    p->ready[second] = ready;
}

static slot_t next_cycle(const struct pipeline *p)
{
    return slot_of(p, cycle_of(p, p->now) + 1);
}

/* The front end may go on from the cycle of `known`, so many cycles later. */
static void tell_front_end(struct pipeline *p, slot_t known, cycle_t cycles)
{
    p->front.is_told = true;
    p->front.told = slot_of(p, cycle_of(p, known) + cycles);
}

static void resolve(struct pipeline *p, slot_t known)
{
    if (p->front.is_waiting && p->front.item == p->item)
        tell_front_end(p, known, p->config->cpu_mispredict_cycles);
}

static bool enter_block(struct pipeline *p)
{
    if (!p->is_mid_step) {
        if (p->nr_entered > 0)
            p->left[(p->nr_entered - 1) % MAX_BLOCKS] = p->now;
        p->nr_entered++;
        p->is_mid_step = true;
    }
    uint64_t block = p->nr_entered - 1;
    if (block >= p->nr_asked || (p->front.is_asking && block == p->nr_asked - 1) ||
        p->arrives[block % MAX_BLOCKS] > p->now)
        return false;
    p->fetched = p->there[block % MAX_BLOCKS];
    p->is_mid_step = false;
    return true;
}

enum outcome { WAITS, GOES_ON, NEXT_SLOT };

static enum outcome do_step(struct pipeline *p, const struct step *step)
{
    const struct item *item = stream_item(p->stream, p->item);
    switch (step->kind) {
    case STEP_ENTER_BLOCK:
        return enter_block(p) ? GOES_ON : WAITS;
    case STEP_BEGIN:
        compare(p, "exception", p->item, NULL, cycle_of(p, p->now), item->begin);
        return GOES_ON;
    case STEP_WAKE:
        return cycle_of(p, p->now) < item->begin ? WAITS : GOES_ON;
    case STEP_WAIT:
        return are_ready(p, step->places) ? GOES_ON : WAITS;
    case STEP_UNIT:
        return p->unit_free <= p->now ? GOES_ON : WAITS;
    case STEP_TAKE_UNIT:
        p->unit_free = result_slot(p);
        return GOES_ON;
    case STEP_PORT:
        if (p->ports_used == p->config->cpu_memory_ports)
            return WAITS;
        p->ports_used++;
        return GOES_ON;
    case STEP_PLACE:
        return p->nr_stores - p->nr_drained < p->config->cpu_store_buffer ? GOES_ON : WAITS;
    case STEP_TRANSLATE:
        return translate(p, stream_request(p->stream, step->request)) ? GOES_ON : WAITS;
    case STEP_ASIDE:
        translate_aside(p, stream_request(p->stream, step->request));
        return GOES_ON;
    case STEP_SEND:
        return send(p, stream_request(p->stream, step->request)) ? GOES_ON : WAITS;
    case STEP_LOADED:
        end_load(p);
        return GOES_ON;
    case STEP_BUFFER:
        put_store(p, p->now);
        return GOES_ON;
    case STEP_BEHIND:
        put_store_behind(p, step);
        return GOES_ON;
    case STEP_DATA:
        return p->has_data && p->data > p->now ? WAITS : GOES_ON;
    case STEP_DATA_NEARLY:
        return p->data > p->now + slot_of(p, p->config->cache_l1d_latency_cycles) ? WAITS : GOES_ON;
    case STEP_NEW_DATA:
        p->has_data = false;
        return GOES_ON;
    case STEP_RESOLVE:
        resolve(p, p->now);
        return GOES_ON;
    case STEP_RESOLVE_DATA:
        resolve(p, p->data);
        return GOES_ON;
    case STEP_SERIALISE:
        return are_ready(p, UINT64_MAX) && is_drained(p) ? GOES_ON : WAITS;
    case STEP_PASS:
        return pass_time(p, step->nr) ? GOES_ON : WAITS;
    case STEP_DRAINED:
        return is_drained(p) ? GOES_ON : WAITS;
    case STEP_ALL_RESULTS:
        return are_ready(p, UINT64_MAX) ? GOES_ON : WAITS;
    case STEP_STEPPED:
        set_ready(p, step->places, next_cycle(p));
        return GOES_ON;
    case STEP_RESULT:
        set_ready(p, step->places, result_slot(p));
        return GOES_ON;
    case STEP_SWAP:
        swap_ready(p, step->places);
        return GOES_ON;
    case STEP_ISSUED:
        p->ours.issued = cycle_of(p, p->now);
        return GOES_ON;
    case STEP_DONE_NOW:
        p->ours.done = cycle_of(p, p->now);
        return GOES_ON;
    case STEP_DONE_NEXT:
        p->ours.done = cycle_of(p, p->now) + 1;
        return GOES_ON;
    case STEP_DONE_RESULT:
        p->ours.done = cycle_of(p, result_slot(p));
        return GOES_ON;
    case STEP_REDIRECT:
        tell_front_end(p, p->now, 0);
        return GOES_ON;
    case STEP_NEXT_SLOT:
        return NEXT_SLOT;
    }
    return GOES_ON;
}

static void retire(struct pipeline *p)
{
    const struct item *item = stream_item(p->stream, p->item);
    if (item->kind == ITEM_INSN) {
        compare(p, "fetched", p->item, NULL, p->fetched, item->fetched);
        compare(p, "issued", p->item, NULL, p->ours.issued, item->issued);
        compare(p, "done", p->item, NULL, p->ours.done, item->done);
        struct store *last = &p->stores[(p->nr_stores - 1) % MAX_STORES];
        if (p->nr_stores > p->nr_drained && last->item == p->item) {
            last->is_watched = true;
            last->drained = item->drained;
        }
        p->counts.instructions++;
        p->is_halted = prepared(p, p->item)->recipe.is_halt;
    }
    p->counts.exceptions += item->kind == ITEM_EXCEPTION;
    p->item++;
    p->is_loaded = false;
}

static void issue_stage(struct pipeline *p)
{
    if (p->now % p->width == 0)
        p->ports_used = 0;
    while (!p->difference.is_there) {
        if (!p->is_loaded) {
            if (p->item >= nr_items(p))
                return;
            const struct item *item = stream_item(p->stream, p->item);
            bool is_woken = p->is_halted && item->kind == ITEM_EXCEPTION;
            steps_of(p->stream, item, &prepared(p, p->item)->recipe, is_woken, p->config, &p->steps);
            p->is_loaded = true;
            p->step = 0;
            p->has_data = false;
        }
        if (p->step == p->steps.nr) {
            retire(p);
            continue;
        }
        enum outcome outcome = do_step(p, &p->steps.step[p->step]);
        if (outcome == WAITS)
            return;
        p->last_move = p->now;
        p->step++;
        if (outcome == NEXT_SLOT) {
            if (p->step == p->steps.nr)
                retire(p);
            return;
        }
    }
}

/* ---- The front end ---- */

/* Where the instruction behind this item begins. */
static uint64_t address_behind(const struct pipeline *p, uint64_t item)
{
    while (++item < nr_items(p))
        if (stream_item(p->stream, item)->kind != ITEM_BLOCK)
            break;
    return item < nr_items(p) ? stream_item(p->stream, item)->linear : 0;
}

/* A retired instruction passes: what it is, and where the front end thinks that it leads. */
static void front_end_pass(struct pipeline *p)
{
    struct front_end *front = &p->front;
    const struct item *item = stream_item(p->stream, front->item);
    struct prepared *to = prepared(p, front->item);
    to->is_known = insn_read(p->tables, item, front->x87_top, &to->recipe);
    struct recipe *recipe = &to->recipe;
    if (item->kind == ITEM_PART)
        return;
    front->x87_top = item->x87_top;
    if (recipe->is_interrupt && recipe->reads && item->nr_requests == 0) { /* an INTO that does nothing */
        recipe->shape = SHAPE_PLAIN;
        recipe->redirects = false;
    }
    if (recipe->redirects)
        front->is_waiting = true;
    if (recipe->branch == BRANCH_NONE)
        return;
    uint64_t behind = item->linear + item->nr_bytes;
    if (item->code_bits != 64)
        behind = (uint32_t)behind;
    uint64_t to_address = address_behind(p, front->item);
    switch (guesser_pass(p->guesser, recipe->branch, item->linear, behind, item->is_taken, to_address)) {
    case GUESS_RIGHT:
        break;
    case GUESS_LATE:
        front->may_ask += slot_of(p, p->config->cpu_frontend_cycles - 1);
        break;
    case GUESS_WRONG:
        front->is_waiting = true;
        break;
    }
}

/* Asks for a block if there is room. */
static bool ask_for_block(struct pipeline *p)
{
    struct front_end *front = &p->front;
    uint64_t block = p->nr_asked, queue = p->config->cpu_fetch_queue;
    slot_t ask = front->may_ask;
    if (block >= queue) {
        if (p->nr_entered <= block - queue + 1) /* the block that has the place has not been left */
            return false;
        slot_t room = p->left[(block - queue) % MAX_BLOCKS];
        room = slot_of(p, cycle_of(p, room + p->width - 1)); /* a place is free in whole cycles */
        ask = room > ask ? room : ask;
    }
    if (ask > p->now)
        return false;
    const struct item *item = stream_item(p->stream, front->item);
    const struct request *request = stream_request(p->stream, item->first_request);
    compare(p, "block asked", front->item, request, cycle_of(p, ask), request->asked);
    front->is_asking = true;
    front->there_at = after(p, after(p, ask, request->translation_cycles), request->data_cycles);
    p->nr_asked++;
    p->counts.requests++;
    return true;
}

static void fetch_stage(struct pipeline *p)
{
    struct front_end *front = &p->front;
    while (front->item < nr_items(p) && !p->difference.is_there) {
        const struct item *item = stream_item(p->stream, front->item);
        if (front->is_waiting) {
            if (!front->is_told)
                return;
            front->may_ask = front->told;
            front->is_waiting = front->is_told = false;
            front->item++;
            continue;
        }
        if (front->is_asking) {
            if (p->now < front->there_at)
                return;
            uint64_t block = p->nr_asked - 1;
            compare(p, "block there", front->item, NULL, cycle_of(p, front->there_at), item->fetched);
            p->there[block % MAX_BLOCKS] = cycle_of(p, front->there_at);
            p->arrives[block % MAX_BLOCKS] = front->there_at + slot_of(p, p->config->cpu_frontend_cycles);
            front->may_ask = front->there_at + p->width;
            front->is_asking = false;
            front->item++;
            p->counts.blocks++;
            p->last_move = p->now;
            continue;
        }
        switch (item->kind) {
        case ITEM_BLOCK:
            if (!ask_for_block(p))
                return;
            break;
        case ITEM_EXCEPTION:
            front->is_waiting = true;
            break;
        case ITEM_INSN:
        case ITEM_PART:
            front_end_pass(p);
            if (!front->is_waiting)
                front->item++;
            break;
        }
    }
}

/* ---- All together ---- */

static void tick(struct pipeline *p)
{
    store_stage(p);
    issue_stage(p);
    fetch_stage(p);
    p->now++;
}

/* A halted core, in which nothing moves until it is woken: goes there at once. */
static void skip_idle(struct pipeline *p)
{
    bool is_waiting = p->is_loaded && p->step < p->steps.nr && p->steps.step[p->step].kind == STEP_WAKE;
    if (!is_waiting || !is_drained(p))
        return;
    slot_t wakes = slot_of(p, stream_item(p->stream, p->item)->begin);
    p->now = wakes > p->now ? wakes : p->now;
}

bool pipeline_run(struct pipeline *p, bool is_over)
{
    uint64_t left = is_over ? 0 : LOOK_AHEAD;
    while (!p->difference.is_there && p->item + left < nr_items(p)) {
        skip_idle(p);
        tick(p);
        if (p->now - p->last_move > slot_of(p, MAX_IDLE_CYCLES))
            compare(p, "nothing moves any more", p->item, NULL, cycle_of(p, p->now), 0);
    }
    p->counts.cycles = cycle_of(p, p->now);
    return !p->difference.is_there;
}

struct pipeline_counts pipeline_counts(const struct pipeline *p)
{
    return p->counts;
}

uint64_t pipeline_oldest_item(const struct pipeline *p)
{
    uint64_t oldest = p->item < p->front.item ? p->item : p->front.item;
    return oldest > WINDOW ? oldest - WINDOW : 0;
}

static void show(const struct pipeline *p, uint64_t index, FILE *file)
{
    const struct item *item = stream_item(p->stream, index);
    char text[96] = "";
    insn_text(item, text, sizeof text);
    const char *mark = index == p->difference.item ? ">" : " ";
    switch (item->kind) {
    case ITEM_BLOCK:
        fprintf(file, "%s          block %08" PRIx64, mark, item->linear);
        fprintf(file, "  asked %" PRIu64 " there %" PRIu64 "\n",
                stream_request(p->stream, item->first_request)->asked, item->fetched);
        return;
    case ITEM_INSN:
        fprintf(file,
                "%s%9" PRIu64 " %08" PRIx64 " %-36s fetched %" PRIu64 " issued %" PRIu64 " done %" PRIu64
                " drained %" PRIu64 "%s\n",
                mark, item->number, item->linear, text, item->fetched, item->issued, item->done,
                item->drained, item->is_taken ? " taken" : "");
        break;
    case ITEM_PART:
        fprintf(file, "%s%9" PRIu64 " %08" PRIx64 " %-36s not retired\n", mark, item->number, item->linear,
                text);
        break;
    case ITEM_EXCEPTION:
        fprintf(file, "%s          exception %u%s at %" PRIu64 "\n", mark, item->vector,
                item->is_interrupt ? ", from outside," : "", item->begin);
        break;
    }
    for (uint64_t i = 0; i < item->nr_requests && i < 8; i++) {
        static const char *const kinds[] = {"fetch", "load", "store", "probe"};
        const struct request *r = stream_request(p->stream, item->first_request + i);
        fprintf(file,
                "               %s %08" PRIx64 " size %u asked %" PRIu64 " (+%" PRIu64 ") sent %" PRIu64
                " (+%" PRIu64 ")%s%s%s%s%s\n",
                kinds[r->kind], r->linear, r->size_bytes, r->asked, r->translation_cycles, r->sent,
                r->data_cycles, r->is_l1 ? " l1" : "", r->is_rest ? " rest" : "",
                r->is_device ? " device" : "", r->is_uncached ? " uncached" : "",
                r->is_fault ? " fault" : "");
    }
}

void pipeline_report(const struct pipeline *p, FILE *file)
{
    const struct difference *d = &p->difference;
    if (!d->is_there) {
        fprintf(file, "no difference\n");
        return;
    }
    fprintf(file, "%s: ticked %" PRIu64 ", machine %" PRIu64, d->what, d->ours, d->theirs);
    if (d->request)
        fprintf(file, ", of the request for %" PRIx64, d->request->linear);
    fprintf(file, " (in step %zu of item %" PRIu64 ")\n", p->step, p->item);
    uint64_t from = d->item > p->stream->first_item + WINDOW ? d->item - WINDOW : p->stream->first_item;
    for (uint64_t i = from; i < nr_items(p) && i < d->item + 8; i++)
        show(p, i, file);
}
