# ff_part(NAME SOURCES… [LINK …])      a static library of one part, with the project's warnings
# ff_program(NAME SOURCES… LINK … [BIN]) a program: in libexec/farfield/, or in bin/ when BIN is given
# ff_test(NAME LABEL … SOURCES … LINK …) a cmocka program under one ctest label; with CONFIGURATIONS NAME only for `ctest -C NAME`

add_library(ff_options INTERFACE)
target_include_directories(ff_options INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_definitions(ff_options INTERFACE _GNU_SOURCE FF_VERSION="${PROJECT_VERSION}")
target_compile_options(ff_options INTERFACE
    -Wall -Wextra -Wshadow -Wconversion -Wvla -Wformat=2
    $<$<COMPILE_LANGUAGE:C>:-Wstrict-prototypes$<SEMICOLON>-Wmissing-prototypes>
    -fno-common -fstack-protector-strong -ffile-prefix-map=${CMAKE_SOURCE_DIR}/=
    $<$<BOOL:${FF_WERROR}>:-Werror>)
target_link_options(ff_options INTERFACE -Wl,--as-needed -Wl,-z,relro,-z,now)
# Every program and the shared objects find their libraries by the system's own paths only.
if(FF_SANITIZER STREQUAL "address")
    target_compile_options(ff_options INTERFACE -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -g)
    target_link_options(ff_options INTERFACE -fsanitize=address,undefined)
elseif(FF_SANITIZER STREQUAL "thread")
    target_compile_options(ff_options INTERFACE -fsanitize=thread -fno-omit-frame-pointer -g)
    target_link_options(ff_options INTERFACE -fsanitize=thread)
elseif(FF_SANITIZER)
    message(FATAL_ERROR "FF_SANITIZER is '${FF_SANITIZER}': give address, thread, or nothing")
endif()

# Fixed, because programs find each other by them (protocol/core/file.c).
set(FF_LIBEXECDIR libexec/farfield)
set(FF_FUNCTIONDIR lib/farfield/functions)
set(FF_BACKENDDIR lib/farfield/backends)

function(ff_part name)
    cmake_parse_arguments(arg "" "" "SOURCES;LINK" ${ARGN})
    add_library(${name} STATIC ${arg_SOURCES})
    target_link_libraries(${name} PRIVATE ff_options PUBLIC ${arg_LINK})
endfunction()

function(ff_program name)
    cmake_parse_arguments(arg "BIN" "" "SOURCES;LINK" ${ARGN})
    add_executable(${name} ${arg_SOURCES})
    target_link_libraries(${name} PRIVATE ff_options ${arg_LINK})
    # The build tree mirrors the prefix, so programs find each other the same way in both.
    if(arg_BIN)
        set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/stage/${CMAKE_INSTALL_BINDIR})
        install(TARGETS ${name} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
    else()
        set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/stage/${FF_LIBEXECDIR})
        install(TARGETS ${name} RUNTIME DESTINATION ${FF_LIBEXECDIR})
    endif()
endfunction()

# A shipped native function: a shared object that exports `farfield_function` and nothing else.
function(ff_native_function name)
    cmake_parse_arguments(arg "" "" "SOURCES;LINK" ${ARGN})
    add_library(fn_${name} MODULE ${arg_SOURCES})
    target_link_libraries(fn_${name} PRIVATE ff_options ${arg_LINK})
    set_target_properties(fn_${name} PROPERTIES
        PREFIX "" OUTPUT_NAME ${name}
        LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/stage/${FF_FUNCTIONDIR})
    target_link_options(fn_${name} PRIVATE
        -Wl,--version-script=${CMAKE_SOURCE_DIR}/functions/function.map
        $<$<STREQUAL:${FF_SANITIZER},>:-Wl,--no-undefined>)
    set_target_properties(fn_${name} PROPERTIES LINK_DEPENDS ${CMAKE_SOURCE_DIR}/functions/function.map)
    install(TARGETS fn_${name} LIBRARY DESTINATION ${FF_FUNCTIONDIR})
endfunction()

# What every test finds in its environment: where the programs are, and how sanitizers behave.
set(FF_TEST_ENVIRONMENT "FF_STAGE=${CMAKE_BINARY_DIR}/stage" "FF_SOURCE=${CMAKE_SOURCE_DIR}" "FF_BUILD=${CMAKE_BINARY_DIR}"
    "FF_SANITIZER=${FF_SANITIZER}" "TSAN_OPTIONS=suppressions='${CMAKE_SOURCE_DIR}/tests/tsan.supp'")

function(ff_test name)
    cmake_parse_arguments(arg "" "LABEL;TIMEOUT" "SOURCES;LINK;CONFIGURATIONS" ${ARGN})
    if(NOT arg_TIMEOUT)
        set(arg_TIMEOUT 60)
    endif()
    add_executable(${name} ${arg_SOURCES})
    target_link_libraries(${name} PRIVATE ff_options ${arg_LINK} cmocka)
    add_test(NAME ${arg_LABEL}/${name} COMMAND ${name} CONFIGURATIONS ${arg_CONFIGURATIONS})
    set_tests_properties(${arg_LABEL}/${name} PROPERTIES LABELS ${arg_LABEL} TIMEOUT ${arg_TIMEOUT}
        ENVIRONMENT "${FF_TEST_ENVIRONMENT}")
endfunction()
