/*
 * tests/cuda/standin/sanitizer.h: what the sanitizers are told. The stand-in itself is compiled without that for threads
 * (its own lock and switching would hide every race of the program under test), and tells it by hand.
 */
#ifndef FF_TESTS_CUDA_STANDIN_SANITIZER_H
#define FF_TESTS_CUDA_STANDIN_SANITIZER_H

#include <stddef.h>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#define ADDRESS_POISON(data, size)               __asan_poison_memory_region(data, size)
#define ADDRESS_UNPOISON(data, size)             __asan_unpoison_memory_region(data, size)
#define ADDRESS_SWITCH_BEGIN(fake, bottom, size) __sanitizer_start_switch_fiber(fake, bottom, size)
#define ADDRESS_SWITCH_END(fake, bottom, size)   __sanitizer_finish_switch_fiber(fake, bottom, size)
#else
#define ADDRESS_POISON(data, size)               ((void)(data), (void)(size))
#define ADDRESS_UNPOISON(data, size)             ((void)(data), (void)(size))
#define ADDRESS_SWITCH_BEGIN(fake, bottom, size) ((void)(fake), (void)(bottom), (void)(size))
#define ADDRESS_SWITCH_END(fake, bottom, size)   ((void)(fake), (void)(bottom), (void)(size))
#endif

#ifdef FF_STANDIN_THREAD_SANITIZER
void *__tsan_get_current_fiber(void);
void *__tsan_create_fiber(unsigned flags);
void __tsan_destroy_fiber(void *fiber);
void __tsan_switch_to_fiber(void *fiber, unsigned flags);
void __tsan_acquire(void *address);
void __tsan_release(void *address);
void __tsan_read_range(void *address, unsigned long size);
void __tsan_write_range(void *address, unsigned long size);
void __tsan_java_init(unsigned long begin, unsigned long size);
void __tsan_java_free(unsigned long begin, unsigned long size);
void __tsan_java_alloc(unsigned long begin, unsigned long size);
enum { THREAD_NO_SYNC = 1 };
#define THREAD_ACQUIRE(address)      __tsan_acquire(address)
#define THREAD_RELEASE(address)      __tsan_release(address)
#define THREAD_READS(address, size)  __tsan_read_range((void *)(uintptr_t)(address), size)
#define THREAD_WRITES(address, size) __tsan_write_range(address, size)
/* Memory within which things come and go without a call of malloc, said once; and one that comes anew: nobody has touched it.
 * Both are multiples of 8. */
#define THREAD_HEAP(begin, size) __tsan_java_init(begin, size)
#define THREAD_ANEW(begin, size) (__tsan_java_free(begin, size), __tsan_java_alloc(begin, size))
#define THREAD_HERE()            __tsan_get_current_fiber()
#define THREAD_SWITCH(fiber)     __tsan_switch_to_fiber(fiber, THREAD_NO_SYNC)
#define THREAD_CREATE()          __tsan_create_fiber(0)
#define THREAD_DESTROY(fiber)    __tsan_destroy_fiber(fiber)
enum { UNDER_THREAD_SANITIZER = 1 };
#else
#define THREAD_ACQUIRE(address)      ((void)(address))
#define THREAD_RELEASE(address)      ((void)(address))
#define THREAD_READS(address, size)  ((void)(address), (void)(size))
#define THREAD_WRITES(address, size) ((void)(address), (void)(size))
#define THREAD_HEAP(begin, size)     ((void)(begin), (void)(size))
#define THREAD_ANEW(begin, size)     ((void)(begin), (void)(size))
#define THREAD_HERE()                NULL
#define THREAD_SWITCH(fiber)         ((void)(fiber))
#define THREAD_CREATE()              NULL
#define THREAD_DESTROY(fiber)        ((void)(fiber))
enum { UNDER_THREAD_SANITIZER = 0 };
#endif

#endif
