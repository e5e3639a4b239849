# Headers, library, CMake package and pkg-config file. Both package files find the prefix from where they lie, so an
# installed tree can be moved.

include(CMakePackageConfigHelpers)
include(GNUInstallDirs)
set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/gibbs)

install(TARGETS gibbs EXPORT gibbsTargets
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
    INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/gibbs DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
    FILES_MATCHING PATTERN "*.h")
install(EXPORT gibbsTargets NAMESPACE gibbs:: DESTINATION ${package_folder})

get_target_property(gibbs_type gibbs TYPE)
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/gibbsConfig.cmake.in gibbsConfig.cmake
    INSTALL_DESTINATION ${package_folder})
write_basic_package_version_file(gibbsConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/gibbsConfig.cmake ${PROJECT_BINARY_DIR}/gibbsConfigVersion.cmake
    DESTINATION ${package_folder})

set(pc_private)
foreach(library IN LISTS GIBBS_LIBRARIES)
    gibbs_library_name("${library}" name)
    if(library MATCHES "\\.framework$")
        string(APPEND pc_private " -framework ${name}")
    elseif(IS_ABSOLUTE "${library}")
        string(APPEND pc_private " -l${name}")
    else()
        string(APPEND pc_private " ${name}")
    endif()
endforeach()
string(APPEND pc_private " -pthread -lm")
set(pc_public "-lgibbs -lm")
if(NOT BUILD_SHARED_LIBS)
    set(pc_public "-lgibbs${pc_private}")
endif()

# ${pcfiledir} is the folder of the .pc file; absolute install folders are taken as they are.
file(RELATIVE_PATH pc_up "/prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/prefix")
string(REGEX REPLACE "/$" "" pc_up "${pc_up}")
set(pc_prefix "\${pcfiledir}/${pc_up}")
set(pc_libdir "\${prefix}/${CMAKE_INSTALL_LIBDIR}")
set(pc_includedir "\${prefix}/${CMAKE_INSTALL_INCLUDEDIR}")
if(IS_ABSOLUTE "${CMAKE_INSTALL_LIBDIR}")
    set(pc_prefix ${CMAKE_INSTALL_PREFIX})
    set(pc_libdir ${CMAKE_INSTALL_LIBDIR})
endif()
if(IS_ABSOLUTE "${CMAKE_INSTALL_INCLUDEDIR}")
    set(pc_includedir ${CMAKE_INSTALL_INCLUDEDIR})
endif()
configure_file(${PROJECT_SOURCE_DIR}/cmake/gibbs.pc.in gibbs.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/gibbs.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
