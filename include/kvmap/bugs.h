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
	X(lock_order, 50, "lock-order")                                                                      \
	X(lock_left_out, 51, "lock-left-out")                                                                \
	X(lock_in_interrupt, 52, "lock-in-interrupt")

#endif
