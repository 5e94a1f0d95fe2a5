// The system's liblmdb as a Swift module. Every constant that LMDB uses is a plain macro which Swift imports by itself,
// so nothing is added here.
#ifndef CLMDB_SHIM_H
#define CLMDB_SHIM_H

#include <lmdb.h>

#endif
