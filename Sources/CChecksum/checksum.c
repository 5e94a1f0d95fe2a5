#include "checksum.h"

#include <string.h>

static inline uint64_t word_at(const unsigned char *bytes) {
    uint64_t word;
    memcpy(&word, bytes, 8);
    return word;
}

#if defined(__x86_64__)

#include <nmmintrin.h>
#include <wmmintrin.h>

int checksum_has_crc32c(void) { return __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("pclmul"); }

// A register after n more bytes of zeros is that register times x^(8n) modulo the polynomial. A carry-less product with x^(8n - 33),
// bits reversed, and one instruction of the checksum over it give just that.
static const uint64_t after_64 = 0x9e4addf8, after_128 = 0x0d3b6092, after_256 = 0xb9e02b86, after_512 = 0xdd7e3b0c;

// The instruction takes three cycles, and another may begin in each: so three stretches of `lane` bytes are taken in at a time.
// `target` is null where nothing is to be copied. Inlined, so that both are decided once.
__attribute__((target("sse4.2,pclmul"), always_inline)) static inline uint64_t take_in_three(
    uint64_t first, unsigned char *target, const unsigned char *next, size_t lane, uint64_t after_one, uint64_t after_two) {
    uint64_t second = 0, third = 0;
    for (size_t place = 0; place < lane; place += 8) {
        uint64_t words[3] = {word_at(next + place), word_at(next + lane + place), word_at(next + 2 * lane + place)};
        first = _mm_crc32_u64(first, words[0]);
        second = _mm_crc32_u64(second, words[1]);
        third = _mm_crc32_u64(third, words[2]);
        if (target) {
            memcpy(target + place, &words[0], 8);
            memcpy(target + lane + place, &words[1], 8);
            memcpy(target + 2 * lane + place, &words[2], 8);
        }
    }
    __m128i moved = _mm_xor_si128(
        _mm_clmulepi64_si128(_mm_cvtsi64_si128((long long)first), _mm_cvtsi64_si128((long long)after_two), 0),
        _mm_clmulepi64_si128(_mm_cvtsi64_si128((long long)second), _mm_cvtsi64_si128((long long)after_one), 0));
    return _mm_crc32_u64(0, (uint64_t)_mm_cvtsi128_si64(moved)) ^ third;
}

__attribute__((target("sse4.2,pclmul"), always_inline)) static inline uint32_t take_in(
    uint32_t state, unsigned char *target, const unsigned char *next, size_t count) {
    uint64_t wide = state;
    for (; count >= 3 * 256; count -= 3 * 256, next += 3 * 256) {
        wide = take_in_three(wide, target, next, 256, after_256, after_512);
        if (target) target += 3 * 256;
    }
    for (; count >= 3 * 64; count -= 3 * 64, next += 3 * 64) {
        wide = take_in_three(wide, target, next, 64, after_64, after_128);
        if (target) target += 3 * 64;
    }
    if (target) memcpy(target, next, count);
    for (; count >= 8; count -= 8, next += 8) wide = _mm_crc32_u64(wide, word_at(next));
    state = (uint32_t)wide;
    for (; count > 0; count--) state = _mm_crc32_u8(state, *next++);
    return state;
}

__attribute__((target("sse4.2,pclmul"))) uint32_t checksum_crc32c(uint32_t state, const void *bytes, size_t count) {
    return take_in(state, NULL, bytes, count);
}

__attribute__((target("sse4.2,pclmul"))) uint32_t checksum_crc32c_copying(uint32_t state, void *target, const void *bytes, size_t count) {
    return take_in(state, target, bytes, count);
}

#elif defined(__aarch64__) && defined(__ARM_FEATURE_CRC32)

#include <arm_acle.h>

int checksum_has_crc32c(void) { return 1; }

uint32_t checksum_crc32c(uint32_t state, const void *bytes, size_t count) {
    const unsigned char *next = bytes;
    for (; count >= 8; count -= 8, next += 8) state = __crc32cd(state, word_at(next));
    for (; count > 0; count--) state = __crc32cb(state, *next++);
    return state;
}

uint32_t checksum_crc32c_copying(uint32_t state, void *target, const void *bytes, size_t count) {
    memcpy(target, bytes, count);
    return checksum_crc32c(state, bytes, count);
}

#else

int checksum_has_crc32c(void) { return 0; }

uint32_t checksum_crc32c(uint32_t state, const void *bytes, size_t count) {
    (void)bytes;
    (void)count;
    return state;
}

uint32_t checksum_crc32c_copying(uint32_t state, void *target, const void *bytes, size_t count) {
    (void)target;
    return checksum_crc32c(state, bytes, count);
}

#endif
