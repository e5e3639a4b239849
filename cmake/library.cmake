# The library. A source named *.simd.c is compiled once per instruction set, with GIBBS_ISA set to the set's name
# (base, v3, v4) for the file to put into its symbols; GIBBS_HAVE_V3 and GIBBS_HAVE_V4 say which sets there are.
# Symbols keep the default visibility: internal functions carry a prefix, and tests reach them in the shared library.

include(CheckCCompilerFlag)

file(GLOB_RECURSE gibbs_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/*.c)
set(gibbs_simd_sources ${gibbs_sources})
list(FILTER gibbs_simd_sources INCLUDE REGEX "\\.simd\\.c$")
list(FILTER gibbs_sources EXCLUDE REGEX "\\.simd\\.c$")

set(gibbs_levels base)
set(gibbs_level_flags_v3 -march=x86-64-v3)
set(gibbs_level_flags_v4 -march=x86-64-v4 -mprefer-vector-width=512)
if(GIBBS_MULTIVERSION AND CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$")
    foreach(level IN ITEMS v3 v4)
        string(TOUPPER ${level} upper)
        check_c_compiler_flag("${gibbs_level_flags_${level}}" GIBBS_COMPILES_${upper})
        if(GIBBS_COMPILES_${upper})
            list(APPEND gibbs_levels ${level})
            list(APPEND gibbs_levels_built GIBBS_HAVE_${upper}=1)
        endif()
    endforeach()
endif()

add_library(gibbs ${gibbs_sources})
add_library(gibbs::gibbs ALIAS gibbs)
gibbs_library_flags(gibbs)
target_link_libraries(gibbs PRIVATE Threads::Threads ${GIBBS_LIBRARIES})
target_include_directories(gibbs INTERFACE $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>)
if(BUILD_SHARED_LIBS AND CMAKE_SYSTEM_NAME STREQUAL "Linux") # its threads must not lose their code to a dlclose
    target_link_options(gibbs PRIVATE LINKER:-z,nodelete)
endif()
set_target_properties(gibbs PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR})

if(gibbs_simd_sources)
    foreach(level IN LISTS gibbs_levels)
        set(part gibbs_simd_${level})
        add_library(${part} OBJECT ${gibbs_simd_sources})
        gibbs_library_flags(${part})
        target_compile_definitions(${part} PRIVATE GIBBS_ISA=${level})
        target_compile_options(${part} PRIVATE ${gibbs_level_flags_${level}})
        target_sources(gibbs PRIVATE $<TARGET_OBJECTS:${part}>)
    endforeach()
endif()
