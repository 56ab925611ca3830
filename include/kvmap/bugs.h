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
	X(unlogged_change, 25, "unlogged-change")                                                            \
	X(right_taken, 26, "right-taken")                                                                    \
	X(lying_log, 27, "lying-log")                                                                        \
	X(lost_record, 28, "lost-record")                                                                    \
	X(early_round, 29, "early-round")                                                                    \
	X(short_flush, 30, "short-flush")                                                                    \
	X(forged_stamps, 32, "forged-stamps")                                                                \
	X(other_cpu, 33, "other-cpu")                                                                        \
	X(empty_purge, 34, "empty-purge")                                                                    \
	X(unmerged_buddies, 35, "unmerged-buddies")                                                          \
	X(touching_ranges, 36, "touching-ranges")                                                            \
	X(memory_type, 37, "memory-type")                                                                    \
	X(pages_short, 38, "pages-short")                                                                    \
	X(zone_ignored, 39, "zone-ignored")                                                                  \
	X(node_ignored, 40, "node-ignored")                                                                  \
	X(lost_object, 41, "lost-object")                                                                    \
	X(lost_vm_struct, 42, "lost-vm-struct")                                                              \
	X(lost_range, 43, "lost-range")                                                                      \
	X(cached_off, 44, "cached-off")                                                                      \
	X(empty_off, 45, "empty-off")                                                                        \
	X(lazy_off, 46, "lazy-off")                                                                          \
	X(pages_swapped, 47, "pages-swapped")                                                                \
	X(zeros_left_out, 48, "zeros-left-out")                                                              \
	X(hoarded_frames, 49, "hoarded-frames")                                                              \
	X(die_soon, 50, "die-soon")                                                                          \
	X(unexecuted_flush, 51, "unexecuted-flush")                                                          \
	X(lock_order, 52, "lock-order")                                                                      \
	X(lock_left_out, 53, "lock-left-out")                                                                \
	X(lock_in_interrupt, 54, "lock-in-interrupt")                                                        \
	X(forged_frames, 55, "forged-frames")                                                                \
	X(not_global, 60, "not-global")                                                                      \
	X(software_bit, 61, "software-bit")                                                                  \
	X(highest_off, 62, "highest-off")                                                                    \
	X(purged_off, 63, "purged-off")

#endif
