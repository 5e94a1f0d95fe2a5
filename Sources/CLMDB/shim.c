// A C target needs one source file; this one fails to compile where the header is too old to be used with our code.
#include "shim.h"

// 0.9.10 (2013) brought `MDB_MAP_RESIZED` and `mdb_env_set_mapsize` on an open environment; 0.9.14 `mdb_env_copy2`.
#if MDB_VERSION_FULL < MDB_VERINT(0, 9, 14)
#error "liblmdb 0.9.14 or later is needed"
#endif
