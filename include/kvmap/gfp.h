/* SPDX-License-Identifier: MIT */
/*
 * gfp.h: flags of an allocation, with Linux's names and values.
 */
#ifndef KVMAP_GFP_H
#define KVMAP_GFP_H

/* X(name, value, meaning). The meaning goes into docs/script.md. */
#define KVMAP_GFP_FLAGS(X)                                                                                   \
	X(__GFP_DMA, 0x01, "page frames below 16 MiB")                                                       \
	X(__GFP_DMA32, 0x04, "page frames below 4 GiB; not together with `__GFP_DMA`")                       \
	X(__GFP_HIGH, 0x20, "may use the reserve below the `min` watermark")                                 \
	X(__GFP_IO, 0x40, "may start I/O; no effect")                                                        \
	X(__GFP_FS, 0x80, "may call into a file system; no effect")                                          \
	X(__GFP_ZERO, 0x100, "zero the memory")                                                              \
	X(__GFP_DIRECT_RECLAIM, 0x400, "before failing, flush the TLB and reuse lazily freed memory")        \
	X(__GFP_KSWAPD_RECLAIM, 0x800, "may wake the background reclaim; no effect")                         \
	X(__GFP_NOWARN, 0x2000, "no warning when memory is out or the size too large")                       \
	X(__GFP_NOFAIL, 0x8000, "must not fail; refused")                                                    \
	X(__GFP_THISNODE, 0x200000, "from the given NUMA node, or fail")

#define __GFP_RECLAIM (__GFP_DIRECT_RECLAIM | __GFP_KSWAPD_RECLAIM)

/* Combinations. X(name, value, meaning) */
#define KVMAP_GFP_COMBINATIONS(X)                                                                            \
	X(GFP_KERNEL, __GFP_RECLAIM | __GFP_IO | __GFP_FS, "may wait")                                       \
	X(GFP_ATOMIC, __GFP_HIGH | __GFP_KSWAPD_RECLAIM, "must not wait")                                    \
	X(GFP_NOWAIT, __GFP_KSWAPD_RECLAIM | __GFP_NOWARN, "must not wait; failure is expected")             \
	X(GFP_DMA, __GFP_DMA, "`__GFP_DMA` alone")                                                           \
	X(GFP_DMA32, __GFP_DMA32, "`__GFP_DMA32` alone")

#define KVMAP_GFP_ENUM(name, value, meaning) name = (value),
enum kvmap_gfp { KVMAP_GFP_FLAGS(KVMAP_GFP_ENUM) KVMAP_GFP_COMBINATIONS(KVMAP_GFP_ENUM) };
#undef KVMAP_GFP_ENUM

/* Internal: 1 + the NUMA node of a ..._node() function, 0 = none. */
#define GFP_NODE_SHIFT 28
#define GFP_NODE_MASK  (15u << GFP_NODE_SHIFT)

/* All flags. */
#define KVMAP_GFP_OR(name, value, meaning) | (value)
#define KVMAP_GFP_ALL                      (0 KVMAP_GFP_FLAGS(KVMAP_GFP_OR))

#endif
