/* In which steps an item passes the issue stage. */
#ifndef LK_TESTS_TICKED_STEPS_H
#define LK_TESTS_TICKED_STEPS_H

#include "tests/oracle/ticked/insn.h"

enum step_kind {
    STEP_ENTER_BLOCK,  /* the block before is left; waits until this one has come through the front end */
    STEP_BEGIN,        /* an exception: its cycle */
    STEP_WAKE,         /* waits until the cycle in which the item began */
    STEP_WAIT,         /* for registers: `places` */
    STEP_UNIT,         /* for the unit that divides */
    STEP_TAKE_UNIT,    /* until the result is there */
    STEP_PORT,         /* a memory port */
    STEP_PLACE,        /* a place in the store buffer */
    STEP_TRANSLATE,    /* `request` */
    STEP_SEND,         /* `request`, to the caches */
    STEP_ASIDE,        /* the same, but what follows does not wait for the translation */
    STEP_LOADED,       /* the load is whole: its data come from the caches, or from the store buffer */
    STEP_BUFFER,       /* the store is in the buffer */
    STEP_BEHIND,       /* the store of a read-modify-write: `nr` requests from `request` on */
    STEP_DATA,         /* waits for the loads' data */
    STEP_DATA_NEARLY,  /* so that a hit would be there */
    STEP_NEW_DATA,     /* loads from here on bring other data */
    STEP_RESOLVE,      /* the branch's outcome is known */
    STEP_RESOLVE_DATA, /* when the data are there */
    STEP_SERIALISE,    /* all results are there, the store buffer is empty */
    STEP_PASS,         /* `nr` cycles */
    STEP_DRAINED,      /* the store buffer is empty */
    STEP_ALL_RESULTS,
    STEP_STEPPED,     /* `places` are there in the next cycle */
    STEP_RESULT,      /* `places` are there as the recipe says */
    STEP_SWAP,        /* what is known of two places is exchanged */
    STEP_ISSUED,      /* the cycle that is called its issue */
    STEP_DONE_NOW,    /* the cycle that is called its end */
    STEP_DONE_NEXT,   /* the same, and it is the one behind this */
    STEP_DONE_RESULT, /* the same, and it is when the result is there */
    STEP_REDIRECT,    /* the front end starts afresh */
    STEP_NEXT_SLOT,   /* what follows has to wait for the next slot */
};

struct step {
    enum step_kind kind;
    uint64_t places;
    uint64_t request;
    unsigned nr;
};

struct steps {
    struct step *step;
    size_t nr, max;
};

/* The steps of an item; `is_woken`: the instruction before it was an HLT. */
void steps_of(const struct stream *stream, const struct item *item, const struct recipe *recipe,
              bool is_woken, const struct config *config, struct steps *steps);

#endif
