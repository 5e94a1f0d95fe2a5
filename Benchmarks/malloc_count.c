/* Counts calls for heap memory, thread by thread. Built by ./Benchmarks/consensus and loaded with LD_PRELOAD. */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>

extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t), *__libc_memalign(size_t, size_t);

/* "initial-exec": the ordinary way to reach a thread's variable may itself call malloc. */
static __thread uint64_t count __attribute__((tls_model("initial-exec")));

uint64_t conclave_malloc_count(void) { return count; }
void *malloc(size_t size) { count++; return __libc_malloc(size); }
void *calloc(size_t n, size_t size) { count++; return __libc_calloc(n, size); }
void *realloc(void *old, size_t size) { count++; return __libc_realloc(old, size); }
void *memalign(size_t alignment, size_t size) { count++; return __libc_memalign(alignment, size); }
void *aligned_alloc(size_t alignment, size_t size) { count++; return __libc_memalign(alignment, size); }
int posix_memalign(void **result, size_t alignment, size_t size) {
    count++;
    return (*result = __libc_memalign(alignment, size)) ? 0 : ENOMEM;
}
