/* SPDX-License-Identifier: MIT */
/*
 * status.h: the result of an operation, and its wording in every report, the guest's console included.
 */
#ifndef KVMAP_STATUS_H
#define KVMAP_STATUS_H

/*
 * X(name, value, wording). Refused (1 to 31): the request was invalid or could not be met; nothing changed.
 * Failed (from 32): the guest's memory is not what the script expects. A FAULT record precedes FAILED_FAULT
 * and FAILED_OTHER_FAULT; the RESULT record of a status with KVMAP_STATUS_HAS_CONTENTS() has address, expected
 * and found bytes, and of the last two also the object and its size.
 */
#define KVMAP_STATUSES(X)                                                                                    \
	X(OK, 0, "done")                                                                                     \
	X(REFUSED_ZERO_SIZE, 1, "size is zero")                                                              \
	X(REFUSED_TOO_LARGE, 2, "size is too large")                                                         \
	X(REFUSED_NO_SPACE, 3, "no free virtual range of this size")                                         \
	X(REFUSED_NO_MEMORY, 4, "not enough free page frames")                                               \
	X(REFUSED_NOT_AN_AREA, 5, "nothing is allocated at this address")                                    \
	X(REFUSED_DOUBLE_FREE, 6, "double free")                                                             \
	X(REFUSED_UNALIGNED, 7, "address is not page-aligned")                                               \
	X(REFUSED_INTERIOR, 8, "address is inside an allocation, not at its start")                          \
	X(REFUSED_UNSET, 9, "the variable holds no live allocation")                                         \
	X(REFUSED_UNKNOWN, 10, "not supported by this guest")                                                \
	X(REFUSED_NOT_FILLED, 11, "contents unknown: fill it first")                                         \
	X(REFUSED_NOFAIL, 12, "__GFP_NOFAIL is not supported: any allocation may fail")                      \
	X(REFUSED_OTHER_KIND, 16, "wrong function for this kind of area")                                    \
	X(REFUSED_COUNT, 17, "page count differs from the area's")                                           \
	X(REFUSED_NO_CPU, 20, "no such CPU: see --cpus")                                                     \
	X(REFUSED_FLAGS, 24, "invalid GFP flags")                                                            \
	X(REFUSED_WX, 25, "would be writable and executable")                                                \
	X(REFUSED_RIGHTS, 26, "the area is read-only")                                                       \
	X(REFUSED_INTERRUPT, 28, "not allowed in an interrupt")                                              \
	X(FAILED_FAULT, 32, "unexpected page fault")                                                         \
	X(FAILED_NO_FAULT, 33, "expected page fault did not happen")                                         \
	X(FAILED_OTHER_FAULT, 34, "page fault of another kind than expected")                                \
	X(FAILED_CONTENT, 35, "contents differ from what was written")                                       \
	X(FAILED_NOT_REFUSED, 36, "done, but expected to be refused")                                        \
	X(FAILED_FREED_WRITTEN, 37, "an object was written after it was freed")                              \
	X(FAILED_REDZONE_WRITTEN, 38, "an object was written beyond its size")                               \
	X(FAILED_WRITTEN, 39, "the words that were written last are not there")                              \
	X(FAILED_LOCK_RECURSIVE, 41, "a lock is taken by the CPU that holds it")                             \
	X(FAILED_LOCK_ORDER, 42, "a lock is taken against the order of locks")                               \
	X(FAILED_LOCK_NOT_HELD, 43, "a lock is not held, as what it protects is used")                       \
	X(FAILED_LOCK_NOT_HOLDER, 44, "a lock is released by a CPU that does not hold it")                   \
	X(FAILED_LOCK_INTERRUPT, 45, "a lock is taken in an interrupt, and elsewhere with interrupts on")    \
	X(FAILED_LOCK_HELD, 46, "a lock is held where none may be")

#define KVMAP_STATUS_ENUM(name, value, wording) KVMAP_##name = (value),
enum kvmap_status { KVMAP_STATUSES(KVMAP_STATUS_ENUM) };
#undef KVMAP_STATUS_ENUM

#define KVMAP_STATUS_IS_REFUSED(status) ((status) >= KVMAP_REFUSED_ZERO_SIZE && (status) < KVMAP_FAILED_FAULT)
#define KVMAP_STATUS_IS_FAILED(status)  ((status) >= KVMAP_FAILED_FAULT)
#define KVMAP_STATUS_IS_DAMAGE(status)                                                                       \
	((status) == KVMAP_FAILED_FREED_WRITTEN || (status) == KVMAP_FAILED_REDZONE_WRITTEN)
/* With KVMAP_BOOT_DEBUG_LOCKS; a WARNING record precedes the RESULT. */
#define KVMAP_STATUS_IS_LOCK(status)                                                                         \
	((status) >= KVMAP_FAILED_LOCK_RECURSIVE && (status) <= KVMAP_FAILED_LOCK_HELD)
#define KVMAP_STATUS_HAS_CONTENTS(status) ((status) == KVMAP_FAILED_CONTENT || KVMAP_STATUS_IS_DAMAGE(status))

#endif
