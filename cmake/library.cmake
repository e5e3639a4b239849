# The library. A source named *.simd.c is compiled once per instruction set, with GIBBS_ISA set to the set's name
# (base, v3, v4) for the file to put into its symbols; GIBBS_HAVE_V3 and GIBBS_HAVE_V4 say which sets there are.
# Everything is compiled once, into gibbs_object_files: the library is made of them, and so is the static one of the
# tests, which reach internal functions. The shared library exports what the public headers declare (GIBBS_API_BEGIN).

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

add_library(gibbs_objects OBJECT ${gibbs_sources})
gibbs_library_flags(gibbs_objects)
target_link_libraries(gibbs_objects PRIVATE Threads::Threads)
set(gibbs_object_files $<TARGET_OBJECTS:gibbs_objects>)
if(gibbs_simd_sources)
    foreach(level IN LISTS gibbs_levels)
        set(part gibbs_simd_${level})
        add_library(${part} OBJECT ${gibbs_simd_sources})
        gibbs_library_flags(${part})
        target_compile_definitions(${part} PRIVATE GIBBS_ISA=${level})
        target_compile_options(${part} PRIVATE ${gibbs_level_flags_${level}})
        list(APPEND gibbs_object_files $<TARGET_OBJECTS:${part}>)
    endforeach()
endif()

# An installed static library's needs are looked for again where it is used (gibbsConfig.cmake). libm is public:
# programs that call sqrt and pow find it with the library.
add_library(gibbs ${gibbs_object_files})
add_library(gibbs::gibbs ALIAS gibbs)
foreach(library IN LISTS GIBBS_LIBRARIES)
    gibbs_library_name("${library}" name)
    target_link_libraries(gibbs PRIVATE $<BUILD_INTERFACE:${library}>)
    if(IS_ABSOLUTE "${library}")
        get_filename_component(folder "${library}" DIRECTORY)
        list(APPEND gibbs_folders ${folder})
        list(APPEND gibbs_needed ${name})
        set(name gibbs::${name})
    endif()
    target_link_libraries(gibbs PRIVATE $<INSTALL_INTERFACE:${name}>)
endforeach()
target_link_libraries(gibbs PRIVATE Threads::Threads PUBLIC m)
target_include_directories(gibbs INTERFACE $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>)
if(BUILD_SHARED_LIBS AND CMAKE_SYSTEM_NAME STREQUAL "Linux")
    target_link_options(gibbs PRIVATE LINKER:-z,nodelete) # its threads must not lose their code to a dlclose
    if(CMAKE_FIND_ROOT_PATH) # a linker that follows what the library needs does not look there by itself
        foreach(folder IN LISTS gibbs_folders)
            target_link_options(gibbs INTERFACE $<BUILD_INTERFACE:LINKER:-rpath-link,${folder}>)
        endforeach()
    endif()
endif()

# Before 1.0 a minor version may change the interface.
set(gibbs_soversion ${PROJECT_VERSION_MAJOR})
if(PROJECT_VERSION_MAJOR EQUAL 0)
    set(gibbs_soversion 0.${PROJECT_VERSION_MINOR})
endif()
set_target_properties(gibbs PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION ${gibbs_soversion})
