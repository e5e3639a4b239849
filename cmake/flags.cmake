# How everything is compiled. Never -ffast-math: on a link line it makes the whole host process flush denormals,
# and it breaks NaN and infinity checks. The flags here let gcc vectorise without changing what NaN means.

set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS ON)

set(gibbs_warnings -Wall -Wextra $<$<BOOL:${GIBBS_WERROR}>:-Werror>)
# A thread of the host may have a stack of 128 KiB, of which its own functions need some (tests/ebm/test_stack.c).
set(gibbs_frames -Wframe-larger-than=16384)
set(gibbs_maths -fno-math-errno -fno-trapping-math -fopenmp-simd)
set(gibbs_optimise $<$<NOT:$<CONFIG:Debug>>:-O3>) # also in a parent project that has no build type

if(GIBBS_SANITIZE)
    set(gibbs_optimise "")
    set(gibbs_frames "")
    set(gibbs_sanitizers -fsanitize=address,undefined -fno-sanitize-recover=all)
    if(GIBBS_FUZZ) # the library tells the fuzzer which branches an input took
        list(APPEND gibbs_sanitizers -fsanitize=fuzzer-no-link)
    endif()
    # gcc sees uninitialised values where the sanitizers' code has hidden the initialisation from it. -g1 is enough for
    # lines in their reports, and compiles in three quarters of the time.
    add_compile_options(${gibbs_sanitizers} -O1 -g1 -fno-omit-frame-pointer)
    list(APPEND gibbs_warnings -Wno-maybe-uninitialized)
    add_link_options(${gibbs_sanitizers})
endif()

# What library, tests and examples share.
function(gibbs_flags target)
    target_compile_options(${target} PRIVATE ${gibbs_warnings})
endfunction()

# What the library's own sources need besides.
function(gibbs_library_flags target)
    gibbs_flags(${target})
    target_compile_options(${target} PRIVATE
        ${gibbs_maths} ${gibbs_optimise} ${gibbs_frames} -fno-semantic-interposition)
    target_compile_definitions(${target} PRIVATE ${GIBBS_DEFINITIONS} ${gibbs_levels_built})
    target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/include)
    target_include_directories(${target} SYSTEM PRIVATE ${GIBBS_INCLUDE_DIRS})
    set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE ON C_VISIBILITY_PRESET hidden UNITY_BUILD OFF)
endfunction()
