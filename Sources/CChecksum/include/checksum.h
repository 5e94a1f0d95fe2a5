/// CRC-32C with the processor's own instruction, which Swift cannot name.
#ifndef CCHECKSUM_H
#define CCHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/// Whether this processor has the instruction.
int checksum_has_crc32c(void);

/// Takes `count` bytes into `state` (the register, not the finished checksum). Only where the processor has the instruction.
uint32_t checksum_crc32c(uint32_t state, const void *bytes, size_t count);

/// The same, and copies the bytes on the way, so that long ones come into the cache once. The two places do not overlap.
uint32_t checksum_crc32c_copying(uint32_t state, void *target, const void *bytes, size_t count);

#endif
