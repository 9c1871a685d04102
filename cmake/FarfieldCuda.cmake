# What of CUDA is at hand: headers, for the tests' stand-in (tests/cuda), and nvcc, for the real build. Looked for in the
# toolkit (CUDA_HOME, /usr/local/cuda, the PATH), then where deploy/install-cuda puts it. Neither is needed to build.
#
# FF_CUDA_HEADERS   TRUE when the stand-in can be built: ff::cuda_headers are its include folders
# FF_NVCC           the compiler, or FF_NVCC-NOTFOUND
# FF_CUDART_STATIC, FF_CUFFT   the libraries that the installed backend needs
set(cuda_wheels ${CMAKE_SOURCE_DIR}/.cache/cuda/nvidia/cu13)
set(cuda_places $ENV{CUDA_HOME} /usr/local/cuda ${cuda_wheels})
find_program(FF_NVCC nvcc HINTS ${cuda_places} PATH_SUFFIXES bin)
if(FF_NVCC)
    get_filename_component(cuda_of_nvcc ${FF_NVCC} REALPATH)
    get_filename_component(cuda_of_nvcc ${cuda_of_nvcc} DIRECTORY)
    get_filename_component(cuda_of_nvcc ${cuda_of_nvcc} DIRECTORY)
endif()
find_path(FF_CUDA_INCLUDE cuda_runtime.h HINTS ${cuda_of_nvcc} ${cuda_places} PATH_SUFFIXES include)
find_path(FF_CUFFT_INCLUDE cufft.h HINTS ${FF_CUDA_INCLUDE} ${cuda_places} PATH_SUFFIXES include)

include(CheckLanguage)
check_language(CXX)
set(FF_CUDA_HEADERS FALSE)
if(FF_CUDA_INCLUDE AND FF_CUFFT_INCLUDE AND CMAKE_CXX_COMPILER)
    set(FF_CUDA_HEADERS TRUE)
    enable_language(CXX)
    set(CMAKE_CXX_STANDARD 17)
    set(CMAKE_CXX_STANDARD_REQUIRED ON)
    set(CMAKE_CXX_VISIBILITY_PRESET hidden)
    add_library(ff_cuda_headers INTERFACE)
    target_include_directories(ff_cuda_headers SYSTEM INTERFACE ${FF_CUDA_INCLUDE} ${FF_CUFFT_INCLUDE})
    add_library(ff::cuda_headers ALIAS ff_cuda_headers)
else()
    message(STATUS "No CUDA headers, or no C++ compiler: what needs them is left out, its tests are skipped")
endif()

# ff_cuda_sources(FILE.cu …): the same sources for the C++ compiler of the host, within this folder.
function(ff_cuda_sources)
    set_source_files_properties(${ARGN} PROPERTIES LANGUAGE CXX)
    if(FF_SANITIZER STREQUAL "address") # which leaves variables in sections of their own alone unless told
        set_source_files_properties(${ARGN} PROPERTIES COMPILE_OPTIONS "-fsanitize-sections=ff_shared_*")
    endif()
endfunction()

# How every kernel is compiled for real devices: sm_80, sm_90, and PTX for later ones. A warning fails, and so does a
# register that does not stay one.
set(FF_NVCC_FLAGS -std=c++17 -O3 -I${CMAKE_SOURCE_DIR}
    -gencode arch=compute_80,code=sm_80 -gencode arch=compute_90,code=[sm_90,compute_90]
    -Werror all-warnings -Xptxas -v,-warn-spills,-Werror
    -Xcompiler -Wall,-Wextra,-Wshadow,-Wconversion,-Werror,-fPIC,-fvisibility=hidden)

# What the real object is linked with: the runtime goes into it, cuFFT is found when it is loaded.
if(FF_NVCC)
    find_library(FF_CUDART_STATIC cudart_static HINTS ${cuda_of_nvcc} ${cuda_places} PATH_SUFFIXES lib64 lib)
    find_library(FF_CUFFT NAMES cufft libcufft.so.12 libcufft.so.11 HINTS ${cuda_of_nvcc} ${cuda_places} PATH_SUFFIXES lib64 lib)
endif()

# ff_cuda_objects(RESULT FILE.cu …): compiled by nvcc; RESULT becomes the list of objects. What ptxas said and the PTX
# stay beside them, for tests/cuda/kernel_table.py.
function(ff_cuda_objects result)
    set(folder ${CMAKE_CURRENT_BINARY_DIR}/cuda)
    foreach(source ${ARGN})
        get_filename_component(name ${source} NAME)
        set(object ${folder}/${name}.o)
        add_custom_command(OUTPUT ${object} ${folder}/${name}.ptxas
            COMMAND ${CMAKE_COMMAND} -E make_directory ${folder}/${name}.keep
            COMMAND ${CMAKE_SOURCE_DIR}/cmake/nvcc-object ${folder}/${name}.ptxas ${FF_NVCC} ${FF_NVCC_FLAGS}
                -MD -MF ${object}.d -MT ${object} -keep -keep-dir ${folder}/${name}.keep -c ${source} -o ${object}
            DEPENDS ${source} ${CMAKE_SOURCE_DIR}/cmake/nvcc-object DEPFILE ${object}.d
            COMMENT "Compiling ${name} for CUDA devices" VERBATIM)
        list(APPEND objects ${object})
    endforeach()
    set(${result} ${objects} PARENT_SCOPE)
endfunction()

# ff_cuda_object(TARGET FOLDER SOURCES … LINK …): the backend as the shared object cuda.so in a folder, which exports the entry
# that programs load and nothing else.
set(FF_CUDA_MAP ${CMAKE_SOURCE_DIR}/functions/reconstruct/backends/cuda/object.map)
function(ff_cuda_object target folder)
    cmake_parse_arguments(arg "" "" "SOURCES;LINK" ${ARGN})
    add_library(${target} MODULE ${arg_SOURCES})
    target_link_libraries(${target} PRIVATE ff_options ff_cuda_abi ${arg_LINK})
    set_target_properties(${target} PROPERTIES
        PREFIX "" OUTPUT_NAME cuda LINKER_LANGUAGE CXX LIBRARY_OUTPUT_DIRECTORY ${folder} LINK_DEPENDS ${FF_CUDA_MAP})
    target_link_options(${target} PRIVATE -Wl,--version-script=${FF_CUDA_MAP}
        $<$<STREQUAL:${FF_SANITIZER},>:-Wl,--no-undefined>)
endfunction()
