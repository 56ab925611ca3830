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
	X(late_flush, 31, "late-flush")                                                                      \
	X(forged_stamps, 32, "forged-stamps")                                                                \
	X(other_cpu, 33, "other-cpu")                                                                        \
	X(empty_purge, 34, "empty-purge")                                                                    \
	X(unexecuted_flush, 35, "unexecuted-flush")                                                          \
	X(forged_frames, 36, "forged-frames")

#endif
