/* SPDX-License-Identifier: MIT */
/*
 * opcode.h: the operations of scripts. The script parser, the names and outcomes in reports, the guest's
 * dispatch and console, docs/script.md and kvmap-script(5) are made from these tables.
 *
 * A new operation is a row here and a function in guest/agent.
 */
#ifndef KVMAP_OPCODE_H
#define KVMAP_OPCODE_H

/*
 * Operands, in the order of struct kvmap_operation.operand.
 *
 * X(operands, synopsis, echo)
 *   operands  parsed by parse_OPERANDS() of vmm/script/operations.c
 *   synopsis  in usage messages and documents
 *   echo      on the guest's console, with the placeholders below
 */
#define KVMAP_OPERANDS(X)                                                                                    \
	X(none, "", "")                                                                                      \
	X(size, " SIZE", " %s")                                                                              \
	X(size_gfp, " SIZE FLAG[|FLAG...]", " %s")                                                           \
	X(size_flags, " SIZE [FLAG|...]", " %s")                                                             \
	X(size_node, " SIZE NODE", " %s")                                                                    \
	X(count_size, " COUNT SIZE", " %s")                                                                  \
	X(address, " ADDRESS", " %a")                                                                        \
	X(address_value, " ADDRESS VALUE|\"TEXT\"", " %a")                                                   \
	X(address_pages, " ADDRESS PAGES", " %a")                                                            \
	X(address_size_flags, " ADDRESS SIZE [FLAG|...]", " %s")                                             \
	X(variable, " VARIABLE", " %s")                                                                      \
	X(variable_seed, " VARIABLE [seed NUMBER]", " %s")                                                   \
	X(fragment, " PERCENT% [of SIZE] [seed NUMBER]", " %s")                                              \
	X(pair, " FUNCTION SIZE COUNT", " %f %s, times %c")                                                  \
	X(areas, " COUNT SIZE [holes]", " of %s")                                                            \
	X(stress, " SEED COUNT", "")                                                                         \
	X(print, " \"TEXT\" [ADDRESS]", " %t")                                                               \
	X(show, " meminfo|vmallocinfo|buddyinfo|slabinfo|areas [ADDRESS]|frames ADDRESS", "")                \
	X(crash, " HOW", "")                                                                                 \
	X(bug, " NAME|NUMBER", "")                                                                           \
	X(touch, "", " %m %a")                                                                               \
	X(parallel, "", "")

/*
 * X(NAME, function, opcode, name, result, operands, outcome, help)
 *   function  op_FUNCTION() of guest/agent does it
 *   name      in scripts and reports
 *   result    VARIABLE: sets a variable, `NAME = operation`; NOTHING
 *   outcome   in reports, of an operation that was done; "": nothing more to say
 *   help      in docs/script.md and kvmap-script(5); "": described elsewhere in them
 *
 * Placeholders, of the RESULT record (struct kvmap_record): %x result, in hexadecimal; %v result, 16 digits;
 * %u result, a count of the plural noun that follows; %a address; %s size. For `pair`: %d ticks a pair, %w
 * ticks of the worst single operation. In `echo` also, of the operands: %f function and %c count of `pair`,
 * %m access of `touch`, %t text of `print`.
 */
#define KVMAP_OPERATIONS(X)                                                                                   \
	X(VMALLOC, vmalloc, 1, "vmalloc", VARIABLE, size, "%x, %s",                                           \
	  "allocates an area of SIZE bytes, rounded up to whole pages, with a guard after it")                \
	X(VZALLOC, vzalloc, 2, "vzalloc", VARIABLE, size, "%x, %s", "as `vmalloc`, zeroed")                   \
	X(VMALLOC_GFP, vmalloc_gfp, 48, "__vmalloc", VARIABLE, size_gfp, "%x, %s",                            \
	  "as `vmalloc`, with flags")                                                                         \
	X(VMALLOC_HUGE, vmalloc_huge, 66, "vmalloc_huge", VARIABLE, size, "%x, %s",                           \
	  "as `vmalloc`, with a 2M page for each whole 2M, as long as there are free 2M blocks")              \
	X(VMALLOC_USER, vmalloc_user, 49, "vmalloc_user", VARIABLE, size, "%x, %s",                           \
	  "as `vzalloc`, marked as mappable to user space")                                                   \
	X(VMALLOC_32, vmalloc_32, 50, "vmalloc_32", VARIABLE, size, "%x, %s",                                 \
	  "as `vmalloc`, of page frames below 4 GiB")                                                         \
	X(VMALLOC_NODE, vmalloc_node, 51, "vmalloc_node", VARIABLE, size_node, "%x, %s",                      \
	  "as `vmalloc`, of page frames of NUMA node NODE; of other nodes when it has none left")             \
	X(VZALLOC_NODE, vzalloc_node, 52, "vzalloc_node", VARIABLE, size_node, "%x, %s",                      \
	  "as `vmalloc_node`, zeroed")                                                                        \
	X(VMALLOC_ARRAY, vmalloc_array, 53, "vmalloc_array", VARIABLE, count_size, "%x, %s",                  \
	  "as `vmalloc`, COUNT elements of SIZE bytes; a product of more than 64 bits is refused")            \
	X(VCALLOC, vcalloc, 54, "vcalloc", VARIABLE, count_size, "%x, %s", "as `vmalloc_array`, zeroed")      \
	X(KVMALLOC, kvmalloc, 55, "kvmalloc", VARIABLE, size, "%x, %s",                                       \
	  "allocates as `kmalloc`, or as `vmalloc` when there is no contiguous memory")                       \
	X(KVZALLOC, kvzalloc, 56, "kvzalloc", VARIABLE, size, "%x, %s", "as `kvmalloc`, zeroed")              \
	X(KVMALLOC_ARRAY, kvmalloc_array, 57, "kvmalloc_array", VARIABLE, count_size, "%x, %s",               \
	  "as `kvmalloc`, COUNT elements of SIZE bytes")                                                      \
	X(KVCALLOC, kvcalloc, 83, "kvcalloc", VARIABLE, count_size, "%x, %s", "as `kvmalloc_array`, zeroed")  \
	X(KVMALLOC_NODE, kvmalloc_node, 84, "kvmalloc_node", VARIABLE, size_node, "%x, %s",                   \
	  "as `kvmalloc`, on NUMA node NODE; on another node when it has none left")                          \
	X(VREALLOC, vrealloc, 64, "vrealloc", VARIABLE, address_size_flags, "%x, %s",                         \
	  "resizes the area that starts at ADDRESS, in place or by moving it. The contents stay, up "         \
	  "to the smaller size; with `__GFP_ZERO` what is gained is zero. SIZE 0 frees the area. "            \
	  "The variable that held it is freed, unless it is NAME")                                            \
	X(KVREALLOC, kvrealloc, 65, "kvrealloc", VARIABLE, address_size_flags, "%x, %s",                      \
	  "as `vrealloc`, for memory of `kvmalloc` and its variants")                                         \
	X(KVFREE, kvfree, 58, "kvfree", NOTHING, address, "%a freed",                                         \
	  "frees memory of `kvmalloc` and its variants, of `kmalloc` or of `vmalloc`")                        \
	X(VFREE, vfree, 3, "vfree", NOTHING, address, "%a freed", "frees the area that starts at ADDRESS")    \
	X(VFREE_ATOMIC, vfree_atomic, 80, "vfree_atomic", NOTHING, address, "%a deferred",                    \
	  "as `vfree`, without waiting for a lock or a flush: the area stays mapped until its CPU "           \
	  "frees or allocates another one, or until a purge")                                                 \
	X(KMALLOC, kmalloc, 32, "kmalloc", VARIABLE, size_flags, "%x, %s",                                    \
	  "allocates SIZE bytes, physically contiguous, at most 4M: an object of a size class, or "           \
	  "above 8K and with a zone's flag a block of page frames. The host verifies that the pages are "     \
	  "contiguous. Flags: `GFP_KERNEL` by default")                                                       \
	X(KMALLOC_NODE, kmalloc_node, 35, "kmalloc_node", VARIABLE, size_node, "%x, %s",                      \
	  "as `kmalloc`, on NUMA node NODE; on another node when it has none left")                           \
	X(KZALLOC, kzalloc, 33, "kzalloc", VARIABLE, size_flags, "%x, %s", "as `kmalloc`, zeroed")            \
	X(KMALLOC_ARRAY, kmalloc_array, 85, "kmalloc_array", VARIABLE, count_size, "%x, %s",                  \
	  "as `kmalloc`, COUNT elements of SIZE bytes; a product of more than 64 bits is refused")            \
	X(KCALLOC, kcalloc, 86, "kcalloc", VARIABLE, count_size, "%x, %s", "as `kmalloc_array`, zeroed")      \
	X(KREALLOC, krealloc, 87, "krealloc", VARIABLE, address_size_flags, "%x, %s",                         \
	  "as `vrealloc`, for memory of `kmalloc` and its variants: an object stays while it has room, "      \
	  "and never becomes an area")                                                                        \
	X(KFREE, kfree, 34, "kfree", NOTHING, address, "%a freed",                                            \
	  "frees memory of `kmalloc` and its variants")                                                       \
	X(VMAP, vmap, 24, "vmap", VARIABLE, variable, "%x, %s",                                               \
	  "maps the page frames of the variable's area once more, in their order, with a guard "              \
	  "after them; at most 4M. Both areas hold the same bytes")                                           \
	X(VUNMAP, vunmap, 25, "vunmap", NOTHING, address, "%a unmapped",                                      \
	  "unmaps a mapping of `vmap`. The page frames stay with the first area, which must be "              \
	  "freed after it")                                                                                   \
	X(VM_MAP_RAM, vm_map_ram, 26, "vm_map_ram", VARIABLE, variable, "%x, %s",                             \
	  "as `vmap`, for short-lived mappings")                                                              \
	X(VM_UNMAP_RAM, vm_unmap_ram, 27, "vm_unmap_ram", NOTHING, address_pages, "%a unmapped",              \
	  "unmaps a mapping of `vm_map_ram`, which must have PAGES pages")                                    \
	X(VM_UNMAP_ALIASES, vm_unmap_aliases, 28, "vm_unmap_aliases", NOTHING, none, "",                      \
	  "flushes all lazily freed ranges of all CPUs")                                                      \
	X(SET_MEMORY_RO, set_memory_ro, 59, "set_memory_ro", NOTHING, address_pages, "%a is read-only",       \
	  "makes the area that starts at ADDRESS and has PAGES pages read-only")                              \
	X(SET_MEMORY_RW, set_memory_rw, 60, "set_memory_rw", NOTHING, address_pages, "%a is writable",        \
	  "makes it writable; refused while it is executable")                                                \
	X(SET_MEMORY_X, set_memory_x, 61, "set_memory_x", NOTHING, address_pages, "%a is executable",         \
	  "makes it executable; refused while it is writable")                                                \
	X(SET_MEMORY_NX, set_memory_nx, 62, "set_memory_nx", NOTHING, address_pages, "%a is not executable",  \
	  "makes it not executable")                                                                          \
	X(FILL, fill, 4, "fill", NOTHING, variable_seed, "%s filled",                                         \
	  "fills the memory, each page with a pattern of its own. Without a seed, each `fill` of a "          \
	  "run has its own")                                                                                  \
	X(CHECK, check, 5, "check", NOTHING, variable, "contents as expected",                                \
	  "checks that the memory holds what `fill` wrote, or zero if it was allocated zeroed. "              \
	  "After a `write` to it, only the bytes of the last `write` are compared, and of those before it "   \
	  "that end where it begins, as those of one TEXT")                                                   \
	X(READ, read, 6, "read", NOTHING, address, "%v at %a", "loads 8 bytes")                               \
	X(WRITE, write, 7, "write", NOTHING, address_value, "written at %a",                                  \
	  "stores 8 bytes; or TEXT with a zero after it, in as many stores of 8 bytes as it needs, with "     \
	  "zeros in the last one")                                                                            \
	X(EXECUTE, execute, 63, "execute", NOTHING, address, "returned",                                      \
	  "calls the code at ADDRESS: `write a 0xc3` stores a RET instruction")                               \
	X(FRAGMENT, fragment, 8, "fragment", NOTHING, fragment, "%u frames held",                             \
	  "holds PERCENT of a stretch of free page frames (4M by default), chosen frame by frame, "           \
	  "and frees the rest in a pseudo-random order, so that later areas are scattered. Without "          \
	  "a seed, or with seed 0, the seed of the run is used (`--seed`)")                                   \
	X(PAIR, pair, 15, "pair", NOTHING, pair, "%d ticks a pair, the worst single operation %w",            \
	  "allocates SIZE bytes and frees them, COUNT times, then purges. Reports the ticks of the "          \
	  "time-stamp counter for all pairs and for the worst single allocation or free, without "            \
	  "those of the loop")                                                                                \
	X(AREAS, areas, 16, "areas", NOTHING, areas, "%u areas made",                                         \
	  "allocates COUNT areas that no variable holds; with `holes`, every second one is freed at "         \
	  "the end")                                                                                          \
	X(STRESS, stress, 73, "stress", NOTHING, stress, "%u operations done",                                \
	  "runs COUNT random operations on the CPU: areas, `vmap`, `vm_map_ram`, `kvmalloc` and "             \
	  "`alloc_pages`, resized, checked, passed to other CPUs and freed. Contents are checked "            \
	  "before each free. What is live at the end stays for the next `stress`. A lack of memory "          \
	  "is no failure")                                                                                    \
	X(STRESS_FREE, stress_free, 74, "stress_free", NOTHING, none, "%u objects freed",                     \
	  "checks and frees what `stress` left on all CPUs; in a `parallel`, on its own CPU")                 \
	X(PURGE, purge, 9, "purge", NOTHING, none, "%u ranges flushed",                                       \
	  "flushes all lazily freed ranges of all CPUs, and empties this CPU's cache of ranges")              \
	X(VERIFY, verify, 10, "verify", NOTHING, none, "",                                                    \
	  "stops the guest while the host verifies it; a run also ends with this")                            \
	X(PRINT, print, 11, "print", NOTHING, print, "",                                                      \
	  "puts TEXT, and the value of ADDRESS, into the reports. ADDRESS is made of a variable, "            \
	  "`text` or `rodata`")                                                                               \
	X(SHOW, show, 82, "show", NOTHING, show, "shown",                                                     \
	  "stops the guest while the host puts into the report, at this place, its counters as `kvmap proc` " \
	  "has them, its areas as `kvmap areas` has them, of ADDRESS the one that it lies in, or the frame "  \
	  "to which ADDRESS is mapped. ADDRESS is made of a variable, a number or `text`")                    \
	X(CRASH, crash, 13, "crash", NOTHING, crash, "", "crashes the guest, to show the report of it")       \
	X(BUG, bug, 14, "bug", NOTHING, bug, "",                                                              \
	  "runs a deliberate bug of the memory manager, for the host to find. Only the guest of "             \
	  "`tests/mutants` has them; any other refuses")                                                      \
	X(PARALLEL, parallel, 72, "parallel", NOTHING, parallel, "%u operations in parallel", "")             \
	X(TOUCH, touch, 12, "touch", NOTHING, touch, "", "")

#define KVMAP_OPCODE_ENUM(NAME, function, opcode, ...) KVMAP_OP_##NAME = (opcode),
enum kvmap_opcode { KVMAP_OPERATIONS(KVMAP_OPCODE_ENUM) };
#undef KVMAP_OPCODE_ENUM

#endif
