/* SPDX-License-Identifier: MIT */
/*
 * bugs.h: the deliberate bugs of the guest of tests/mutants, for the script's operation `bug NAME`.
 */
#ifndef KVMAP_BUGS_H
#define KVMAP_BUGS_H

/* X(function, number, name): number is the operand of KVMAP_OP_BUG. */
#define KVMAP_BUGS(X)                                                                                        \
	X(guard_mapped, 1, "guard-mapped")                                                                   \
	X(shared_frame, 2, "shared-frame")                                                                   \
	X(lost_frame, 3, "lost-frame")                                                                       \
	X(free_and_mapped, 4, "free-and-mapped")                                                             \
	X(writable_text, 5, "writable-text")                                                                 \
	X(frame_order, 6, "frame-order")                                                                     \
	X(stray_mapping, 7, "stray-mapping")                                                                 \
	X(tree_order, 8, "tree-order")                                                                       \
	X(table_as_data, 9, "table-as-data")                                                                 \
	X(account_off, 10, "account-off")                                                                    \
	X(missing_flush, 11, "missing-flush")                                                                \
	X(damaged_bytes, 12, "damaged-bytes")                                                                \
	X(missing_ipi, 13, "missing-ipi")                                                                    \
	X(huge_leaf, 14, "huge-leaf")                                                                        \
	X(table_at_once, 15, "table-at-once")                                                                \
	X(idle_at_work, 16, "idle-at-work")                                                                  \
	X(lost_block, 17, "lost-block")                                                                      \
	X(fresh_written, 18, "fresh-written")                                                                \
	X(requested_size, 19, "requested-size")                                                              \
	X(freed_written, 20, "freed-written")                                                                \
	X(object_record, 21, "object-record")                                                                \
	X(second_half, 22, "second-half")                                                                    \
	X(free_link, 23, "free-link")                                                                        \
	X(block_slack, 24, "block-slack")                                                                    \
	X(unmerged_buddies, 25, "unmerged-buddies")                                                          \
	X(touching_ranges, 26, "touching-ranges")                                                            \
	X(memory_type, 27, "memory-type")                                                                    \
	X(pages_short, 28, "pages-short")                                                                    \
	X(zone_ignored, 29, "zone-ignored")                                                                  \
	X(node_ignored, 30, "node-ignored")                                                                  \
	X(lost_object, 31, "lost-object")                                                                    \
	X(lost_vm_struct, 32, "lost-vm-struct")                                                              \
	X(lost_range, 33, "lost-range")                                                                      \
	X(cached_off, 34, "cached-off")                                                                      \
	X(empty_off, 35, "empty-off")                                                                        \
	X(lazy_off, 36, "lazy-off")                                                                          \
	X(pages_swapped, 37, "pages-swapped")                                                                \
	X(zeros_left_out, 38, "zeros-left-out")                                                              \
	X(hoarded_frames, 39, "hoarded-frames")                                                              \
	X(die_soon, 40, "die-soon")

#endif
