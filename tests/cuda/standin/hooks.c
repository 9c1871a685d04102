/* Kernels are compiled with -fsanitize=thread and linked with these instead of the sanitizer's library: each load and
 * store is then counted, without a mark in the source. */
#include "count.h"
#include "machine.h"

#include <stdbool.h>

void __tsan_init(void);
void __tsan_func_entry(void *caller);
void __tsan_func_exit(void);
void __tsan_vptr_update(void **at, void *value);
void __tsan_vptr_read(void **at);
void __tsan_atomic_thread_fence(int order);
void __tsan_read_range(void *address, unsigned long size);
void __tsan_write_range(void *address, unsigned long size);

void __tsan_init(void)
{
}

void __tsan_func_entry(void *caller)
{
    (void)caller;
}

void __tsan_func_exit(void)
{
}

void __tsan_vptr_update(void **at, void *value)
{
    (void)at;
    (void)value;
}

void __tsan_vptr_read(void **at)
{
    (void)at;
}

void __tsan_atomic_thread_fence(int order)
{
    (void)order;
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

void __tsan_read_range(void *address, unsigned long size)
{
    standin_count_access(address, size, ACCESS_READ);
}

void __tsan_write_range(void *address, unsigned long size)
{
    standin_count_access(address, size, ACCESS_WRITE);
}

#define PLAIN(size)                                                                                \
    void __tsan_read##size(void *address);                                                         \
    void __tsan_write##size(void *address);                                                        \
    void __tsan_unaligned_read##size(void *address);                                               \
    void __tsan_unaligned_write##size(void *address);                                              \
    void __tsan_read##size(void *address)                                                          \
    {                                                                                              \
        standin_count_access(address, size, ACCESS_READ);                                          \
    }                                                                                              \
    void __tsan_write##size(void *address)                                                         \
    {                                                                                              \
        standin_count_access(address, size, ACCESS_WRITE);                                         \
    }                                                                                              \
    void __tsan_unaligned_read##size(void *address)                                                \
    {                                                                                              \
        standin_count_access(address, size, ACCESS_READ);                                          \
    }                                                                                              \
    void __tsan_unaligned_write##size(void *address)                                               \
    {                                                                                              \
        standin_count_access(address, size, ACCESS_WRITE);                                         \
    }

PLAIN(1)
PLAIN(2)
PLAIN(4)
PLAIN(8)
PLAIN(16)

/* A read-modify-write counts once, as an atomic; the load before a compare-and-swap is part of it. */
#define ATOMIC(bits, type)                                                                         \
    type __tsan_atomic##bits##_load(const type *at, int order);                                    \
    void __tsan_atomic##bits##_store(type *at, type value, int order);                             \
    type __tsan_atomic##bits##_exchange(type *at, type value, int order);                          \
    type __tsan_atomic##bits##_fetch_add(type *at, type value, int order);                         \
    type __tsan_atomic##bits##_fetch_or(type *at, type value, int order);                          \
    int __tsan_atomic##bits##_compare_exchange_strong(type *at, type *expected, type value,        \
                                                      int order, int failed);                      \
    int __tsan_atomic##bits##_compare_exchange_weak(type *at, type *expected, type value,          \
                                                    int order, int failed);                        \
    type __tsan_atomic##bits##_load(const type *at, int order)                                     \
    {                                                                                              \
        (void)order;                                                                               \
        return __atomic_load_n(at, __ATOMIC_RELAXED);                                              \
    }                                                                                              \
    void __tsan_atomic##bits##_store(type *at, type value, int order)                              \
    {                                                                                              \
        (void)order;                                                                               \
        standin_count_access(at, sizeof *at, ACCESS_WRITE);                                        \
        __atomic_store_n(at, value, __ATOMIC_RELAXED);                                             \
    }                                                                                              \
    type __tsan_atomic##bits##_exchange(type *at, type value, int order)                           \
    {                                                                                              \
        (void)order;                                                                               \
        standin_count_access(at, sizeof *at, ACCESS_ATOMIC);                                       \
        return __atomic_exchange_n(at, value, __ATOMIC_RELAXED);                                   \
    }                                                                                              \
    type __tsan_atomic##bits##_fetch_add(type *at, type value, int order)                          \
    {                                                                                              \
        (void)order;                                                                               \
        standin_count_access(at, sizeof *at, ACCESS_ATOMIC);                                       \
        return __atomic_fetch_add(at, value, __ATOMIC_RELAXED);                                    \
    }                                                                                              \
    type __tsan_atomic##bits##_fetch_or(type *at, type value, int order)                           \
    {                                                                                              \
        (void)order;                                                                               \
        standin_count_access(at, sizeof *at, ACCESS_ATOMIC);                                       \
        return __atomic_fetch_or(at, value, __ATOMIC_RELAXED);                                     \
    }                                                                                              \
    int __tsan_atomic##bits##_compare_exchange_strong(type *at, type *expected, type value,        \
                                                      int order, int failed)                       \
    {                                                                                              \
        (void)order;                                                                               \
        (void)failed;                                                                              \
        standin_count_access(at, sizeof *at, ACCESS_ATOMIC);                                       \
        return __atomic_compare_exchange_n(at, expected, value, false, __ATOMIC_RELAXED,           \
                                           __ATOMIC_RELAXED);                                      \
    }                                                                                              \
    int __tsan_atomic##bits##_compare_exchange_weak(type *at, type *expected, type value,          \
                                                    int order, int failed)                         \
    {                                                                                              \
        return __tsan_atomic##bits##_compare_exchange_strong(at, expected, value, order, failed);  \
    }

/* The prototype is that of the compiler. NOLINTBEGIN(readability-non-const-parameter) */
ATOMIC(8, uint8_t)
ATOMIC(32, uint32_t)
ATOMIC(64, uint64_t)
/* NOLINTEND(readability-non-const-parameter) */
