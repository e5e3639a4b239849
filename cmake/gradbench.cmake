# A tool of the GradBench suite, by the tape and by hand (bench/gradbench); tests run it at the smallest sizes.

if(GIBBS_BENCH OR GIBBS_TESTS)
    set(gradbench ${PROJECT_SOURCE_DIR}/bench/gradbench)
    file(GLOB gradbench_sources CONFIGURE_DEPENDS ${gradbench}/*.c)
    file(GLOB gradbench_hand CONFIGURE_DEPENDS ${gradbench}/hand/*.c)
    add_library(gibbs_gradbench_hand OBJECT ${gradbench_hand})
    target_compile_options(gibbs_gradbench_hand PRIVATE
        -O3 -march=native -fno-math-errno -fno-trapping-math)
    add_executable(gibbs_gradbench ${gradbench_sources} ${PROJECT_SOURCE_DIR}/bench/gmm.c
        ${PROJECT_SOURCE_DIR}/bench/kmeans.c $<TARGET_OBJECTS:gibbs_gradbench_hand>)
    foreach(target IN ITEMS gibbs_gradbench gibbs_gradbench_hand)
        gibbs_flags(${target})
        target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/include)
        target_include_directories(${target} SYSTEM PRIVATE ${GIBBS_JANSSON_INCLUDE_DIR})
    endforeach()
    target_link_libraries(gibbs_gradbench PRIVATE gibbs ${GIBBS_JANSSON_LIBRARY} m)
    set_target_properties(gibbs_gradbench PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bench)
endif()
