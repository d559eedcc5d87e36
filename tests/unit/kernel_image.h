/* The bundled guest's image, for tests that boot it: LK_KERNEL, which tests/run sets, or a build's. */
#ifndef LK_TESTS_UNIT_KERNEL_IMAGE_H
#define LK_TESTS_UNIT_KERNEL_IMAGE_H

#include <stdlib.h>

static inline const char *kernel_image(void)
{
    const char *file = getenv("LK_KERNEL");
    return file ? file : "build/guest/kernel-i386.elf";
}

#endif
