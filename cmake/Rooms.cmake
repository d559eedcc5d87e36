# A room is a folder with a CMakeLists.txt of its own.
function(lk_add_room folder)
    if(EXISTS ${PROJECT_SOURCE_DIR}/${folder}/CMakeLists.txt)
        add_subdirectory(${folder})
    endif()
endfunction()

# lk_add_library(lk_tlb tlb.c ...): a room's static library with everybody's flags.
function(lk_add_library name)
    add_library(${name} STATIC ${ARGN})
    target_link_libraries(${name} PUBLIC lk_flags)
endfunction()
