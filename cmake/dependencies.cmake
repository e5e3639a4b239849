# What the library stands on. Sets GIBBS_INCLUDE_DIRS, GIBBS_LIBRARIES (linked privately, all by full path or as flags;
# the public headers need nothing) and GIBBS_DEFINITIONS. Cache entries are GIBBS_*, as a parent project has its own.

include(CheckSymbolExists)
include(CMakePushCheckState)
find_package(PkgConfig QUIET)
set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)

# GIBBS_<name>_INCLUDE_DIR and GIBBS_<name>_LIBRARY of a library and its header. pkg-config, where there is one, only
# hints: it speaks of the machine that builds, and for another one CMake looks below CMAKE_FIND_ROOT_PATH.
function(gibbs_find name library header)
    if(PKG_CONFIG_FOUND)
        pkg_check_modules(GIBBS_PC_${name} QUIET ${library})
    endif()
    find_path(GIBBS_${name}_INCLUDE_DIR ${header} HINTS ${GIBBS_PC_${name}_INCLUDE_DIRS} PATH_SUFFIXES ${ARGN})
    find_library(GIBBS_${name}_LIBRARY ${library} HINTS ${GIBBS_PC_${name}_LIBRARY_DIRS})
    mark_as_advanced(GIBBS_${name}_INCLUDE_DIR GIBBS_${name}_LIBRARY)
endfunction()

set(cblas_include)
set(cblas_libraries)
if(NOT GIBBS_PRODUCTS MATCHES "^(own|blas)$")
    message(FATAL_ERROR "GIBBS_PRODUCTS is «${GIBBS_PRODUCTS}», not own or blas.")
elseif(GIBBS_PRODUCTS STREQUAL "blas" AND NOT GIBBS_BLAS)
    message(FATAL_ERROR "GIBBS_PRODUCTS=blas needs GIBBS_BLAS=ON.")
endif()
if(GIBBS_BLAS)
    include(${CMAKE_CURRENT_LIST_DIR}/blas.cmake)
endif()

gibbs_find(JANSSON jansson jansson.h)
gibbs_find(LBFGS lbfgs lbfgs.h)
find_path(GIBBS_RANDOM123_INCLUDE_DIR Random123/philox.h)
mark_as_advanced(GIBBS_RANDOM123_INCLUDE_DIR)
foreach(found IN ITEMS JANSSON_INCLUDE_DIR JANSSON_LIBRARY LBFGS_INCLUDE_DIR LBFGS_LIBRARY RANDOM123_INCLUDE_DIR)
    if(NOT GIBBS_${found})
        message(FATAL_ERROR "GIBBS_${found} was not found. Install the library with its headers, or set that variable.")
    endif()
endforeach()
file(STRINGS ${GIBBS_JANSSON_INCLUDE_DIR}/jansson.h jansson_version REGEX "define +JANSSON_VERSION +\"")
string(REGEX REPLACE ".*\"([0-9.]+).*" "\\1" jansson_version "${jansson_version}")
if(jansson_version VERSION_LESS 2.10)
    message(FATAL_ERROR "jansson ${jansson_version} in ${GIBBS_JANSSON_INCLUDE_DIR} is older than 2.10.")
endif()
find_package(ZLIB REQUIRED)

set(GIBBS_INCLUDE_DIRS ${cblas_include} ${GIBBS_LBFGS_INCLUDE_DIR} ${GIBBS_RANDOM123_INCLUDE_DIR}
    ${GIBBS_JANSSON_INCLUDE_DIR} ${ZLIB_INCLUDE_DIRS})
list(REMOVE_DUPLICATES GIBBS_INCLUDE_DIRS)
set(GIBBS_LIBRARIES ${cblas_libraries} ${GIBBS_LBFGS_LIBRARY} ${ZLIB_LIBRARIES} ${GIBBS_JANSSON_LIBRARY})
set(GIBBS_DEFINITIONS $<$<BOOL:${GIBBS_CHECK_RANGES}>:GIBBS_CHECK_RANGES=1>
    $<$<BOOL:${GIBBS_BLAS}>:GIBBS_BLAS=1> $<$<STREQUAL:${GIBBS_PRODUCTS},blas>:GIBBS_PRODUCTS_BLAS=1>
    $<$<AND:$<BOOL:${GIBBS_BLAS}>,$<BOOL:${GIBBS_OPENBLAS_THREADS}>>:GIBBS_OPENBLAS=1>)

# The name of a library (openblas of /usr/lib/libopenblas.so): what is installed holds no path of the machine it was
# built on. A flag stays as it is.
function(gibbs_library_name library name)
    if(IS_ABSOLUTE "${library}")
        get_filename_component(library "${library}" NAME)
        string(REGEX REPLACE "^lib|\\.(so|a|dylib|tbd|framework|dll|lib)(\\..*)?$" "" library "${library}")
    endif()
    set(${name} ${library} PARENT_SCOPE)
endfunction()
