# What the library stands on. Sets GIBBS_INCLUDE_DIRS, GIBBS_LIBRARIES (linked privately; the public headers need
# nothing) and GIBBS_DEFINITIONS.

include(CheckSymbolExists)
include(CMakePushCheckState)
find_package(PkgConfig REQUIRED)
set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)

# BLAS: OpenBLAS where pkg-config knows it, else any BLAS that comes with cblas.h.
pkg_check_modules(OPENBLAS QUIET openblas)
if(OPENBLAS_FOUND)
    set(cblas_include ${OPENBLAS_INCLUDE_DIRS})
    set(cblas_libraries ${OPENBLAS_LINK_LIBRARIES})
else()
    find_package(BLAS REQUIRED)
    find_path(CBLAS_INCLUDE_DIR cblas.h PATH_SUFFIXES cblas openblas REQUIRED)
    find_library(CBLAS_LIBRARY cblas)
    set(cblas_include ${CBLAS_INCLUDE_DIR})
    set(cblas_libraries ${BLAS_LIBRARIES})
    if(CBLAS_LIBRARY)
        list(PREPEND cblas_libraries ${CBLAS_LIBRARY})
    endif()
endif()

cmake_push_check_state(RESET)
set(CMAKE_REQUIRED_INCLUDES ${cblas_include})
set(CMAKE_REQUIRED_LIBRARIES ${cblas_libraries} m)
check_symbol_exists(cblas_dgemm cblas.h GIBBS_CBLAS_WORKS)
check_symbol_exists(openblas_set_num_threads cblas.h GIBBS_OPENBLAS_THREADS)
cmake_pop_check_state()
if(NOT GIBBS_CBLAS_WORKS)
    message(FATAL_ERROR "No working CBLAS. Install OpenBLAS (Debian: libopenblas-dev).")
endif()

# These two have no pkg-config file in Debian.
find_path(LBFGS_INCLUDE_DIR lbfgs.h REQUIRED)
find_library(LBFGS_LIBRARY lbfgs REQUIRED)
find_path(RANDOM123_INCLUDE_DIR Random123/philox.h REQUIRED)
pkg_check_modules(JANSSON REQUIRED jansson>=2.10)
find_package(ZLIB REQUIRED)

set(GIBBS_INCLUDE_DIRS ${cblas_include} ${LBFGS_INCLUDE_DIR} ${RANDOM123_INCLUDE_DIR} ${JANSSON_INCLUDE_DIRS}
    ${ZLIB_INCLUDE_DIRS})
list(REMOVE_DUPLICATES GIBBS_INCLUDE_DIRS)
set(GIBBS_DEFINITIONS $<$<BOOL:${GIBBS_OPENBLAS_THREADS}>:GIBBS_OPENBLAS=1>)

# A library by its name (-lfoo) where the linker finds it so: what we install then holds no path of the machine it
# was built on. By its full path elsewhere.
set(GIBBS_LIBRARIES m)
foreach(path IN LISTS JANSSON_LINK_LIBRARIES ZLIB_LIBRARIES LBFGS_LIBRARY cblas_libraries)
    get_filename_component(name "${path}" NAME_WE)
    string(REGEX REPLACE "^lib" "" name "${name}")
    find_library(GIBBS_BY_NAME_${name} ${name} PATHS ${CMAKE_C_IMPLICIT_LINK_DIRECTORIES} NO_DEFAULT_PATH)
    mark_as_advanced(GIBBS_BY_NAME_${name})
    if(GIBBS_BY_NAME_${name})
        list(PREPEND GIBBS_LIBRARIES ${name})
    else()
        list(PREPEND GIBBS_LIBRARIES ${path})
    endif()
endforeach()
list(REMOVE_DUPLICATES GIBBS_LIBRARIES)
