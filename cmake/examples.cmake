# Each examples/*.c is a program. What they share (command lines, plots, checkpoints) is in examples/common; the
# first example, custom_energy, is built without it, as a reader's own program would be.

file(GLOB example_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/examples/*.c)
file(GLOB example_common CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/examples/common/*.c)

if(example_common)
    add_library(gibbs_example_common STATIC ${example_common})
    gibbs_flags(gibbs_example_common)
    target_compile_definitions(gibbs_example_common PRIVATE
        GIBBS_EXAMPLES_DATA="${PROJECT_SOURCE_DIR}/examples/data")
    target_include_directories(gibbs_example_common SYSTEM PRIVATE ${GIBBS_JANSSON_INCLUDE_DIR})
    target_link_libraries(gibbs_example_common PUBLIC gibbs PRIVATE ${GIBBS_JANSSON_LIBRARY})
endif()

foreach(source IN LISTS example_sources)
    get_filename_component(name ${source} NAME_WE)
    add_executable(${name} ${source})
    gibbs_flags(${name})
    target_link_libraries(${name} PRIVATE gibbs)
    if(TARGET gibbs_example_common AND NOT name STREQUAL "custom_energy")
        target_link_libraries(${name} PRIVATE gibbs_example_common)
    endif()
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/examples)
endforeach()
