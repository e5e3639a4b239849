# The bench program: ours and the floor of matrix products (script/bench runs it beside its peers). The floor calls the
# same BLAS as the library. The native peers are part of it; the default build sees neither.

if(GIBBS_BENCH)
    if(NOT GIBBS_BLAS)
        message(FATAL_ERROR "GIBBS_BENCH needs GIBBS_BLAS=ON: its floor is BLAS'.")
    endif()
    file(GLOB bench_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/bench/*.c)
    add_executable(gibbs_bench ${bench_sources} ${gibbs_object_files}) # not the library: products are internal
    gibbs_flags(gibbs_bench)
    target_compile_definitions(gibbs_bench PRIVATE ${GIBBS_DEFINITIONS})
    set_source_files_properties(${PROJECT_SOURCE_DIR}/bench/sweeps.c PROPERTIES # for what is by hand there
        COMPILE_OPTIONS "-O3;-march=native")
    target_include_directories(gibbs_bench PRIVATE ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/include)
    target_include_directories(gibbs_bench SYSTEM PRIVATE ${GIBBS_INCLUDE_DIRS})
    target_link_libraries(gibbs_bench PRIVATE ${GIBBS_LIBRARIES} Threads::Threads m)
    set_target_properties(gibbs_bench PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bench)
    add_subdirectory(${PROJECT_SOURCE_DIR}/bench/peers/native)
endif()
