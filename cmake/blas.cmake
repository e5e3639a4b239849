# BLAS: the one that BLA_VENDOR names, where that is set (FindBLAS has the list: Intel10_64lp_seq, FLAME, Apple, Arm …),
# else OpenBLAS where it is found, else any. What is called is CBLAS, whose header, cblas.h, is the same for all; where
# it lies elsewhere, GIBBS_CBLAS_INCLUDE_DIR says so. Sets cblas_include, cblas_libraries and GIBBS_OPENBLAS_THREADS.

if(NOT BLA_VENDOR)
    gibbs_find(OPENBLAS openblas cblas.h openblas openblas-pthread)
endif()
if(GIBBS_OPENBLAS_INCLUDE_DIR AND GIBBS_OPENBLAS_LIBRARY AND NOT BLA_VENDOR)
    set(cblas_include ${GIBBS_OPENBLAS_INCLUDE_DIR})
    set(cblas_libraries ${GIBBS_OPENBLAS_LIBRARY})
else()
    find_package(BLAS REQUIRED)
    gibbs_find(CBLAS cblas cblas.h cblas openblas openblas-pthread)
    set(cblas_include ${GIBBS_CBLAS_INCLUDE_DIR})
    set(cblas_libraries ${BLAS_LIBRARIES})
    if(GIBBS_CBLAS_LIBRARY)
        list(PREPEND cblas_libraries ${GIBBS_CBLAS_LIBRARY})
    endif()
endif()

cmake_push_check_state(RESET)
set(CMAKE_REQUIRED_INCLUDES ${cblas_include})
set(CMAKE_REQUIRED_LIBRARIES ${cblas_libraries} m)
check_symbol_exists(cblas_dgemm cblas.h GIBBS_CBLAS_WORKS)
check_symbol_exists(openblas_set_num_threads cblas.h GIBBS_OPENBLAS_THREADS)
cmake_pop_check_state()
if(NOT GIBBS_CBLAS_WORKS)
    message(FATAL_ERROR "No working CBLAS. Install OpenBLAS (Debian: libopenblas-dev), or do without (GIBBS_BLAS=OFF).")
endif()
