/* Changing stacks: six registers on x86-64, ucontext elsewhere. */
#include "fiber.h"
#include "machine.h"
#include "sanitizer.h"

#include <sys/mman.h>

#if defined(__x86_64__) && !defined(FF_STANDIN_UCONTEXT)
#define OWN_SWITCH 1
#else
#define OWN_SWITCH 0
#include <ucontext.h>
#endif

struct fiber {
#if OWN_SWITCH
    void *stack_pointer;
#else
    ucontext_t context;
#endif
    void (*function)(void *);
    void *argument;
    const void *bottom; /* of the stack */
    size_t size;
    void *fake;   /* the address sanitizer's, while the fiber does not run */
    void *thread; /* the thread sanitizer's fiber */
};

/* Who was left last: the one that is entered tells the address sanitizer where that stack is. */
static struct fiber *left;

static void arrived(struct fiber *here)
{
    const void *bottom = NULL;
    size_t size = 0;
    ADDRESS_SWITCH_END(here->fake, &bottom, &size);
    if (left->function == NULL) { /* the host's stack, which only now is known */
        left->bottom = bottom;
        left->size = size;
    }
}

__attribute__((noreturn, used)) static void begin(struct fiber *fiber)
{
    arrived(fiber);
    fiber->function(fiber->argument);
    standin_fault("a fiber came to its end");
}

#if OWN_SWITCH

/* Keeps what the calling convention lets a function keep, and the stack; comes back on the other one. */
void standin_change_stack(void **keep, void *go);
__asm__(".text\n"
        ".type standin_change_stack,@function\n"
        "standin_change_stack:\n"
        "    pushq %rbp\n"
        "    pushq %rbx\n"
        "    pushq %r12\n"
        "    pushq %r13\n"
        "    pushq %r14\n"
        "    pushq %r15\n"
        "    movq %rsp, (%rdi)\n"
        "    movq %rsi, %rsp\n"
        "    popq %r15\n"
        "    popq %r14\n"
        "    popq %r13\n"
        "    popq %r12\n"
        "    popq %rbx\n"
        "    popq %rbp\n"
        "    ret\n"
        ".size standin_change_stack, .-standin_change_stack\n"
        /* The first entry: the fiber waits in r12. The stack is aligned as behind a call. */
        ".type standin_first_entry,@function\n"
        "standin_first_entry:\n"
        "    movq %r12, %rdi\n"
        "    call *%r13\n"
        ".size standin_first_entry, .-standin_first_entry\n");
void standin_first_entry(void);

static void prepare(struct fiber *fiber, uint8_t *stack)
{
    void **top = (void **)(void *)(stack + fiber->size);
    top -= 2; /* keeps the stack at a multiple of 16 where first_entry begins */
    *--top = (void *)(uintptr_t)standin_first_entry;
    *--top = NULL;                     /* rbp */
    *--top = NULL;                     /* rbx */
    *--top = fiber;                    /* r12 */
    *--top = (void *)(uintptr_t)begin; /* r13 */
    *--top = NULL;                     /* r14 */
    *--top = NULL;                     /* r15 */
    fiber->stack_pointer = top;
}

static void change(struct fiber *from, struct fiber *to)
{
    standin_change_stack(&from->stack_pointer, to->stack_pointer);
}

#else

static void begin_context(unsigned high, unsigned low)
{
    begin((struct fiber *)((uintptr_t)high << 32 | low));
}

static void prepare(struct fiber *fiber, uint8_t *stack)
{
    uintptr_t address = (uintptr_t)fiber;
    getcontext(&fiber->context);
    fiber->context.uc_stack.ss_sp = stack;
    fiber->context.uc_stack.ss_size = fiber->size;
    fiber->context.uc_link = NULL;
    makecontext(&fiber->context, (void (*)(void))begin_context, 2, (unsigned)(address >> 32),
                (unsigned)address);
}

static void change(struct fiber *from, struct fiber *to)
{
    swapcontext(&from->context, &to->context);
}

#endif

struct fiber *standin_fiber_of_host(void)
{
    return standin_allocate(1, sizeof(struct fiber));
}

static uint8_t *map_stack(void *at, size_t size, int flags)
{
    uint8_t *stack = mmap(at, size, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK | flags, -1, 0);
    if (stack == MAP_FAILED)
        standin_fault("no stack for a thread of a block");
    return stack;
}

struct fiber *standin_fiber_create(size_t stack_size, void (*function)(void *), void *argument)
{
    struct fiber *fiber = standin_allocate(1, sizeof *fiber);
    fiber->function = function;
    fiber->argument = argument;
    fiber->size = stack_size;
    fiber->thread = THREAD_CREATE();
    size_t page = standin_page(); /* below the stack, must not be touched */
    uint8_t *stack = map_stack(NULL, page + stack_size, 0);
    if (mprotect(stack, page, PROT_NONE) != 0)
        standin_fault("no guard for the stack of a thread of a block");
    fiber->bottom = stack + page;
    prepare(fiber, stack + page);
    return fiber;
}

void standin_fiber_switch(struct fiber *from, struct fiber *to)
{
    if (from->function == NULL)
        from->thread = THREAD_HERE();
    left = from;
    ADDRESS_SWITCH_BEGIN(&from->fake, to->bottom, to->size);
    THREAD_SWITCH(to->thread);
    change(from, to);
    arrived(from);
}

/* The stack is mapped anew: what the last thread left there is no race with the next. */
void standin_fiber_renew(struct fiber *fiber)
{
    THREAD_DESTROY(fiber->thread);
    fiber->thread = THREAD_CREATE();
    prepare(fiber, map_stack((void *)(uintptr_t)fiber->bottom, fiber->size, MAP_FIXED));
}

bool standin_fiber_holds(const struct fiber *fiber, const void *address)
{
    const uint8_t *bottom = fiber->bottom, *at = address;
    return at >= bottom && at < bottom + fiber->size;
}
