# What of CUDA is at hand: headers, for the tests' stand-in (tests/cuda), and nvcc, for the real build. Looked for in the
# toolkit (CUDA_HOME, /usr/local/cuda, the PATH), then where deploy/install-cuda puts it. Neither is needed to build.
#
# FF_CUDA_HEADERS   TRUE when the stand-in can be built: ff::cuda_headers are its include folders
# FF_NVCC           the compiler, or FF_NVCC-NOTFOUND
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
endfunction()
