# What every C file of the simulator is compiled with. The guest has its own flags.
if(NOT CMAKE_BUILD_TYPE)
    set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()

set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

# Asserts stay on in release: they guard the simulator's own invariants, and are kept off the hit paths.
set(CMAKE_C_FLAGS_RELEASE "-O2 -g1")
option(LK_SANITIZE "Build with AddressSanitizer and UndefinedBehaviorSanitizer, no recovery" OFF)
if(LK_SANITIZE)
    set(CMAKE_C_FLAGS_DEBUG "-O1 -g1")
else()
    set(CMAKE_C_FLAGS_DEBUG "-O0 -g3")
endif()

option(LK_FUZZ "Build the libFuzzer programs of tests/fuzz; takes clang and LK_SANITIZE" OFF)

# For lk_* targets only, so that neither the guest nor an imported package gets them.
add_library(lk_flags INTERFACE)
target_compile_options(lk_flags INTERFACE
    -Wall -Wextra -Wshadow -Wconversion -Werror -fno-semantic-interposition)
target_compile_definitions(lk_flags INTERFACE _GNU_SOURCE)
target_include_directories(lk_flags INTERFACE ${PROJECT_SOURCE_DIR})

if(LK_SANITIZE)
    target_compile_options(lk_flags INTERFACE
        -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
    # What sanitizers add makes the compiler's reasoning about these go wrong; the other builds have them.
    if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
        target_compile_options(lk_flags INTERFACE -Wno-format-truncation -Wno-maybe-uninitialized)
    endif()
    target_link_options(lk_flags INTERFACE -fsanitize=address,undefined)
endif()

if(LK_FUZZ)
    target_compile_options(lk_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
