# Every library comes from Debian; deploy/packages lists the names to install.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
pkg_check_modules(OPENSSL REQUIRED IMPORTED_TARGET libcrypto>=3.0)
pkg_check_modules(ZMQ REQUIRED IMPORTED_TARGET libzmq>=4.3)
pkg_check_modules(JANSSON REQUIRED IMPORTED_TARGET jansson>=2.13)
pkg_check_modules(YAML REQUIRED IMPORTED_TARGET yaml-0.1)
pkg_check_modules(SQLITE REQUIRED IMPORTED_TARGET sqlite3>=3.40)
pkg_check_modules(MHD REQUIRED IMPORTED_TARGET libmicrohttpd>=0.9.75)
pkg_check_modules(GNUTLS REQUIRED IMPORTED_TARGET gnutls)
pkg_check_modules(CURL REQUIRED IMPORTED_TARGET libcurl>=7.80)
pkg_check_modules(FFTW REQUIRED IMPORTED_TARGET fftw3f>=3.3.10)
pkg_check_modules(FFTW_DOUBLE REQUIRED IMPORTED_TARGET fftw3>=3.3.10) # of tests alone
pkg_check_modules(PNG REQUIRED IMPORTED_TARGET libpng>=1.6)
pkg_check_modules(HDF5 REQUIRED IMPORTED_TARGET hdf5>=1.10)

# libmsgpack-dev 4.0 ships C headers and libmsgpackc, and no pkg-config file for the C library alone.
find_path(MSGPACK_INCLUDE_DIR msgpack.h REQUIRED)
find_library(MSGPACK_LIBRARY NAMES msgpackc msgpack-c REQUIRED)
add_library(ff_msgpack INTERFACE)
target_include_directories(ff_msgpack SYSTEM INTERFACE ${MSGPACK_INCLUDE_DIR})
target_link_libraries(ff_msgpack INTERFACE ${MSGPACK_LIBRARY})
